import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { inSources } from './source-positions.js';

const folder = mkdtempSync(join(tmpdir(), 'source-positions-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Where a profile says that each of these functions is. */
function places(...ran: readonly (readonly [url: string, lineNumber: number, columnNumber: number])[]): string[] {
  const nodes = ran.map(([url, lineNumber, columnNumber], id) => ({
    id,
    callFrame: { functionName: 'f', url, lineNumber, columnNumber },
  }));
  const { nodes: mapped } = inSources({ nodes, startTime: 0, samples: [], timeDeltas: [] });
  return mapped.map(({ callFrame: { url, lineNumber } }) => `${url}:${lineNumber}`);
}

describe('the place of a function in its source', () => {
  it('is what the source map beside its file says', () => {
    const source = '\n\ninterface Nothing {}\nexport function f(): void {}\n';
    const { outputText, sourceMapText } = ts.transpileModule(source, {
      fileName: 'original.ts',
      compilerOptions: { sourceMap: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
    });
    const file = join(folder, 'built.js');
    writeFileSync(file, outputText);
    writeFileSync(`${file}.map`, sourceMapText!);
    const { href } = pathToFileURL(file);
    expect(outputText).toMatch(/^export function f/);
    expect(places([href, 0, 17])).toEqual([`${new URL('original.ts', href).href}:3`]);
  });

  it('is its own where there is no map', () => {
    const { href } = pathToFileURL(join(folder, 'plain.js'));
    expect(places([href, 1, 2], ['node:net', 3, 4], ['', -1, -1])).toEqual([`${href}:1`, 'node:net:3', ':-1']);
  });
});
