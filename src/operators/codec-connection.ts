import { Observable, type Observer, type Subscription, share } from 'rxjs';
import { finishedSymbol, holdSymbol, interceptSymbol, reportSymbol } from '../protocol/connection-symbols.js';
import { isWebSocketError, type ProtocolError, UsageError } from '../protocol/errors.js';
import type {
  CloseInfo,
  Connection,
  ConnectionStats,
  Message,
  ReadyState,
  SendSource,
  Supports,
} from '../reactive/connection.js';
import type { Holdable, Interception, Taker } from '../reactive/inbox.js';
import { iterateMessages } from '../reactive/message-iterator.js';
import type { SendResult } from '../reactive/outbox-settings.js';
import type { Outgoing } from '../reactive/outgoing.js';
import { SendSubject } from '../reactive/send-subject.js';
import type { Codec, InvalidPolicy } from './codec.js';
import { HandedLine } from './handed-line.js';
import { invalidMessage, messageOf } from './invalid-message.js';
import { mapSource } from './map-source.js';
import { targetOver } from './send-target.js';
import { subscribeWithin } from './subscribe-within.js';

/** What every connection of sluice carries beside its interface. */
interface Carrier {
  readonly [finishedSymbol]?: Observable<CloseInfo>;
  readonly [reportSymbol]?: (error: unknown) => void;
  readonly [interceptSymbol]?: (take: Taker<Message>, isUrgent: boolean) => Interception;
}

type AnyCodecConnection = CodecConnection<unknown, unknown, unknown>;

/** `ReadyState.OPEN`. */
const OPEN = 1;

/** A connection with a codec before it: see `withCodec`. */
export class CodecConnection<Data, In, Out> implements Connection<Data, In, Out> {
  readonly messages$: Holdable<In>;
  readonly send: SendSubject<Out>;
  readonly #conn: Connection<Data>;
  readonly #codec: Codec<In, Out>;
  readonly #handed: HandedLine<Outgoing>;
  /** A message was bad, and the connection is closing for it: what follows is not looked at. */
  #hasFailed = false;

