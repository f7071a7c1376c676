import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { checkBoolean, checkInteger, checkScheduler } from '../../base/check.js';
import { type Overflow, type OverflowPolicy, overflowPolicy } from '../../connection/send-result.js';
import { type BackoffPolicy, type BackoffRules, backoffRules } from './backoff.js';

/** The reconnect policy of a persistent connection. */
export interface PersistentPolicy extends BackoffPolicy {
  /** Whether to dial again also when the peer has closed with 1000 or without a code. @default true */
  readonly repeat?: boolean;
}

/** Options of {@link persistent}, in addition to those of `connect`. */
export interface PersistentOptions {
  /** Bytes that may wait for a socket, 128 more charged for each item; then `overflow` applies. @default 1_048_576 */
  readonly offlineBuffer?: number;
  /**
   * What happens above `offlineBuffer`, and on each socket above `maxBufferedAmount`: `'terminate'` gives up, with a `BackpressureError` in
   * `state$`; `'drop-newest'` drops the new message, `'drop-oldest'` the messages that have waited longest. @default 'terminate'
   */
  readonly overflow?: Overflow;
  /** When to dial again. @default as reconnect(), and after every completion */
  readonly reconnect?: PersistentPolicy;
  /** For the waits. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * Returns the size of `value` on the wire in bytes, including frame headers; undefined if that is not known before its turn comes, or
 * before a codec has encoded it. It depends on the kind of connections, so the code that dials provides it.
 */
export type SizeOf = (value: unknown) => number | undefined;

/** Checked {@link PersistentOptions}, with their defaults. */
export interface PersistentSettings {
  /** The URL that it dials, if that is known in advance. */
  readonly url?: string | undefined;
  readonly backoff: BackoffRules;
  readonly repeat: boolean;
  readonly scheduler: SchedulerLike;
  /** In bytes. */
  readonly offlineBuffer: number;
  readonly overflow: OverflowPolicy;
  readonly sizeOf: SizeOf;
  /** Makes the client give up. */
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
