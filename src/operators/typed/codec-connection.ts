import { Observable, type Observer, Subscription, share } from 'rxjs';
import { subscribeWithin } from '../../base/subscribe-within.js';
import { describeThrown, errorOf } from '../../base/thrown.js';
import type { SendResult } from '../../connection/channel.js';
import {
  type CloseInfo,
  type Connection,
  type Message,
  ReadyState,
  type SendSource,
} from '../../connection/connection.js';
import { finishedSymbol, holdSymbol, interceptSymbol, reportSymbol, shareSymbol } from '../../connection/hooks.js';
import type { Interception, InterceptOptions } from '../../connection/inbox.js';
import { iterateMessages } from '../../connection/message-iterator.js';
import type { Outgoing } from '../../connection/outgoing.js';
import type { Holdable } from '../../connection/seat.js';
import { SendSubject } from '../../connection/send-subject.js';
import type { SharedMessage } from '../../connection/shared-message.js';
import { type Taker, Takers } from '../../connection/takers.js';
import { isUsageError, type ProtocolError, UsageError } from '../../protocol/errors.js';
import { trySendShared } from '../many/send-shared.js';
import { type Codec, checkPolicy, type InvalidPolicy } from './codec.js';
import { ConnectionFacade } from './connection-facade.js';
import { encodedOnce } from './encoded-once.js';
import { HandedLine } from './handed-line.js';
import { invalidMessage } from './invalid-message.js';
import { mapSource } from './map-source.js';
import { targetOver } from './send-target.js';

/** What every connection of sluice carries beside its interface. */
interface Carrier {
  readonly [finishedSymbol]?: (listener: { told(info: CloseInfo): void }) => void;
  readonly [reportSymbol]?: (error: unknown) => void;
  readonly [interceptSymbol]?: (take: Taker<Message>, options?: InterceptOptions<Message>) => Interception;
}

const takesNone = (): boolean => false;

/** A connection with a codec before it: see `withCodec`. */
export class CodecConnection<Data, In, Out> extends ConnectionFacade<Data> implements Connection<Data, In, Out> {
  readonly messages$: Holdable<In>;
  readonly send: SendSubject<Out>;
  readonly #conn: Connection<Data>;
  readonly #codec: Codec<In, Out>;
  readonly #handed: HandedLine<Outgoing>;
  /** Those who intercept, so that a message is decoded once for all of them. Made for the first. */
  #takers: Takers<In> | undefined;
  /** There while anybody intercepts. */
  #interception: Interception | undefined;
  /** Whether anybody subscribes to the messages. */
  #isWanted = false;
  /** What was decoded for those who intercept: the message comes to its subscribers next, or waits. */
  #shown: { readonly message: Message; readonly value: In } | undefined;
  /** A message was bad, and the connection is closing for it: what follows is not looked at. */
  #hasFailed = false;

  constructor(conn: Connection<Data>, codec: Codec<In, Out>) {
    super(conn);
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

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    return iterateMessages(this.messages$);
  }

  /** What `finishedSymbol` stands for. */
  whenFinished(listener: { told(info: CloseInfo): void }): void {
    const conn: Carrier & Connection<Data> = this.#conn;
    if (conn[finishedSymbol] === undefined) conn.close$.subscribe((info) => listener.told(info));
    else conn[finishedSymbol](listener);
  }

  /** What `reportSymbol` stands for. */
  report(error: unknown): void {
    (this.#conn as Carrier)[reportSymbol]?.(error);
  }

  /** What `interceptSymbol` stands for. A message that cannot be decoded is taken by nobody, and judged when its turn comes. */
  intercept(take: Taker<In>, { key, onStuck }: InterceptOptions<In> = {}): Interception | undefined {
    const conn: Carrier & Connection<Data> = this.#conn;
    this.#takers ??= new Takers();
    const takers = this.#takers;
    this.#interception ??= conn[interceptSymbol]?.((message) => this.#show(message, takers));
    const behind = this.#interception;
    if (behind === undefined) return undefined;
    const interception = new Subscription(takers.add(take, key));
    interception.add(() => {
      if (takers.isEmpty) this.#stopShowing();
    });
    // Room to read ahead, and no look at any message.
    if (onStuck !== undefined) interception.add(conn[interceptSymbol]?.(takesNone, { onStuck }));
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

  /** What `shareSymbol` stands for: what goes to many is encoded once for all of them that have this codec. */
  trySendShared(shared: SharedMessage<Out>): SendResult {
    const onHanded = this.send.notice(shared.value);
    if (onHanded !== undefined) return this.#trySend(shared.value, onHanded);
    if (this.readyState !== ReadyState.OPEN) return 'closed';
    return trySendShared(
      this.#conn,
      encodedOnce(this.#codec, shared, (value) => this.#encode(value)),
    );
  }

  #stopShowing(): void {
    this.#interception?.unsubscribe();
    this.#interception = undefined;
  }

  #show(message: Message, takers: Takers<In>): boolean {
    if (this.#hasFailed) return false;
    let value: In;
    try {
      value = this.#codec.decode(message);
    } catch {
      return false;
    }
    if (takers.offer(value)) return true;
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
    // The codec itself is wrong: that is not the peer's fault.
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

Object.defineProperties(CodecConnection.prototype, {
  [finishedSymbol]: { value: CodecConnection.prototype.whenFinished },
  [interceptSymbol]: { value: CodecConnection.prototype.intercept },
  [shareSymbol]: { value: CodecConnection.prototype.trySendShared },
  [reportSymbol]: { value: CodecConnection.prototype.report },
});