  constructor(conn: Connection<Data>, codec: Codec<In, Out>) {
    this.#conn = conn;
    this.#codec = codec;
    this.#handed = new HandedLine<Outgoing>(conn.send);
    this.messages$ = Object.assign(this.#decoded().pipe(share()), { [holdSymbol]: () => conn.hold() });
    this.send = new SendSubject<Out>(targetOver(conn.send, (value, onHanded) => this.#sendOrFail(value, onHanded)));
    conn.send.ready$.subscribe({ complete: () => this.send.end() });
  }

  trySend(value: Out): SendResult {
    return this.#trySend(value, this.send.notice(value));
  }

  sendFrom(source: SendSource<Out>): Observable<number> {
    return this.#conn.sendFrom(mapSource(source, (value) => this.#encode(value)));
  }

  get pings$(): Observable<Uint8Array> {
    return this.#conn.pings$;
  }

  get pongs$(): Observable<Uint8Array> {
    return this.#conn.pongs$;
  }

  get close$(): Observable<CloseInfo> {
    return this.#conn.close$;
  }

  hold(): Subscription {
    return this.#conn.hold();
  }

  pause(): void {
    this.#conn.pause();
  }

  resume(): void {
    this.#conn.resume();
  }

  ping(data?: string | ArrayBufferView | ArrayBuffer): Observable<number> {
    return this.#conn.ping(data);
  }

  pong(data?: string | ArrayBufferView | ArrayBuffer): void {
    this.#conn.pong(data);
  }

  close(code?: number, reason?: string): void {
    this.#conn.close(code, reason);
  }

  terminate(): void {
    this.#conn.terminate();
  }

  flush(): Observable<void> {
    return this.#conn.flush();
  }

  ignoreMessages(): Subscription {
    return this.#conn.ignoreMessages();
  }

  get data(): Data {
    return this.#conn.data;
  }

  get request(): Connection['request'] {
    return this.#conn.request;
  }

  get response(): Connection['response'] {
    return this.#conn.response;
  }

  get url(): string {
    return this.#conn.url;
  }

  get protocol(): string {
    return this.#conn.protocol;
  }

  get extensions(): Connection['extensions'] {
    return this.#conn.extensions;
  }

  get protocolVersion(): number {
    return this.#conn.protocolVersion;
  }

  get supports(): Supports {
    return this.#conn.supports;
  }

  get remoteAddress(): string | undefined {
    return this.#conn.remoteAddress;
  }

  get readyState(): ReadyState {
    return this.#conn.readyState;
  }

  get bufferedAmount(): number {
    return this.#conn.bufferedAmount;
  }

  get bytesReceived(): number {
    return this.#conn.bytesReceived;
  }

  get bytesSent(): number {
    return this.#conn.bytesSent;
  }

  get latency(): number | undefined {
    return this.#conn.latency;
  }

  get stats(): ConnectionStats {
    return this.#conn.stats;
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    return iterateMessages(this.messages$);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#conn[Symbol.asyncDispose]();
  }

  /** What `finishedSymbol` stands for. */
  get finished$(): Observable<CloseInfo> {
    return (this.#conn as Carrier)[finishedSymbol] ?? this.#conn.close$;
  }

  /** What `reportSymbol` stands for. */
  report(error: unknown): void {
    (this.#conn as Carrier)[reportSymbol]?.(error);
  }

  /** What `interceptSymbol` stands for. A message that cannot be decoded is taken by nobody, and judged when its turn comes. */
  intercept(take: Taker<In>, isUrgent: boolean): Interception | undefined {
    const takeDecoded: Taker<Message> = (message) => {
      if (this.#hasFailed) return false;
      let value: In;
      try {
        value = this.#codec.decode(message);
      } catch {
        return false;
      }
      return take(value);
    };
    return (this.#conn as Carrier)[interceptSymbol]?.(takeDecoded, isUrgent);
  }

  #decoded(): Observable<In> {
    return new Observable((subscriber) => {
      subscribeWithin(subscriber, this.#conn.messages$, {
        next: (message) => this.#decode(message, subscriber),
        complete: () => subscriber.complete(),
      });
    });
  }

  #decode(message: Message, observer: Pick<Observer<In>, 'next'>): void {
    if (this.#hasFailed) return;
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
    // The codec itself is wrong: that is not the peer's fault.
    if (isWebSocketError(cause) && cause.name === 'UsageError') {
      this.#fail(cause);
      return;
    }
    const error = invalidMessage(message, cause);
    try {
      if (this.#policyFor(error) === 'drop') this.report(error);
      else this.#close(error);
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #policyFor(error: ProtocolError): InvalidPolicy {
    const { invalid = 'close' } = this.#codec;
    return typeof invalid === 'function' ? invalid(error, this.#conn) : invalid;
  }

  /** The application is wrong: told where errors of applications are told, and closed with 1011. */
  #fail(error: unknown): void {
    this.report(error);
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
      this.report(error);
      this.#conn.send.error(error);
      return 'closed';
    }
  }

  #trySend(value: Out, onHanded: (() => void) | undefined): SendResult {
    if (this.readyState !== OPEN) return 'closed';
    const data = this.#encode(value);
    if (onHanded === undefined) return this.#conn.trySend(data);
    return this.#handed.track(data, onHanded, (item) => this.#conn.trySend(item));
  }

  #encode(value: Out): Outgoing {
    try {
      return this.#codec.encode(value);
    } catch (cause) {
      if (isWebSocketError(cause) && cause.name === 'UsageError') throw cause;
      throw new UsageError('ENCODE_FAILED', `cannot encode a value to send: ${messageOf(cause)}`, { cause });
    }
  }
}

Object.defineProperties(CodecConnection.prototype, {
  [finishedSymbol]: {
    get(this: AnyCodecConnection) {
      return this.finished$;
    },
  },
  [interceptSymbol]: {
    value(this: AnyCodecConnection, take: Taker<unknown>, isUrgent: boolean) {
      return this.intercept(take, isUrgent);
    },
  },
  [reportSymbol]: {
    value(this: AnyCodecConnection, error: unknown) {
      this.report(error);
    },
  },
});
