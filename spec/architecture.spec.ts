import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { type Import, nodes, parseModule, readModules, type SourceModule } from './support/source-module.js';

/** What the files of one folder of `src` may import. Nothing that is not named here. */
interface Layer {
  /** Folders of `src`, besides its own, and single files of others. */
  readonly values: readonly string[];
  /** Folders of `src` of which only types. */
  readonly types: readonly string[];
  /** Which modules of Node: `true` for any, `'types'` for their types, or a module with the files that may. */
  readonly node: true | 'types' | Readonly<Record<string, RegExp>>;
  readonly rxjs: readonly string[];
}

/**
 * Files of other layers that need nothing of Node: what implements `Connection` elsewhere, around another one or in a browser,
 * shares them, and operators measure time with the same clock.
 */
const neutral = ['reactive/send-subject.ts', 'reactive/message-iterator.ts', 'transport/clock.ts'];

const layers: Readonly<Record<string, Layer>> = {
  protocol: {
    values: [],
    types: [],
    node: { 'node:buffer': /./, 'node:crypto': /^accept-key\.ts$/, 'node:zlib': /^deflate\.ts$/ },
    rxjs: [],
  },
  transport: { values: ['protocol'], types: [], node: true, rxjs: ['rxjs'] },
  reactive: { values: ['protocol', 'transport'], types: [], node: 'types', rxjs: ['rxjs'] },
  operators: { values: ['protocol', ...neutral], types: ['reactive'], node: {}, rxjs: ['rxjs'] },
  testing: {
    values: ['protocol', 'reactive', 'operators/fifo.ts'],
    types: ['transport'],
    node: {},
    rxjs: ['rxjs', 'rxjs/testing'],
  },
  browser: { values: ['protocol', 'operators', ...neutral], types: ['reactive'], node: {}, rxjs: ['rxjs'] },
  bus: { values: [], types: ['operators'], node: {}, rxjs: ['rxjs'] },
};

/** What RxJS 7 still has, but RxJS 8 and later have not, or never meant for others. */
const privateMembers = new Set([
  'lift',
  '_subscribe',
  '_trySubscribe',
  'operator',
  'observers',
  'currentObservers',
  'isStopped',
  'destination',
]);
const retiredImports = new Set([
  'multicast',
  'publish',
  'publishBehavior',
  'publishLast',
  'publishReplay',
  'refCount',
  'ConnectableObservable',
  'connectable',
]);

const modules = readModules('src');
const inner = modules.filter((module) => module.layer !== undefined);
const entries = modules.filter((module) => module.layer === undefined);
const byPath = new Map(modules.map((module) => [module.path, module]));

