import { EMPTY, type Observable, Subject } from 'rxjs';
import type { UsageError } from '../protocol/errors.js';
import { report } from '../transport/diagnostics.js';
import type { CloseInfo } from './connection.js';
import type { CoreEvents } from './core-events.js';
import { Once } from './once.js';
import type { SendSubject } from './send-subject.js';

/** The Observables of a connection beside `messages$`, and the order in which they end. */
export class ConnectionStreams implements CoreEvents {
  /** Set by the connection that these belong to. */
  owner: { readonly send: Pick<SendSubject<never>, 'end'> } | undefined;
  /** Called before anybody else when the connection has ended. */
  onClosed: (() => void) | undefined;
  readonly closed: Once<CloseInfo> = new Once<CloseInfo>();
  readonly finishing: Once<CloseInfo> = new Once<CloseInfo>();
  #pings: Subject<Uint8Array> | undefined;
  #pongs: Subject<Uint8Array> | undefined;
  /** How it ended, as soon as it has. */
  info: CloseInfo | undefined;
  #ended = false;

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
    this.owner?.send.end();
  }

  settled(info: CloseInfo): void {
    this.#ended = true;
    this.#pings?.complete();
    this.#pongs?.complete();
    this.onClosed?.();
    this.closed.set(info);
  }

  finished(info: CloseInfo): void {
    this.finishing.set(info);
  }

  unsendable(error: UsageError): void {
    report('connection-error', { connection: this.owner, error });
  }
}
