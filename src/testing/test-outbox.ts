import { BehaviorSubject, distinctUntilChanged, Observable, ReplaySubject, Subscription } from 'rxjs';
import { ReadySignal } from '../base/ready-signal.js';
import type { SendResult } from '../connection/channel.js';
import type { ConnectionStats } from '../connection/connection.js';

/** What a {@link TestOutbox} follows. */
export interface TestOutboxInputs {
  /** When it is ready; without it, when less than the mark waits. */
  readonly ready$: Observable<boolean> | undefined;
  /** When what was sent so far is handed over; without it, at once. */
  readonly flushed$: Observable<unknown> | undefined;
  /** In bytes. */
  readonly highWaterMark: number;
}

/** The outgoing half of `Connection.stats`. */
export type OutgoingStats = Pick<ConnectionStats, 'messagesSent' | 'messagesDropped' | 'bytesSent'>;

interface Queued {
  readonly size: number;
  readonly onHanded: (() => void) | undefined;
}

/** The way out of a test connection: keeps what was sent until it is flushed, and shows it. */
export class TestOutbox<Out> {
  /** Everything that was sent. */
  readonly sent$: ReplaySubject<Out> = new ReplaySubject<Out>();
  bytesSent = 0;
  bufferedAmount = 0;
  readonly #inputs: TestOutboxInputs;
  readonly #signal: ReadySignal;
  readonly #given: BehaviorSubject<boolean> | undefined;
  #messagesSent = 0;
  readonly #subscription = new Subscription();
  #queue: Queued[] = [];

  constructor(inputs: TestOutboxInputs) {
    const { ready$, flushed$, highWaterMark } = inputs;
    this.#inputs = inputs;
    this.#signal = new ReadySignal(highWaterMark);
    if (ready$ !== undefined) {
      this.#given = new BehaviorSubject(true);
      const given = this.#given;
      this.#subscription.add(ready$.subscribe((ready) => given.next(ready)));
    }
    this.#subscription.add(flushed$?.subscribe(() => this.#flush()));
  }

  get ready$(): Observable<boolean> {
    const given = this.#given;
    if (given === undefined) return this.#signal.ready$;
    return new Observable<boolean>((subscriber) => given.subscribe(subscriber)).pipe(distinctUntilChanged());
  }

  get isReady(): boolean {
    return this.#given?.value ?? this.#signal.isReady;
  }

  get stats(): OutgoingStats {
    return { messagesSent: this.#messagesSent, messagesDropped: 0, bytesSent: this.bytesSent };
  }

  send(value: Out, onHanded: (() => void) | undefined): SendResult {
    const size = sizeOf(value);
    const result = this.#queue.length === 0 ? 'sent' : 'buffered';
    this.#messagesSent++;
    this.sent$.next(value);
    if (this.#inputs.flushed$ === undefined) {
      this.bytesSent += size;
      onHanded?.();
      return result;
    }
    this.#queue.push({ size, onHanded });
    this.bufferedAmount += size;
    this.#signal.update(this.bufferedAmount);
    return result;
  }

  /** Calls `onHanded` when all that was sent so far is handed over: at once when it is already. */
  whenHanded(onHanded: () => void): void {
    if (this.#queue.length === 0) onHanded();
    else this.#queue.push({ size: 0, onHanded });
  }

  end(): void {
    this.#subscription.unsubscribe();
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

/** Bytes of the payload; 0 for a value that a codec has yet to encode, whose size is unknown. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  const { byteLength, size, data } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof byteLength === 'number') return byteLength;
  if (typeof size === 'number') return size;
  return data === undefined ? 0 : sizeOf(data);
}
