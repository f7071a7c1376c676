import {
  defer,
  EMPTY,
  from,
  isObservable,
  Observable,
  of,
  type SchedulerLike,
  type Subscriber,
  Subscription,
  switchMap,
  take,
  throwIfEmpty,
} from 'rxjs';
import { clockOf } from '../base/clock.js';
import { deadline } from '../base/deadline-queue.js';
import { plainUrl } from '../base/inspect.js';
import { onAbort } from '../base/on-abort.js';
import { report } from '../base/report.js';
import { connectionOver } from '../channel/open.js';
import { connectionSettings } from '../channel/settings.js';
import { closeErrorOf, withUptime } from '../connection/close-error.js';
import type { BinaryType, CloseInfo, Connection, Message, MessageOf } from '../connection/connection.js';
import type { LiveConnection } from '../connection/live-connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { type Dialed, dial } from '../net/dial.js';
import { typedConnection } from '../operators/typed/with-codec.js';
import { HandshakeError } from '../protocol/errors.js';
import { extensionsOf } from '../protocol/handshake/negotiation.js';
import {
  type AnyConnectOptions,
  type ConnectOptions,
  type ConnectSettings,
  type ConnectTarget,
  checkConnectOptions,
  connectSettings,
  type PlainTarget,
} from './connect-options.js';

/**
 * Connects to a WebSocket server. Cold: each subscription dials, emits the open connection once, and lasts as long as the connection.
 *
 * Completes if the peer closed with 1000 or without a code, or if we closed. Errors with `HandshakeError` or Node's own error if
 * the connection cannot be established, with `ConnectionClosedError` for any other code of the peer and for a lost connection (1006),
 * and with `ProtocolError` if the peer violated the protocol. Every error has an `uptime`, the milliseconds that the connection was open.
 * Handle it, or use `reconnect()`. Unsubscribing aborts the dial in any phase, or closes with 1000.
 *
 * @param target a URL, `{ url, ... }`, or a function that is called for each subscription (its time counts in `handshakeTimeout`).
 * @param protocols the subprotocols to offer.
 * @typeParam In the type of messages, from the option `codec`. @typeParam Out what `send` takes.
 * @throws TypeError, RangeError or SyntaxError at the call for a target or option that is not allowed.
 * @example connect('ws://localhost:8080').pipe(mergeMap((conn) => conn.messages$)).subscribe(console.log);
 */
export function connect<B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>(
  target: ConnectTarget<B>,
  protocols?: string | readonly string[] | ConnectOptions<B, In, Out>,
  options?: ConnectOptions<B, In, Out>,
): Observable<Connection<undefined, In, Out>> {
  const isList = protocols === undefined || typeof protocols === 'string' || Array.isArray(protocols);
  const second = options === undefined && !isList;
  const offered = second ? undefined : (protocols as string | readonly string[] | undefined);
  const given = (second ? protocols : options === undefined ? {} : options) as AnyConnectOptions;
  checkConnectOptions(given, offered);
  const settingsOf = (place: PlainTarget<BinaryType>): ConnectSettings => connectSettings(place, offered, given);
  if (typeof target !== 'function') settingsOf(target);
  const settings$ =
    typeof target === 'function'
      ? defer(() => firstTarget(target())).pipe(switchMap((place) => of(settingsOf(place))))
      : defer(() => of(settingsOf(target)));
  return new Observable((subscriber) => {
    const attempt = new Attempt<In, Out>(given, settings$, subscriber);
    subscriber.add(() => attempt.abort());
    attempt.start();
  });
}

/**
 * Like `connect`, but returns a Promise of the open connection, which lives until it is closed. For scripts and tests. Rejects if the
 * connection cannot be established; later, only `close$` reports its end. (`firstValueFrom(connect(...))` would close it at once.)
 *
 * @throws TypeError, RangeError or SyntaxError at the call for a target or option that is not allowed.
 * @example const conn = await openConnection('ws://localhost:8080');
 */
export function openConnection<B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>(
  target: ConnectTarget<B>,
  protocols?: string | readonly string[] | ConnectOptions<B, In, Out>,
  options?: ConnectOptions<B, In, Out>,
): Promise<Connection<undefined, In, Out>> {
  const connection$ = connect(target, protocols, options);
  return new Promise((resolve, reject) => {
    connection$.subscribe({
      next: resolve,
      // Once the connection is open, these have no effect.
      error: reject,
      complete: () => reject(new DOMException('the dial was aborted', 'AbortError')),
    });
  });
}

/** One subscription of `connect`: the dial, then the connection. */
class Attempt<In, Out> {
  readonly #options: AnyConnectOptions;
  readonly #settings$: Observable<ConnectSettings>;
  readonly #subscriber: Subscriber<Connection<undefined, In, Out>>;
  /** Resources that end with the attempt: the dial and the listeners of signals. */
  readonly #resources = new Subscription();
  #timer: Subscription | undefined;
  #connection: LiveConnection<undefined, Message> | undefined;
  /** The URL that it dials, once known. */
  #url: string | undefined;
  #isOver = false;

