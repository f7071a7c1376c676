import { constants } from 'node:buffer';

/** The maximum size of a message. */
export interface SizeLimit {
  /** In bytes. */
  readonly bytes: number;
  /** The name of the limit, for errors. */
  readonly name: string;
}

/** Room for the bytes that are appended to a compressed message before inflating it. */
const WIRE_TAIL = 16;

/**
 * Returns the limit of a message: `maxPayload`, or the maximum of a string or a Buffer in this version of Node.js if that is less. An ASCII
 * text has as many UTF-16 units as bytes. Other text has fewer, but their number is only known when all of it has arrived.
 */
export function sizeLimit(maxPayload: number, isText: boolean): SizeLimit {
  const most = isText ? constants.MAX_STRING_LENGTH : constants.MAX_LENGTH;
  if (maxPayload <= most) return { bytes: maxPayload, name: 'maxPayload' };
  return { bytes: most, name: `the Node.js ${isText ? 'string' : 'Buffer'} limit` };
}

/** Returns the maximum wire size of a compressed message of `limit`, in bytes: incompressible data grows a little. */
export function wireLimit({ bytes }: SizeLimit): number {
  return Math.min(bytes + Math.floor(bytes / 16) + 1024, constants.MAX_LENGTH - WIRE_TAIL);
}
