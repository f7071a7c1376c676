import '../net/diagnostics.js';
import {
  BehaviorSubject,
  distinctUntilChanged,
  Observable,
  ReplaySubject,
  type SchedulerLike,
  Subscription,
} from 'rxjs';
import { Fifo } from '../base/fifo.js';
import { ReadySignal } from '../base/ready-signal.js';
import { isError } from '../base/thrown.js';
import type { Channel, ChannelCounts, ChannelEvents, ChannelInbox, ChannelSettings } from '../connection/channel.js';
import { type CloseInfo, ReadyState, type Supports } from '../connection/connection.js';
import { controlPayload } from '../connection/control-payload.js';
import type { SendResult } from '../connection/send-result.js';
import { checkedClosePayload } from '../protocol/message/close-payload.js';
import { infoOf, LOST } from './ending.js';
import type { Closed, TestConnectionInputs } from './test-inputs.js';
import { testingScheduler } from './testing-scheduler.js';

/** How long to wait for holds after the end, in milliseconds: the default of real connections. */
const CLOSE_TIMEOUT = 10_000;

const SUPPORTS: Supports = Object.freeze({
  binary: true,
  ping: true,
  fragments: true,
  backpressure: true,
  compression: false,
});

/** A value that was sent and is not flushed yet. */
interface Unflushed {
  readonly size: number;
  readonly onHanded: (() => void) | undefined;
}

/** A ping that waits for a pong. */
interface Asked {
  readonly at: number;
  readonly answered: (roundTrip: number) => void;
  readonly lost: () => void;
}

/** A channel without bytes: input Observables script the peer, and output Observables show what the connection over it does. */
export class ScriptChannel<In, Out> implements Channel<In, Out> {
  readonly sent$: ReplaySubject<Out> = new ReplaySubject<Out>();
  readonly closed$: ReplaySubject<Closed> = new ReplaySubject<Closed>();
  readonly demand$: ReplaySubject<boolean> = new ReplaySubject<boolean>();
  readonly settings: ChannelSettings;
  readonly supports: Supports = SUPPORTS;
  readyState: ReadyState = ReadyState.OPEN;
  latency: number | undefined;
  readonly #inputs: TestConnectionInputs<In, unknown>;
  /** Messages that came while there was no room for them. */
  readonly #unread = new Fifo<In>();
  readonly #out: ScriptOutlet;
  readonly #following = new Subscription();
  readonly #counts = { messagesReceived: 0, pingsReceived: 0, pongsReceived: 0, bytesReceived: 0 };
  #inbox!: ChannelInbox<In>;
  #events!: ChannelEvents;
  #asked: readonly Asked[] = [];
  #hadDemand = false;
  #isPumping = false;
  #isSettled = false;

  constructor(inputs: TestConnectionInputs<In, unknown>) {
    const { scheduler = testingScheduler, highWaterMark = 65_536 } = inputs;
    this.#inputs = inputs;
    this.settings = { highWaterMark, closeTimeout: CLOSE_TIMEOUT, scheduler };
    this.#out = new ScriptOutlet(highWaterMark, inputs);
  }

  attach(inbox: ChannelInbox<In>, events: ChannelEvents): void {
    this.#inbox = inbox;
    this.#events = events;
  }

