import { BehaviorSubject, concat, distinctUntilChanged, Observable, of, switchMap } from 'rxjs';
import { ReadyState } from '../../connection/connection.js';
import type { Turn } from '../../connection/hooks.js';
import { complainOfValue } from '../../connection/outgoing.js';
import type { SendResult } from '../../connection/send-result.js';
import type { SendFailures, SendTarget } from '../../connection/send-subject.js';
import type { BackpressureError } from '../../protocol/errors.js';
import type { OfflineQueue, Socket } from './offline-queue.js';

/** The owner of a {@link PersistentSender}, which acts on events that the sender cannot handle itself. */
export interface SenderOwner {
  /** The offline queue is full, and the policy is to give up. */
  overflowed(error: BackpressureError): void;
  /** The application has nothing more to send. */
  finished(): void;
}

/** The sending side of a persistent connection: sends to the open socket, or into the queue. */
export class PersistentSender<Out> implements SendTarget<Out>, SendFailures {
  readonly ready$: Observable<boolean>;
  #socket = new BehaviorSubject<Socket<Out> | undefined>(undefined);
  readonly #queue: OfflineQueue<Out>;
  readonly #owner: SenderOwner;
  #isFinished = false;
  /** Defined after the client has given up, with the reason if there is one. */
  #refusal: { readonly error?: unknown } | undefined;
  #isReadinessOver = false;

  constructor(queue: OfflineQueue<Out>, owner: SenderOwner) {
    this.#queue = queue;
    this.#owner = owner;
    // Not derived from the Subject by `lift`, which would expose its `next`.
    this.ready$ = new Observable((subscriber) => readinessOf(this.#socket).subscribe(subscriber));
  }

  get isReady(): boolean {
    return this.#open?.send.isReady === true;
  }

  get isSlow(): boolean {
    return this.#open?.send.isSlow ?? true;
  }

  get bufferedAmount(): number {
    return this.#queue.size + (this.#socket.value?.bufferedAmount ?? 0);
  }

  /** Sends to `socket` from now on, first the queue. */
  attach(socket: Socket<Out>): void {
    this.#flushTo(socket);
    this.#socket.next(socket);
  }

  /** @throws UsageError for a value that the open socket cannot send. */
  trySend(value: Out, onHanded: (() => void) | undefined): SendResult {
    if (this.#isFinished || this.#refusal !== undefined) return 'closed';
    const socket = this.#open;
    const result = socket !== undefined && this.#queue.isEmpty ? hand(socket, value, onHanded) : 'closed';
    return result === 'closed' ? this.#keep(value, onHanded) : result;
  }

  /** Begins `turn` when everything sent before is handed to a socket: at once, or from the queue. Returns a function that cancels it. */
  inTurn(value: Out, turn: Turn<Out>): () => void {
    const socket = this.#open;
    if (this.#isFinished) turn.ended();
    else if (this.#refusal !== undefined) turn.ended(this.#refusal.error);
    else if (socket !== undefined && this.#queue.isEmpty) turn.begin(socket, value);
    else return this.#await(value, turn);
    return () => {};
  }

  /** A value could not be sent. */
  failed(thrown: unknown): void {
    complainOfValue(undefined, thrown);
    this.#open?.send.error(thrown);
  }

  close(code: number, _reason: string, error: unknown): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    if (code !== 1000 || error !== undefined) {
      this.#queue.clear();
      this.#open?.send.error(error);
    }
    this.#owner.finished();
  }

  /** Accepts no more values, because of `refusal.error`, until it is reopened. The queue stays. */
  refuse(refusal: { readonly error?: unknown }): void {
    this.#refusal = refusal;
  }

  /** Completes `ready$`, until it is reopened. */
  endReadiness(): void {
    this.#isReadinessOver = true;
    this.#socket.complete();
  }

  /** Accepts values again. */
  reopen(): void {
    this.#refusal = undefined;
    if (!this.#isReadinessOver) return;
    this.#isReadinessOver = false;
    this.#socket = new BehaviorSubject<Socket<Out> | undefined>(undefined);
  }

  /** Ends sending for good. */
  end(): void {
    this.#isFinished = true;
    this.#queue.clear();
    this.#socket.complete();
  }

  get #open(): Socket<Out> | undefined {
    const socket = this.#socket.value;
    return socket?.readyState === ReadyState.OPEN ? socket : undefined;
  }

  #flushTo(socket: Socket<Out>): void {
    this.#queue.flush((value, onHanded, turn) => {
      if (turn !== undefined) return beginOn(socket, value, turn);
      try {
        return hand(socket, value, onHanded) !== 'closed';
      } catch (error) {
        // Like `next` on a connection: it closes with 1011, and `close$` has the reason.
        complainOfValue(undefined, error);
        socket.send.error(error);
        return true;
      }
    });
  }

  #await(value: Out, turn: Turn<Out>): () => void {
    try {
      return this.#queue.await(value, turn);
    } catch (error) {
      this.#owner.overflowed(error as BackpressureError);
      turn.ended(error);
      return () => {};
    }
  }

  #keep(value: Out, onHanded: (() => void) | undefined): SendResult {
    try {
      return this.#queue.push(value, onHanded);
    } catch (error) {
      this.#owner.overflowed(error as BackpressureError);
      return 'closed';
    }
  }
}

function hand<Out>(socket: Socket<Out>, value: Out, onHanded: (() => void) | undefined): SendResult {
  const result = socket.trySend(value);
  if (onHanded !== undefined && (result === 'sent' || result === 'buffered')) socket.flush().subscribe(onHanded);
  return result;
}

function beginOn<Out>(socket: Socket<Out>, value: Out, turn: Turn<Out>): boolean {
  if (socket.readyState !== ReadyState.OPEN) return false;
  turn.begin(socket, value);
  return true;
}

/** Emits whether a socket is open and takes more. */
function readinessOf<Out>(socket$: Observable<Socket<Out> | undefined>): Observable<boolean> {
  return socket$.pipe(
    switchMap((socket) => (socket === undefined ? of(false) : concat(socket.send.ready$, of(false)))),
    distinctUntilChanged(),
  );
}
