import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { connect, serve } from 'sluice';
import { WebSocket, WebSocketServer } from 'ws';
import type { Driver } from '../driver.js';
import { RecordedSource } from './recorded-source.js';
import { subjectOf } from './subject.js';
import { WsPeer } from './ws-peer.js';

/** What frames over a socket can do, whichever end they are at. */
const capabilities = {
  supports: { binary: true, ping: true, fragments: true, backpressure: true, compression: false },
  takesBytes: true,
  hasBackpressure: true,
  peerMayOmitCode: true,
  // More than the kernel keeps for both ends of a loopback connection.
  fill: 12 * 1_048_576,
  unsendable: { value: 5, code: 'UNSUPPORTED_DATA' },
  differences: [],
} as const;

/** So that `fill` waits, and is no overflow. */
const maxBufferedAmount = 64 * 1_048_576;

/** A connection of `serve`, whose peer is a client of `ws`. */
export const served: Driver = {
  name: 'frames over a socket, of serve()',
  ...capabilities,
  emittedBy: 'server',
  open: async (options) => {
    const server = serve({ port: 0, host: '127.0.0.1', maxBufferedAmount, ...options });
    const listening = firstValueFrom(server.listening$);
    const source = new RecordedSource(server);
    const { port } = (await listening) as AddressInfo;
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    const peer = new WsPeer(socket);
    await once(socket, 'open');
    return subjectOf(await source.first, peer, source, () => socket.terminate());
  },
};

/** A server of `ws`, and the peer that it makes of its first client. */
export async function wsServer(): Promise<{ url: string; peer: Promise<WsPeer>; end(): Promise<void> }> {
  const listener = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(listener, 'listening');
  return {
    url: `ws://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    peer: new Promise((resolve) => {
      listener.once('connection', (socket) => resolve(new WsPeer(socket)));
    }),
    end: () => {
      for (const client of listener.clients) client.terminate();
      return new Promise((resolve) => {
        listener.close(() => resolve());
      });
    },
  };
}

/** A connection of `connect`, whose peer is a connection of a server of `ws`. */
export const dialed: Driver = {
  name: 'frames over a socket, of connect()',
  ...capabilities,
  emittedBy: 'client',
  open: async (options) => {
    const server = await wsServer();
    const source = new RecordedSource(connect(server.url, [], { maxBufferedAmount, ...options }));
    const [conn, peer] = await Promise.all([source.first, server.peer]);
    return subjectOf(conn, peer, source, () => server.end());
  },
};
