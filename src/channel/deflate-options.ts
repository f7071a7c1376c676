import { checkBoolean, checkFunction, checkInteger, checkNames } from '../base/check.js';
import { describe } from '../base/describe.js';
import type { DeflateParameters } from '../protocol/deflate/deflate-negotiation.js';
import type { CompressionSettings } from '../protocol/deflate/message-deflater.js';

/** Options of permessage-deflate. RFC 7692 §7.1. */
export interface PerMessageDeflateOptions {
  /** The server forgets its window after each message: no memory between messages, less compression. @default true */
  readonly serverNoContextTakeover?: boolean;
  /** The client forgets its window after each message. @default true */
  readonly clientNoContextTakeover?: boolean;
  /** The server's window is 2^this bytes, 8 to 15. With context takeover, 12 is a good choice. @default 15 */
  readonly serverMaxWindowBits?: number;
  /** The client's window is 2^this bytes, 8 to 15. A server declines offers of clients that cannot be asked for a smaller one. @default 15 */
  readonly clientMaxWindowBits?: number;
  /** Shorter messages are sent as they are, in bytes. Of a message in parts the first part counts. @default 1024 */
  readonly threshold?: number;
  /** 0 to 9 of zlib: more takes longer and compresses better. @default 6 */
  readonly level?: number;
  /** 1 to 9 of zlib: more takes more memory while a message is compressed. @default 8 */
  readonly memLevel?: number;
  /** Asked about each message that is long enough: `false` sends it as it is, because it is compressed already. @default all are compressed */
  readonly compress?: (data: string | Uint8Array) => boolean;
}

/** {@link PerMessageDeflateOptions} that were checked, with their defaults. */
export interface DeflateSettings extends DeflateParameters, CompressionSettings {
  readonly compress: ((data: string | Uint8Array) => boolean) | undefined;
}

/** An option that negotiates compression. */
export interface CompressionOption {
  /** Offers or accepts permessage-deflate (RFC 7692), with these options. @default true */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions;
}

const NAMES: readonly (keyof PerMessageDeflateOptions)[] = [
  'serverNoContextTakeover',
  'clientNoContextTakeover',
  'serverMaxWindowBits',
  'clientMaxWindowBits',
  'threshold',
  'level',
  'memLevel',
  'compress',
];

/**
 * Checks `perMessageDeflate` and fills in the defaults.
 *
 * @returns nothing when there shall be no compression.
 * @throws TypeError or RangeError that names the option, what was found and what is allowed.
 */
export function deflateSettings(option: boolean | PerMessageDeflateOptions = true): DeflateSettings | undefined {
  if (option === false) return undefined;
  if (option !== true && (typeof option !== 'object' || option === null)) {
    throw new TypeError(`perMessageDeflate must be true, false or an object of options, got ${describe(option)}`);
  }
  const options: PerMessageDeflateOptions = option === true ? {} : option;
  checkNames(options, NAMES, 'perMessageDeflate.');
  checkFunction('perMessageDeflate.compress', options.compress);
  const integer = (
    name: 'serverMaxWindowBits' | 'clientMaxWindowBits' | 'threshold' | 'level' | 'memLevel',
    range: readonly [number, number, number],
  ): number => checkInteger(`perMessageDeflate.${name}`, options[name] ?? range[2], range[0], range[1]);
  return {
    serverNoContextTakeover: checkBoolean(
      'perMessageDeflate.serverNoContextTakeover',
      options.serverNoContextTakeover ?? true,
    ),
    clientNoContextTakeover: checkBoolean(
      'perMessageDeflate.clientNoContextTakeover',
      options.clientNoContextTakeover ?? true,
    ),
    serverMaxWindowBits: integer('serverMaxWindowBits', [8, 15, 15]),
    clientMaxWindowBits: integer('clientMaxWindowBits', [8, 15, 15]),
    threshold: integer('threshold', [0, 2 ** 32, 1024]),
    level: integer('level', [0, 9, 6]),
    memLevel: integer('memLevel', [1, 9, 8]),
    compress: options.compress,
  };
}
