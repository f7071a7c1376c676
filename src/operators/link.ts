import { endWith, forkJoin, ignoreElements, isObservable, Observable, type Subscriber, Subscription, tap } from 'rxjs';
import { subscribeWithin } from '../base/subscribe-within.js';
import type { CloseInfo, Connection } from '../connection/connection.js';
import { hooksOf, reportSymbol } from '../connection/hooks.js';
import { UsageError } from '../protocol/errors.js';
import { gate } from './gate.js';
import { sendTo } from './send-to.js';

/**
 * Connects two connections as a proxy: forwards the messages of each to the other, and pauses each while the other takes no more.
 *
 * The end of either is passed on with its code and reason, after its messages; an end without a code as 1000, a lost connection
 * as 1014 (bad gateway). Emits nothing, and completes when both have ended: a lost connection is not an error. Unsubscribing closes both
 * with 1001. Pings are not forwarded.
 *
 * If `b` is an Observable of a connection, such as `connect(upstream)`, `link` subscribes to it, holds `a` until it emits, and then
 * proxies the first connection that it emits. If the dial fails, or completes without a connection, `a` is closed with 1014 and a reason
 * that reveals nothing about the upstream, and `link` completes; the error goes to the diagnostics channel `sluice:connection-error`. The
 * dial is aborted if `a` ends with nothing left to forward, and when `link` is unsubscribed. It is not dialed again after `b` has ended.
 *
 * Errors only if the dial errors with a mistake of the application: a UsageError, TypeError, RangeError, ReferenceError or SyntaxError.
 *
 *     a          -m--n-----o--|
 *     b          ----c-------x-      c opens, x is the end of b
 *     to c       ----(mn)--o--
 *
 * @example serve(8080).pipe(handleConnections((a) => link(a, connect('ws://upstream:9000')))).subscribe();
 */
export function link<AOut, BOut, AIn extends BOut, BIn extends AOut>(
  a: Connection<unknown, AIn, AOut>,
  b: Connection<unknown, BIn, BOut> | Observable<Connection<unknown, BIn, BOut>>,
): Observable<never> {
  if (!isObservable(b)) return join(a, b);
  return new Observable((subscriber) => new Dialing<AOut, BOut, AIn, BIn>(a, subscriber).start(b));
}

function join<AOut, BOut, AIn extends BOut, BIn extends AOut>(
  a: Connection<unknown, AIn, AOut>,
  b: Connection<unknown, BIn, BOut>,
): Observable<never> {
  return new Observable((subscriber) => {
    let isOver = false;
    subscriber.add(() => {
      if (isOver) return;
      a.close(1001);
      b.close(1001);
    });
    subscriber.add(forward(a, b).subscribe());
    subscriber.add(forward(b, a).subscribe());
    subscriber.add(
      forkJoin([a.close$, b.close$]).subscribe(() => {
        isOver = true;
        subscriber.complete();
      }),
    );
  });
}

/** Forwards the messages of `source` to `target`, and closes `target` after the last one. */
function forward<AIn extends BOut, AOut, BIn, BOut>(
  source: Connection<unknown, AIn, AOut>,
  target: Connection<unknown, BIn, BOut>,
): Observable<unknown> {
  const messages$ = source.messages$.pipe(
    gate(target.send.ready$, { on: source }),
    sendTo(target),
    ignoreElements(),
    endWith(undefined),
  );
  return forkJoin([messages$, source.close$]).pipe(tap(([, info]) => target.close(codeToPassOn(info), info.reason)));
}

function codeToPassOn({ code }: CloseInfo): number {
  // RFC 6455 §7.4.1: 1005 and 1006 "MUST NOT be set as a status code in a Close control frame by an endpoint".
  if (code === 1005) return 1000;
  return code === 1006 ? 1014 : code;
}

/** A subscription of `link` that must dial first. */
class Dialing<AOut, BOut, AIn extends BOut, BIn extends AOut> {
  readonly #a: Connection<unknown, AIn, AOut>;
  readonly #subscriber: Subscriber<never>;
  readonly #dial = new Subscription();
  /** Ends when there is a second connection: the hold, and the watch for the end of the first. */
  readonly #wait = new Subscription();
  #joined: Subscription | undefined;
  #isOver = false;

  constructor(a: Connection<unknown, AIn, AOut>, subscriber: Subscriber<never>) {
    this.#a = a;
    this.#subscriber = subscriber;
  }

  start(dial$: Observable<Connection<unknown, BIn, BOut>>): void {
    const a = this.#a;
    this.#subscriber.add(() => this.#stop());
    // Other subscribers may create demand, but messages that arrive now are for the second connection too.
    this.#wait.add(a.hold());
    this.#wait.add(
      a.close$.subscribe(() => {
        if (a.stats.inboxBytes === 0) this.#finish(() => this.#subscriber.complete());
      }),
    );
    subscribeWithin(this.#dial, dial$, {
      next: (b) => this.#open(b),
      error: (error: unknown) => this.#fail(error),
      complete: () => this.#fail(undefined),
    });
  }

  #open(b: Connection<unknown, BIn, BOut>): void {
    if (this.#joined !== undefined) return;
    const joined = new Subscription();
    this.#joined = joined;
    joined.add(join(this.#a, b).subscribe({ complete: () => this.#finish(() => this.#subscriber.complete()) }));
    // The dial may contain a `reconnect`, which must not dial again.
    joined.add(b.close$.subscribe(() => this.#dial.unsubscribe()));
    this.#wait.unsubscribe();
  }

  #fail(error: unknown): void {
    // Once a connection is open, its link passes on the end.
    if (this.#joined !== undefined) return;
    if (error !== undefined) hooksOf(this.#a)[reportSymbol]?.(error);
    this.#finish(() => {
      if (isMistake(error)) {
        this.#subscriber.error(error);
        return;
      }
      this.#a.close(1014, 'the upstream cannot be reached');
      this.#subscriber.complete();
    });
  }

  #finish(notify: () => void): void {
    this.#isOver = true;
    notify();
  }

  #stop(): void {
    if (!this.#isOver && this.#joined === undefined) this.#a.close(1001);
    // Before the dial, which would close its connection with 1000.
    this.#joined?.unsubscribe();
    this.#dial.unsubscribe();
    this.#wait.unsubscribe();
  }
}

/** Whether an error can only come from the application, and not from a peer or the network. */
function isMistake(error: unknown): boolean {
  return [UsageError, TypeError, RangeError, ReferenceError, SyntaxError].some((mistake) => error instanceof mistake);
}
