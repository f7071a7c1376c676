import {
  BehaviorSubject,
  defer,
  finalize,
  type Observable,
  ReplaySubject,
  Subject,
  Subscription,
  switchMap,
  takeUntil,
  tap,
} from 'rxjs';
import { CarriedHold } from '../../base/carried-hold.js';
import { Fifo } from '../../base/fifo.js';
import { inspectSymbol, plainUrl, printed } from '../../base/inspect.js';
import { onAbort } from '../../base/on-abort.js';
import { OneLoop } from '../../base/one-loop.js';
import { report } from '../../base/report.js';
import { describeThrown, errorOf } from '../../base/thrown.js';
import { type Connection, ReadyState } from '../../connection/connection.js';
import { type ConnectionHooks, holdSymbol, sessionsSymbol, type Turn, turnSymbol } from '../../connection/hooks.js';
import type { Holdable } from '../../connection/seat.js';
import type { SendResult } from '../../connection/send-result.js';
import { SendSubject } from '../../connection/send-subject.js';
import type { BackpressureError } from '../../protocol/errors.js';
import { OfflineQueue } from './offline-queue.js';
import type { PersistentConnection, PersistentFailure, PersistentState } from './persistent-connection.js';
import type { PersistentSettings } from './persistent-options.js';
import { PersistentSender } from './persistent-sender.js';
import { redial } from './redial.js';

/** All fields that a {@link PersistentState} may have. */
interface PersistentStateFields {
  readonly type: string;
  readonly connection?: object & { readonly url: string };
  readonly attempt?: number;
  readonly delay?: number;
  readonly error?: unknown;
}

/** The way in which a period of being open has ended. */
interface Verdict {
  /** Whether the client has given up; otherwise the last lease was unsubscribed. */
  readonly isGivenUp: boolean;
  /** The reason for giving up, unless the peer has closed normally or the signal has aborted. */
  readonly error?: PersistentFailure;
}

/** A state, and the work to do after all subscribers have received it. */
interface Step<In, Out> {
  readonly state?: PersistentState<In, Out>;
  readonly after: () => void;
}

