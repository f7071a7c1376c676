/** What the TypeScript parser says of a source file: enough to check the rules of the architecture without regular expressions. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';

/** An import, a re-export, an `import()` or an `import('...')` type. */
export interface Import {
  /** As written: `./frame.js`, `rxjs`, `node:net`. */
  readonly specifier: string;
  /** The file that a relative specifier names, from the root of the repository; `undefined` for a package. */
  readonly file: string | undefined;
  /** Whether nothing of it is left after compilation. */
  readonly typeOnly: boolean;
  /** What it takes from there, under the names of that module; empty for `*` and for side effects. */
  readonly names: readonly { readonly name: string; readonly typeOnly: boolean }[];
}

/** One parsed source file. */
export interface SourceModule {
  /** From the root of the repository, with `/`: `src/protocol/errors.ts`. */
  readonly path: string;
  /** The folder in `src`: `protocol`; `undefined` for an entry point. */
  readonly room: string | undefined;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

/** Parses every TypeScript file below `folder`, which is relative to the root of the repository. */
export function readModules(folder: string): SourceModule[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => parseModule(path, readFileSync(path, 'utf8')));
}

/** Parses `text` as if it stood at `path`. */
export function parseModule(path: string, text: string): SourceModule {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const [, room, ...rest] = path.split('/');
  return {
    path,
    room: rest.length === 0 ? undefined : room,
    tree,
    imports: nodes(tree).flatMap((node) => importOf(node, path)),
  };
}

/** All nodes of a tree, in the order of the text. */
export function nodes(root: ts.Node): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

function importOf(node: ts.Node, from: string): Import[] {
  if (ts.isImportDeclaration(node)) {
    const { importClause } = node;
    const bindings = importClause?.namedBindings;
    const names = bindings !== undefined && ts.isNamedImports(bindings) ? namesOf(bindings.elements) : [];
    const isType = importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return [describeImport(node.moduleSpecifier, from, isType, names)];
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    const names =
      node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
        ? namesOf(node.exportClause.elements)
        : [];
    return [describeImport(node.moduleSpecifier, from, node.isTypeOnly, names)];
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return [describeImport(node.argument.literal, from, true, [])];
  }
  if (ts.isExternalModuleReference(node)) return [describeImport(node.expression, from, false, [])];
  if (ts.isCallExpression(node) && isLoad(node) && node.arguments[0] !== undefined) {
    return [describeImport(node.arguments[0], from, false, [])];
  }
  return [];
}

function isLoad({ expression }: ts.CallExpression): boolean {
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')
  );
}

function namesOf(elements: Iterable<ts.ImportSpecifier | ts.ExportSpecifier>): Import['names'] {
  return [...elements].map((element) => ({
    name: (element.propertyName ?? element.name).text,
    typeOnly: element.isTypeOnly,
  }));
}

function describeImport(literal: ts.Node, from: string, isType: boolean, names: Import['names']): Import {
  // A computed specifier stays as written: no rule allows it.
  const specifier = ts.isStringLiteralLike(literal) ? literal.text : literal.getText();
  const file = specifier.startsWith('.')
    ? posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
    : undefined;
  return {
    specifier,
    file,
    typeOnly: isType || (names.length > 0 && names.every((name) => name.typeOnly)),
    names: names.map((name) => ({ ...name, typeOnly: isType || name.typeOnly })),
  };
}
