import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, VirtualTimeScheduler } from 'rxjs';
import { type ServeOptions, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { rawPeers } from '../support/raw-peers.js';
import { echo, run } from '../support/running-server.js';
import { serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();
const { connect, connectTls } = rawPeers(atEnd);

async function start(options: ServeOptions): Promise<{ port: number; stop: () => void }> {
  const { port, subscription } = await run(serve({ port: 0, host: '127.0.0.1', ...options }), echo);
  atEnd(() => subscription.unsubscribe());
  return { port, stop: () => subscription.unsubscribe() };
}

/** What the diagnostics report meanwhile. */
function reports(): string[] {
  const messages: string[] = [];
  const note = (message: unknown): number => messages.push((message as { error: Error }).error.message);
  subscribe('sluice:server-error', note);
  atEnd(() => unsubscribe('sluice:server-error', note));
  return messages;
}

/** The sockets that servers of this process accept. */
function accepted(): Socket[] {
  const sockets: Socket[] = [];
  const note = (message: unknown): number => sockets.push((message as { socket: Socket }).socket);
  subscribe('net.server.socket', note);
  atEnd(() => unsubscribe('net.server.socket', note));
  return sockets;
}

describe('a socket that is not admitted', () => {
  it('is answered before it has sent anything, and without an HTTP parser', async () => {
    const { port } = await start({ maxConnections: 1 });
    const sockets = accepted();
    await connect(port);
    await until(() => sockets.length === 1);
    const refused = await connect(port);
    const response = await refused.response();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, ['5']]);
    expect(await refused.body(response)).toContain('reached its connection limit');
    expect(sockets.map((socket) => 'parser' in socket)).toEqual([true, false]);
  });

  it('gets its answer though it has sent its request, and goes within a second though it does not end', async () => {
    const { port } = await start({ maxConnections: 1 });
    const sockets = accepted();
    await connect(port);
    const refused = await connect(port);
    refused.write(handshake() + 'x'.repeat(10_000));
    expect((await refused.response()).status).toBe(503);
    await refused.ended();
    await until(() => sockets.length === 2);
    await once(sockets[1]!, 'close');
  });

  it('is reported with its address', async () => {
    const { port } = await start({ limitBy: { max: 1 } });
    const messages = reports();
    await connect(port);
    await (await connect(port)).response();
    expect(messages).toEqual([expect.stringMatching(/127\.0\.0\.1 was refused: 429/)]);
  });

  it('may reset while it waits', async () => {
    const { port } = await start({ maxConnections: 1 });
    const sockets = accepted();
    await connect(port);
    for (let round = 0; round < 50; round++) {
      const raw = await RawClient.connect(port);
      if (round % 2 === 0) raw.write(handshake());
      raw.reset();
    }
    await until(() => sockets.length === 51 && sockets.slice(1).every((socket) => socket.destroyed));
    expect(sockets[0]?.destroyed).toBe(false);
  });

  it('is reset without a word when very many are being told', async () => {
    // In time that stands still nobody is given up who does not end.
    const { port } = await start({ maxConnections: 1, scheduler: new VirtualTimeScheduler() });
    await connect(port);
    const stubborn = await Promise.all(Array.from({ length: 300 }, () => connect(port)));
    const answers = await Promise.all(
      stubborn.map((raw) =>
        raw.response().then(
          ({ status }) => status,
          () => raw.ending,
        ),
      ),
    );
    const count = (wanted: unknown): number => answers.filter((answer) => answer === wanted).length;
    expect([count(503), count('reset')]).toEqual([256, 44]);
  });

  it('is gone when the server stops', async () => {
    const { port, stop } = await start({ maxConnections: 1 });
    const sockets = accepted();
    const first = await connect(port);
    const second = await connect(port);
    await until(() => sockets.length === 2);
    stop();
    await Promise.all([first.ended(), second.ended()]);
  });

  it('is refused on a Unix socket too, where only maxConnections can count it', async () => {
    const path = join(tmpdir(), `sluice-door-${process.pid}.sock`);
    const server = serve({ socketPath: path, maxConnections: 2, limitBy: { max: 1 } });
    const listening = firstValueFrom(server.listening$);
    const subscription = server.subscribe();
    atEnd(() => subscription.unsubscribe());
    await listening;
    for (let count = 0; count < 2; count++) {
      const raw = await connect({ path });
      raw.write(handshake());
      expect((await raw.response()).status).toBe(101);
    }
    expect((await (await connect({ path })).response()).status).toBe(503);
  });
});

describe('over TLS', () => {
  it.each<[string, ServeOptions]>([
    ['maxConnections', { maxConnections: 1 }],
    ['limitBy', { limitBy: { max: 1 } }],
  ])(
    'a socket beyond %s is reset before the handshake of TLS, and its place is free when it is',
    async (_, options) => {
      const { port } = await start({ ...options, ...serverPair });
      for (let round = 0; round < 3; round++) {
        const raw = await RawClient.connectTls(port);
        raw.write(handshake());
        expect((await raw.response()).status).toBe(101);
        const refused = await connect(port);
        expect(await refused.ended()).toBe('reset');
        expect(refused.received).toHaveLength(0);
        await raw.close();
      }
    },
  );

  it('a key of the application is answered with 429', async () => {
    const { port } = await start({ limitBy: { max: 1, key: () => 'all' }, ...serverPair });
    const statuses: number[] = [];
    for (let count = 0; count < 2; count++) {
      const raw = await connectTls(port);
      raw.write(handshake());
      statuses.push((await raw.response()).status);
    }
    expect(statuses).toEqual([101, 429]);
  });
});

describe('a socket that is admitted', () => {
  it('counts from its connect on, whatever it sends', async () => {
    const { port } = await start({ maxConnections: 3 });
    await connect(port);
    await (await connect(port)).send('GET / HT');
    await (await connect(port)).send(handshake());
    expect((await (await connect(port)).response()).status).toBe(503);
  });

  it.each<[string, ServeOptions, typeof RawClient.connect]>([
    ['TCP', {}, RawClient.connect],
    ['TLS', serverPair, RawClient.connectTls],
  ])('loses nothing of what it sent while it waited for its place: over %s', async (_, options, dial) => {
    const { port } = await start({ maxConnections: 1, ...options });
    for (let round = 0; round < 30; round++) {
      const raw = await dial(port);
      raw.write(Buffer.concat([Buffer.from(handshake()), wire('server', [text('hi')])]));
      expect((await raw.response()).status).toBe(101);
      expect((await raw.frame()).payload.toString()).toBe('hi');
      // The next one comes while this one is still being closed.
      raw.socket.destroy();
    }
  });

  it('is a plain request too, until it has its 426', async () => {
    const { port } = await start({ maxConnections: 1 });
    for (let round = 0; round < 5; round++) {
      const raw = await connect(port);
      raw.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await raw.response()).status).toBe(426);
      raw.end();
      await raw.ended();
      await raw.close();
    }
  });

  it('gives its place back when it was late with its request', async () => {
    const { port } = await start({ maxConnections: 1, handshakeTimeout: 30 });
    const silent = await connect(port);
    expect((await silent.response()).status).toBe(408);
    await silent.close();
    const raw = await connect(port);
    raw.write(handshake());
    expect((await raw.response()).status).toBe(101);
  });
});
