import '../net/diagnostics.js';
import { Observable, ReplaySubject, type SchedulerLike, Subscription, tap } from 'rxjs';
import { inspectSymbol, printed } from '../base/inspect.js';
import { isError } from '../base/thrown.js';
import type { SendResult } from '../connection/channel.js';
import {
  type CloseInfo,
  type ConnectionStats,
  ReadyState,
  type SendSource,
  type Supports,
} from '../connection/connection.js';
import { controlPayload } from '../connection/control-payload.js';
import { ConnectionStreams, type FinishListener } from '../connection/endings.js';
import {
  carryHooks,
  finishedSymbol,
  holdSymbol,
  type Interception,
  type InterceptOptions,
  interceptSymbol,
  reportSymbol,
} from '../connection/hooks.js';
import { connectionFields } from '../connection/inspect.js';
import { iterateMessages } from '../connection/message-iterator.js';
import type { Holdable } from '../connection/seat.js';
import { sendFrom } from '../connection/send-from.js';
import { SendSubject } from '../connection/send-subject.js';
import type { Taker } from '../connection/takers.js';
import type { UsageError } from '../protocol/errors.js';
import { isSendableCloseCode } from '../protocol/message/close-code.js';
import { checkedClosePayload, truncateReason } from '../protocol/message/close-payload.js';
import { infoOf, LOST } from './ending.js';
import { pingDouble } from './ping-double.js';
import { TestInbox } from './test-inbox.js';
import type { Closed, TestConnection, TestConnectionInputs } from './test-inputs.js';
import { TestOutbox } from './test-outbox.js';
import { testingScheduler } from './testing-scheduler.js';

/** The connection behind `testConnection`. */
export class InputConnection<Data, In, Out> implements TestConnection<Data, In, Out> {
  readonly send: SendSubject<Out>;
  readonly closed$: ReplaySubject<Closed> = new ReplaySubject<Closed>();
  readonly data: Data;
  readonly url: string;
  readonly protocol: string;
  readonly supports: Supports = { binary: true, ping: true, fragments: true };
  readonly request = undefined;
  readonly response = undefined;
  readonly extensions = {};
  readonly protocolVersion = 13;
  readonly remoteAddress = undefined;
  readonly #pongs$: Observable<unknown> | undefined;
  readonly #scheduler: SchedulerLike;
  readonly #streams = new ConnectionStreams();
  readonly #inbox: TestInbox<In>;
  readonly #outbox: TestOutbox<Out>;
  readonly #subscription = new Subscription();
  readonly #openedAt: number;
  #state: ReadyState = ReadyState.OPEN;
  #pause: Subscription | undefined;
  #info: CloseInfo | undefined;
  #latency: number | undefined;

  constructor(inputs: TestConnectionInputs<In, Data>) {
    const { scheduler = testingScheduler, highWaterMark = 65_536, ready$, flushed$ } = inputs;
    this.data = inputs.data as Data;
    this.url = inputs.url ?? '/';
    this.protocol = inputs.protocol ?? '';
    this.#pongs$ = inputs.pongs$;
    this.#scheduler = scheduler;
    this.#openedAt = scheduler.now();
    this.#streams.owner = this;
    this.#inbox = new TestInbox<In>(highWaterMark, () => this.#settle());
    this.#outbox = new TestOutbox<Out>({ ready$, flushed$, highWaterMark });
    const outbox = this.#outbox;
    this.send = new SendSubject<Out>({
      ready$: outbox.ready$,
      get isReady() {
        return outbox.isReady;
      },
      get bufferedAmount() {
        return outbox.bufferedAmount;
      },
      send: (value, onHanded) => this.#trySend(value, onHanded),
      closeWith: (code, reason, error) => {
        const cause = isError(error) ? { error } : {};
        this.#close(isSendableCloseCode(code) ? code : 1011, truncateReason(reason), cause);
      },
    });
    this.#follow(inputs);
  }

  get messages$(): Holdable<In> {
    return this.#inbox.messages$;
  }

  get sent$(): Observable<Out> {
    return this.#outbox.sent$;
  }

  get demand$(): Observable<boolean> {
    return this.#inbox.demand$;
  }

  get pings$(): Observable<Uint8Array> {
    return this.#streams.pings$;
  }

  get pongs$(): Observable<Uint8Array> {
    return this.#streams.pongs$;
  }

  get close$(): Observable<CloseInfo> {
    return this.#streams.closed.value$;
  }

  hold(): Subscription {
    return this.#inbox.messages$[holdSymbol]();
  }

  pause(): void {
    this.#pause ??= this.hold();
  }

  resume(): void {
    const pause = this.#pause;
    this.#pause = undefined;
    pause?.unsubscribe();
  }

