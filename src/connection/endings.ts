import { EMPTY, type Observable, Subject } from 'rxjs';
import { Once } from '../base/once.js';
import { report } from '../base/report.js';
import type { InternalError, UsageError } from '../protocol/errors.js';
import type { CloseInfo } from './connection.js';
import type { CoreEvents } from './core-events.js';

/** Whom a connection tells that it is over. */
export interface FinishListener {
  told(info: CloseInfo): void;
}

/** Who keeps account of connections. */
export interface ConnectionTracker {
  /** `connection` has ended. */
  closed(connection: object): void;
}

/** The connection that streams belong to. */
interface StreamsOwner {
  /** Told before anybody else when it has ended. */
  readonly tracker?: ConnectionTracker | undefined;
  /** Nothing is handed over any more. */
  endSend(): void;
}

/** The Observables of a connection beside `messages$`, and the order in which they end. */
export class ConnectionStreams implements CoreEvents {
  /** Set by the connection that these belong to. */
  owner: StreamsOwner | undefined;
  #closed: Once<CloseInfo> | undefined;
  #finishing: FinishListener | undefined;
  #pings: Subject<Uint8Array> | undefined;
  #pongs: Subject<Uint8Array> | undefined;
  /** How it ended, as soon as it has. */
  info: CloseInfo | undefined;
  #ended = false;
  #finished = false;

  /** How it ended, once what could be delivered was. */
  get closed(): Once<CloseInfo> {
    this.#closed ??= new Once();
    if (this.#ended) this.#closed.set(this.info as CloseInfo);
    return this.#closed;
  }

  /** Tells `listener` the same, once nothing is held back any more. Without an Observable: there is one for every connection. */
  whenFinished(listener: FinishListener): void {
    const before = this.#finishing;
    if (this.#finished) listener.told(this.info as CloseInfo);
    else if (before === undefined) this.#finishing = listener;
    else this.#finishing = { told: (info) => tellBoth(before, listener, info) };
  }

  get pings$(): Observable<Uint8Array> {
    if (this.#ended) return EMPTY;
    this.#pings ??= new Subject();
    return this.#pings.asObservable();
  }

  get pongs$(): Observable<Uint8Array> {
    if (this.#ended) return EMPTY;
    this.#pongs ??= new Subject();
    return this.#pongs.asObservable();
  }

  ping(payload: Buffer): void {
    this.#pings?.next(payload);
  }

  pong(payload: Buffer): void {
    this.#pongs?.next(payload);
  }

  ended(info: CloseInfo): void {
    this.info = info;
    report('close', { connection: this.owner, info });
    this.owner?.endSend();
  }

  settled(info: CloseInfo): void {
    this.info = info;
    this.#ended = true;
    this.#pings?.complete();
    this.#pongs?.complete();
    if (this.owner !== undefined) this.owner.tracker?.closed(this.owner);
    this.#closed?.set(info);
  }

  finished(info: CloseInfo): void {
    this.#finished = true;
    const listener = this.#finishing;
    this.#finishing = undefined;
    listener?.told(info);
  }

  unsendable(error: UsageError): void {
    report('connection-error', { connection: this.owner, error });
  }

  broke(error: InternalError): void {
    report('connection-error', { connection: this.owner, error });
  }
}

function tellBoth(first: FinishListener, second: FinishListener, info: CloseInfo): void {
  first.told(info);
  second.told(info);
}
