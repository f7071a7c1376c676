import { inOneLine } from './excerpt.js';

/**
 * Safe access to thrown values. Anything can be thrown: an object without a prototype, a Symbol, an Error whose getters throw, a revoked
 * Proxy. No function here throws for any value, because they are called where an exception would end the process.
 */

/** Describes `thrown` in one line: its message, or the value as text. */
export function describeThrown(thrown: unknown): string {
  const message = propertyOf(thrown, 'message');
  const hasMessage = message !== undefined && message !== null && message !== '';
  return inOneLine(textOf(hasMessage ? message : thrown));
}

/** Converts `value` to text. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value === 'function' ? 'a function without text' : 'an object without text';
  }
}

/** Returns the property `key` of `value`; `undefined` if it has none, or if it cannot be read. */
export function propertyOf(value: unknown, key: PropertyKey): unknown {
  if (value === undefined || value === null) return undefined;
  try {
    return (value as Readonly<Record<PropertyKey, unknown>>)[key];
  } catch {
    return undefined;
  }
}

/** Whether `value` is an Error of any realm: Node's own errors come from another realm if code runs in a `vm`. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false;
  }
}

/** Returns `thrown` if it is an Error that can be read safely, otherwise an Error with its text as the message and `thrown` as the `cause`. */
export function errorOf(thrown: unknown): Error {
  return isError(thrown) && isReadable(thrown) ? thrown : new Error(describeThrown(thrown), { cause: thrown });
}

/** Whether the properties that Node reads of an error can be read. */
function isReadable(error: Error & { readonly code?: unknown }): boolean {
  try {
    return [error.name, error.message, error.stack, error.code].length > 0;
  } catch {
    return false;
  }
}