/** A {@link PersistentConnection} over the connections that an Observable dials: one for each subscription. */
export class PersistentClient<In, Out>
  implements PersistentConnection<In, Out>, Pick<ConnectionHooks<In, Out>, typeof sessionsSymbol | typeof turnSymbol>
{
  readonly state$: Observable<PersistentState<In, Out>>;
  readonly messages$: Holdable<In>;
  readonly send: SendSubject<Out>;
  /** The connections, the latest replayed. @internal */
  readonly [sessionsSymbol]: Observable<Connection<unknown, In, Out>>;
  readonly #connection$: Observable<Connection<unknown, In, Out>>;
  readonly #settings: PersistentSettings;
  /** The current state. Subscribers may not have received it yet. */
  #state: PersistentState<In, Out> = { type: 'closed' };
  readonly #states = new BehaviorSubject<PersistentState<In, Out>>(this.#state);
  readonly #steps = new Fifo<Step<In, Out>>();
  readonly #stepping = new OneLoop();
  /** Replaced after the client has given up, which completes it. */
  #sessions = new ReplaySubject<Connection<unknown, In, Out>>(1);
  #latest: Connection<unknown, In, Out> | undefined;
  #areSessionsOver = false;
  readonly #stopped = new Subject<Verdict>();
  readonly #holds = new CarriedHold();
  readonly #queue: OfflineQueue<Out>;
  readonly #sender: PersistentSender<Out>;
  #pause: Subscription | undefined;
  #openers = 0;
  #isRunning = false;
  /** Defined after the client has given up, until it is opened again. */
  #givenUp: Verdict | undefined;
  /** Whether sending is complete: the client ends when the queue is sent. */
  #isFinishing = false;
  #isEnded = false;

  constructor(connection$: Observable<Connection<unknown, In, Out>>, settings: PersistentSettings) {
    this.#connection$ = connection$;
    this.#settings = settings;
    this.#queue = new OfflineQueue(settings);
    this.#sender = new PersistentSender(this.#queue, {
      overflowed: (error) => this.#giveUp(error),
      finished: () => this.#finish(),
    });
    this.send = new SendSubject<Out>(this.#sender, this.#sender);
    this.state$ = this.#states.asObservable();
    const sessions$ = defer(() => this.#sessions);
    this[sessionsSymbol] = sessions$;
    const messages$ = sessions$.pipe(switchMap((session) => session.messages$));
    this.messages$ = Object.assign(messages$, { [holdSymbol]: () => this.hold() });
  }

  open(): Subscription {
    if (this.#isEnded) return Subscription.EMPTY;
    this.#openers++;
    this.#run();
    return new Subscription(() => {
      this.#openers--;
      if (this.#openers === 0) this.#stopped.next({ isGivenUp: false });
    });
  }

  trySend(data: Out): SendResult {
    return this.#sender.trySend(data, this.send.notice(data));
  }

  /** Implements `turnSymbol`. @internal */
  [turnSymbol](data: Out, turn: Turn<Out>): Subscription {
    return new Subscription(this.#sender.inTurn(data, turn));
  }

  ignoreMessages(): Subscription {
    return this.messages$.subscribe();
  }

  complete(): void {
    this.send.complete();
  }

  hold(): Subscription {
    return this.#holds.hold();
  }

  pause(): void {
    this.#pause ??= this.hold();
  }

  resume(): void {
    const pause = this.#pause;
    this.#pause = undefined;
    pause?.unsubscribe();
  }

  get readyState(): ReadyState {
    const state = this.#states.value;
    if (state.type === 'closed') return ReadyState.CLOSED;
    if (state.type !== 'open') return ReadyState.CONNECTING;
    return state.connection.readyState === ReadyState.OPEN ? ReadyState.OPEN : ReadyState.CLOSING;
  }

  get bufferedAmount(): number {
    return this.#sender.bufferedAmount;
  }

  /** What `console.log` prints. @internal */
  [inspectSymbol](): object {
    return printed(this, 'PersistentConnection', () => {
      const state: PersistentStateFields = this.#state;
      const { connection, attempt, delay, error } = state;
      const url = connection?.url ?? this.#settings.url;
      return {
        url: url === undefined ? undefined : plainUrl(url),
        state: state.type,
        attempt,
        delay,
        // As text: the error of a dial contains the header fields of the response.
        error: error === undefined ? undefined : describeThrown(error),
        connection,
        queuedMessages: this.#queue.length,
        queuedBytes: this.#queue.size,
      };
    });
  }

  /** Whether another connection is still needed. */
  get #isWanted(): boolean {
    if (this.#settings.signal?.aborted === true) return false;
    return !this.#isFinishing || !this.#queue.isEmpty;
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#begin();
    let verdict: Verdict = { isGivenUp: true };
    const stopped$ = this.#stopped.pipe(
      tap((given) => {
        verdict = given;
      }),
    );
    const release = this.#obeySignal();
    redial(this.#connection$, { ...this.#settings, isWanted: () => this.#isWanted })
      .pipe(
        takeUntil(stopped$),
        // After the end of the connection, since subscribers may open the client again.
        finalize(() => {
          release();
          this.#over(verdict);
        }),
      )
      .subscribe({
        next: (state) => {
          if (state.type === 'open') this.#opened(state.connection);
          else this.#enter(state);
        },
        error: (error: unknown) => {
          verdict = { isGivenUp: true, error: errorOf(error) };
        },
      });
  }

  /** Accepts and delivers messages again after giving up. */
  #begin(): void {
    if (this.#givenUp === undefined) return;
    this.#givenUp = undefined;
    this.#sender.reopen();
    this.send.reopen();
    if (!this.#areSessionsOver) return;
    this.#areSessionsOver = false;
    this.#sessions = new ReplaySubject(1);
    // Its last messages may not be delivered yet.
    if (this.#latest !== undefined) this.#sessions.next(this.#latest);
  }

  #obeySignal(): () => void {
    const { signal } = this.#settings;
    if (signal === undefined || signal.aborted) return () => {};
    return onAbort(signal, () => this.#stopped.next({ isGivenUp: true }));
  }

  #opened(connection: Connection<unknown, In, Out>): void {
    // All subscribers share the first message, whichever of the following steps subscribes them.
    const hold = connection.hold();
    this.#holds.carryTo(connection);
    this.#enter({ type: 'open', connection }, () => {
      this.#latest = connection;
      this.#sessions.next(connection);
      this.#sender.attach(connection);
      hold.unsubscribe();
      if (this.#isFinishing) connection.close();
    });
  }

  #over(verdict: Verdict): void {
    const { error } = verdict;
    this.#isRunning = false;
    if (this.#isFinishing) this.#isEnded = true;
    else if (verdict.isGivenUp) {
      this.#givenUp = verdict;
      this.#sender.refuse(verdict);
    }
    if (error !== undefined) report('connection-error', { connection: this, error });
    this.#enter({ type: 'closed', ...(error !== undefined && { error }) }, () => {
      if (this.#isEnded) this.#end();
      else if (this.#givenUp === verdict) this.#completeAll(verdict);
    });
  }

  /** The client has given up, and `state$` has emitted it. Each step may make a subscriber open it again: then the rest stays as it is. */
  #completeAll(verdict: Verdict): void {
    this.#queue.endTurns(verdict.error);
    if (this.#givenUp === verdict) this.#sender.endReadiness();
    if (this.#givenUp === verdict) this.send.end();
    if (this.#givenUp !== verdict) return;
    this.#areSessionsOver = true;
    this.#sessions.complete();
  }

  #giveUp(error: BackpressureError): void {
    const verdict = { isGivenUp: true, error };
    if (this.#isRunning) this.#stopped.next(verdict);
    else this.#over(verdict);
  }

  #finish(): void {
    this.#isFinishing = true;
    const state = this.#state;
    if (!this.#isRunning) {
      this.#isEnded = true;
      this.#step({ after: () => this.#end() });
    } else if (this.#isWanted) return;
    else if (state.type === 'open') state.connection.close();
    else this.#stopped.next({ isGivenUp: false });
  }

  /** Ends the client for good. */
  #end(): void {
    this.#sender.end();
    this.send.end();
    this.#states.complete();
    this.#sessions.complete();
  }

  #enter(state: PersistentState<In, Out>, after: () => void = () => {}): void {
    this.#state = state;
    this.#step({ state, after });
  }

  /** A subscriber may cause another state: all subscribers receive one state before the next. */
  #step(step: Step<In, Out>): void {
    this.#steps.push(step);
    this.#stepping.run(() => {
      while (!this.#steps.isEmpty) {
        const { state, after } = this.#steps.shift();
        if (state !== undefined) this.#states.next(state);
        after();
      }
    });
  }
}
