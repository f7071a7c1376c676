import { isObservable, map, Observable, type Observer, Subscription, share } from 'rxjs';
import { tagOf } from '../../base/describe.js';
import { inspectSymbol, printed } from '../../base/inspect.js';
import { subscribeWithin } from '../../base/subscribe-within.js';
import { describeThrown, errorOf } from '../../base/thrown.js';
import { type Connection, type Message, ReadyState, type SendSource } from '../../connection/connection.js';
import {
  carryHooks,
  closeUnsendable,
  type FinishListener,
  finishedSymbol,
  holdSymbol,
  hooksOf,
  type Interception,
  type InterceptOptions,
  interceptSymbol,
  reportSymbol,
  shareSymbol,
  subscribersSymbol,
} from '../../connection/hooks.js';
import { fieldsOf } from '../../connection/inspect.js';
import { type Interceptor, Interceptors } from '../../connection/interceptors.js';
import { iterateMessages } from '../../connection/message-iterator.js';
import type { Outgoing } from '../../connection/outgoing.js';
import type { Holdable } from '../../connection/seat.js';
import type { SendResult } from '../../connection/send-result.js';
import { SendSubject, type SendTarget } from '../../connection/send-subject.js';
import { type SharedMessage, shareMessage } from '../../connection/shared-message.js';
import { isUsageError, type ProtocolError, UsageError } from '../../protocol/errors.js';
import { trySendShared } from '../many/send-shared.js';
import { type Codec, checkPolicy, type InvalidPolicy, invalidMessage } from './codec.js';
import { ConnectionFacade } from './connection-facade.js';
import { HandedLine } from './handed-line.js';

const takesNone = (): boolean => false;

/** A connection with a codec before it: see `withCodec`. */
export class CodecConnection<Data, In, Out> extends ConnectionFacade<Data> implements Connection<Data, In, Out> {
  readonly messages$: Holdable<In>;
  readonly send: SendSubject<Out>;
  readonly #conn: Connection<Data>;
  readonly #codec: Codec<In, Out>;
  readonly #handed: HandedLine<Outgoing>;
  /** The interceptors, in one list so that a message is decoded once for all of them. Created for the first. */
  #interceptors: Interceptors<In> | undefined;
  /** Defined while there are interceptors. */
  #interception: Interception | undefined;
  /** Whether the messages have a subscriber. */
  #isWanted = false;
  /** The value that was decoded for the interceptors, and its message, which goes to the subscribers next, or waits. */
  #shown: { readonly message: Message; readonly value: In } | undefined;
  /** Whether an invalid message is closing the connection: later messages are ignored. */
  #hasFailed = false;

