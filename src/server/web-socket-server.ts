import { AsyncSubject, Observable, ReplaySubject, Subject, type Subscriber } from 'rxjs';
import { checkInteger, MAX_TIMER } from '../base/check.js';
import { describe } from '../base/describe.js';
import { HookAnswerError } from '../base/hook-answer.js';
import { inspectSymbol, printed } from '../base/inspect.js';
import { onAbort } from '../base/on-abort.js';
import { report } from '../base/report.js';
import { Roster } from '../base/roster.js';
import type { BinaryType, Connection, Message, MessageOf } from '../connection/connection.js';
import type { Duplex, IncomingMessage } from '../connection/incoming-message.js';
import type { LiveConnection } from '../connection/live-connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import type { ListenAddress, Listener } from '../net/listener.js';
import { followAnswers } from '../net/open-answers.js';
import { takeUpgrade } from '../net/take-upgrade.js';
import type { UpgradeRequest } from '../net/upgrade-request.js';
import { typedConnection } from '../operators/typed/with-codec.js';
import { type Rejection, reject } from '../protocol/handshake/rejection.js';
import { checkedClosePayload } from '../protocol/message/close-payload.js';
import { type Admission, admissionOf } from './admission.js';
import { complainOfHook, reportTaken } from './complaints.js';
import { listen } from './listen.js';
import { Reception, refuse, serverClosing } from './reception.js';
import {
  type AcceptSettings,
  type AnyServeOptions,
  type Authenticated,
  type DataOf,
  matchesPath,
  type ServeOptions,
  type ServerCloseOptions,
  serveSettings,
} from './server-options.js';
import { type ServerStats, ServerTally } from './server-stats.js';

/** One period of listening, from the first subscription to the end. */
interface Run<Data, In, Out> {
  readonly connections$: Subject<Connection<Data, In, Out>>;
  readonly reception: Reception<Data, Message>;
  /** Removes the listener of the signal. */
  readonly release: () => void;
  listener: Listener | undefined;
  subscribers: number;
}

/**
 * A server as an Observable of its connections, made by `serve`.
 *
 * The first subscription listens, and later ones join (earlier connections are in `connections`). When the last one unsubscribes, the
 * server stops accepting and closes every connection with 1001. It errors if it cannot listen, and never after that. It completes on
 * `close()`, and when the server that it is attached to closes. After its end it is cold again: `retry` and `repeat` listen again.
 */
