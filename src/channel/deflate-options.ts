import { checkBoolean, checkFunction, checkInteger, checkNames } from '../base/check.js';
import { describe } from '../base/describe.js';
import type { WantedDeflate } from '../protocol/deflate/deflate-negotiation.js';
import type { CompressionSettings } from '../protocol/deflate/message-deflater.js';

/** Options of permessage-deflate. RFC 7692 §7.1. */
export interface PerMessageDeflateOptions {
  /**
   * The server resets its window after each message: it keeps no memory between messages, but compresses less. By default a client
   * requests this but accepts a server that does not agree, which costs up to 32 KiB of memory for the connection; `true` rejects such a server.
   * @default true
   */
  readonly serverNoContextTakeover?: boolean;
  /** The client resets its window after each message. @default true */
  readonly clientNoContextTakeover?: boolean;
  /** Base-2 logarithm of the server's window size in bytes, 8 to 15. With context takeover, 12 is a good choice. @default 15 */
  readonly serverMaxWindowBits?: number;
  /**
   * Base-2 logarithm of the client's window size in bytes, 8 to 15. With a smaller one, a server declines offers without
   * `client_max_window_bits`. Do not set 8 on a server: the zlib of many clients, such as Python's websockets, rejects it, and their
   * connections fail. All clients understand 9. @default 15
   */
  readonly clientMaxWindowBits?: number;
  /** Messages of fewer bytes are sent uncompressed. For a message in parts, the length of the first part counts. @default 1024 */
  readonly threshold?: number;
  /** The level of zlib, 0 to 9: higher is slower and compresses better. @default 6 */
  readonly level?: number;
  /** The memory level of zlib, 1 to 9: higher takes more memory while a message is compressed. @default 8 */
  readonly memLevel?: number;
  /** Called for each message that is long enough: `false` sends it uncompressed, for example because the data is already compressed. @default all */
  readonly compress?: (data: string | Uint8Array) => boolean;
}

/** {@link PerMessageDeflateOptions} that were checked, with defaults applied. */
export interface DeflateSettings extends WantedDeflate, CompressionSettings {
  readonly compress: ((data: string | Uint8Array) => boolean) | undefined;
}

/** The option for compression. */
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

/** Options of `ws`, with hints for the error message. */
const OF_WS = {
  zlibDeflateOptions: 'set perMessageDeflate.level and memLevel instead',
  zlibInflateOptions: 'inflation has no options',
  concurrencyLimit: 'the concurrency is not configurable',
} as const;

/**
 * Checks `perMessageDeflate` and fills in the defaults.
 *
 * @returns undefined if compression is disabled.
 * @throws TypeError or RangeError that names the option, the value found and the values allowed.
 */
export function deflateSettings(option: boolean | PerMessageDeflateOptions = true): DeflateSettings | undefined {
  if (option === false) return undefined;
  if (option !== true && (typeof option !== 'object' || option === null)) {
    throw new TypeError(`perMessageDeflate must be true, false or an object of options, got ${describe(option)}`);
  }
  const options: PerMessageDeflateOptions = option === true ? {} : option;
  checkNames(options, NAMES, 'perMessageDeflate.', OF_WS);
  checkFunction('perMessageDeflate.compress', options.compress);
  const integer = (
    name: 'serverMaxWindowBits' | 'clientMaxWindowBits' | 'threshold' | 'level' | 'memLevel',
    range: readonly [number, number, number],
  ): number => checkInteger(`perMessageDeflate.${name}`, options[name] ?? range[2], range[0], range[1]);
  const serverMaxWindowBits = integer('serverMaxWindowBits', [8, 15, 15]);
  return {
    takesServerContext: options.serverNoContextTakeover === undefined && serverMaxWindowBits === 15,
    serverNoContextTakeover: checkBoolean(
      'perMessageDeflate.serverNoContextTakeover',
      options.serverNoContextTakeover ?? true,
    ),
    clientNoContextTakeover: checkBoolean(
      'perMessageDeflate.clientNoContextTakeover',
      options.clientNoContextTakeover ?? true,
    ),
    serverMaxWindowBits,
    clientMaxWindowBits: integer('clientMaxWindowBits', [8, 15, 15]),
    threshold: integer('threshold', [0, 2 ** 32, 1024]),
    level: integer('level', [0, 9, 6]),
    memLevel: integer('memLevel', [1, 9, 8]),
    compress: options.compress,
  };
}
