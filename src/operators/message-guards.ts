/**
 * Whether a message is text.
 *
 * @example conn.messages$.pipe(filter(isText)).subscribe((text) => console.log(text.length));
 */
export function isText(message: unknown): message is string {
  return typeof message === 'string';
}

/** Whether a message is binary, whatever `binaryType` says. */
export function isBinary<M>(message: M): message is Exclude<M, string> {
  return typeof message !== 'string';
}
