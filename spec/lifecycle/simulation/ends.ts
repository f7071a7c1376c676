import type { VirtualTimeScheduler } from 'rxjs';
import { Roster } from '../../../src/base/roster.js';
import { connectionOver } from '../../../src/channel/open.js';
import { connectionSettings } from '../../../src/channel/settings.js';
import type { Message } from '../../../src/connection/connection.js';
import type { IncomingMessage } from '../../../src/connection/incoming-message.js';
import type { LiveConnection } from '../../../src/connection/live-connection.js';
import type { UpgradeRequest } from '../../../src/net/upgrade-request.js';
import { Reception } from '../../../src/server/reception.js';
import { acceptSettings } from '../../../src/server/server-options.js';
import { ServerTally } from '../../../src/server/server-stats.js';
import { seeded } from '../../support/seeded.js';
import type { SimulatedPort } from './network.js';
import type { Schedule, Side } from './schedule.js';

export const CLOSE_TIMEOUT = 1_000;

type End = LiveConnection<undefined, Message>;

/** What a server keeps of its connections. */
export interface OpenReception {
  readonly reception: Reception<undefined, Message>;
  readonly connections: ReadonlySet<End>;
}

/** One end: of a server by the reception of its handshake, of a client as if `connect` had made it. */
export function endOver(
  port: SimulatedPort,
  side: Side,
  schedule: Schedule,
  scheduler: VirtualTimeScheduler,
): { readonly connection: End; readonly reception: OpenReception | undefined } {
  const { forgets, bits } = schedule.deflate ?? { forgets: true, bits: 15 };
  const parameters = {
    serverNoContextTakeover: forgets,
    clientNoContextTakeover: forgets,
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  };
  const {
    heartbeat,
    pausedTimeout,
    threshold,
    room: _room,
    synchronous: _sync,
    notices: _notices,
    ...rest
  } = schedule[side];
  const options = {
    ...rest,
    heartbeat: heartbeat ? { interval: 500, timeout: 300 } : (false as const),
    ...(pausedTimeout !== undefined && { pausedTimeout }),
    closeTimeout: CLOSE_TIMEOUT,
    scheduler,
    perMessageDeflate: { ...parameters, threshold, level: 1 },
  };
  const random = seeded(schedule.steps.length + (side === 'server' ? 1 : 0));
  if (side === 'server') return received(port, schedule.deflate !== undefined, { ...acceptSettings(options), random });
  const facts = {
    role: side,
    data: undefined,
    url: '/',
    protocol: '',
    extensions: [],
    deflate: schedule.deflate === undefined ? undefined : parameters,
    protocolVersion: 13,
    remoteAddress: undefined,
  };
  const settings = { ...connectionSettings(options, side), random };
  return { connection: connectionOver(port, facts, settings), reception: undefined };
}

function received(
  port: SimulatedPort,
  isCompressed: boolean,
  settings: ReturnType<typeof acceptSettings>,
): { connection: End; reception: OpenReception } {
  const connections = new Roster<End>();
  const emitted: End[] = [];
  const books = { connections, admission: undefined, tally: new ServerTally() };
  const reception = new Reception<undefined, Message>(settings, books, (connection) => emitted.push(connection));
  reception.receive(requestOver(port, isCompressed));
  const [connection] = emitted;
  if (connection === undefined) throw new Error('the handshake was refused');
  return { connection, reception: { reception, connections: connections.set } };
}

/** A handshake whose transport is `port`. */
function requestOver(port: SimulatedPort, isCompressed: boolean): UpgradeRequest {
  const fields = ['Host', 'a', 'Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Version', '13'];
  const key = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];
  const offer = isCompressed ? ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'] : [];
  const request = { url: '/' } as IncomingMessage;
  return {
    head: { method: 'GET', path: '/', httpVersion: '1.1', rawHeaders: [...fields, ...key, ...offer] },
    request,
    kept: { url: '/', request },
    remoteAddress: undefined,
    localAddress: undefined,
    secure: false,
    hasClientCertificate: false,
    startedAt: 0,
    isAdmitted: true,
    whenClosed: () => {},
    watch: () => {},
    accept: () => port,
    refuse: ({ status }) => {
      throw new Error(`refused with ${status}`);
    },
  };
}