  start(): void {
    const { messages$, pings$, pongs$, close$ } = this.#inputs;
    const lost = (error: unknown): void => this.#end({ ...LOST, ...(isError(error) && { error }) });
    const following = this.#following;
    following.add(
      messages$?.subscribe({
        next: (message) => this.#receive(message),
        error: lost,
        complete: () => {
          if (close$ === undefined) this.#end(infoOf(1000));
        },
      }),
    );
    following.add(pings$?.subscribe((payload) => this.#pinged(bufferOf(payload))));
    following.add(pongs$?.subscribe((payload) => this.#ponged(bufferOf(payload))));
    following.add(close$?.subscribe({ next: (how) => this.#end(infoOf(how)), error: lost }));
  }

  pump(): void {
    this.#noteDemand();
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#step());
    this.#isPumping = false;
    if (this.readyState === ReadyState.CLOSED && !this.#isSettled) this.#settle();
  }

  get counts(): ChannelCounts {
    const { messagesSent, bytesSent } = this.#out;
    return { ...this.#counts, messagesSent, messagesDropped: 0, bytesSent, unread: 0 };
  }

  get ready$(): Observable<boolean> {
    return this.#out.ready$;
  }

  get isReady(): boolean {
    return this.#out.isReady;
  }

  get bufferedAmount(): number {
    return this.#out.bufferedAmount;
  }

  trySend(value: Out, onHanded: (() => void) | undefined): SendResult {
    if (this.readyState !== ReadyState.OPEN) return 'closed';
    const result = this.#out.isIdle ? 'sent' : 'buffered';
    this.#out.messagesSent++;
    this.sent$.next(value);
    this.#out.add(sizeOf(value), onHanded);
    return result;
  }

  whenHanded(done: () => void): void {
    this.#out.whenHanded(done);
  }

  isTurnOver(): boolean {
    return false;
  }

  defer(task: () => void): void {
    this.#scheduler.schedule(task);
  }

  /** Is answered at once, or by the next pong of the script. */
  ping(_payload: Uint8Array, answered: (roundTrip: number) => void, lost: () => void): () => void {
    const ping = { at: this.#scheduler.now(), answered, lost };
    if (this.#inputs.pongs$ === undefined) this.#answer([ping]);
    else this.#asked = [...this.#asked, ping];
    return () => {
      this.#asked = this.#asked.filter((other) => other !== ping);
    };
  }

  pong(): void {}

  close(code: number, reason: string, error?: unknown): void {
    checkedClosePayload(code, reason);
    if (this.readyState !== ReadyState.OPEN) return;
    this.readyState = ReadyState.CLOSING;
    this.closed$.next({ code, reason });
    const info = { code, reason, wasClean: true, initiator: 'local', ...(isError(error) && { error }) } as const;
    // Like the answer of a peer: in this frame, but never within the call.
    this.#following.add(this.#scheduler.schedule(() => this.#end(info)));
  }

  discard(): void {
    this.#unread.clear();
  }

  abort(): void {
    if (this.readyState === ReadyState.CLOSED) return;
    this.closed$.next({ code: 1006, reason: '' });
    this.#end({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
  }

  get #scheduler(): SchedulerLike {
    return this.settings.scheduler;
  }

  #receive(message: In): void {
    this.#counts.messagesReceived++;
    this.#counts.bytesReceived += sizeOf(message);
    this.#unread.push(message);
    this.pump();
  }

  /** Delivers or accepts one message. Returns `false` if there is nothing to do. */
  #step(): boolean {
    const inbox = this.#inbox;
    if (inbox.deliverNext()) return true;
    if (!inbox.hasRoom) return false;
    if (!this.#unread.isEmpty) {
      const message = this.#unread.shift();
      inbox.put(message, sizeOf(message));
      return true;
    }
    if (this.readyState !== ReadyState.CLOSED) return false;
    inbox.end();
    return inbox.deliverNext();
  }

  /** Reports a change of demand, unless the connection has ended. */
  #noteDemand(): void {
    const { hasDemand } = this.#inbox;
    if (hasDemand === this.#hadDemand || this.readyState === ReadyState.CLOSED) return;
    this.#hadDemand = hasDemand;
    this.demand$.next(hasDemand);
  }

  #pinged(payload: Uint8Array): void {
    this.#counts.pingsReceived++;
    this.#events.ping(payload);
  }

  #ponged(payload: Uint8Array): void {
    this.#counts.pongsReceived++;
    const asked = this.#asked;
    this.#asked = [];
    this.#answer(asked);
    this.#events.pong(payload);
  }

  #answer(asked: readonly Asked[]): void {
    for (const { at, answered } of asked) {
      this.latency = this.#scheduler.now() - at;
      answered(this.latency);
    }
  }

  #end(info: CloseInfo): void {
    if (this.readyState === ReadyState.CLOSED) return;
    this.readyState = ReadyState.CLOSED;
    this.#following.unsubscribe();
    this.#out.end();
    this.#events.ended(info);
    this.pump();
  }

  #settle(): void {
    this.#isSettled = true;
    for (const { lost } of this.#asked) lost();
    this.sent$.complete();
    this.closed$.complete();
    this.demand$.complete();
    this.#events.settled();
  }
}

/** The sending side of a script: keeps sent values until they are flushed. */
class ScriptOutlet {
  messagesSent = 0;
  bytesSent = 0;
  bufferedAmount = 0;
  readonly #signal: ReadySignal;
  /** The readiness that the script gives, if it does. */
  readonly #given: BehaviorSubject<boolean> | undefined;
  readonly #isFlushed: boolean;
  readonly #following = new Subscription();
  #queue: Unflushed[] = [];

  constructor(mark: number, { ready$, flushed$ }: Pick<TestConnectionInputs, 'ready$' | 'flushed$'>) {
    this.#signal = new ReadySignal(mark);
    this.#isFlushed = flushed$ === undefined;
    if (ready$ !== undefined) {
      const given = new BehaviorSubject(true);
      this.#given = given;
      this.#following.add(ready$.subscribe((ready) => given.next(ready)));
    }
    this.#following.add(flushed$?.subscribe(() => this.#flush()));
  }

  get ready$(): Observable<boolean> {
    const given = this.#given;
    if (given === undefined) return this.#signal.ready$;
    return new Observable<boolean>((subscriber) => given.subscribe(subscriber)).pipe(distinctUntilChanged());
  }

  get isReady(): boolean {
    return this.#given?.value ?? this.#signal.isReady;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  add(size: number, onHanded: (() => void) | undefined): void {
    if (this.#isFlushed) {
      this.bytesSent += size;
      onHanded?.();
      return;
    }
    this.#queue.push({ size, onHanded });
    this.bufferedAmount += size;
    this.#signal.update(this.bufferedAmount);
  }

  whenHanded(onHanded: () => void): void {
    if (this.isIdle) onHanded();
    else this.#queue.push({ size: 0, onHanded });
  }

  end(): void {
    this.#following.unsubscribe();
    this.#given?.complete();
    this.#signal.end();
    this.#queue = [];
  }

  #flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    this.bytesSent += this.bufferedAmount;
    this.bufferedAmount = 0;
    for (const { onHanded } of queue) onHanded?.();
    this.#signal.update(this.bufferedAmount);
  }
}

/** Makes a Buffer of a payload, as real connections do on Node. */
function bufferOf(payload: Uint8Array | string): Buffer {
  return Buffer.from(controlPayload(payload));
}

/** Returns the bytes of the payload; 0 for a value that a codec has yet to encode, because its size is unknown. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  const { byteLength, size, data } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof byteLength === 'number') return byteLength;
  if (typeof size === 'number') return size;
  return data === undefined ? 0 : sizeOf(data);
}
