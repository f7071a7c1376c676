// Builds dist/esm and dist/cjs: tsc compiles each file, and rollup joins those of each entry point, and what they share, to one. A process
// that loads four files instead of a hundred and fifty has 1 MiB less in its heap, and starts sooner. Declarations stay file by file.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { rollup } from '@rollup/wasm-node';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const formats = [
  { folder: 'esm', format: 'es', type: 'module' },
  { folder: 'cjs', format: 'cjs', type: 'commonjs' },
];

function compile(project, ...options) {
  execFileSync(process.execPath, [tsc, '-p', project, ...options], { stdio: 'inherit' });
}

rmSync('dist', { recursive: true, force: true });
const modules = mkdtempSync('.build-');
try {
  const javaScript = ['--declaration', 'false', '--declarationMap', 'false', '--isolatedDeclarations', 'false'];
  compile('src/tsconfig.esm.json', '--outDir', modules, '--removeComments', '--stripInternal', 'false', ...javaScript);
  const bundle = await rollup({
    input: Object.fromEntries(['index', 'operators', 'testing'].map((entry) => [entry, `${modules}/${entry}.js`])),
    external: /^(node:|rxjs)/,
    treeshake: false,
    plugins: [{ name: 'source maps of tsc', load: withSourceMap }],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  for (const { folder, format, type } of formats) {
    compile(`src/tsconfig.${folder}.json`, '--emitDeclarationOnly');
    await bundle.write({
      dir: `dist/${folder}`,
      format,
      exports: 'named',
      chunkFileNames: 'chunk.js',
      generatedCode: 'es2015',
      externalLiveBindings: false,
      sourcemap: true,
      // The package carries its sources, where the declarations look for them too.
      sourcemapExcludeSources: true,
    });
    writeFileSync(`dist/${folder}/package.json`, `${JSON.stringify({ type, sideEffects: false })}\n`);
  }
  await bundle.close();
} finally {
  rmSync(modules, { recursive: true, force: true });
}

function withSourceMap(file) {
  return { code: readFileSync(file, 'utf8'), map: JSON.parse(readFileSync(`${file}.map`, 'utf8')) };
}
