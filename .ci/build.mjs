// Builds dist/esm and dist/cjs with plain tsc, and marks each folder with its module type.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
rmSync('dist', { recursive: true, force: true });
for (const [format, type] of [
  ['esm', 'module'],
  ['cjs', 'commonjs'],
]) {
  execFileSync(process.execPath, [tsc, '-p', `src/tsconfig.${format}.json`], { stdio: 'inherit' });
  writeFileSync(`dist/${format}/package.json`, `${JSON.stringify({ type, sideEffects: false })}\n`);
}