  ping(data?: string | ArrayBufferView | ArrayBuffer): Observable<number> {
    if (data !== undefined) controlPayload(data);
    const pongs$ = this.#pongs$ === undefined ? undefined : this.pongs$;
    return pingDouble({ pongs$, close$: this.close$, scheduler: this.#scheduler }).pipe(
      tap((roundTrip) => {
        this.#latency = roundTrip;
      }),
    );
  }

  pong(data: string | ArrayBufferView | ArrayBuffer = ''): void {
    controlPayload(data);
  }

  close(code = 1000, reason = ''): void {
    checkedClosePayload(code, reason);
    this.#close(code, reason, {});
  }

  terminate(): void {
    if (this.#info !== undefined) return;
    this.closed$.next({ code: 1006, reason: '' });
    this.#inbox.drop();
    this.#end({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
  }

  trySend(value: Out): SendResult {
    return this.#trySend(value, this.send.notice(value));
  }

  sendFrom(source: SendSource<Out>): Observable<number> {
    const { send, close$ } = this;
    return sendFrom(
      {
        trySend: (value) => this.trySend(value),
        ready$: send.ready$,
        get isReady() {
          return send.isReady;
        },
        isOpen: true,
        close$,
        isTurnOver: () => false,
        defer: (task) => {
          this.#scheduler.schedule(task);
        },
      },
      source,
    );
  }

  flush(): Observable<void> {
    return new Observable((subscriber) => {
      subscriber.add(this.close$.subscribe({ complete: () => subscriber.complete() }));
      if (subscriber.closed) return;
      this.#outbox.whenHanded(() => {
        subscriber.next();
        subscriber.complete();
      });
    });
  }

  ignoreMessages(): Subscription {
    return this.messages$.subscribe();
  }

  get readyState(): ReadyState {
    return this.#state;
  }

  get bufferedAmount(): number {
    return this.#outbox.bufferedAmount;
  }

  get bytesReceived(): number {
    return this.#inbox.bytesReceived;
  }

  get bytesSent(): number {
    return this.#outbox.bytesSent;
  }

  get latency(): number | undefined {
    return this.#latency;
  }

  get stats(): ConnectionStats {
    return { ...this.#inbox.stats, ...this.#outbox.stats, uptime: this.#scheduler.now() - this.#openedAt };
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    return iterateMessages(this.messages$);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return new Promise((resolve) => this.close$.subscribe({ complete: resolve }));
  }

  whenFinished(listener: FinishListener): void {
    this.#streams.whenFinished(listener);
  }

  intercept(take: Taker<In>, options?: InterceptOptions<In>): Interception {
    return this.#inbox.intercept(take, options);
  }

  report(error: unknown): void {
    this.#streams.unsendable(error as UsageError);
  }

  /** What `console.log` prints. @internal */
  [inspectSymbol](): object {
    return printed(this, 'TestConnection', () => connectionFields(this, { close: this.#info }));
  }

  /** Nothing is handed over any more. */
  endSend(): void {
    this.send.end();
  }

  #follow({ messages$, pings$, pongs$, close$ }: TestConnectionInputs<In, Data>): void {
    const lost = (error: unknown): void => this.#end({ ...LOST, ...(isError(error) && { error }) });
    this.#subscription.add(
      messages$?.subscribe({
        next: (message) => this.#inbox.receive(message),
        error: lost,
        complete: () => {
          if (close$ === undefined) this.#end(infoOf(1000));
        },
      }),
    );
    this.#subscription.add(pings$?.subscribe((payload) => this.#streams.ping(controlPayload(payload))));
    this.#subscription.add(pongs$?.subscribe((payload) => this.#streams.pong(controlPayload(payload))));
    this.#subscription.add(close$?.subscribe({ next: (how) => this.#end(infoOf(how)), error: lost }));
  }

  #trySend(value: Out, onHanded: (() => void) | undefined): SendResult {
    return this.#state === ReadyState.OPEN ? this.#outbox.send(value, onHanded) : 'closed';
  }

  #close(code: number, reason: string, cause: { readonly error?: Error }): void {
    if (this.#state !== ReadyState.OPEN) return;
    this.#state = ReadyState.CLOSING;
    this.closed$.next({ code, reason });
    // As the answer of a peer: in this frame, and never within the call.
    const answer = (): void => this.#end({ code, reason, wasClean: true, initiator: 'local', ...cause });
    this.#subscription.add(this.#scheduler.schedule(answer));
  }

  #end(info: CloseInfo): void {
    if (this.#info !== undefined) return;
    this.#info = info;
    this.#state = ReadyState.CLOSED;
    this.#subscription.unsubscribe();
    this.#outbox.end();
    this.#streams.ended(info);
    this.#inbox.end();
  }

  /** What could be delivered was delivered. */
  #settle(): void {
    const info = this.#info as CloseInfo;
    this.#outbox.sent$.complete();
    this.closed$.complete();
    this.#inbox.demand$.complete();
    this.#streams.settled(info);
    this.#inbox.whenReleased(this.#scheduler, () => this.#streams.finished(info));
  }
}

carryHooks(InputConnection.prototype, {
  [finishedSymbol]: InputConnection.prototype.whenFinished,
  [interceptSymbol]: InputConnection.prototype.intercept,
  [reportSymbol]: InputConnection.prototype.report,
});
