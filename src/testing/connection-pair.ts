import type { SchedulerLike } from 'rxjs';
import { Trampoline } from '../base/trampoline.js';
import type { CompressionOption } from '../channel/deflate-options.js';
import { connectionOver } from '../channel/open.js';
import { type ConnectionOptions, type ConnectionSettings, connectionSettings } from '../channel/settings.js';
import type { Connection, Message } from '../connection/connection.js';
import {
  type AcceptedDeflate,
  acceptDeflate,
  type DeflateParameters,
  deflateOffers,
  readDeflateAnswer,
} from '../protocol/deflate/deflate-negotiation.js';
import { UsageError } from '../protocol/errors.js';
import type { ExtensionOffer } from '../protocol/handshake/extensions.js';
import { MemoryPort } from './memory-port.js';
import { testingScheduler } from './testing-scheduler.js';

/** Options of {@link connectionPair}. */
export interface ConnectionPairOptions<Data = undefined> {
  /** Connection options of the server's end. The heartbeat is off by default, because its timers never end by themselves. */
  readonly server?: ConnectionOptions & CompressionOption;
  /** Connection options of the client's end. */
  readonly client?: ConnectionOptions & CompressionOption;
  /** For `data` of the server's end. @default undefined */
  readonly data?: Data;
  /** For `url` of both ends. @default '/' */
  readonly url?: string;
  /** The agreed subprotocol. @default '' */
  readonly protocol?: string;
  /** Bytes in transit that either side accepts while it does not read; more count as `bufferedAmount` of the sender. @default 65_536 */
  readonly socketBuffer?: number;
  /** For both ends, unless their own options name another. @default virtual within `TestScheduler.run`, real elsewhere */
  readonly scheduler?: SchedulerLike;
}

/** Two connections to each other, made by {@link connectionPair}. */
export interface ConnectionPair<Data = undefined> {
  /** The client's end: it masks its frames. */
  readonly client: Connection<undefined, Message>;
  /** The server's end. */
  readonly server: Connection<Data, Message>;
}

const ports = new WeakMap<object, MemoryPort>();

/**
 * Connects a client and a server without a network: with the real protocol, compression, limits and flow control, over memory. A message
 * has arrived at the other end when `send` returns, unless that end does not read. The closing handshake takes no time. The ends agree on
 * permessage-deflate as `serve` and `connect` do with the same options, and compress synchronously, however long a message is. Two ends
 * that echo each other do not grow the stack. Within `TestScheduler.run` all timers are virtual.
 *
 * @throws TypeError or RangeError for an invalid option.
 * @example const { client, server } = connectionPair(); server.messages$.pipe(sendTo(server)).subscribe();
 */
export function connectionPair<Data = undefined>(options: ConnectionPairOptions<Data> = {}): ConnectionPair<Data> {
  const { scheduler = testingScheduler, socketBuffer = 65_536, url = '/', protocol = '', data } = options;
  const link = { scheduler, socketBuffer, trampoline: new Trampoline() };
  const [clientPort, serverPort] = MemoryPort.pair(link);
  const defaults = { scheduler, heartbeat: false } as const;
  const ends = {
    client: synchronous(connectionSettings({ ...defaults, ...options.client }, 'client')),
    server: synchronous(connectionSettings({ ...defaults, ...options.server }, 'server')),
  };
  const { extensions, deflate } = agreement(ends);
  const facts = { url, protocol, extensions, protocolVersion: 13, remoteAddress: undefined };
  const client = connectionOver<undefined, Message>(
    clientPort,
    { ...facts, role: 'client', data: undefined, deflate: deflate?.client },
    ends.client,
  );
  const server = connectionOver<Data, Message>(
    serverPort,
    { ...facts, role: 'server', data: data as Data, deflate: deflate?.server },
    ends.server,
  );
  ports.set(client, clientPort).set(server, serverPort);
  client.start();
  server.start();
  return { client, server };
}

/** Compresses synchronously: a message from the thread pool would arrive in real time. */
function synchronous(settings: ConnectionSettings): ConnectionSettings {
  const { deflate } = settings;
  return deflate === undefined ? settings : { ...settings, deflate: { ...deflate, isSynchronous: true } };
}

/** Negotiates what the two ends agree on in a handshake: the extensions, and the parameters of permessage-deflate for each end. */
function agreement({ client, server }: Record<'client' | 'server', ConnectionSettings>): {
  readonly extensions: readonly ExtensionOffer[];
  readonly deflate?: Record<'client' | 'server', DeflateParameters>;
} {
  if (client.deflate === undefined || server.deflate === undefined) return { extensions: [] };
  // Our own offer permits any choice of the server.
  const { parameters, answer } = acceptDeflate(deflateOffers(client.deflate), server.deflate) as AcceptedDeflate;
  return {
    extensions: [answer],
    deflate: { client: readDeflateAnswer(answer, client.deflate), server: parameters },
  };
}

/**
 * Returns the port of `conn`, an end of a pair.
 *
 * @throws UsageError NOT_A_PAIR if it is not an end of a pair.
 */
export function portOf(fault: string, conn: object): MemoryPort {
  const port = ports.get(conn);
  if (port !== undefined) return port;
  throw new UsageError('NOT_A_PAIR', `${fault} needs an end of a connectionPair`);
}