  constructor(conn: Connection<Data>, codec: Codec<In, Out>) {
    super(conn);
    this.#conn = conn;
    this.#codec = codec;
    this.#handed = new HandedLine<Outgoing>(conn.send);
    this.messages$ = Object.assign(this.#decoded().pipe(share()), { [holdSymbol]: () => conn.hold() });
    this.send = new SendSubject<Out>(sendOver(conn.send, (value, onHanded) => this.#sendOrFail(value, onHanded)));
    conn.send.ready$.subscribe({ complete: () => this.send.end() });
  }

  trySend(value: Out): SendResult {
    return this.#trySend(value, this.send.notice(value));
  }

  sendFrom(source: SendSource<Out>): Observable<number> {
    return this.#conn.sendFrom(mapSource(source, (value) => this.#encode(value)));
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    return iterateMessages(this.messages$);
  }

  /** Implements `finishedSymbol`. */
  onFinished(listener: FinishListener): void {
    const hooks = hooksOf(this.#conn);
    if (hooks[finishedSymbol] === undefined) this.#conn.close$.subscribe((info) => listener.finished(info));
    else hooks[finishedSymbol](listener);
  }

  /** Implements `reportSymbol`. */
  report(error: unknown, isMistake = false): void {
    hooksOf(this.#conn)[reportSymbol]?.(error, isMistake);
  }

  /** Implements `subscribersSymbol`: counts the subscribers of the underlying messages. */
  countSubscribers(): number {
    return hooksOf(this.#conn)[subscribersSymbol]?.() ?? 0;
  }

  /** Implements `interceptSymbol`. A message that cannot be decoded is not intercepted; it is refused when its turn comes. */
  intercept(take: Interceptor<In>, { key, onStuck }: InterceptOptions<In> = {}): Interception | undefined {
    const hooks = hooksOf<Message, Outgoing>(this.#conn);
    this.#interceptors ??= new Interceptors();
    const interceptors = this.#interceptors;
    this.#interception ??= hooks[interceptSymbol]?.((message) => this.#show(message, interceptors));
    const behind = this.#interception;
    if (behind === undefined) return undefined;
    const interception = new Subscription(interceptors.add(take, key));
    interception.add(() => {
      if (interceptors.isEmpty) this.#stopShowing();
    });
    // Takes no message, but gives room to read ahead.
    if (onStuck !== undefined) interception.add(hooks[interceptSymbol]?.(takesNone, { onStuck }));
    return {
      unsubscribe: () => interception.unsubscribe(),
      get isReading() {
        return behind.isReading;
      },
      get isStuck() {
        return behind.isStuck;
      },
    };
  }

  /** Implements `shareSymbol`: a broadcast is encoded once for all connections that have this codec. */
  trySendShared(shared: SharedMessage<Out>): SendResult {
    const onHanded = this.send.notice(shared.value);
    if (onHanded !== undefined) return this.#trySend(shared.value, onHanded);
    if (this.readyState !== ReadyState.OPEN) return 'closed';
    return trySendShared(
      this.#conn,
      encodedOnce(this.#codec, shared, (value) => this.#encode(value)),
    );
  }

  /** What `console.log` prints. @internal */
  [inspectSymbol](): object {
    return printed(this, 'Connection', () => ({ ...fieldsOf(this.#conn), codec: nameOf(this.#codec) }));
  }

  #stopShowing(): void {
    this.#interception?.unsubscribe();
    this.#interception = undefined;
  }

  #show(message: Message, interceptors: Interceptors<In>): boolean {
    if (this.#hasFailed) return false;
    let value: In;
    try {
      value = this.#codec.decode(message);
    } catch {
      return false;
    }
    if (interceptors.offer(value)) return true;
    if (this.#isWanted) this.#shown = { message, value };
    return false;
  }

  #decoded(): Observable<In> {
    return new Observable((subscriber) => {
      this.#isWanted = true;
      subscriber.add(() => {
        this.#isWanted = false;
        this.#shown = undefined;
      });
      subscribeWithin(subscriber, this.#conn.messages$, {
        next: (message) => this.#decode(message, subscriber),
        complete: () => subscriber.complete(),
      });
    });
  }

  #decode(message: Message, observer: Pick<Observer<In>, 'next'>): void {
    if (this.#hasFailed) return;
    const shown = this.#shown;
    this.#shown = undefined;
    if (shown?.message === message) {
      observer.next(shown.value);
      return;
    }
    let value: In;
    try {
      value = this.#codec.decode(message);
    } catch (cause) {
      this.#refuse(message, cause);
      return;
    }
    observer.next(value);
  }

  #refuse(message: Message, cause: unknown): void {
    // The codec itself failed, which is not the peer's fault.
    if (isUsageError(cause)) {
      this.#fail(cause);
      return;
    }
    const error = invalidMessage(message, cause);
    try {
      if (this.#policyFor(error) === 'drop') this.report(error);
      else this.#close(error);
    } catch (failure) {
      this.#fail(errorOf(failure));
    }
  }

  #policyFor(error: ProtocolError): InvalidPolicy {
    const { invalid = 'close' } = this.#codec;
    return typeof invalid === 'function' ? checkPolicy(invalid(error, this.#conn)) : invalid;
  }

  /** Reports a mistake of the application, and closes with 1011. */
  #fail(error: unknown): void {
    this.report(error, true);
    this.#close(error);
  }

  #close(error: unknown): void {
    this.#hasFailed = true;
    this.#conn.send.error(error);
  }

  #sendOrFail(value: Out, onHanded: (() => void) | undefined): SendResult {
    try {
      return this.#trySend(value, onHanded);
    } catch (error) {
      closeUnsendable(this.#conn, error);
      return 'closed';
    }
  }

  #trySend(value: Out, onHanded: (() => void) | undefined): SendResult {
    if (this.readyState !== ReadyState.OPEN) return 'closed';
    const data = this.#encode(value);
    if (onHanded === undefined) return this.#conn.trySend(data);
    return this.#handed.track(data, onHanded, (item) => this.#conn.trySend(item));
  }

  #encode(value: Out): Outgoing {
    try {
      return this.#codec.encode(value);
    } catch (cause) {
      if (isUsageError(cause)) throw cause;
      throw new UsageError('ENCODE_FAILED', `cannot encode a value to send: ${describeThrown(cause)}`, { cause });
    }
  }
}

/** Returns the tag of a codec, or the name of its class, or `custom`. */
function nameOf(codec: object): string {
  const names = [tagOf(codec), codec.constructor?.name];
  return names.find((name) => name !== undefined && name !== 'Object') ?? 'custom';
}

carryHooks(CodecConnection.prototype, {
  [finishedSymbol]: CodecConnection.prototype.onFinished,
  [interceptSymbol]: CodecConnection.prototype.intercept,
  [shareSymbol]: CodecConnection.prototype.trySendShared,
  [reportSymbol]: CodecConnection.prototype.report,
  [subscribersSymbol]: CodecConnection.prototype.countSubscribers,
});

/** Projects each value of `source` when its turn comes. A pulled source stays pulled. */
export function mapSource<T, R>(source: SendSource<T>, project: (value: T) => R): SendSource<R> {
  if (isObservable(source)) return source.pipe(map((value) => project(value)));
  if (Symbol.asyncIterator in source) {
    return {
      async *[Symbol.asyncIterator]() {
        for await (const value of source) yield project(value);
      },
    };
  }
  if (Symbol.iterator in source) {
    return {
      *[Symbol.iterator]() {
        for (const value of source) yield project(value);
      },
    };
  }
  return source.then((value) => project(value));
}

/** The target of a `send` that wraps another one: values go to `trySend`, everything else to `behind`. */
export function sendOver<Behind, Out>(
  behind: SendSubject<Behind>,
  trySend: SendTarget<Out>['trySend'],
): SendTarget<Out> {
  return {
    ready$: behind.ready$,
    get isReady() {
      return behind.isReady;
    },
    get isSlow() {
      return behind.isSlow;
    },
    get bufferedAmount() {
      return behind.bufferedAmount;
    },
    trySend,
    close: (code, _reason, error) => {
      if (code === 1000 && error === undefined) behind.complete();
      else behind.error(error);
    },
  };
}

const encoded = new WeakMap<object, WeakMap<SharedMessage, SharedMessage<Outgoing>>>();

/**
 * Returns the encoded form of `shared`. The first connection of each codec creates it, and the others use it.
 *
 * @throws what `encode` throws.
 */
export function encodedOnce<Out>(
  codec: object,
  shared: SharedMessage<Out>,
  encode: (value: Out) => Outgoing,
): SharedMessage<Outgoing> {
  let messages = encoded.get(codec);
  if (messages === undefined) {
    messages = new WeakMap();
    encoded.set(codec, messages);
  }
  const known = messages.get(shared);
  if (known !== undefined) return known;
  const message = shareMessage(encode(shared.value));
  messages.set(shared, message);
  return message;
}
