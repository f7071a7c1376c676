import { firstValueFrom, type Observable, ReplaySubject } from 'rxjs';
import { connect, type PersistentConnection, persistent } from 'sluice';
import { testConnect } from 'sluice/testing';
import type { AnyConnection, Driver, Peer, Subject } from '../driver.js';
import { scripted } from './scripted.js';
import { dialed, wsServer } from './sockets.js';

/** No test waits for the second connection. */
const reconnect = { initial: 60_000, max: 60_000 };

/** A connection of `persistent` over a socket. */
export const lastingOverSockets: Driver<PersistentConnection<unknown, unknown>> = {
  ...dialed,
  name: 'persistent() over a socket',
  emittedBy: undefined,
  open: async (options) => {
    const server = await wsServer();
    const maxBufferedAmount = 64 * 1_048_576;
    const subject = await opened(connect(server.url, [], { maxBufferedAmount, ...options }), () => server.end());
    return subject(await server.peer);
  },
};

/** A connection of `persistent` over one of `testConnection`. */
export const lastingOverDoubles: Driver<PersistentConnection<unknown, unknown>> = {
  ...scripted,
  name: 'persistent() over testConnection()',
  open: async (options) => {
    const { conn, peer, end } = await scripted.open(options);
    const subject = await opened(testConnect([conn]), end);
    return subject(peer);
  },
};

type Lasting = PersistentConnection<unknown, unknown>;

/** Opens a persistent connection, and waits until its first socket is open. */
async function opened(dial$: Observable<AnyConnection>, end: () => unknown): Promise<(peer: Peer) => Subject<Lasting>> {
  const conn: Lasting = persistent(dial$, { reconnect });
  const sockets$ = new ReplaySubject<AnyConnection>();
  conn.state$.subscribe((state) => {
    if (state.type === 'open') sockets$.next(state.connection);
  });
  const lease = conn.open();
  const socket = await firstValueFrom(sockets$);
  return (peer) => ({
    conn,
    peer,
    source: undefined,
    get arrived() {
      return socket.stats.messagesReceived;
    },
    get inboxBytes() {
      return socket.stats.inboxBytes;
    },
    end: () => {
      lease.unsubscribe();
      socket.terminate();
      return end();
    },
  });
}
