import { concat, NEVER, type Observable, of, type Subscription } from 'rxjs';
import { connectionPair, reset, stallReads, testConnect, testServer } from 'sluice/testing';
import type { AnyConnection, Driver, Peer, SubjectOptions } from '../driver.js';
import { RecordedSource } from './recorded-source.js';
import { subjectOf } from './subject.js';

/** What frames over memory can do, whichever end they are at. */
const capabilities = {
  supports: { binary: true, ping: true, fragments: true, backpressure: true, compression: false },
  takesBytes: true,
  hasBackpressure: true,
  // Both ends are connections of sluice, which always say why.
  peerMayOmitCode: false,
  fill: 1_048_576,
  unsendable: { value: 5, code: 'UNSUPPORTED_DATA' },
  differences: [],
} as const;

type Role = 'server' | 'client';

/** The end of a pair that is under test in `role`, and the other one as its peer. */
function endsOf(role: Role, options: SubjectOptions = {}): { conn: AnyConnection; peer: PairPeer } {
  // What is sent would shrink to next to nothing.
  const plain = { perMessageDeflate: false } as const;
  const { client, server } = connectionPair({ client: plain, server: plain, [role]: { ...plain, ...options } });
  return role === 'server'
    ? { conn: server, peer: new PairPeer(client) }
    : { conn: client, peer: new PairPeer(server) };
}

/** A connection of `connectionPair`. */
export function paired(role: Role): Driver {
  return {
    name: `frames over memory, the ${role} of connectionPair()`,
    ...capabilities,
    emittedBy: undefined,
    open: async (options) => {
      const { conn, peer } = endsOf(role, options);
      return subjectOf(conn, peer, undefined, () => {});
    },
  };
}

/** A connection of a pair that a double of `serve` or `connect` has emitted. */
function emitted(name: string, role: Role, sourceOf: (conn: AnyConnection) => Observable<AnyConnection>): Driver {
  return {
    name,
    ...capabilities,
    emittedBy: role,
    open: async (options) => {
      const { conn, peer } = endsOf(role, options);
      const source = new RecordedSource(sourceOf(conn));
      return subjectOf(await source.first, peer, source, () => {});
    },
  };
}

/** A connection of `testServer`. */
export const servedByDouble: Driver = emitted('frames over memory, of testServer()', 'server', (conn) =>
  testServer(concat(of(conn), NEVER)),
);

/** A connection of `testConnect`. */
export const dialedByDouble: Driver = emitted('frames over memory, of testConnect()', 'client', (conn) =>
  testConnect([conn]),
);

/** The other end of a pair. */
class PairPeer implements Peer {
  readonly received: unknown[] = [];
  readonly pongs: string[] = [];
  closed: Peer['closed'];
  readonly #conn: AnyConnection;

  constructor(conn: AnyConnection) {
    this.#conn = conn;
    conn.messages$.subscribe((message) => this.received.push(message));
    conn.pongs$.subscribe((payload) => this.pongs.push(payload.toString()));
    conn.close$.subscribe(({ code, reason }) => {
      this.closed = { code, reason };
    });
  }

  send(...messages: readonly unknown[]): void {
    for (const message of messages) this.#conn.trySend(message);
  }

  ping(data: string): void {
    this.#conn.ping(data).subscribe({ error: () => {} });
  }

  pong(data: string): void {
    this.#conn.pong(data);
  }

  answerPings(): void {}

  close(code?: number, reason?: string): void {
    this.#conn.close(code, reason);
  }

  lose(): void {
    reset(this.#conn);
  }

  stall(): Subscription {
    return stallReads(this.#conn);
  }
}
