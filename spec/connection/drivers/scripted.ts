import { Subject as RxSubject, Subscription } from 'rxjs';
import { type TestConnection, testConnection } from 'sluice/testing';
import type { Driver, Peer } from '../driver.js';
import { subjectOf } from './subject.js';

/** A connection of `testConnection`, whose peer is its inputs and outputs. */
export const scripted: Driver = {
  name: 'testConnection()',
  supports: { binary: true, ping: true, fragments: true, backpressure: true, compression: false },
  takesBytes: true,
  hasBackpressure: true,
  peerMayOmitCode: true,
  fill: 262_144,
  // The type of what is sent is free: nothing is turned into bytes.
  unsendable: undefined,
  differences: [
    'sends no control frames',
    'stays ready while it closes',
    'keeps messages after close() without demand',
    'blames the peer for crossing closes',
  ],
  emittedBy: undefined,
  open: async (options = {}) => {
    const peer = new ScriptedPeer();
    const conn = testConnection({ ...peer.inputs, ...options });
    peer.follow(conn);
    return subjectOf(conn, peer, undefined, () => {});
  },
};

/** The inputs of a test connection as a peer. It hands over what was sent in a later turn, unless it stalls. */
class ScriptedPeer implements Peer {
  readonly received: unknown[] = [];
  readonly pongs: readonly string[] = [];
  closed: Peer['closed'];
  readonly inputs = {
    messages$: new RxSubject<string>(),
    pings$: new RxSubject<string>(),
    pongs$: new RxSubject<string>(),
    close$: new RxSubject<{ code: number; reason: string }>(),
    flushed$: new RxSubject<void>(),
  };
  #stalls = 0;

  follow(conn: Pick<TestConnection, 'sent$' | 'closed$'>): void {
    conn.sent$.subscribe((message) => {
      this.received.push(message);
      setImmediate(() => this.#flush());
    });
    conn.closed$.subscribe((closed) => {
      this.closed = closed;
    });
  }

  send(...messages: readonly unknown[]): void {
    for (const message of messages) this.inputs.messages$.next(message as string);
  }

  ping(data: string): void {
    this.inputs.pings$.next(data);
  }

  pong(data: string): void {
    this.inputs.pongs$.next(data);
  }

  answerPings(): void {
    this.inputs.pongs$.next('answer');
  }

  close(code = 1005, reason = ''): void {
    this.inputs.close$.next({ code, reason });
  }

  lose(): void {
    this.inputs.close$.next({ code: 1006, reason: '' });
  }

  stall(): Subscription {
    this.#stalls++;
    return new Subscription(() => {
      this.#stalls--;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#stalls === 0) this.inputs.flushed$.next();
  }
}
