import { isObservable, type Observable } from 'rxjs';
import { checkNames } from '../base/check.js';
import { classify, frameSizeOf, payloadSizeOf } from '../channel/out/classify.js';
import type { BinaryType, Connection, MessageOf } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { PersistentClient } from '../operators/again/persistent-client.js';
import type { PersistentConnection } from '../operators/again/persistent-connection.js';
import { type PersistentOptions, persistentSettings, type SizeOf } from '../operators/again/persistent-options.js';
import type { Codec } from '../operators/typed/codec.js';
import { UsageError } from '../protocol/errors.js';
import { connect } from './connect.js';
import { CONNECT_OPTIONS, type ConnectOptions, type ConnectTarget } from './connect-options.js';

/** {@link PersistentOptions}, and all of `connect`. */
export interface PersistentDialOptions<B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>
  extends PersistentOptions,
    ConnectOptions<B, In, Out> {
  /** The subprotocols that are offered. */
  readonly protocols?: string | readonly string[];
}

/**
 * A client that outlives its sockets: it dials again as `reconnect()` does, and carries on what was subscribed and what waits to be sent.
 *
 * Nothing is dialed before `open()`. `state$` and `messages$` never error: an error that is not worth another attempt (401, say) stands in
 * the `closed` state and in the diagnostics, and it is given up: `messages$` completes and `trySend` says `'closed'` until a new `open()`.
 * Unsubscribing from them closes nothing: the Subscriptions of `open()` do. `complete()` flushes, closes and ends it for good; a `signal`
 * gives it up, with 1000.
 *
 *     open()     ^
 *     sockets    --c----#       --c---
 *     state$     c-o----w-------co----      connecting, open, waiting
 *     messages$  ----a----------------b     from both sockets
 *
 * @param target as for `connect`; or an Observable that dials once for each subscription, for tests and for connections that are changed on
 *   the way. Messages are typed by the option `codec`. What waits is then encoded for its size, and again when it leaves.
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
export function persistent<B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>(
  target: ConnectTarget<B>,
  options?: PersistentDialOptions<B, In, Out>,
): PersistentConnection<In, Out>;
export function persistent(
  target: Observable<Connection> | ConnectTarget,
  options: PersistentDialOptions<'nodebuffer', unknown, unknown> = {},
): PersistentConnection<unknown, unknown> {
  const own = ['offlineBuffer', 'overflow', 'reconnect', 'scheduler'];
  checkNames(options, isObservable(target) ? own : [...own, 'protocols', ...CONNECT_OPTIONS]);
  const { offlineBuffer, reconnect, protocols, ...dialing } = options;
  const { codec, signal } = dialing;
  const sizeOf: SizeOf = codec === undefined ? frameBytesOf : (value) => encodedBytesOf(codec, value);
  const settings = persistentSettings(options, sizeOf);
  const connection$: Observable<unknown> = isObservable(target) ? target : connect(target, protocols, dialing);
  return new PersistentClient(connection$ as Observable<Connection<unknown, unknown, unknown>>, {
    ...settings,
    url: urlOf(target),
    signal,
  });
}

/** The URL of a target; undefined if that is known when it is dialed. */
function urlOf(target: Observable<Connection> | ConnectTarget): string | undefined {
  if (typeof target === 'function' || isObservable(target)) return undefined;
  return String(typeof target === 'string' || target instanceof URL ? target : target.url);
}

/** What `value` is as frames that are not masked, in bytes. */
function frameBytesOf(value: unknown): number | undefined {
  try {
    const item = classify(value);
    return item.kind === 'fragments' ? undefined : frameSizeOf(item, payloadSizeOf(item), false);
  } catch (error) {
    // A codec may make something of it.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** What `value` is as frames when it is encoded, in bytes; undefined if it cannot be, which its socket says when its turn has come. */
function encodedBytesOf(codec: Codec<unknown, unknown>, value: unknown): number | undefined {
  let encoded: Outgoing;
  try {
    encoded = codec.encode(value);
  } catch {
    return undefined;
  }
  return frameBytesOf(encoded);
}