export class WebSocketServer<Data = unknown, In = Message, Out = Outgoing>
  extends Observable<Connection<Data, In, Out>>
  implements AsyncDisposable
{
  readonly #options: AnyServeOptions;
  readonly #settings: AcceptSettings;
  #run: Run<Data, In, Out> | undefined;
  #listening = new ReplaySubject<ListenAddress>(1);
  /** Connections of all runs: connections of an ended run live until they are closed. */
  readonly #connections = new Roster<LiveConnection<Data, Message>>();
  /** The same connections as the application holds them; undefined without a codec. */
  readonly #typed: Set<Connection<Data, In, Out>> | undefined;
  /** The callbacks of `handleUpgrade`, until the connection exists. */
  #callbacks: WeakMap<UpgradeRequest, (conn: Connection<Data, In, Out>) => void> | undefined;
  /** Counts the connections of all runs too. */
  readonly #admission: Admission | undefined;
  readonly #tally = new ServerTally();
  /** Stops tracking open responses of HTTP servers. Set once requests are passed to this server. */
  #followed: (() => void) | undefined;

  /** @internal */
  constructor(options: AnyServeOptions, settings: AcceptSettings) {
    super((subscriber) => this.#join(subscriber));
    this.#options = options;
    this.#settings = { ...settings, server: this, place: this };
    this.#admission = admissionOf(settings);
    this.#typed = settings.codec === undefined ? undefined : new Set();
    // Requests are refused without a subscriber too, so this is never released.
    if (options.noServer === true) this.#followed = followAnswers();
  }

  /**
   * Emits the address once the server listens, and replays it while it does. Completes when the server stops; errors if it cannot listen.
   * Subscribing does not start the server. Use `repeat()` to see every start.
   */
  get listening$(): Observable<ListenAddress> {
    return new Observable((subscriber) => this.#listening.subscribe(subscriber));
  }

  /** Where it listens: a TCP address, a path, or `null` if it does not listen. */
  address(): ListenAddress {
    return this.#run?.listener?.address() ?? null;
  }

  /** The connections that are not closed yet; empty with `clientTracking: false`. */
  get connections(): ReadonlySet<Connection<Data, In, Out>> {
    if (this.#typed !== undefined) return this.#typed;
    // Without a codec, the connections have their original message types.
    return this.#connections.set as ReadonlySet<unknown> as ReadonlySet<Connection<Data, In, Out>>;
  }

  /** Counts since the server was created, over all starts, and what is open now. */
  get stats(): ServerStats {
    return this.#tally.stats(this.#connections);
  }

  /** Returns whether a request is for this server: by default, whether `path` matches. May be overridden. */
  shouldHandle(request: IncomingMessage): boolean {
    return this.#guarded('path', () => matchesPath(this.#options.path, request.url ?? '', () => request));
  }

  /**
   * Handles a request from the 'upgrade' event of any HTTP server. Answers 503 while the server has no subscriber, and 404 if
   * `shouldHandle` returns false, both after the responses to earlier requests on the connection.
   *
   * Never throws. A socket that is already upgraded, by this server or by another library that reads it, is left alone, since a second
   * answer would break it. This is reported as a `UsageError` ALREADY_UPGRADED on `sluice:server-error`.
   *
   * @param callback called with the connection of this request, before the subscribers receive it, and under the same hold. Not
   *   called for a refused request. If it throws, the connection is closed with 1011 and the error is reported on `sluice:server-error`.
   */
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback?: (conn: Connection<Data, In, Out>) => void,
  ): void {
    this.#followed ??= followAnswers();
    const error = takeUpgrade([request, socket, head], this.#settings.scheduler, (upgrade) => {
      if (callback !== undefined) {
        this.#callbacks ??= new WeakMap();
        this.#callbacks.set(upgrade, callback);
      }
      this.#receive(upgrade);
    });
    if (error !== undefined) reportTaken(this, this, error);
  }

  /**
   * Ends gracefully, now: stops accepting (503 on a shared server), completes the Observable, closes every connection, waits for
   * them, and terminates the rest. The result emits `{ remaining }`, how many had to be terminated, and completes; it is replayed to
   * later subscribers. Harmless if the server does not listen.
   *
   * @throws TypeError or RangeError for an option that is not allowed.
   */
  close(options: ServerCloseOptions = {}): Observable<{
    /** How many connections had to be terminated. */
    readonly remaining: number;
  }> {
    const { code = 1001, reason = '', timeout = this.#settings.closeTimeout, jitter = 0 } = options;
    checkedClosePayload(code, reason);
    checkInteger('timeout', timeout, 0, MAX_TIMER);
    checkInteger('jitter', jitter, 0, MAX_TIMER);
    const result = new AsyncSubject<{ remaining: number }>();
    const run = this.#end();
    if (run === undefined) {
      result.next({ remaining: 0 });
      result.complete();
      return result.asObservable();
    }
    const isShared = this.#options.server !== undefined;
    // A shared server keeps its path while connections drain, so that new ones get 503 and not 404.
    if (!isShared) run.listener?.close();
    run.connections$.complete();
    run.reception.drain({ code, reason, timeout, jitter }).subscribe(result);
    if (isShared) result.subscribe({ complete: () => run.listener?.close() });
    return result.asObservable();
  }

  /** `close()`, as a Promise. */
  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.close().subscribe({ complete: resolve }));
  }

  /** What `console.log` prints. @internal */
  [inspectSymbol](): object {
    return printed(this, 'WebSocketServer', () => ({
      state: this.#state,
      address: this.address(),
      ...this.stats,
    }));
  }

  get #state(): string {
    if (this.#run === undefined) return this.#connections.size > 0 ? 'closing' : 'idle';
    if (this.#options.noServer === true) return 'accepting';
    return this.address() === null ? 'starting' : 'listening';
  }

  #join(subscriber: Subscriber<Connection<Data, In, Out>>): void {
    const isFirst = this.#run === undefined;
    const run = this.#run ?? this.#begin();
    run.subscribers++;
    subscriber.add(() => {
      run.subscribers--;
      if (run.subscribers === 0) this.#stop(run);
    });
    run.connections$.subscribe(subscriber);
    if (isFirst) this.#listen(run);
  }

  #begin(): Run<Data, In, Out> {
    const connections$ = new Subject<Connection<Data, In, Out>>();
    const books = {
      connections: this.#connections,
      admission: this.#admission,
      tally: this.#tally,
    };
    const reception = new Reception<Data, Message>(this.#settings, books, (connection, upgrade) =>
      this.#emit(connection, upgrade, connections$),
    );
    const { signal } = this.#options;
    const release = signal === undefined ? (): void => {} : onAbort(signal, () => this.close());
    this.#run = { connections$, reception, release, listener: undefined, subscribers: 0 };
    return this.#run;
  }

  #emit(
    connection: LiveConnection<Data, Message>,
    upgrade: UpgradeRequest,
    connections$: Subject<Connection<Data, In, Out>>,
  ): void {
    const typed = this.#typed;
    const conn = typedConnection<Data, In, Out>(connection, this.#settings.codec);
    if (typed !== undefined && this.#settings.clientTracking) {
      typed.add(conn);
      connection.close$.subscribe(() => typed.delete(conn));
    }
    const callback = this.#callbacks?.get(upgrade);
    if (callback !== undefined) this.#tell(callback, conn);
    connections$.next(conn);
  }

  /** Calls the callback of `handleUpgrade`. An error of it is the application's, and ends this connection only. */
  #tell(callback: (conn: Connection<Data, In, Out>) => void, conn: Connection<Data, In, Out>): void {
    try {
      callback(conn);
    } catch (error) {
      complainOfHook(this, {
        hook: 'the callback of handleUpgrade',
        error,
        outcome: 'its connection was closed with 1011',
      });
      report('server-error', { server: this, error });
      conn.send.error(error);
    }
  }

  #listen(run: Run<Data, In, Out>): void {
    if (this.#options.signal?.aborted === true) {
      this.close();
      return;
    }
    const admission = this.#admission;
    let listener: Listener;
    try {
      listener = listen(this.#options, this.#settings, (request) => this.#isMine(request), {
        listening: (address) => this.#listening.next(address),
        failed: (error) => this.#fail(run, error),
        fault: (error) => report('server-error', { server: this, error }),
        refused: (status) => this.#tally.refused(status),
        ...(admission !== undefined && { admit: (address: string | undefined) => admission.admitAddress(address) }),
        upgrade: (upgrade) => this.#receive(upgrade),
        closed: () => {
          if (this.#run !== run) return;
          this.#end();
          run.connections$.complete();
        },
      });
    } catch (error) {
      // Node rejects some options itself, such as an invalid key.
      this.#fail(run, error as Error);
      return;
    }
    // A shared server that listens already has reported it before `listen` returned, and a subscriber may have left since.
    run.listener = listener;
    if (this.#run !== run) listener.close();
  }

  /** The server cannot listen. */
  #fail(run: Run<Data, In, Out>, error: Error): void {
    if (this.#run !== run) return;
    this.#end(error);
    run.connections$.error(error);
  }

  /** The last subscriber has left, or the run has ended. */
  #stop(run: Run<Data, In, Out>): void {
    if (this.#run !== run) return;
    this.#end();
    run.listener?.close();
    run.reception.closeAll(1001, '');
  }

  /** Ends the current run and makes the server cold again. */
  #end(error?: Error): Run<Data, In, Out> | undefined {
    const run = this.#run;
    if (run === undefined) return undefined;
    this.#run = undefined;
    run.release();
    run.reception.stop();
    const listening = this.#listening;
    this.#listening = new ReplaySubject(1);
    if (error === undefined) listening.complete();
    else listening.error(error);
    return run;
  }

  #receive(upgrade: UpgradeRequest): void {
    if (!this.#takesPath(upgrade))
      this.#refuse(upgrade, reject(404, undefined, undefined, 'There is no WebSocket at this path.'));
    else if (this.#run === undefined) this.#refuse(upgrade, serverClosing());
    else this.#run.reception.receive(upgrade);
  }

  #refuse(upgrade: UpgradeRequest, rejection: Rejection): void {
    refuse(upgrade, rejection, { server: this, tally: this.#tally });
  }

  /** Like `shouldHandle`, but does not create the request object unless an override or a predicate needs it. */
  #takesPath(upgrade: UpgradeRequest): boolean {
    if (this.shouldHandle !== WebSocketServer.prototype.shouldHandle) return this.#isMine(upgrade.request);
    const { path } = this.#options;
    return (
      path === undefined || this.#guarded('path', () => matchesPath(path, upgrade.head.path, () => upgrade.request))
    );
  }

  #isMine(request: IncomingMessage): boolean {
    return this.#guarded('shouldHandle', () => this.shouldHandle(request));
  }

  /** Returns false if the hook fails, and if it returns no boolean: a Promise would be truthy. */
  #guarded(hook: string, matches: () => unknown): boolean {
    try {
      const found = matches();
      if (typeof found === 'boolean') return found;
      throw new HookAnswerError({ hook, found, outcome: 'taken as false', advice: 'return true or false' });
    } catch (error) {
      complainOfHook(this, { hook, error, outcome: 'the request was not taken' });
      report('server-error', { server: this, error });
      return false;
    }
  }
}

/**
 * Creates a WebSocket server, as an Observable of its connections. It listens while it has subscribers, which share it. See
 * {@link WebSocketServer} for when it completes and errors.
 *
 * @param options a port, or {@link ServeOptions}.
 * @typeParam R what `authenticate` returns: the type of `conn.data`, see {@link DataOf}.
 * @typeParam In the type of messages, from `codec`. @typeParam Out what `send` takes.
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example serve(8080).pipe(mergeMap((conn) => conn.messages$)).subscribe(console.log);
 */
export function serve<
  R extends Authenticated<R> = never,
  B extends BinaryType = 'nodebuffer',
  In = MessageOf<B>,
  Out = Outgoing,
>(options: number | ServeOptions<R, B, In, Out>): WebSocketServer<DataOf<R>, In, Out> {
  const given = (typeof options === 'number' ? { port: options } : options) as AnyServeOptions;
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`serve(): options must be an object or a port, got ${describe(given)}`);
  return new WebSocketServer(given, serveSettings(given));
}
