/** The name of the method that `console.log` and `util.inspect` of Node.js call to find out what to print. Browsers never call it. */
export const inspectSymbol: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/**
 * Returns an object to print in place of `value`: its `fields`, in their order, under `name`. Undefined fields are left out.
 *
 * @returns `value` itself if its fields cannot be read, as through a Proxy: printing never throws.
 */
export function printed(value: object, name: string, fields: () => object): object {
  try {
    const known = Object.entries(fields()).filter(([, field]) => field !== undefined);
    // Node.js prints the name of the class, and counts depth, as for any other object.
    const { [name]: Named } = { [name]: class {} } as Record<string, new () => object>;
    return Object.assign(new (Named as new () => object)(), Object.fromEntries(known));
  } catch {
    return value;
  }
}

/** Returns `url` without possible credentials: without user and password, and with `?...` in place of a query. */
export function plainUrl(url: string): string {
  return url.replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/?#]*@/i, '$1//').replace(/\?.*$/s, '?...');
}
