import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { checkBoolean, checkInteger, checkNames, checkOneOf, checkScheduler, MAX_TIMER } from '../base/check.js';
import { describe } from '../base/describe.js';
import type { BinaryType } from '../connection/connection.js';
import { type Overflow, type OverflowPolicy, overflowPolicy } from '../connection/send-result.js';
import { type CompressionOption, type DeflateSettings, deflateSettings } from './deflate-options.js';

/** When a silent peer is given up. */
export interface HeartbeatOptions {
  /** Between two pings, in milliseconds. @default 30_000 */
  readonly interval?: number;
  /** From a ping until any byte must have come, unless messages stand before the ping; in milliseconds. @default 30_000 */
  readonly timeout?: number;
  /**
   * For a peer that may have messages to read before the ping: how long nothing comes from it and nothing goes to it until it is given up,
   * in milliseconds. A peer that holds messages back cannot answer, so this is the longest hold of a peer that gives no other sign of
   * life, such as a browser. @default 120_000
   */
  readonly stalledTimeout?: number;
}

/** Options of a connection, on either side. Sizes are bytes, times milliseconds. */
export interface ConnectionOptions<B extends BinaryType = 'nodebuffer'> {
  /**
   * Longest accepted message. A longer one closes with 1009 as soon as its header says so. Raise for file transfer.
   * @default 1_048_576 on a server, 16_777_216 on a client
   */
  readonly maxPayload?: number;
  /**
   * Most frames in one message, empty ones included. One more closes with 1008. Frames are joined as they come: a frame takes as much memory
   * as it has payload, and an empty one none, so this limits time.
   * @default 16_384; with a `maxPayload` above 1 MiB as many as take it up in pieces of 64 bytes, and a last one
   */
  readonly maxFragments?: number;
  /**
   * How much is read ahead while there is no demand for messages (each counts 128 bytes more than its size), and how much may wait to be sent
   * before `send.ready$` says `false`. Raise for throughput over long distances. @default 65_536
   */
  readonly highWaterMark?: number;
  /** How much may wait to be sent before `overflow` acts. @default 16_777_216 */
  readonly maxBufferedAmount?: number;
  /**
   * What happens above `maxBufferedAmount`: `'terminate'` ends the connection without a close frame, because a peer that does not read cannot
   * be notified; `'drop-newest'` drops what is sent, `'drop-oldest'` what has waited longest. @default 'terminate'
   */
  readonly overflow?: Overflow;
  /** For the whole opening handshake. @default 10_000 */
  readonly handshakeTimeout?: number;
  /** For the closing handshake and the end of the transport; then it is terminated. @default 10_000 */
  readonly closeTimeout?: number;
  /** For one incoming message, and only while fewer than 8 KiB arrive each second; then it closes with 1008. @default 60_000 */
  readonly messageTimeout?: number;
  /**
   * Pings, and gives a silent peer up. `false` for peers that are watched by other means.
   * @default { interval: 30_000, timeout: 30_000, stalledTimeout: 120_000 }
   */
  readonly heartbeat?: HeartbeatOptions | false;
  /** Terminates a connection that was without demand for this long, in milliseconds. @default none */
  readonly pausedTimeout?: number;
  /** Answers pings. `false` only where the application does (RFC 6455 §5.5.2 demands it). @default true */
  readonly autoPong?: boolean;
  /** What binary messages come as. @default 'nodebuffer' */
  readonly binaryType?: B;
  /** Takes text as it comes, invalid bytes as U+FFFD: saves a pass over the bytes of peers that are trusted. @default false */
  readonly skipUTF8Validation?: boolean;
  /** For all timers. A `TestScheduler` makes time virtual. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/** {@link ConnectionOptions} with every default in place. */
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
  /** What is wanted of permessage-deflate; nothing where it is not. */
  readonly deflate: DeflateSettings | undefined;
  readonly scheduler: SchedulerLike;
  /** From 0 to 1: where in an interval something happens that is spread over many connections. */
  readonly random: () => number;
  /** The server that the connections belong to, for the diagnostics; undefined if there is none. */
  readonly server?: object | undefined;
  /** What mistakes of the application are told of once: see `complain`. @default the process */
  readonly place?: object | undefined;
}

/** Larger buffers do not exist in Node 20. */
const MAX_SIZE = 2 ** 32;

/**
 * Checks connection options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option, what was found and what is allowed.
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

/** Libraries that split a message whose length they do not know end it with an empty frame. */
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
