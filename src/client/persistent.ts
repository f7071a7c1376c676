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

/** {@link PersistentOptions} and all options of `connect`. */
export interface PersistentDialOptions<B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>
  extends PersistentOptions,
    ConnectOptions<B, In, Out> {
  /** The subprotocols to offer. */
  readonly protocols?: string | readonly string[];
}

/**
 * Creates a client that outlives its sockets: it dials again as `reconnect()` does, and keeps its subscriptions and its send queue.
 *
 * It does not dial before `open()`. `state$` and `messages$` never error. After an error that is not worth another attempt (such as 401),
 * the client gives up: the error is in the `closed` state and in the diagnostics, `messages$` completes, and `trySend` returns `'closed'`
 * until the next `open()`. Unsubscribing from them closes nothing; unsubscribing the Subscriptions of `open()` does. `complete()` flushes,
 * closes and ends the client for good; a `signal` makes it give up, and closes with 1000.
 *
 *     open()     ^
 *     sockets    --c----#       --c---
 *     state$     c-o----w-------co----      connecting, open, waiting
 *     messages$  ----a----------------b     from both sockets
 *
 * @param target as for `connect`; or an Observable that dials once for each subscription, for tests and for connections that operators
 *   modify. The option `codec` types the messages. Queued values are then encoded once for their size, and again when they are sent.
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

/** The URL of a target; undefined if it is known only when it is dialed. */
function urlOf(target: Observable<Connection> | ConnectTarget): string | undefined {
  if (typeof target === 'function' || isObservable(target)) return undefined;
  return String(typeof target === 'string' || target instanceof URL ? target : target.url);
}

/** The size of `value` as unmasked frames, in bytes; undefined if it is not known. */
function frameBytesOf(value: unknown): number | undefined {
  try {
    const item = classify(value);
    return item.kind === 'fragments' ? undefined : frameSizeOf(item, payloadSizeOf(item), false);
  } catch (error) {
    // A codec may be able to encode it.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** The size of `value` as encoded frames, in bytes; undefined if it cannot be encoded, which its socket reports when its turn comes. */
function encodedBytesOf(codec: Codec<unknown, unknown>, value: unknown): number | undefined {
  let encoded: Outgoing;
  try {
    encoded = codec.encode(value);
  } catch {
    return undefined;
  }
  return frameBytesOf(encoded);
}
