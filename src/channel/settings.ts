import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { checkBoolean, checkInteger, checkNames, checkOneOf, checkScheduler, MAX_TIMER } from '../base/check.js';
import { describe } from '../base/describe.js';
import type { BinaryType } from '../connection/connection.js';
import { type Overflow, type OverflowPolicy, overflowPolicy } from '../connection/send-result.js';
import { type CompressionOption, type DeflateSettings, deflateSettings } from './deflate-options.js';

/** Options of the heartbeat, which detects a silent peer. */
export interface HeartbeatOptions {
  /** Time between two pings, in milliseconds. @default 30_000 */
  readonly interval?: number;
  /** Time within which any byte must arrive after a ping, unless messages precede the ping; in milliseconds. @default 30_000 */
  readonly timeout?: number;
  /**
   * For a peer that may have messages to read before the ping: the connection is terminated after this many milliseconds in which
   * nothing arrived from the peer and nothing left for it. A peer that has paused reading cannot answer, so this limits the pauses of
   * peers that give no other sign of life, such as browsers. @default 120_000
   */
  readonly stalledTimeout?: number;
}

/** Options of a connection, on either side. Sizes are in bytes, times in milliseconds. */
export interface ConnectionOptions<B extends BinaryType = 'nodebuffer'> {
  /**
   * Longest accepted message. A longer one closes the connection with 1009 as soon as a header shows its length. Raise for file transfer.
   * @default 1_048_576 on a server, 16_777_216 on a client
   */
  readonly maxPayload?: number;
  /**
   * Most frames in one message, empty ones included. One more closes the connection with 1008. Frames are joined as they arrive: each takes
   * memory only for its payload, so this limits CPU time rather than memory.
   * @default 16_384; for a `maxPayload` above 1 MiB, `maxPayload` / 64 + 1
   */
  readonly maxFragments?: number;
  /**
   * How much is read ahead while there is no demand for messages (each counts as its size plus 128 bytes), and how much may wait to be
   * sent before `send.ready$` emits `false`. Raise for throughput over connections with high latency. @default 65_536
   */
  readonly highWaterMark?: number;
  /** How much may wait to be sent before `overflow` acts. @default 16_777_216 */
  readonly maxBufferedAmount?: number;
  /**
   * What happens above `maxBufferedAmount`: `'terminate'` ends the connection without a Close frame, because a peer that does not read
   * cannot be notified; `'drop-newest'` drops the new message, `'drop-oldest'` those that have waited longest. @default 'terminate'
   */
  readonly overflow?: Overflow;
  /** Time limit for the whole opening handshake. @default 10_000 */
  readonly handshakeTimeout?: number;
  /** Time limit for the closing handshake and the end of the transport. After it the connection is terminated. @default 10_000 */
  readonly closeTimeout?: number;
  /** Time limit for one incoming message that arrives at less than 8 KiB per second. After it the connection closes with 1008. @default 60_000 */
  readonly messageTimeout?: number;
  /**
   * Sends pings and terminates a connection whose peer is silent. `false` if peers are monitored by other means.
   * @default { interval: 30_000, timeout: 30_000, stalledTimeout: 120_000 }
   */
  readonly heartbeat?: HeartbeatOptions | false;
  /** Terminates a connection that has had no demand for this many milliseconds. @default none */
  readonly pausedTimeout?: number;
  /** Answers pings. `false` only if the application does (RFC 6455 §5.5.2 requires it). @default true */
  readonly autoPong?: boolean;
  /** The form in which binary messages are delivered. @default 'nodebuffer' */
  readonly binaryType?: B;
  /** Does not validate text; invalid bytes become U+FFFD. Saves a pass over the bytes of trusted peers. @default false */
  readonly skipUTF8Validation?: boolean;
  /** The scheduler for all timers. A `TestScheduler` makes time virtual. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/** {@link ConnectionOptions} with defaults applied. */
export interface ConnectionSettings {
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly overflow: OverflowPolicy;
  readonly handshakeTimeout: number;
  readonly closeTimeout: number;
  readonly messageTimeout: number;
  readonly heartbeat: Required<HeartbeatOptions> | false;
  readonly pausedTimeout: number | undefined;
  readonly autoPong: boolean;
  readonly binaryType: BinaryType;
  readonly skipUTF8Validation: boolean;
  /** Settings of permessage-deflate; undefined if it is disabled. */
  readonly deflate: DeflateSettings | undefined;
  readonly scheduler: SchedulerLike;
  /** Returns a number from 0 to 1, which spreads the first pings of many connections over an interval. */
  readonly random: () => number;
  /** The server that the connections belong to, for the diagnostics; undefined if there is none. */
  readonly server?: object | undefined;
  /** The object for which each mistake of the application is reported once: see `complain`. @default the process */
  readonly place?: object | undefined;
}

/** The largest buffer in Node 20. */
const MAX_SIZE = 2 ** 32;

/**
 * Checks connection options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option, the value found and the values allowed.
 */
export function connectionSettings(
  options: ConnectionOptions<BinaryType> & CompressionOption,
  role: 'server' | 'client',
): ConnectionSettings {
  const size = (name: 'maxPayload' | 'highWaterMark' | 'maxBufferedAmount', fallback: number): number =>
    checkInteger(name, options[name] ?? fallback, 1, MAX_SIZE);
  const time = (name: 'handshakeTimeout' | 'closeTimeout' | 'messageTimeout', fallback: number): number =>
    checkInteger(name, options[name] ?? fallback, 1, MAX_TIMER);
  const maxPayload = size('maxPayload', role === 'server' ? 1_048_576 : 16_777_216);
  return {
    maxPayload,
    maxFragments: checkInteger('maxFragments', options.maxFragments ?? fragmentsOf(maxPayload), 1, 2 ** 31),
    highWaterMark: size('highWaterMark', 65_536),
    maxBufferedAmount: size('maxBufferedAmount', 16_777_216),
    overflow: overflowPolicy(options.overflow),
    handshakeTimeout: time('handshakeTimeout', 10_000),
    closeTimeout: time('closeTimeout', 10_000),
    messageTimeout: time('messageTimeout', 60_000),
    heartbeat: heartbeatSettings(options.heartbeat),
    pausedTimeout:
      options.pausedTimeout === undefined
        ? undefined
        : checkInteger('pausedTimeout', options.pausedTimeout, 1, MAX_TIMER),
    autoPong: checkBoolean('autoPong', options.autoPong ?? true),
    binaryType: checkOneOf('binaryType', options.binaryType ?? 'nodebuffer', ['nodebuffer', 'arraybuffer', 'blob']),
    skipUTF8Validation: checkBoolean('skipUTF8Validation', options.skipUTF8Validation ?? false),
    deflate: deflateSettings(options.perMessageDeflate),
    scheduler: checkScheduler('scheduler', options.scheduler ?? asyncScheduler),
    random: Math.random,
  };
}

/** One more than the pieces, because libraries that do not know the length of a message end it with an empty frame. */
function fragmentsOf(maxPayload: number): number {
  return maxPayload <= 1_048_576 ? 16_384 : Math.floor(maxPayload / 64) + 1;
}

function heartbeatSettings(heartbeat: HeartbeatOptions | false | undefined): Required<HeartbeatOptions> | false {
  if (heartbeat === false) return false;
  if (heartbeat !== undefined && (typeof heartbeat !== 'object' || heartbeat === null)) {
    throw new TypeError(`heartbeat must be false or { interval, timeout, stalledTimeout }, got ${describe(heartbeat)}`);
  }
  checkNames(heartbeat ?? {}, ['interval', 'timeout', 'stalledTimeout'], 'heartbeat.');
  return {
    interval: checkInteger('heartbeat.interval', heartbeat?.interval ?? 30_000, 1, MAX_TIMER),
    timeout: checkInteger('heartbeat.timeout', heartbeat?.timeout ?? 30_000, 1, MAX_TIMER),
    stalledTimeout: checkInteger('heartbeat.stalledTimeout', heartbeat?.stalledTimeout ?? 120_000, 1, MAX_TIMER),
  };
}

/** The names of {@link ConnectionOptions}. */
export const CONNECTION_OPTIONS: readonly (keyof ConnectionOptions)[] = [
  'maxPayload',
  'maxFragments',
  'highWaterMark',
  'maxBufferedAmount',
  'overflow',
  'handshakeTimeout',
  'closeTimeout',
  'messageTimeout',
  'heartbeat',
  'pausedTimeout',
  'autoPong',
  'binaryType',
  'skipUTF8Validation',
  'scheduler',
];
