import type { SchedulerLike } from 'rxjs';
import { UsageError } from '../protocol/errors.js';
import type { Connection, Message } from '../reactive/connection.js';
import { type ConnectionOptions, connectionSettings } from '../reactive/connection-settings.js';
import { PortConnection } from '../reactive/port-connection.js';
import { MemoryPort } from './memory-port.js';
import { testingScheduler } from './testing-scheduler.js';
import { Trampoline } from './trampoline.js';

/** Options of {@link connectionPair}. */
export interface ConnectionPairOptions<Data = undefined> {
  /** Connection options of the server's end. The heartbeat is off unless it is asked for: its timers never end by themselves. */
  readonly server?: ConnectionOptions;
  /** Connection options of the client's end. */
  readonly client?: ConnectionOptions;
  /** For `data` of the server's end. @default undefined */
  readonly data?: Data;
  /** For `url` of both ends. @default '/' */
  readonly url?: string;
  /** The agreed subprotocol. @default '' */
  readonly protocol?: string;
  /** Bytes on their way that either side takes in while nobody reads there; more count as `bufferedAmount` of the sender. @default 65_536 */
  readonly socketBuffer?: number;
  /** For both ends, where they name no other. @default virtual within `TestScheduler.run`, real elsewhere */
  readonly scheduler?: SchedulerLike;
}

/** Two connections that talk to each other. */
export interface ConnectionPair<Data = undefined> {
  /** The client's end: it masks its frames. */
  readonly client: Connection<undefined, Message>;
  /** The server's end. */
  readonly server: Connection<Data, Message>;
}

const ports = new WeakMap<object, MemoryPort>();

/**
 * A client and a server without a network: the real protocol, limits and flow control over memory. What one end sends has arrived at
 * the other when `send` returns, unless nobody reads there; the closing handshake takes no time. Two ends that echo each other do not
 * grow the stack. Within `TestScheduler.run` all its timers are virtual.
 *
 * @throws TypeError or RangeError for an option that is not allowed.
 * @example const { client, server } = connectionPair(); server.messages$.pipe(sendTo(server)).subscribe();
 */
export function connectionPair<Data = undefined>(options: ConnectionPairOptions<Data> = {}): ConnectionPair<Data> {
  const { scheduler = testingScheduler, socketBuffer = 65_536, url = '/', protocol = '', data } = options;
  const link = { scheduler, socketBuffer, trampoline: new Trampoline() };
  const [clientPort, serverPort] = MemoryPort.pair(link);
  const facts = { url, protocol, extensions: [], protocolVersion: 13, remoteAddress: undefined };
  const defaults = { scheduler, heartbeat: false } as const;
  const client = new PortConnection<undefined, Message>(
    clientPort,
    { ...facts, role: 'client', data: undefined },
    connectionSettings({ ...defaults, ...options.client }, 'client'),
  );
  const server = new PortConnection<Data, Message>(
    serverPort,
    { ...facts, role: 'server', data: data as Data },
    connectionSettings({ ...defaults, ...options.server }, 'server'),
  );
  ports.set(client, clientPort).set(server, serverPort);
  client.start();
  server.start();
  return { client, server };
}

/**
 * The end of the network that `conn` has.
 *
 * @throws UsageError NOT_A_PAIR where it is no end of a pair.
 */
export function portOf(fault: string, conn: object): MemoryPort {
  const port = ports.get(conn);
  if (port !== undefined) return port;
  throw new UsageError('NOT_A_PAIR', `${fault} got something else, allowed are the ends of a connectionPair`);
}
