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
  deflateOffer,
  readDeflateAnswer,
} from '../protocol/deflate/deflate-negotiation.js';
import { UsageError } from '../protocol/errors.js';
import type { ExtensionOffer } from '../protocol/handshake/extensions.js';
import { MemoryPort } from './memory-port.js';
import { testingScheduler } from './testing-scheduler.js';

/** Options of {@link connectionPair}. */
export interface ConnectionPairOptions<Data = undefined> {
  /** Connection options of the server's end. The heartbeat is off unless it is asked for: its timers never end by themselves. */
  readonly server?: ConnectionOptions & CompressionOption;
  /** Connection options of the client's end. */
  readonly client?: ConnectionOptions & CompressionOption;
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
 * A client and a server without a network: the real protocol, compression, limits and flow control over memory. What one end sends has
 * arrived at the other when `send` returns, unless nobody reads there; the closing handshake takes no time. They agree to
 * permessage-deflate as `serve` and `connect` do with the same options, and compress on the spot, however long a message is. Two ends
 * that echo each other do not grow the stack. Within `TestScheduler.run` all its timers are virtual.
 *
 * @throws TypeError or RangeError for an option that is not allowed.
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

/** A message of the thread pool would arrive in real time. */
function synchronous(settings: ConnectionSettings): ConnectionSettings {
  const { deflate } = settings;
  return deflate === undefined ? settings : { ...settings, deflate: { ...deflate, isSynchronous: true } };
}

/** What the two ends agree to in their handshake: the extensions, and what each makes of permessage-deflate. */
function agreement({ client, server }: Record<'client' | 'server', ConnectionSettings>): {
  readonly extensions: readonly ExtensionOffer[];
  readonly deflate?: Record<'client' | 'server', DeflateParameters>;
} {
  if (client.deflate === undefined || server.deflate === undefined) return { extensions: [] };
  // Our own offer leaves the server any choice.
  const { parameters, answer } = acceptDeflate([deflateOffer(client.deflate)], server.deflate) as AcceptedDeflate;
  return {
    extensions: [answer],
    deflate: { client: readDeflateAnswer(answer, client.deflate), server: parameters },
  };
}

/**
 * The end of the network that `conn` has.
 *
 * @throws UsageError NOT_A_PAIR where it is no end of a pair.
 */
export function portOf(fault: string, conn: object): MemoryPort {
  const port = ports.get(conn);
  if (port !== undefined) return port;
  throw new UsageError('NOT_A_PAIR', `${fault} needs an end of a connectionPair`);
}
