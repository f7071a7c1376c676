import { type Observable, type Observer, Subject, Subscription } from 'rxjs';
import type { Outgoing } from './outgoing.js';
import { reasonOf, requestedClose } from './requested-close.js';
import type { SendResult } from './send-result.js';

/** The target that a {@link SendSubject} writes to. @internal */
export interface SendTarget<Out> {
  readonly ready$: Observable<boolean>;
  readonly isReady: boolean;
  /** Whether more than `highWaterMark` bytes wait. If left out, the opposite of `isReady`: producers never rest on such a target. */
  readonly isSlow?: boolean;
  readonly bufferedAmount: number;
  /** A fast path that does not notify subscribers. It is closed as soon as there are any. */
  readonly lane?: { shut(): void } | undefined;
  /** Sends a value. Throws if it cannot be sent. @param onHanded called when the value is handed to the operating system. */
  trySend(value: Out, onHanded: (() => void) | undefined): SendResult;
  /** Flushes and closes with a code and a reason that are valid in a Close frame. */
  close(code: number, reason: string, error: unknown): void;
}

/** A listener that a {@link SendSubject} notifies of values that cannot be sent. @internal */
export interface SendFailures {
  failed(thrown: unknown): void;
}

/**
 * The sending end of a connection, as a Subject.
 *
 * As an Observer: `next` sends and never throws or blocks. `complete` flushes and closes with 1000. `error` closes with 1011, or with
 * the `code` or `closeCode` and the `reason` of the error if they are valid in a Close frame, such as those of a `ProtocolError` or of a
 * browser's `WebSocketError`. A value that cannot be sent closes the connection with 1011. In both cases `close$` includes the `error`.
 * After the end, all three methods do nothing.
 *
 * As an Observable: emits each item when it is handed to the operating system, completes with the connection, never errors.
 * RxJS's `lift` makes the result of `send.pipe(...)` a Subject that writes too: to share it read-only, use `send.asObservable()`.
 */
export class SendSubject<Out = Outgoing> extends Subject<Out> {
  readonly #target: SendTarget<Out>;
  readonly #failures: SendFailures | undefined;
  #handed: Subject<Out> | undefined;
  #ended = false;

  /**
   * @param failures receives what `target.trySend` throws.
   * @internal
   */
  constructor(target: SendTarget<Out>, failures?: SendFailures) {
    super();
    this.#target = target;
    this.#failures = failures;
  }

  /**
   * Whether to send more. `false` while more than `highWaterMark` bytes wait, and `true` again below half of it. Also `false` until a
   * later turn of the event loop if so much was sent in this one that timers and other connections had to wait (10 ms, shared by all
   * connections), and once the connection closes. Replays `isReady`, emits each change once, and completes with the connection.
   */
  get ready$(): Observable<boolean> {
    return this.#target.ready$;
  }

  /** The current value of `ready$`. */
  get isReady(): boolean {
    return this.#target.isReady;
  }

  /** Whether the peer reads more slowly than this end sends. Unlike `isReady`, independent of whether the producer rests. @internal */
  get isSlow(): boolean {
    return this.#target.isSlow ?? !this.#target.isReady;
  }

  /** Bytes not yet handed to the operating system: queued or in the socket, frame headers included. */
  get bufferedAmount(): number {
    return this.#target.bufferedAmount;
  }

  /** Whether there are subscribers, which are notified of items that are handed over. */
  override get observed(): boolean {
    return this.#handed?.observed === true;
  }

  /** Sends `value`. Never throws. Does nothing after the end. */
  override next(value: Out): void {
    try {
      this.#target.trySend(value, this.notice(value));
    } catch (error) {
      this.#failures?.failed(error);
    }
  }

  /** Flushes and closes with 1000. */
  override complete(): void {
    this.#target.close(1000, '', undefined);
  }

  /**
   * Flushes and closes with 1011, or with the `code` or `closeCode` of `error` if an application may send it, and with its `reason`.
   * A `closeCode` without a `reason` is sent with the error's message.
   */
  override error(error: unknown): void {
    const { code, reason } = requestedClose(error) ?? { code: 1011, reason: reasonOf(error, 'reason') };
    this.#target.close(code, reason, error);
  }

  /** Does nothing: an unsubscribed Subject would throw whenever it is used. */
  override unsubscribe(): void {}

  /** Subscribes to the items that are handed over. Without an observer it does nothing, so that `tap(conn.send)` is safe. */
  override subscribe(observer?: Partial<Observer<Out>> | ((value: Out) => void) | null): Subscription;
  override subscribe(
    next?: ((value: Out) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription;
  override subscribe(
    observer?: Partial<Observer<Out>> | ((value: Out) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (observer == null && error == null && complete == null) return Subscription.EMPTY;
    this.#handed ??= new Subject();
    this.#target.lane?.shut();
    if (this.#ended) this.#handed.complete();
    if (typeof observer === 'object' && observer !== null) return this.#handed.subscribe(observer);
    return this.#handed.subscribe({
      ...(observer != null && { next: observer }),
      ...(error != null && { error }),
      ...(complete != null && { complete }),
    });
  }

  /** The callback for when `value` is handed over; undefined while there are no subscribers. @internal */
  notice(value: Out): (() => void) | undefined {
    const handed = this.#handed;
    return handed?.observed === true ? () => handed.next(value) : undefined;
  }

  /** The connection has ended. @internal */
  end(): void {
    this.#ended = true;
    this.#handed?.complete();
  }

  /** A persistent connection has connected again. @internal */
  reopen(): void {
    if (!this.#ended) return;
    this.#ended = false;
    this.#handed = undefined;
  }
}
