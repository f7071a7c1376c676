import {
  BehaviorSubject,
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
import { inspectSymbol, plainUrl, printed } from '../../base/inspect.js';
import { report } from '../../base/report.js';
import { describeThrown } from '../../base/thrown.js';
import { type Connection, ReadyState } from '../../connection/connection.js';
import { type ConnectionHooks, holdSymbol, sessionsSymbol, type Turn, turnSymbol } from '../../connection/hooks.js';
import type { Holdable } from '../../connection/seat.js';
import type { SendResult } from '../../connection/send-result.js';
import { SendSubject } from '../../connection/send-subject.js';
import { OfflineQueue } from './offline-queue.js';
import type { PersistentConnection, PersistentState } from './persistent-connection.js';
import type { PersistentSettings } from './persistent-options.js';
import { PersistentSender } from './persistent-sender.js';
import { redial } from './redial.js';

/** All that a {@link PersistentState} may hold. */
interface PersistentStateFields {
  readonly type: string;
  readonly connection?: object & { readonly url: string };
  readonly attempt?: number;
  readonly delay?: number;
  readonly error?: unknown;
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
  readonly #states = new BehaviorSubject<PersistentState<In, Out>>({ type: 'closed' });
  readonly #sessions = new ReplaySubject<Connection<unknown, In, Out>>(1);
  readonly #stopped = new Subject<{ readonly error: unknown } | undefined>();
  readonly #holds = new CarriedHold();
  readonly #queue: OfflineQueue<Out>;
  readonly #sender: PersistentSender<Out>;
  #pause: Subscription | undefined;
  #openers = 0;
  #isRunning = false;
  /** Nothing more is to be sent: it ends when what waits has left. */
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
    const sessions$ = this.#sessions.asObservable();
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
      if (this.#openers === 0) this.#stopped.next(undefined);
    });
  }

  trySend(data: Out): SendResult {
    return this.#sender.trySend(data, this.send.notice(data));
  }

  /** What `turnSymbol` stands for. @internal */
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
      const state: PersistentStateFields = this.#states.value;
      const { connection, attempt, delay, error } = state;
      const url = connection?.url ?? this.#settings.url;
      return {
        url: url === undefined ? undefined : plainUrl(url),
        state: state.type,
        attempt,
        delay,
        // As text: an error of a dial holds the fields of the response.
        error: error === undefined ? undefined : describeThrown(error),
        connection,
        queuedMessages: this.#queue.length,
        queuedBytes: this.#queue.size,
      };
    });
  }

  /** Whether there is any reason for another connection. */
  get #isWanted(): boolean {
    return !this.#isFinishing || !this.#queue.isEmpty;
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    let verdict: PersistentState<In, Out> = { type: 'closed' };
    const stopped$ = this.#stopped.pipe(
      tap((failure) => {
        if (failure !== undefined) throw failure.error;
      }),
    );
    redial(this.#connection$, { ...this.#settings, isWanted: () => this.#isWanted })
      .pipe(
        takeUntil(stopped$),
        // Behind the end of the connection: who is told may open it again.
        finalize(() => this.#over(verdict)),
      )
      .subscribe({
        next: (state) => {
          if (state.type === 'open') this.#opened(state.connection);
          else this.#states.next(state);
        },
        error: (error: unknown) => {
          verdict = { type: 'closed', error };
        },
      });
  }

  #opened(connection: Connection<unknown, In, Out>): void {
    // All who take messages share the first one, whichever of the following subscribes them.
    const hold = connection.hold();
    this.#holds.carryTo(connection);
    this.#states.next({ type: 'open', connection });
    this.#sessions.next(connection);
    this.#sender.attach(connection);
    hold.unsubscribe();
    if (this.#isFinishing) connection.close();
  }

  #over(state: PersistentState<In, Out>): void {
    this.#isRunning = false;
    if (state.type === 'closed' && state.error !== undefined) {
      report('connection-error', { connection: this, error: state.error });
    }
    this.#states.next(state);
    if (this.#isFinishing) this.#end();
  }

  #giveUp(error: unknown): void {
    if (this.#isRunning) this.#stopped.next({ error });
    else this.#over({ type: 'closed', error });
  }

  #finish(): void {
    this.#isFinishing = true;
    const state = this.#states.value;
    if (!this.#isRunning) this.#end();
    else if (this.#isWanted) return;
    else if (state.type === 'open') state.connection.close();
    else this.#stopped.next(undefined);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#sender.end();
    this.send.end();
    this.#states.complete();
    this.#sessions.complete();
  }
}
