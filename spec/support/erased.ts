/**
 * The sources and the examples without their types, as programs that Node.js runs by itself. `tsx` would translate all of them again for
 * each of the dozens of processes that the specs of examples start.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

/** Where they are kept between runs. */
const cache = resolve('node_modules/.cache/sluice-erased');

/** `text` without its types. */
export function erased(text: string, module: 'CommonJS' | 'ESNext'): string {
  const compilerOptions = { module: ts.ModuleKind[module], target: ts.ScriptTarget.ES2022, esModuleInterop: true };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

/**
 * A folder with `examples/*.js`, and with sluice and RxJS among its `node_modules`. It is made by the first that asks for it, and again
 * when a source has changed.
 */
export function erasedProject(): string {
  const files = ['src', 'examples'].flatMap(filesIn);
  const project = join(cache, versionOf(files));
  if (existsSync(project)) return project;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'new-'));
  for (const file of files) {
    const isSource = file.startsWith('src');
    const path = join(folder, isSource ? `node_modules/sluice${file.slice(3)}` : file).replace(/\.ts$/, '.js');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, erased(readFileSync(file, 'utf8'), isSource ? 'CommonJS' : 'ESNext'));
  }
  writeFileSync(join(folder, 'node_modules/sluice/package.json'), '{ "type": "commonjs", "exports": "./index.js" }');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(resolve('node_modules/rxjs'), join(folder, 'node_modules/rxjs'));
  return inPlace(folder, project);
}

/** Another process may have made the same meanwhile. */
function inPlace(folder: string, project: string): string {
  try {
    renameSync(folder, project);
  } catch {
    rmSync(folder, { recursive: true });
  }
  return project;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort();
}

function versionOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