describe('layers', () => {
  it('has a rule for every folder', () => {
    expect(inner.filter((module) => !Object.hasOwn(layers, module.layer!)).map((module) => module.path)).toEqual([]);
  });

  it('imports downwards only', () => {
    expect(inner.flatMap(upwardImports)).toEqual([]);
  });

  it('names files that exist, with the extension .js', () => {
    const wrong = modules.flatMap((module) =>
      module.imports
        .filter(({ file, specifier }) => file !== undefined && !(specifier.endsWith('.js') && byPath.has(file)))
        .map(({ specifier }) => `${module.path}: ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has neutral files that take only types from their own layer, and nothing of Node', () => {
    const wrong = neutral.flatMap((name) =>
      byPath
        .get(`src/${name}`)!
        .imports.filter(({ typeOnly, specifier }) => !typeOnly && !/^(rxjs$|\.\.\/protocol\/)/.test(specifier))
        .map(({ specifier }) => `${name}: ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycles', () => {
    expect(cycles(modules)).toEqual([]);
  });

  it('has no inner barrels', () => {
    const barrels = inner.filter(
      ({ path, tree }) => posix.basename(path) === 'index.ts' || tree.statements.every(isReexportOfOurs),
    );
    expect(barrels.map((module) => module.path)).toEqual([]);
  });

  it('has entry points that only re-export', () => {
    expect(entries.filter((module) => !module.tree.statements.every(isReexport)).map((module) => module.path)).toEqual(
      [],
    );
    expect(entries.map((module) => module.path)).toEqual(
      expect.arrayContaining(['src/index.ts', 'src/operators.ts', 'src/testing.ts']),
    );
  });

  it('depends on nothing but rxjs, as a peer', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;
    expect(Object.keys(manifest.peerDependencies ?? {})).toEqual(['rxjs']);
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('optionalDependencies');
  });
});

describe('files', () => {
  it('have no default exports', () => {
    expect(findings(isDefaultExport)).toEqual([]);
  });

  it('use only the public names of rxjs that later versions keep', () => {
    expect(findings(isPrivateRxjs)).toEqual([]);
    expect(modules.flatMap(retiredNames)).toEqual([]);
  });

  it('read header fields as they came, or from the views of Node that no name breaks', () => {
    expect(findings(isBreakableView)).toEqual([]);
  });

  it('do not fall back on the WebSocket of the platform', () => {
    const outsideBrowser = inner.filter((module) => module.layer !== 'browser');
    expect(findings(isNativeWebSocket, outsideBrowser)).toEqual([]);
  });
});

describe('these rules', () => {
  const upward = (path: string, text: string): string[] => upwardImports(parseModule(path, text));

  it.each([
    ['src/protocol/frame.ts', "import { Observable } from 'rxjs';"],
    ['src/protocol/frame.ts', "import type { Observable } from 'rxjs';"],
    ['src/protocol/frame.ts', "import { randomBytes } from 'node:crypto';"],
    ['src/protocol/frame.ts', "export { dial } from '../transport/dial.js';"],
    ['src/protocol/frame.ts', "type Dial = import('../transport/dial.js').Dial;"],
    ['src/transport/dial.ts', "import ws from 'ws';"],
    ['src/transport/dial.ts', "import net = require('net');"],
    ['src/transport/dial.ts', "import { of } from 'rxjs/internal/observable/of';"],
    ['src/transport/dial.ts', "await import('../reactive/serve.js');"],
    ['src/reactive/serve.ts', "import { createServer } from 'node:net';"],
    ['src/reactive/serve.ts', "import { type Server, createServer } from 'node:net';"],
    ['src/reactive/serve.ts', "import { sendTo } from '../operators/send-to.js';"],
    ['src/operators/gate.ts', "import { wrap } from '../reactive/wrap.js';"],
    ['src/operators/gate.ts', "import { sendFrom } from '../reactive/send-from.js';"],
    ['src/operators/gate.ts', "import { connect } from '../index.js';"],
    ['src/operators/gate.ts', "import { connect } from 'sluice';"],
  ])('refuse in %s: %s', (path, text) => {
    expect(upward(path, text)).toHaveLength(1);
  });

  it.each([
    ['src/protocol/accept-key.ts', "import { createHash } from 'node:crypto';"],
    ['src/protocol/session.ts', "import { readHeader } from './header.js';"],
    ['src/transport/dial.ts', "import { connect } from 'node:tls'; import { Observable } from 'rxjs';"],
    ['src/reactive/accept.ts', "import type { IncomingMessage } from 'node:http';"],
    ['src/operators/gate.ts', "import type { Connection } from '../reactive/connection.js';"],
    ['src/operators/gate.ts', "import { type Connection, type Hold } from '../reactive/connection.js';"],
    ['src/operators/with-codec.ts', "import { SendSubject } from '../reactive/send-subject.js';"],
  ])('allow in %s: %s', (path, text) => {
    expect(upward(path, text)).toEqual([]);
  });

  it('find a cycle of types too', () => {
    const a = parseModule('src/protocol/a.ts', "import { b } from './b.js';");
    const b = parseModule('src/protocol/b.ts', "import type { A } from './a.js';");
    expect(cycles([a, b])).toEqual(['src/protocol/a.ts > src/protocol/b.ts > src/protocol/a.ts']);
  });

  it.each([
    ['export default 1;', isDefaultExport],
    ['export default function f() {}', isDefaultExport],
    ['const a = 1; export { a as default };', isDefaultExport],
    ['source.lift(operator);', isPrivateRxjs],
    ['class A extends Subject<B> { override _subscribe() {} }', isPrivateRxjs],
    ['new Subscriber(next);', isPrivateRxjs],
    ['new WebSocket(url);', isNativeWebSocket],
    ['new globalThis.WebSocket(url);', isNativeWebSocket],
    ['const { headersDistinct } = request;', isBreakableView],
    ["request['trailersDistinct']", isBreakableView],
  ])('find %s', (text, rule) => {
    expect(findings(rule, [parseModule('src/reactive/a.ts', text)])).not.toEqual([]);
  });
});

function upwardImports(module: SourceModule): string[] {
  const layer = layers[module.layer!]!;
  return module.imports
    .filter((taken) => !isAllowed(layer, module, taken))
    .map(({ specifier }) => `${module.path}: ${specifier}`);
}

function isAllowed(layer: Layer, module: SourceModule, { specifier, file, typeOnly }: Import): boolean {
  if (file !== undefined) {
    const [, folder, ...rest] = file.split('/');
    if (!file.startsWith('src/') || rest.length === 0) return false;
    if (folder === module.layer || layer.values.includes(folder!) || layer.values.includes(file.slice(4))) return true;
    return typeOnly && layer.types.includes(folder!);
  }
  if (!specifier.startsWith('node:')) return layer.rxjs.includes(specifier);
  if (layer.node === true) return true;
  if (layer.node === 'types') return typeOnly;
  return layer.node[specifier]?.test(posix.basename(module.path)) ?? false;
}

/** Every cycle once, written from its first file in the alphabet. Types count: a cycle of types is a cycle for the reader. */
function cycles(among: readonly SourceModule[]): string[] {
  const targets = new Map(among.map((module) => [module.path, module.imports.map(({ file }) => file)]));
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.add(writeCycle(trail.slice(start)));
    if (start >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) if (target !== undefined) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of among) visit(path, []);
  return [...found];
}

