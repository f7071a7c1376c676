import { Observable, Subscription } from 'rxjs';
import { clockOf } from '../base/clock.js';
import { deadline } from '../base/deadline-queue.js';
import { HookAnswerError, isHookAnswerError, isObservableLike, isThenable } from '../base/hook-answer.js';
import { report } from '../base/report.js';
import type { Roster } from '../base/roster.js';
import { connectionOver } from '../channel/open.js';
import type { ChannelCounts } from '../connection/channel.js';
import type { CloseInfo } from '../connection/connection.js';
import type { LiveConnection } from '../connection/live-connection.js';
import type { UpgradeRequest } from '../net/upgrade-request.js';
import { parseFieldLines, toFieldLines } from '../protocol/handshake/header-fields.js';
import { acceptOffer, type UpgradeAnswer } from '../protocol/handshake/negotiation.js';
import type { UpgradeOffer } from '../protocol/handshake/read-request.js';
import { isRejection, type Rejection, reject } from '../protocol/handshake/rejection.js';
import { AcceptedFacts } from './accepted-facts.js';
import type { Admission } from './admission.js';
import { complainOfHook, complainOfLateHook } from './complaints.js';
import { type Asking, askHooks, type Decision, decideAtOnce, readOffer } from './handshake.js';
import type { AcceptSettings, ServerCloseOptions } from './server-options.js';
import type { ServerTally } from './server-stats.js';

/** The records of connections that a reception shares with its server. */
export interface ReceptionBooks<Data, In> {
  /** The connections, listed for the application. */
  readonly connections: Roster<LiveConnection<Data, In>>;
  /** The connection limits; undefined without any. */
  readonly admission: Admission | undefined;
  readonly tally: ServerTally;
}

/** Receives upgrade requests, makes connections of those that the hooks accept, and keeps track of them. */
export class Reception<Data, In> {
  readonly #books: ReceptionBooks<Data, In>;
  readonly #settings: AcceptSettings;
  readonly #emit: (connection: LiveConnection<Data, In>, upgrade: UpgradeRequest) => void;
  readonly #pending = new Set<() => void>();
  #onIdle: (() => void) | undefined;
  #isOpen = true;

  /** @param emit called with each connection, under a hold, and with its request. */
  constructor(
    settings: AcceptSettings,
    books: ReceptionBooks<Data, In>,
    emit: (connection: LiveConnection<Data, In>, upgrade: UpgradeRequest) => void,
  ) {
    this.#settings = settings;
    this.#books = books;
    this.#emit = emit;
  }

