import {
  AsyncSubject,
  Observable,
  ReplaySubject,
  type SchedulerLike,
  Subject,
  type Subscriber,
  Subscription,
} from 'rxjs';
import { inspectSymbol, printed } from '../base/inspect.js';
import type { CloseInfo, Connection } from '../connection/connection.js';
import type { ListenAddress } from '../net/listener.js';
import type { ServerCloseOptions } from '../server/server-options.js';
import { testingScheduler } from './testing-scheduler.js';

/** A connection of any type. */
// biome-ignore lint/suspicious/noExplicitAny: send is a Subject, and so invariant in its type
export type AnyConnection = Connection<any, any, any>;

const ADDRESS = { address: '127.0.0.1', family: 'IPv4', port: 8080 } as const;

/** A server without a network, with the members of `WebSocketServer` that applications use. Made by {@link testServer}. */
export class TestServer<C extends AnyConnection> extends Observable<C> implements AsyncDisposable {
  readonly #source$: Observable<C>;
  readonly #scheduler: SchedulerLike;
  readonly #connections = new Set<C>();
  #subject: Subject<C> | undefined;
  #running: Subscription | undefined;
  #subscribers = 0;
  #listening = new ReplaySubject<ListenAddress>(1);

  /** @internal */
  constructor(source$: Observable<C>, scheduler: SchedulerLike) {
    super((subscriber) => this.#join(subscriber));
    this.#source$ = source$;
    this.#scheduler = scheduler;
  }

  /** Like `WebSocketServer.listening$`: emits an address while the server has subscribers. */
  get listening$(): Observable<ListenAddress> {
    return new Observable((subscriber) => this.#listening.subscribe(subscriber));
  }

  /** Like `WebSocketServer.address()`. */
  address(): ListenAddress {
    return this.#subject === undefined ? null : ADDRESS;
  }

  /** The connections that are not closed yet. */
  get connections(): ReadonlySet<C> {
    return this.#connections;
  }

  /**
   * Like `WebSocketServer.close()`: completes, closes every connection, and emits how many had to be terminated. With `jitter` the connections
   * close at equal intervals instead of at random.
   */
  close(options: ServerCloseOptions = {}): Observable<{
    /** How many connections had to be terminated. */
    readonly remaining: number;
  }> {
    const { code = 1001, reason = '', timeout = 10_000, jitter = 0 } = options;
    const result = new AsyncSubject<{ remaining: number }>();
    const open = new Set(this.#connections);
    this.#end((subject) => subject.complete());
    const finish = (remaining: number): void => {
      deadline.unsubscribe();
      result.next({ remaining });
      result.complete();
    };
    const deadline = new Subscription();
    deadline.add(
      this.#scheduler.schedule(() => {
        const rest = [...open];
        open.clear();
        for (const conn of rest) conn.terminate();
        finish(rest.length);
      }, timeout),
    );
    if (open.size === 0) finish(0);
    // Spread evenly, so that marbles are the same each time.
    const step = jitter / Math.max(1, open.size);
    for (const [index, conn] of [...open].entries()) {
      conn.close$.subscribe(() => {
        if (open.delete(conn) && open.size === 0) finish(0);
      });
      if (jitter === 0) conn.close(code, reason);
      else this.#scheduler.schedule(() => conn.close(code, reason), index * step);
    }
    return result.asObservable();
  }

  /** Calls `close()`, and resolves when it has completed. */
  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.close().subscribe({ complete: resolve }));
  }

  /** Returns what `console.log` prints. @internal */
  [inspectSymbol](): object {
    return printed(this, 'TestServer', () => ({
      state: this.#subject === undefined ? 'idle' : 'listening',
      address: this.address(),
      connections: this.#connections.size,
    }));
  }

  #join(subscriber: Subscriber<C>): void {
    const isFirst = this.#subject === undefined;
    this.#subject ??= new Subject();
    const subject = this.#subject;
    this.#subscribers++;
    subscriber.add(() => {
      if (this.#subject !== subject || --this.#subscribers > 0) return;
      this.#end(() => {});
      for (const conn of [...this.#connections]) conn.close(1001);
    });
    subject.subscribe(subscriber);
    if (isFirst) this.#run();
  }

  #run(): void {
    this.#listening.next(ADDRESS);
    const running = new Subscription();
    this.#running = running;
    const subscription = this.#source$.subscribe({
      next: (conn) => this.#take(conn),
      error: (error: unknown) => this.#end((subject) => subject.error(error)),
      complete: () => this.#end((subject) => subject.complete()),
    });
    running.add(subscription);
  }

  #take(conn: C): void {
    this.#connections.add(conn);
    conn.close$.subscribe((_: CloseInfo) => this.#connections.delete(conn));
    // Like a real server: everything that subscribes while it is emitted shares the first message.
    const hold = conn.hold();
    this.#subject?.next(conn);
    hold.unsubscribe();
  }

  /** Makes the server cold again. */
  #end(notify: (subject: Subject<C>) => void): void {
    const subject = this.#subject;
    if (subject === undefined) return;
    this.#subject = undefined;
    this.#subscribers = 0;
    this.#running?.unsubscribe();
    const listening = this.#listening;
    this.#listening = new ReplaySubject(1);
    listening.complete();
    notify(subject);
  }
}

/**
 * Makes a server for marble tests that emits `connections$`: test connections, ends of pairs, or typed connections.
 *
 * Like a real server it is shared, emits each connection under a hold, and closes all of them with 1001 when the last subscriber leaves.
 * Completes and errors with `connections$`; completes on `close()`. Then it is cold again.
 *
 * @param scheduler for `close()`. @default virtual within `TestScheduler.run`, real elsewhere
 * @example app(testServer(hot('-a--b', { a: testConnection(...), b: testConnection(...) })))
 */
export function testServer<C extends AnyConnection>(
  connections$: Observable<C>,
  scheduler: SchedulerLike = testingScheduler,
): TestServer<C> {
  return new TestServer(connections$, scheduler);
}
