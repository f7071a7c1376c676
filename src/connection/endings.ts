import { EMPTY, type Observable, Subject } from 'rxjs';
import { clockOf } from '../base/clock.js';
import { Once } from '../base/once.js';
import { report } from '../base/report.js';
import type { Channel, ChannelCounts, ChannelEvents } from './channel.js';
import type { CloseInfo } from './connection.js';
import type { FinishListener } from './hooks.js';
import { Inbox } from './inbox.js';
import { complainOfValue, unsendable } from './outgoing.js';
import type { SendFailures } from './send-subject.js';

/** A registry of connections. */
export interface ConnectionTracker {
  /** `connection` has ended. */
  closed(connection: object, info: CloseInfo, counts: ChannelCounts): void;
}

/** The connection that streams belong to. */
interface StreamsOwner {
  /** Notified of the end, before `close$`. */
  readonly tracker?: ConnectionTracker | undefined;
  /** No more items will be handed over. */
  endSend(): void;
}

/** The inbox and the Observables of a connection over any channel, and the order in which they end. */
export class ConnectionStreams<In> implements ChannelEvents, SendFailures {
  readonly inbox: Inbox<In>;
  readonly #owner: StreamsOwner;
  readonly #channel: Channel<In, never>;
  /** While open, when the connection was opened; after the end, how long it was open. In milliseconds. */
  #time: number;
  #closed: Once<CloseInfo> | undefined;
  #finishing: FinishListener | undefined;
  #pings: Subject<Uint8Array> | undefined;
  #pongs: Subject<Uint8Array> | undefined;
  /** How the connection ended; undefined before that. */
  info: CloseInfo | undefined;
  /** How much of the end was delivered. */
  #told: 'nothing' | 'closed' | 'finished' = 'nothing';

  constructor(channel: Channel<In, never>, owner: StreamsOwner) {
    this.#owner = owner;
    this.#channel = channel;
    // An integer takes no separate memory.
    this.#time = Math.floor(this.#now);
    this.inbox = new Inbox<In>(channel.settings.highWaterMark, channel);
    channel.attach(this.inbox, this);
  }

  /** How long the connection has been open, or was open before it ended, in milliseconds. */
  get uptime(): number {
    return this.info === undefined ? this.#now - this.#time : this.#time;
  }

  /** How the connection ended, set once everything deliverable was delivered. */
  get closed(): Once<CloseInfo> {
    this.#closed ??= new Once();
    if (this.#told !== 'nothing') this.#closed.set(this.info as CloseInfo);
    return this.#closed;
  }

  /** Notifies `listener` of the same, once nothing is held back. Not an Observable, because every connection has such a listener. */
  onFinished(listener: FinishListener): void {
    const before = this.#finishing;
    if (this.#told === 'finished') listener.finished(this.info as CloseInfo);
    else if (before === undefined) this.#finishing = listener;
    else this.#finishing = { finished: (info) => tellBoth(before, listener, info) };
  }

  get pings$(): Observable<Uint8Array> {
    if (this.#told !== 'nothing') return EMPTY;
    this.#pings ??= new Subject();
    return this.#pings.asObservable();
  }

  get pongs$(): Observable<Uint8Array> {
    if (this.#told !== 'nothing') return EMPTY;
    this.#pongs ??= new Subject();
    return this.#pongs.asObservable();
  }

  ping(payload: Uint8Array): void {
    this.#pings?.next(payload);
  }

  pong(payload: Uint8Array): void {
    this.#pongs?.next(payload);
  }

  ended(info: CloseInfo): void {
    this.#time = this.uptime;
    this.info = info;
    report('close', { server: this.#channel.settings.server, connection: this.#owner, info });
    this.#owner.endSend();
  }

  settled(): void {
    const info = this.info as CloseInfo;
    this.#told = 'closed';
    this.#pings?.complete();
    this.#pongs?.complete();
    this.#owner.tracker?.closed(this.#owner, info, this.#channel.counts);
    this.#closed?.set(info);
    if (this.inbox.isAwaited) this.#awaitRelease();
    else this.#finish();
  }

  failed(thrown: unknown): void {
    const error = unsendable(thrown);
    this.report(error);
    this.complainOf(error);
    // The details are for the application only: they may contain any data.
    this.#channel.close(1011, 'a message could not be sent', error);
  }

  report(error: unknown): void {
    report('connection-error', { server: this.#channel.settings.server, connection: this.#owner, error });
  }

  /** Warns the developer that a value cannot be sent. */
  complainOf(error: unknown): void {
    complainOfValue(this.#channel.settings.place, error);
  }

  /** Waits for messages that are held back, for at most `closeTimeout`. */
  #awaitRelease(): void {
    const { scheduler, closeTimeout } = this.#channel.settings;
    const timer = scheduler.schedule(() => {
      this.#channel.discard();
      this.inbox.abandon();
    }, closeTimeout);
    this.inbox.whenOver(() => {
      timer.unsubscribe();
      this.#finish();
    });
  }

  #finish(): void {
    this.#told = 'finished';
    const listener = this.#finishing;
    this.#finishing = undefined;
    listener?.finished(this.info as CloseInfo);
  }

  get #now(): number {
    return clockOf(this.#channel.settings.scheduler)();
  }
}

function tellBoth(first: FinishListener, second: FinishListener, info: CloseInfo): void {
  first.finished(info);
  second.finished(info);
}
