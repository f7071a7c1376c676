/** Returns a short description of any value, for error messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === 'object') return withArticle(tagOf(value));
  if (typeof value === 'function') return 'a function';
  return String(value);
}

function withArticle(tag: string): string {
  // Plain objects and arrays are lowercase. U takes "a", as in "a Uint8Array".
  if (tag === 'Object' || tag === 'Array') return `an ${tag.toLowerCase()}`;
  return /^[AEIO]/.test(tag) ? `an ${tag}` : `a ${tag}`;
}

/** Returns the tag of any value, such as `Object` or `ArrayBuffer`; `Proxy` if it cannot be read. */
export function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    // A revoked Proxy, or a Proxy whose tag cannot be read.
    return 'Proxy';
  }
}
