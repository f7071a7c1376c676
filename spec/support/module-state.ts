/** Finds what a module keeps between calls: the state that all connections of a thread share. */
import ts from 'typescript';
import { nodes, type SourceModule } from './source-module.js';

/**
 * The names of the module-level state of `module`: `let`, what is assigned through a `const`, and each `const` or static field that
 * holds a new object, an empty list, or memory, unless its type says that it is read-only.
 */
export function moduleState(module: SourceModule): string[] {
  const { statements } = module.tree;
  const declared = statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) =>
    declarationList.declarations.map((declaration) => ({
      declaration,
      isLet: !(declarationList.flags & ts.NodeFlags.Const),
    })),
  );
  const changed = changedNames(module.tree);
  const variables = declared
    .filter(({ declaration, isLet }) => isLet || changed.has(declaration.name.getText()) || isMutable(declaration))
    .map(({ declaration }) => declaration.name.getText());
  const fields = statements
    .filter(ts.isClassDeclaration)
    .flatMap(({ members }) => members.filter(ts.isPropertyDeclaration))
    .filter((field) => hasModifier(field, ts.SyntaxKind.StaticKeyword))
    .filter((field) => !hasModifier(field, ts.SyntaxKind.ReadonlyKeyword) || isMutable(field))
    .map((field) => field.name.getText());
  return [...variables, ...fields];
}

function hasModifier({ modifiers }: ts.PropertyDeclaration, kind: ts.SyntaxKind): boolean {
  return modifiers?.some((modifier) => modifier.kind === kind) ?? false;
}

function isMutable({ type, initializer }: ts.VariableDeclaration | ts.PropertyDeclaration): boolean {
  if (initializer === undefined || /^(readonly |Readonly)/.test(type?.getText() ?? '')) return false;
  return withoutFunctions(initializer).some((node) => isNewObject(node) || isMemory(node) || isEmptyList(node));
}

function isNewObject(node: ts.Node): boolean {
  // An encoder keeps nothing.
  return (
    ts.isNewExpression(node) && node.expression.getText() !== 'TextEncoder' && node.arguments?.[0]?.getText() !== '0'
  );
}

function isMemory(node: ts.Node): boolean {
  return ts.isCallExpression(node) && /^Buffer\.alloc/.test(node.getText()) && node.arguments[0]?.getText() !== '0';
}

function isEmptyList(node: ts.Node): boolean {
  return ts.isArrayLiteralExpression(node) && node.elements.length === 0;
}

/** The variables that anything is assigned to or through: `name.count++`, `name[0] = 1`. */
function changedNames(tree: ts.SourceFile): Set<string> {
  const targets = nodes(tree).flatMap((node) => {
    if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) return [node.left];
    if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node))
      return isStep(node) ? [node.operand] : [];
    return ts.isDeleteExpression(node) ? [node.expression] : [];
  });
  return new Set(targets.map(rootOf));
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

function isStep({ operator }: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression): boolean {
  return operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken;
}

function rootOf(target: ts.Node): string {
  let node = target;
  while (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) node = node.expression;
  return node.getText();
}

function withoutFunctions(root: ts.Node): ts.Node[] {
  if (ts.isFunctionLike(root)) return [];
  const found = [root];
  ts.forEachChild(root, (child) => {
    found.push(...withoutFunctions(child));
  });
  return found;
}
