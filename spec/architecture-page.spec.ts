import { existsSync, readFileSync } from 'node:fs';
import { moduleState } from './support/module-state.js';
import { roomsPicture } from './support/rooms-picture.js';
import { parseModule, readModules } from './support/source-module.js';

const page = readFileSync('docs/explanation/architecture.md', 'utf8');
const modules = readModules('src');

/** The cells of each row of the tables below `heading`. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| (.*) \|$/gm)].slice(1).map(([, row]) => row!.split(' | '));
}

function codeIn(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

describe('the picture of the rooms', () => {
  it('is current: npm run docs:picture draws it anew', () => {
    expect(readFileSync('docs/explanation/architecture.svg', 'utf8')).toBe(roomsPicture(modules));
  });

  it('tells imports of types, and those against the rules, from others', () => {
    const svg = roomsPicture([
      parseModule('src/base/a.ts', "import type { B } from '../protocol/frame/b.js';"),
      parseModule('src/protocol/frame/b.ts', "import { C } from '../../base/c.js';"),
      parseModule('src/testing/d.ts', "import type { C } from '../base/c.js';"),
    ]);
    expect(svg).toContain('class="crossing against"');
    expect(svg).toContain('class="crossing types"');
    expect(svg).toContain('class="crossing values"');
    expect(svg).toContain('frame 1');
    expect(svg).not.toContain('server/');
  });
});

describe('the page about the architecture', () => {
  it('sends to one folder for each change, and that exists', () => {
    const folders = rowsBelow('Where to change what').map(([, cell]) => codeIn(cell));
    expect(folders.length).toBeGreaterThan(10);
    expect(folders.filter((found) => found.length !== 1 || !existsSync(`src/${found[0]}`))).toEqual([]);
  });

  it('has every room', () => {
    const rooms = rowsBelow('Rooms').flatMap(([cell]) => codeIn(cell));
    const found = new Set(modules.flatMap(({ room }) => (room === undefined ? [] : [`${room}/`])));
    expect(rooms.sort()).toEqual([...found].sort());
  });

  it('lists all state of modules, and nothing else', () => {
    const listed = rowsBelow('Module state').flatMap(([file, names]) =>
      codeIn(names).map((name) => `src/${codeIn(file)[0]}: ${name}`),
    );
    const found = modules.flatMap((module) => moduleState(module).map((name) => `${module.path}: ${name}`));
    expect(listed.sort()).toEqual(found.sort());
  });
});

describe('state of a module', () => {
  const stateOf = (text: string): string[] => moduleState(parseModule('src/base/a.ts', text));

  it.each([
    ['let a = 1;', 'a'],
    ['export let a: string | undefined;', 'a'],
    ['var a = 1;', 'a'],
    ['const a = new Map<string, number>();', 'a'],
    ['export const a: WeakMap<object, string> = new WeakMap();', 'a'],
    ['const a: string[] = [];', 'a'],
    ['const a = new Pool(1);', 'a'],
    ['const a = Buffer.alloc(16);', 'a'],
    ['const a = b ? Buffer.allocUnsafe(16) : b;', 'a'],
    ['const a = { count: 0 }; function f() { a.count++; }', 'a'],
    ['const a = { count: 0 }; function f() { a.count = 1; }', 'a'],
    ['const a = [1]; function f() { a[0] += 1; }', 'a'],
    ['const a = /x/y; function f() { a.lastIndex = 0; }', 'a'],
    ['class A { static a = 1; }', 'a'],
    ['class A { static readonly #a: A[] = []; }', '#a'],
  ])('is found in %s', (text, name) => {
    expect(stateOf(text)).toEqual([name]);
  });

  it.each([
    'const a = 1;',
    'const a: ReadonlyMap<string, number> = new Map();',
    'const a: readonly string[] = [];',
    "const a = ['x'];",
    'const a = { b: 1 } as const;',
    'const a = () => new Map();',
    'function f() { let a = 1; a++; }',
    'const a = Buffer.alloc(0);',
    'const a = new Uint8Array(0);',
    'class A { static readonly a = 1; b = new Map(); }',
  ])('is not found in %s', (text) => {
    expect(stateOf(text)).toEqual([]);
  });
});
