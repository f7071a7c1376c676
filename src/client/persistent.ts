import { asyncScheduler, isObservable, type Observable, type SchedulerLike } from 'rxjs';
import { checkBoolean, checkInteger, checkNames, checkOneOf, checkScheduler } from '../base/check.js';
import type { Overflow } from '../connection/channel.js';
import type { BinaryType, Connection, MessageOf } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { type BackoffPolicy, backoffRules } from '../operators/again/backoff.js';
import { PersistentClient } from '../operators/again/persistent-client.js';
import type { PersistentConnection } from '../operators/again/persistent-connection.js';
import { connect } from './connect.js';
import type { ConnectOptions, ConnectTarget } from './connect-options.js';

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
   * What happens above `offlineBuffer`, and on each socket above `maxBufferedAmount`: `'close'` gives up, with a `BackpressureError` in
   * `state$`; `'drop-newest'` drops what is sent, `'drop-oldest'` what has waited longest. @default 'close'
   */
  readonly overflow?: Overflow;
  /** When it is dialed again. @default as reconnect(), and behind every completion */
  readonly reconnect?: PersistentPolicy;
  /** For the waits. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/** {@link PersistentOptions}, and all of `connect`. */
export interface PersistentDialOptions<B extends BinaryType = 'nodebuffer'>
  extends PersistentOptions,
    ConnectOptions<B> {
  /** The subprotocols that are offered. */
  readonly protocols?: string | readonly string[];
}

/**
 * A client that outlives its sockets: it dials again as `reconnect()` does, and carries on what was subscribed and what waits to be sent.
 *
 * Nothing is dialed before `open()`. `state$` and `messages$` never error: an error that is not worth another attempt (401, say) stands in
 * the `closed` state and in the diagnostics. Unsubscribing from them closes nothing: the Subscriptions of `open()` do. `complete()`
 * flushes, closes and ends it for good.
 *
 *     open()     ^
 *     sockets    --c----#       --c---
 *     state$     c-o----w-------co----      connecting, open, waiting
 *     messages$  ----a----------------b     from both sockets
 *
 * @param target as for `connect`; or an Observable that dials once for each subscription, for typed connections and tests:
 *   `connect(url).pipe(map(withCodec(json())))`.
 * @throws TypeError, RangeError or SyntaxError at the call for a target or option that is not allowed.
 * @example
 * const client = persistent('wss://example.com/feed');
 * client.messages$.subscribe(console.log);
 * const lease = client.open();
 */
export function persistent<In, Out>(
  // biome-ignore lint/suspicious/noExplicitAny: the data of a connection does not matter here
  target: Observable<Connection<any, In, Out>>,
  options?: PersistentOptions,
): PersistentConnection<In, Out>;
export function persistent<B extends BinaryType = 'nodebuffer'>(
  target: ConnectTarget<B>,
  options?: PersistentDialOptions<B>,
): PersistentConnection<MessageOf<B>, Outgoing>;
export function persistent(
  target: Observable<Connection> | ConnectTarget,
  options: PersistentDialOptions = {},
): PersistentConnection {
  if (isObservable(target)) checkNames(options, ['offlineBuffer', 'overflow', 'reconnect', 'scheduler']);
  const { offlineBuffer = 1_048_576, reconnect = {}, protocols, ...dialing } = options;
  const { overflow = 'close', scheduler = asyncScheduler } = dialing;
  const settings = {
    backoff: backoffRules(reconnect, Math.random),
    repeat: checkBoolean('repeat', reconnect.repeat ?? true),
    scheduler: checkScheduler('scheduler', scheduler),
    offlineBuffer: checkInteger('offlineBuffer', offlineBuffer, 0, 2 ** 32),
    overflow: checkOneOf('overflow', overflow, ['close', 'drop-newest', 'drop-oldest']),
  };
  const connection$ = isObservable(target) ? target : connect(target, protocols, dialing);
  return new PersistentClient(connection$ as Observable<Connection>, { ...settings, url: urlOf(target) });
}

/** The URL of a target; undefined if that is known when it is dialed. */
function urlOf(target: Observable<Connection> | ConnectTarget): string | undefined {
  if (typeof target === 'function' || isObservable(target)) return undefined;
  return String(typeof target === 'string' || target instanceof URL ? target : target.url);
}
