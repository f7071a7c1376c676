/** What holds for all specs. CONTRIBUTING.md tells why. */
import ts from 'typescript';
import { nodes, parseModule, readModules, type SourceModule } from './support/source-module.js';

/** Specs that may patch what is shared, each with its reason. */
const patchers: Readonly<Record<string, string>> = {
  'spec/lifecycle/simulation-of-both-ends.spec.ts': 'breaks parts on purpose, to see that the simulation finds out',
};

const modules = readModules('spec');
const specs = modules.filter(({ path }) => path.endsWith('.spec.ts'));

describe('every export that is no type', () => {
  const entries = ['src/index.ts', 'src/operators.ts', 'src/testing.ts'];
  const program = ts.createProgram(entries, { module: ts.ModuleKind.NodeNext, noLib: true, types: [] });
  const checker = program.getTypeChecker();
  const isValue = (symbol: ts.Symbol): boolean =>
    !symbol.declarations!.some((each) => ts.isExportSpecifier(each) && each.isTypeOnly) &&
    (checker.getAliasedSymbol(symbol).flags & ts.SymbolFlags.Value) !== 0;
  const imported = new Set(modules.flatMap(({ imports }) => imports.flatMap(({ names }) => names.map((n) => n.name))));

  it.each(entries)('of %s is used in a spec', (entry) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
    const names = checker
      .getExportsOfModule(symbol)
      .filter(isValue)
      .map(({ name }) => name);
    expect(names).not.toEqual([]);
    expect(names.filter((name) => !imported.has(name))).toEqual([]);
  });
});

describe('specs', () => {
  it('patch nothing that the code under test shares with others', () => {
    const patched = specs.filter(({ path }) => !Object.hasOwn(patchers, path)).flatMap(patches);
    expect(patched).toEqual([]);
  });

  it('name the values that one assertion compares', () => {
    expect(specs.flatMap(unnamed)).toEqual([]);
  });
});

describe('these rules', () => {
  const inSpec = (text: string): SourceModule => parseModule('spec/a/b.spec.ts', text);

  it.each([
    "jest.spyOn(Buffer.prototype, 'copy');",
    "jest.spyOn(Math, 'random');",
    "import * as writer from '../../src/protocol/frame/frame-writer.js'; jest.spyOn(writer, 'writeFrame');",
    "jest.doMock('../../src/net/dial.js');",
  ])('find %s', (text) => {
    expect(patches(inSpec(text))).toHaveLength(1);
  });

  it.each([
    "jest.spyOn(console, 'error');",
    "jest.spyOn(port, 'schedule');",
    "jest.doMock('node:crypto', () => ({}));",
    "import { port } from '../../src/a.js'; jest.spyOn(port, 'schedule');",
  ])('allow %s', (text) => {
    expect(patches(inSpec(text))).toEqual([]);
  });

  it('find values without a name', () => {
    expect(unnamed(inSpec('expect([a, b.c, d()]).toEqual([1, 2, 3]);'))).toHaveLength(1);
  });

  it.each([
    'expect([...a, b]).toEqual([1, 2, 3]);',
    'expect([a, b]).toEqual([1, 2]);',
    'expect([take(), take(1), take(2)]).toEqual([1, 2, 3]);',
  ])('allow %s', (text) => {
    expect(unnamed(inSpec(text))).toEqual([]);
  });
});

/** Where a spec replaces a part of what others share: a prototype, `Math`, a module of ours. To be another version of Node is fine. */
function patches(module: SourceModule): string[] {
  const namespaces = new Set(
    nodes(module.tree)
      .filter(ts.isNamespaceImport)
      .map(({ name }) => name.text),
  );
  return found(module, (node) => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
    const { expression, name } = node.expression;
    if (expression.getText() !== 'jest') return false;
    const target = node.arguments[0]?.getText() ?? '';
    if (/^(doMock|mock|setMock|unstable_mockModule)$/.test(name.text)) return !target.startsWith("'node:");
    const isShared = target === 'Math' || target.endsWith('.prototype') || namespaces.has(target);
    return isShared && /^(spyOn|replaceProperty)$/.test(name.text);
  });
}

/**
 * Where three values or more are compared as a list: a failure says which index differs, and not what that is. The results
 * of calls of one function or object, one after the other, are a list.
 */
function unnamed(module: SourceModule): string[] {
  return found(module, (node) => {
    if (!ts.isCallExpression(node) || node.expression.getText() !== 'expect') return false;
    const [list] = node.arguments;
    if (list === undefined || !ts.isArrayLiteralExpression(list) || list.elements.length < 3) return false;
    const called = list.elements.map(calledBy);
    const isSeries = called[0] !== undefined && called.every((each) => each === called[0]);
    return !isSeries && !list.elements.some(ts.isSpreadElement) && isComparedWithList(node);
  });
}

/** The object whose function is called, or the function that has none. */
function calledBy(element: ts.Expression): string | undefined {
  if (!ts.isCallExpression(element)) return undefined;
  const { expression } = element;
  return ts.isPropertyAccessExpression(expression) ? expression.expression.getText() : expression.getText();
}

/** Whether it is `expect(...).toEqual([...])`, or the like. */
function isComparedWithList({ parent }: ts.CallExpression): boolean {
  if (!ts.isPropertyAccessExpression(parent) || !ts.isCallExpression(parent.parent)) return false;
  const [expected] = parent.parent.arguments;
  return expected !== undefined && ts.isArrayLiteralExpression(expected);
}

function found({ path, tree }: SourceModule, rule: (node: ts.Node) => boolean): string[] {
  return nodes(tree)
    .filter(rule)
    .map((node) => `${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText()}`);
}
