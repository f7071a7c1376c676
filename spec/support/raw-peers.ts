/** Raw peers and HTTP servers of one spec, that end after each test. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type HandshakeParts, handshake, type Place, RawClient } from './raw-client.js';

/** What {@link rawPeers} makes. */
export interface RawPeers {
  readonly connect: (place: Place) => Promise<RawClient>;
  readonly connectTls: (place: Place, options?: ConnectionOptions) => Promise<RawClient>;
  /** Connects, and sends a handshake. */
  readonly ask: (place: Place, parts?: HandshakeParts) => Promise<RawClient>;
  /** A peer whose handshake is done. */
  readonly open: (place: Place, parts?: HandshakeParts) => Promise<RawClient>;
  /** The status of the answer to a handshake. */
  readonly status: (place: Place, parts?: HandshakeParts) => Promise<number>;
}

/** Peers that `atEnd` closes. */
export function rawPeers(atEnd: (end: () => unknown) => void): RawPeers {
  const closed = async (connected: Promise<RawClient>): Promise<RawClient> => {
    const raw = await connected;
    atEnd(() => raw.close());
    return raw;
  };
  const connect: RawPeers['connect'] = (place) => closed(RawClient.connect(place));
  const ask: RawPeers['ask'] = async (place, parts) => {
    const raw = await connect(place);
    raw.write(handshake(parts));
    return raw;
  };
  return {
    connect,
    connectTls: (place, options) => closed(RawClient.connectTls(place, options)),
    ask,
    async open(place, parts) {
      const raw = await ask(place, parts);
      expect((await raw.response()).status).toBe(101);
      return raw;
    },
    status: async (place, parts) => (await (await ask(place, parts)).response()).status,
  };
}

/** The code of the Close frame that must come next. */
export async function closeCode(raw: RawClient): Promise<number> {
  const { opcode, payload } = await raw.frame();
  expect(opcode).toBe(8);
  return payload.readUInt16BE();
}

/** An HTTP server of the application, that listens on a free port, and that `atEnd` closes with all its connections. */
export async function httpServer(
  atEnd: (end: () => unknown) => void,
  listener: RequestListener = (_request, response) => void response.end('route'),
): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return server;
}

/** The TCP port of an address that has one. */
export function portOf(address: AddressInfo | string | null): number {
  return (address as AddressInfo).port;
}
