/** A short description of any value, for error messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === 'object') return `a ${tagOf(value)}`;
  if (typeof value === 'function') return 'a function';
  return String(value);
}

/** The tag of any value: `Object`, `ArrayBuffer`, `Proxy` if it cannot be read. */
export function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    // A revoked Proxy, or one whose tag cannot be read.
    return 'Proxy';
  }
}
