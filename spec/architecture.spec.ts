import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { type Room, rooms } from './support/rooms.js';
import { type Import, nodes, parseModule, readModules, type SourceModule } from './support/source-module.js';

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

/** Imports that stand against the rules, until what they take has moved. */
const debts: readonly string[] = [];

const modules = readModules('src');
const inner = modules.filter((module) => module.room !== undefined);
const entries = modules.filter((module) => module.room === undefined);
const byPath = new Map(modules.map((module) => [module.path, module]));

describe('rooms', () => {
  it('have a rule for every folder', () => {
    expect(inner.filter((module) => !Object.hasOwn(rooms, module.room!)).map((module) => module.path)).toEqual([]);
  });

  it('imports downwards only', () => {
    expect(inner.flatMap(upwardImports).sort()).toEqual([...debts].sort());
  });

  it('names files that exist, with the extension .js', () => {
    const wrong = modules.flatMap((module) =>
      module.imports
        .filter(({ file, specifier }) => file !== undefined && !(specifier.endsWith('.js') && byPath.has(file)))
        .map(({ specifier }) => `${module.path}: ${specifier}`),
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
    const outsideBrowser = inner.filter((module) => module.room !== 'browser');
    expect(findings(isNativeWebSocket, outsideBrowser)).toEqual([]);
  });
});

describe('these rules', () => {
  const upward = (path: string, text: string): string[] => upwardImports(parseModule(path, text));

  it.each([
    ['src/protocol/frame/frame.ts', "import { Observable } from 'rxjs';"],
    ['src/protocol/frame/frame.ts', "import type { Observable } from 'rxjs';"],
    ['src/protocol/frame/frame.ts', "import { randomBytes } from 'node:crypto';"],
    ['src/protocol/frame/frame.ts', "import { Once } from '../../base/once.js';"],
    ['src/protocol/frame/frame.ts', "export { dial } from '../../net/dial.js';"],
    ['src/protocol/frame/frame.ts', "type Dial = import('../../net/dial.js').Dial;"],
    ['src/net/dial.ts', "import ws from 'ws';"],
    ['src/net/dial.ts', "import net = require('net');"],
    ['src/net/dial.ts', "import { of } from 'rxjs/internal/observable/of';"],
    ['src/net/dial.ts', "await import('../server/web-socket-server.js');"],
    ['src/server/serve.ts', "import { createServer } from 'node:net';"],
    ['src/server/serve.ts', "import { type Server, createServer } from 'node:net';"],
    ['src/server/serve.ts', "import { sendTo } from '../operators/send-to.js';"],
    ['src/connection/inbox.ts', "import { Session } from '../protocol/message/session.js';"],
    ['src/connection/inbox.ts', "import type { BytePort } from '../channel/byte-port.js';"],
    ['src/operators/gate.ts', "import { wrap } from '../net/wrap.js';"],
    ['src/operators/gate.ts', "import type { Terms } from '../channel/terms.js';"],
    ['src/operators/gate.ts', "import { connect } from '../index.js';"],
    ['src/operators/gate.ts', "import { connect } from 'sluice';"],
  ])('refuse in %s: %s', (path, text) => {
    expect(upward(path, text)).toHaveLength(1);
  });

  it.each([
    ['src/protocol/handshake/accept-key.ts', "import { createHash } from 'node:crypto';"],
    ['src/protocol/message/session.ts', "import { readHeader } from '../frame/header.js';"],
    ['src/protocol/message/session.ts', "import { excerpt } from '../../base/excerpt.js';"],
    ['src/net/dial.ts', "import { connect } from 'node:tls'; import { Observable } from 'rxjs';"],
    ['src/server/accept.ts', "import type { IncomingMessage } from 'node:http';"],
    ['src/connection/inbox.ts', "import type { Session } from '../protocol/message/session.js';"],
    ['src/connection/inbox.ts', "import { WebSocketError } from '../protocol/errors.js';"],
    ['src/operators/gate.ts', "import { type Connection, type Hold } from '../connection/connection.js';"],
    ['src/operators/typed/with-codec.ts', "import { SendSubject } from '../../connection/send-subject.js';"],
    ['src/server/accept.ts', "import { typedConnection } from '../operators/typed/with-codec.js';"],
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
    expect(findings(rule, [parseModule('src/server/a.ts', text)])).not.toEqual([]);
  });
});

function upwardImports(module: SourceModule): string[] {
  const room = rooms[module.room!]!;
  return module.imports
    .filter((taken) => !isAllowed(room, module, taken))
    .map(({ specifier }) => `${module.path}: ${specifier}`);
}

function isAllowed(room: Room, module: SourceModule, { specifier, file, typeOnly }: Import): boolean {
  if (file !== undefined) return isAllowedFile(room, module, file, typeOnly);
  if (!specifier.startsWith('node:')) return room.rxjs.includes(specifier);
  if (room.node === true) return true;
  if (room.node === 'types') return typeOnly;
  return room.node[specifier]?.test(posix.basename(module.path)) ?? false;
}

function isAllowedFile(room: Room, module: SourceModule, file: string, typeOnly: boolean): boolean {
  const [, folder, ...rest] = file.split('/');
  if (!file.startsWith('src/') || rest.length === 0) return false;
  const { values, parts = [], types = [], neutral = [], withoutRxjs = [] } = room;
  if (folder === module.room || values.includes(folder!)) return true;
  if (parts.some((part) => file.startsWith(`src/${part}/`))) return true;
  if (neutral.includes(folder!)) return typeOnly || !needs(file).some((specifier) => specifier.startsWith('node:'));
  if (withoutRxjs.includes(folder!)) return typeOnly || !needs(file).includes('rxjs');
  return typeOnly && types.includes(folder!);
}

/** The packages and modules of Node whose values `path` needs, with all that it imports. */
function needs(path: string): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (at: string): void => {
    if (seen.has(at)) return;
    seen.add(at);
    for (const { file, specifier, typeOnly } of byPath.get(at)?.imports ?? []) {
      if (typeOnly) continue;
      if (file === undefined) found.add(specifier);
      else visit(file);
    }
  };
  visit(path);
  return [...found];
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
