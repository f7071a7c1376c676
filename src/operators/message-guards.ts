/**
 * Returns whether a message is text.
 *
 * @example conn.messages$.pipe(filter(isText)).subscribe((text) => console.log(text.length));
 */
export function isText(message: unknown): message is string {
  return typeof message === 'string';
}

/** Returns whether a message is binary, with any `binaryType`. */
export function isBinary<M>(message: M): message is Exclude<M, string> {
  return typeof message !== 'string';
}