  /** Handles a request. Never throws. */
  receive(upgrade: UpgradeRequest): void {
    if (!this.#isOpen) {
      this.#refuse(upgrade, serverClosing());
      return;
    }
    if (!this.#admits(upgrade)) return;
    let offer: UpgradeOffer;
    try {
      offer = readOffer(upgrade, this.#settings);
    } catch (error) {
      this.#refuse(upgrade, this.#rejectionOf(error, 'origins'));
      return;
    }
    const decision = decideAtOnce(offer, this.#settings);
    if (decision === undefined) this.#ask(upgrade, offer);
    else this.#accept(upgrade, decision);
  }

  /** Stops accepting, and refuses the requests whose hooks have not decided. */
  stop(): void {
    this.#isOpen = false;
    for (const stop of [...this.#pending]) stop();
  }

  /** Calls `idle` once every hook has decided; no request is received after this call. */
  finish(idle: () => void): void {
    this.#onIdle = idle;
    if (this.#pending.size === 0) idle();
  }

  /** Closes every connection. */
  closeAll(code: number, reason: string): void {
    for (const connection of this.#open) connection.close(code, reason);
  }

  /** Closes every connection, waits, terminates the rest, and emits their number. Acts when subscribed to. */
  drain({ code, reason, timeout, jitter }: Required<ServerCloseOptions>): Observable<{ remaining: number }> {
    const { scheduler, random } = this.#settings;
    return new Observable((subscriber) => {
      const open = new Set(this.#open);
      const finish = (remaining: number): void => {
        subscriber.next({ remaining });
        subscriber.complete();
      };
      if (open.size === 0) {
        finish(0);
        return;
      }
      subscriber.add(
        deadline(scheduler, jitter + timeout, () => {
          const rest = [...open];
          open.clear();
          for (const connection of rest) connection.terminate();
          finish(rest.length);
        }),
      );
      for (const connection of [...open]) {
        connection.close$.subscribe(() => {
          if (open.delete(connection) && open.size === 0) finish(0);
        });
        if (jitter === 0) connection.close(code, reason);
        else subscriber.add(scheduler.schedule(() => connection.close(code, reason), random() * jitter));
      }
    });
  }

  /** Applies the limits, before any other work is done for a request. */
  #admits(upgrade: UpgradeRequest): boolean {
    const { admission } = this.#books;
    if (admission === undefined) return true;
    try {
      const place = admission.admit(upgrade);
      if (!isRejection(place)) {
        upgrade.whenClosed(place);
        return true;
      }
      this.#refuse(upgrade, place);
    } catch (error) {
      this.#refuse(upgrade, this.#rejectionOf(error, 'limitBy.key'));
    }
    return false;
  }

  #ask(upgrade: UpgradeRequest, offer: UpgradeOffer): void {
    const { scheduler, handshakeTimeout, authenticate, place } = this.#settings;
    const { admission } = this.#books;
    const handshake = new Subscription();
    const ending = authenticate === undefined ? undefined : new AbortController();
    const asking: Asking = { signal: ending?.signal, admission, hook: 'verifyClient' };
    let isSettled = false;
    const settle = (answer: () => unknown): void => {
      if (isSettled) return;
      isSettled = true;
      this.#pending.delete(stop);
      handshake.unsubscribe();
      // Also if authenticate has answered long before: any end without a connection aborts.
      if (answer() !== true) ending?.abort();
      if (this.#pending.size === 0) this.#onIdle?.();
    };
    const stop = (): void => settle(() => this.#refuse(upgrade, serverClosing()));
    this.#pending.add(stop);
    handshake.add(
      askHooks(upgrade, offer, this.#settings, asking).subscribe({
        next: (decision) => settle(() => this.#accept(upgrade, decision)),
        error: (error: unknown) => settle(() => this.#refuse(upgrade, this.#rejectionOf(error, asking.hook))),
      }),
    );
    if (isSettled) {
      handshake.unsubscribe();
      return;
    }
    upgrade.watch(() => settle(() => {}));
    const left = Math.max(0, handshakeTimeout - (clockOf(scheduler)() - upgrade.startedAt));
    const expire = (): void => {
      complainOfLateHook(place, asking.hook, handshakeTimeout);
      this.#refuse(upgrade, late());
    };
    handshake.add(deadline(scheduler, left, () => settle(expire)));
  }

  /** Answers with 101 and emits the connection. Returns whether there is one. */
  #accept(upgrade: UpgradeRequest, { offer, data, protocol }: Decision): boolean {
    const { deflate, headers } = this.#settings;
    let answer: UpgradeAnswer;
    try {
      answer = acceptOffer(offer, protocol, deflate);
      if (headers !== undefined) {
        const lines = toFieldLines(answer.fields);
        checkIsDone(headers(lines, upgrade.request, data));
        answer = { ...answer, fields: parseFieldLines(lines) };
      }
    } catch (error) {
      this.#refuse(upgrade, this.#rejectionOf(error, 'headers'));
      return false;
    }
    // The headers hook may have ended the server: then nothing would ever close the connection.
    if (!this.#isOpen) {
      this.#refuse(upgrade, serverClosing());
      return false;
    }
    const port = upgrade.accept(answer, this.#settings.heartbeat === false);
    if (port === undefined) return false;
    const facts = new AcceptedFacts(upgrade, data as Data, answer);
    const connection = connectionOver<Data, In>(port, facts, this.#settings);
    this.#track(connection);
    report('open', { server: this.#settings.server, connection });
    // All that subscribe while it is emitted share the first message.
    const hold = connection.hold();
    connection.start();
    this.#emit(connection, upgrade);
    hold.unsubscribe();
    return true;
  }

  #refuse(upgrade: UpgradeRequest, rejection: Rejection): void {
    const { server } = this.#settings;
    refuse(upgrade, rejection, { server, tally: this.#books.tally });
  }

  /** Returns the rejection to send. It does not reveal what a hook threw. */
  #rejectionOf(error: unknown, hook: string): Rejection {
    if (isRejection(error)) return error;
    const { place, server } = this.#settings;
    complainOfHook(place, { hook, error });
    report('server-error', { server, error });
    return reject(isHookAnswerError(error) ? error.status : 500);
  }

  /** The connections that were accepted here and are not closed yet; empty if tracking is off. */
  get #open(): LiveConnection<Data, In>[] {
    return [...this.#books.connections].filter((connection) => connection.tracker === this);
  }

  #track(connection: LiveConnection<Data, In>): void {
    const { connections, tally } = this.#books;
    tally.accepted();
    if (this.#settings.clientTracking) connections.add(connection);
    connection.tracker = this;
  }

  /** A connection of this reception is closed. */
  closed(connection: LiveConnection<Data, In>, { code }: CloseInfo, counts: ChannelCounts): void {
    const { connections, tally } = this.#books;
    if (this.#settings.clientTracking) connections.delete(connection);
    tally.closed(code, counts);
  }
}

/** Counts a refusal, reports it to the diagnostics, and sends it. */
export function refuse(
  upgrade: UpgradeRequest,
  rejection: Rejection,
  { server, tally }: { readonly server: object | undefined; readonly tally: ServerTally },
): void {
  const { status, body } = rejection;
  tally.refused(status);
  report('refuse', { server, request: upgrade.request, status, body });
  upgrade.refuse(rejection);
}

/** The answer to a request while the server does not accept connections. */
export function serverClosing(): Rejection {
  return reject(503, undefined, undefined, 'The server is not accepting connections.');
}

/** The 101 is sent now: later lines would be lost silently. Other values are ignored, since an arrow function may return that of `push`. */
function checkIsDone(found: unknown): void {
  if (!isThenable(found) && !isObservableLike(found)) return;
  throw new HookAnswerError({ hook: 'headers', found, advice: 'change the lines before it returns' });
}

function late(): Rejection {
  return reject(503, undefined, undefined, 'The server did not decide about the handshake in time.');
}
