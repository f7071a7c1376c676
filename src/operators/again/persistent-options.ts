import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { checkBoolean, checkInteger, checkScheduler } from '../../base/check.js';
import { type Overflow, type OverflowPolicy, overflowPolicy } from '../../connection/send-result.js';
import { type BackoffPolicy, type BackoffRules, backoffRules } from './backoff.js';

/** When a persistent connection is dialed again. */
export interface PersistentPolicy extends BackoffPolicy {
  /** Whether also when the peer has closed with 1000 or without a code. @default true */
  readonly repeat?: boolean;
}

/** Options of {@link persistent}, beside those of `connect`. */
export interface PersistentOptions {
  /** How much may wait for a socket, each item charged 128 bytes beside its own; then `overflow` acts. In bytes. @default 1_048_576 */
  readonly offlineBuffer?: number;
  /**
   * What happens above `offlineBuffer`, and on each socket above `maxBufferedAmount`: `'terminate'` gives up, with a `BackpressureError` in
   * `state$`; `'drop-newest'` drops what is sent, `'drop-oldest'` what has waited longest. @default 'terminate'
   */
  readonly overflow?: Overflow;
  /** When it is dialed again. @default as reconnect(), and behind every completion */
  readonly reconnect?: PersistentPolicy;
  /** For the waits. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * How many bytes `value` will be on its way, frame headers included; undefined if that is not known before its turn has come, or
 * before a codec has seen it. It depends on what the connections are made of, so whoever dials them says it.
 */
export type SizeOf = (value: unknown) => number | undefined;

/** {@link PersistentOptions}, checked, with every default in place. */
export interface PersistentSettings {
  /** Where it dials to, if that is known before it does. */
  readonly url?: string | undefined;
  readonly backoff: BackoffRules;
  readonly repeat: boolean;
  readonly scheduler: SchedulerLike;
  /** In bytes. */
  readonly offlineBuffer: number;
  readonly overflow: OverflowPolicy;
  readonly sizeOf: SizeOf;
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option, what was found and what is allowed.
 */
export function persistentSettings(options: PersistentOptions, sizeOf: SizeOf): PersistentSettings {
  const { offlineBuffer = 1_048_576, reconnect = {}, overflow, scheduler = asyncScheduler } = options;
  return {
    backoff: backoffRules(reconnect, Math.random),
    repeat: checkBoolean('repeat', reconnect.repeat ?? true),
    scheduler: checkScheduler('scheduler', scheduler),
    offlineBuffer: checkInteger('offlineBuffer', offlineBuffer, 0, 2 ** 32),
    overflow: overflowPolicy(overflow),
    sizeOf,
  };
}