function writeCycle(paths: readonly string[]): string {
  const first = paths.indexOf([...paths].sort()[0]!);
  const rotated = [...paths.slice(first), ...paths.slice(0, first)];
  return [...rotated, rotated[0]].join(' > ');
}

/** Where `rule` holds, as `path:line text`. */
function findings(rule: (node: ts.Node) => boolean, among: readonly SourceModule[] = modules): string[] {
  return among.flatMap(({ path, tree }) =>
    nodes(tree)
      .filter(rule)
      .map((node) => `${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText()}`),
  );
}

function isReexport(statement: ts.Statement): boolean {
  return ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined;
}

function isReexportOfOurs(statement: ts.Statement): boolean {
  return isReexport(statement) && /^'\./.test((statement as ts.ExportDeclaration).moduleSpecifier!.getText());
}

function isDefaultExport(node: ts.Node): boolean {
  return (
    (ts.isExportAssignment(node) && !node.isExportEquals) ||
    (ts.isExportSpecifier(node) && node.name.text === 'default') ||
    (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent))
  );
}

function isPrivateRxjs(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) return node.expression.getText() === 'Subscriber';
  if (ts.isPropertyAccessExpression(node) || ts.isMethodDeclaration(node) || ts.isPropertyDeclaration(node)) {
    return privateMembers.has(node.name.getText());
  }
  return false;
}

function isNativeWebSocket(node: ts.Node): boolean {
  return ts.isNewExpression(node) && /^(globalThis\.)?WebSocket$/.test(node.expression.getText());
}

/** Reads of the views of a message that throw in some versions of Node, when a field is named `__proto__`. */
function isBreakableView(node: ts.Node): boolean {
  const isView = (ts.isIdentifier(node) || ts.isStringLiteral(node)) && /^(headers|trailers)Distinct$/.test(node.text);
  return isView && !isAssigned(node.parent);
}

function isAssigned(node: ts.Node): boolean {
  const { parent } = node;
  return (
    ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken && parent.left === node
  );
}

function retiredNames({ path, imports }: SourceModule): string[] {
  return imports
    .filter(({ specifier }) => specifier === 'rxjs')
    .flatMap(({ names }) => names.filter(({ name }) => retiredImports.has(name)).map(({ name }) => `${path}: ${name}`));
}
