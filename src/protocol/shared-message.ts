import { Buffer } from 'node:buffer';
import { headerLength, writeHeader } from './frame-header.js';
import { writeFrame } from './frame-writer.js';

/** Marks outgoing messages of every build of sluice, with the name of what made them. */
export const outgoingSymbol: unique symbol = Symbol.for('sluice.outgoing') as never;

/** A payload up to this size is copied behind its header, in bytes: one piece is written faster than two. */
const COPY_LIMIT = 4096;

/** A frame that is finished, header and all. It goes by reference to all who send it, and is not masked. RFC 6455 §5.1. */
export interface FinishedFrame {
  readonly kind: 'finished';
  readonly pieces: readonly Uint8Array[];
  /** Of all pieces, in bytes. */
  readonly size: number;
}

/**
 * A message that goes to several connections. What the first of them makes of it, the others use: see `classify`.
 *
 * @typeParam Item what a connection makes of the value.
 */
export interface SharedMessage<T = unknown, Item = unknown> {
  readonly [outgoingSymbol]: 'shared';
  /** What would be sent to one connection. */
  readonly value: T;
  /** Filled in by the first connection. */
  item: Item | undefined;
}

/** Makes a message of `value`, for several connections. */
export function shareMessage<T>(value: T): SharedMessage<T> {
  return { [outgoingSymbol]: 'shared', value, item: undefined };
}

/**
 * Frames `payload`, that must not change any more when it is longer than 4 KiB: then it is not copied.
 *
 * @param firstByte FIN, RSV1-3 and the opcode.
 */
export function finishFrame(firstByte: number, payload: Uint8Array): FinishedFrame {
  const { length } = payload;
  const header = headerLength(length, false);
  const isCopied = length <= COPY_LIMIT;
  const head = Buffer.allocUnsafe(isCopied ? header + length : header);
  if (isCopied) writeFrame(head, 0, firstByte, payload);
  else writeHeader(head, 0, firstByte, length);
  return { kind: 'finished', pieces: isCopied ? [head] : [head, payload], size: header + length };
}
