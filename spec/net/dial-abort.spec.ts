import type { AddressInfo, LookupFunction } from 'node:net';
import { Observable } from 'rxjs';
import { type ConnectOptions, type ConnectTarget, connect, serve } from 'sluice';
import { deferred, recordDial } from '../support/dial-record.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawPeer, rawServer, responseOf } from '../support/raw-server.js';

guardProcess();
afterEach(closeRawServers);

/** One phase of a dial: it is reached, and it never ends by itself. */
interface Phase {
  readonly phase: string;
  readonly begin: (reached: () => void) => Promise<Stuck>;
}

interface Stuck {
  readonly target: ConnectTarget;
  readonly options?: ConnectOptions;
  /** Resolves when the other side sees that the dial was given up. */
  readonly gone: () => Promise<unknown>;
}

function stuckAfter(script: (peer: RawPeer) => unknown, options: ConnectOptions = {}): Phase['begin'] {
  return async (reached) => {
    const server = await rawServer(async (peer) => {
      await script(peer);
      reached();
    });
    return { target: server.url, options, gone: () => Promise.all(server.peers.map((peer) => peer.ended)) };
  };
}

const phases: Phase[] = [
  {
    phase: 'the target is awaited',
    begin: async (reached) => {
      const dropped = deferred();
      const place$ = new Observable<string>(() => {
        reached();
        return dropped.resolve;
      });
      return { target: () => place$, gone: () => dropped.promise };
    },
  },
  {
    phase: 'the name is looked up',
    begin: async (reached) => {
      const server = await rawServer(() => {});
      let answer: () => void = () => {};
      const lookup = ((_name: string, { all }: { all?: boolean }, done: (...args: unknown[]) => void) => {
        const address = '127.0.0.1';
        answer = () => (all === true ? done(null, [{ address, family: 4 }]) : done(null, address, 4));
        reached();
      }) as unknown as LookupFunction;
      const gone = async (): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve));
        answer();
        // A later connection would come after one that was made by the answer.
        const next = recordDial(connect(server.url, { handshakeTimeout: 20 }));
        await next.failure;
        expect(server.peers).toHaveLength(1);
      };
      return { target: `ws://some.example:${server.port}`, options: { lookup }, gone };
    },
  },
  { phase: 'TCP is connected', begin: stuckAfter(() => {}) },
  {
    phase: 'TLS is set up',
    begin: async (reached) => {
      const server = await rawServer((peer) => void peer.socket.once('data', reached));
      return { target: server.url.replace('ws:', 'wss:'), gone: async () => server.peers[0]?.ended };
    },
  },
  { phase: 'the response is awaited', begin: stuckAfter((peer) => peer.request()) },
  {
    phase: 'the response drips',
    begin: stuckAfter(async (peer) => {
      const response = responseOf(await peer.request());
      let at = 0;
      const drip = (): void => {
        if (at < response.length - 1 && !peer.socket.destroyed)
          peer.socket.write(response.subarray(at, ++at), () => setImmediate(drip));
      };
      drip();
    }),
  },
  {
    phase: 'informational responses come',
    begin: stuckAfter(async (peer) => {
      await peer.request();
      peer.socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n');
    }),
  },
  {
    phase: 'a redirect is followed',
    begin: async (reached) => {
      const server = await rawServer(async (peer) => {
        const { line } = await peer.request();
        if (line.startsWith('GET /next ')) reached();
        else peer.socket.end('HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n');
      });
      const gone = (): Promise<unknown> => Promise.all(server.peers.map((peer) => peer.ended));
      return { target: server.url, options: { followRedirects: true }, gone };
    },
  },
  {
    phase: 'the body of a refusal drips',
    begin: stuckAfter(async (peer) => {
      await peer.request();
      peer.socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nwait');
    }),
  },
];

describe('giving up', () => {
  it.each(phases)('frees the socket, without a word, while $phase', async ({ begin }) => {
    const reached = deferred();
    const { target, options, gone } = await begin(reached.resolve);
    const dial = recordDial(connect(target, { ...options }));
    await reached.promise;
    dial.subscription.unsubscribe();
    await gone();
    expect(dial.log).toEqual([]);
  });

  it.each(phases)('fails after handshakeTimeout while $phase', async ({ begin }) => {
    const { target, options, gone } = await begin(() => {});
    const dial = recordDial(connect(target, { ...options, handshakeTimeout: 40 }));
    const error = await dial.failure;
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_TIMEOUT', status: 0, uptime: 0 });
    await gone();
    expect(dial.log).toEqual(['error']);
  });

  it('frees the socket when it comes in the same turn as the dial', async () => {
    const server = await rawServer(async (peer) => void (await peer.ended));
    const dial = recordDial(connect(server.url));
    dial.subscription.unsubscribe();
    const next = recordDial(connect(server.url, { handshakeTimeout: 20 }));
    await next.failure;
    await Promise.all(server.peers.map((peer) => peer.ended));
    expect(dial.log).toEqual([]);
  });

  it('leaves nothing behind, however often', async () => {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const serving = server.subscribe();
    const port = await new Promise<number>((resolve) =>
      server.listening$.subscribe((address) => resolve((address as AddressInfo).port)),
    );
    for (let round = 0; round < 20; round++) {
      const dials = Array.from({ length: 10 }, () => recordDial(connect(`ws://127.0.0.1:${port}`)));
      await new Promise((resolve) => setImmediate(resolve));
      for (const dial of dials) dial.subscription.unsubscribe();
    }
    const last = recordDial(connect(`ws://127.0.0.1:${port}`));
    (await last.opened).close();
    expect(await last.ending).toEqual({ kind: 'completed' });
    const ends = [...server.connections].map((each) => new Promise((resolve) => each.close$.subscribe(resolve)));
    await Promise.all(ends);
    expect(server.connections.size).toBe(0);
    serving.unsubscribe();
  });
});
