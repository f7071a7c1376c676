import { constants } from 'node:buffer';

/** The most that a message may have. */
export interface SizeLimit {
  /** In bytes. */
  readonly bytes: number;
  /** What allows no more, for errors. */
  readonly name: string;
}

/** Room for the bytes that are appended to a compressed message to inflate it. */
const WIRE_TAIL = 16;

/**
 * The limit of a message: `maxPayload`, or what a string or a Buffer of this Node.js can hold where that is less. A text in ASCII has as
 * many UTF-16 units as bytes. Another one has fewer, but how many is known only when all of it is here.
 */
export function sizeLimit(maxPayload: number, isText: boolean): SizeLimit {
  const most = isText ? constants.MAX_STRING_LENGTH : constants.MAX_LENGTH;
  if (maxPayload <= most) return { bytes: maxPayload, name: 'maxPayload' };
  return { bytes: most, name: `the longest ${isText ? 'string' : 'Buffer'} of Node.js` };
}

/** The most that a message of `limit` may have on the wire when it is compressed, in bytes: what cannot be compressed grows a little. */
export function wireLimit({ bytes }: SizeLimit): number {
  return Math.min(bytes + Math.floor(bytes / 16) + 1024, constants.MAX_LENGTH - WIRE_TAIL);
}