  constructor(
    options: AnyConnectOptions,
    settings$: Observable<ConnectSettings>,
    subscriber: Subscriber<Connection<undefined, In, Out>>,
  ) {
    this.#options = options;
    this.#settings$ = settings$;
    this.#subscriber = subscriber;
  }

  start(): void {
    const { scheduler, handshakeTimeout } = connectionSettings(this.#options, 'client');
    const clock = clockOf(scheduler);
    const began = clock();
    this.#obey(this.#options.signal);
    this.#expire(scheduler, handshakeTimeout, 0);
    if (this.#isOver) return;
    const dial$ = this.#settings$.pipe(
      switchMap((settings) => {
        this.#url = settings.target.href;
        // The target may have options of its own.
        this.#obey(settings.signal);
        this.#expire(settings.scheduler, settings.handshakeTimeout, clock() - began);
        if (this.#isOver) return EMPTY;
        return dial({ ...settings, redirects: 0 }).pipe(switchMap((dialed) => of({ settings, dialed })));
      }),
    );
    this.#resources.add(
      dial$.subscribe({
        next: ({ settings, dialed }) => this.#open(settings, dialed),
        error: (error: unknown) => this.#fail(error, 0),
      }),
    );
  }

  /** The subscriber has left. */
  abort(): void {
    this.#finish(() => {});
    this.#connection?.close();
  }

  #onSignal(): void {
    const connection = this.#connection;
    if (connection === undefined) this.#finish(() => this.#subscriber.complete());
    else connection.close();
  }

  #obey(signal: AbortSignal | undefined): void {
    if (signal === undefined || this.#isOver) return;
    if (signal.aborted) {
      this.#onSignal();
      return;
    }
    this.#resources.add(onAbort(signal, () => this.#onSignal()));
  }

  /** Fails the attempt if there is no connection `timeout` ms after its start, which was `elapsed` ms ago. */
  #expire(scheduler: SchedulerLike, timeout: number, elapsed: number): void {
    this.#timer?.unsubscribe();
    if (this.#isOver) return;
    const late = (): void =>
      this.#fail(new HandshakeError('HANDSHAKE_TIMEOUT', `no connection after ${timeout} ms (handshakeTimeout)`), 0);
    this.#timer = deadline(scheduler, Math.max(0, timeout - elapsed), late);
  }

  #open(settings: ConnectSettings, { port, agreement, response, target, remoteAddress }: Dialed): void {
    this.#timer?.unsubscribe();
    const facts = {
      role: 'client',
      data: undefined,
      response,
      url: target.href,
      protocol: agreement.protocol,
      extensions: extensionsOf(agreement.deflate),
      deflate: agreement.deflate?.parameters,
      protocolVersion: settings.version,
      remoteAddress,
    } as const;
    const connection = connectionOver<undefined, Message>(port, facts, settings);
    this.#connection = connection;
    let uptime = 0;
    connection.close$.subscribe(() => {
      uptime = connection.stats.uptime;
    });
    connection.onFinished({ finished: (info) => this.#closed(info, uptime) });
    report('open', { connection });
    // All that subscribe while it is emitted share the first message.
    const hold = connection.hold();
    connection.start();
    this.#subscriber.next(typedConnection(connection, this.#options.codec));
    hold.unsubscribe();
  }

  #closed(info: CloseInfo, uptime: number): void {
    const error = closeErrorOf(info);
    if (error === undefined) this.#finish(() => this.#subscriber.complete());
    else this.#fail(error, uptime);
  }

  #fail(error: unknown, uptime: number): void {
    if (this.#connection === undefined && !this.#isOver) {
      report('dial-error', { url: this.#url === undefined ? undefined : plainUrl(this.#url), error });
    }
    this.#finish(() => this.#subscriber.error(withUptime(error, uptime)));
  }

  #finish(notify: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.unsubscribe();
    this.#resources.unsubscribe();
    notify();
  }
}

function firstTarget(
  answer: PlainTarget<BinaryType> | PromiseLike<PlainTarget<BinaryType>> | Observable<PlainTarget<BinaryType>>,
): Observable<PlainTarget<BinaryType>> {
  const targets = isObservable(answer) ? answer : isPromise(answer) ? from(answer) : of(answer);
  return targets.pipe(
    take(1),
    throwIfEmpty(
      () => new HandshakeError('TARGET_INVALID', 'the target function returned an Observable without a value'),
    ),
  );
}

function isPromise(answer: unknown): answer is PromiseLike<PlainTarget<BinaryType>> {
  return typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function';
}
