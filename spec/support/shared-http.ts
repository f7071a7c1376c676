/** An HTTP server of the application, which others share, and raw peers of it. */

import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type HandshakeParts, handshake, RawClient } from './raw-client.js';
import { serverPair } from './tls.js';
import { until } from './until.js';

/** What carries HTTP. */
export type Carrier = 'http' | 'https' | 'unix';

/** A running server. */
export interface SharedHttp {
  readonly server: Server;
  dial(): Promise<RawClient>;
  /** Dials, and sends a handshake. */
  ask(parts?: HandshakeParts): Promise<RawClient>;
  /** The status of the answer to a handshake for `path`. */
  status(path: string): Promise<number>;
  /** Waits until no connection is left. */
  gone(): Promise<void>;
}

/** Starts a server; `atEnd` registers how to end it. */
export async function sharedHttp(
  atEnd: (end: () => unknown) => void,
  listener: RequestListener = (_request, response) => void response.end(),
  carrier: Carrier = 'http',
): Promise<SharedHttp> {
  const server = carrier === 'https' ? createTlsServer(serverPair, listener) : createServer(listener);
  const path = join(tmpdir(), `sluice-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
  await new Promise<void>((resolve) => {
    if (carrier === 'unix') server.listen(path, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  const open = new Set<Duplex>();
  server.on(carrier === 'https' ? 'secureConnection' : 'connection', (socket: Duplex) => {
    // One that is given back comes a second time.
    if (open.has(socket)) return;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  atEnd(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  });
  const dial = async (): Promise<RawClient> => {
    const place = carrier === 'unix' ? { path } : (server.address() as AddressInfo).port;
    const raw = await (carrier === 'https' ? RawClient.connectTls(place) : RawClient.connect(place));
    atEnd(() => raw.close());
    return raw;
  };
  const ask = async (parts: HandshakeParts = {}): Promise<RawClient> => {
    const raw = await dial();
    raw.write(handshake(parts));
    return raw;
  };
  return {
    server,
    dial,
    ask,
    status: async (url) => (await (await ask({ path: url })).response()).status,
    gone: () => until(() => open.size === 0),
  };
}
