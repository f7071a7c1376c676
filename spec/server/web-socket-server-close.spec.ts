import { createServer } from 'node:http';
import { firstValueFrom, ignoreElements, lastValueFrom, NEVER, type Observable, VirtualTimeScheduler } from 'rxjs';
import { type Connection, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { httpServer, portOf, rawPeers } from '../support/raw-peers.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();
const { connect, open, status } = rawPeers(atEnd);
const anyPort = { port: 0, host: '127.0.0.1' } as const;

const completion = (server: Observable<unknown>): Promise<string> =>
  lastValueFrom(server.pipe(ignoreElements()), { defaultValue: 'completed' });

/** Reads a Close frame, answers it as a client does, and gives its code and reason. */
async function answerClose(raw: RawClient): Promise<string> {
  const { opcode, payload } = await raw.frame();
  expect(opcode).toBe(8);
  raw.write(Buffer.concat([Buffer.from([0x88, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  raw.end();
  return `${payload.readUInt16BE()} ${payload.toString('utf8', 2)}`;
}

describe('close()', () => {
  it('acts at the call, completes the server, and replays its result', async () => {
    const server = serve(anyPort);
    const completed = completion(server);
    const { port, connections } = await run(server);
    const peers = await Promise.all([open(port), open(port), open(port)]);
    const result = server.close();
    await completed;
    expect(server.address()).toBeNull();
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
    expect(await Promise.all(peers.map(answerClose))).toEqual(['1001 ', '1001 ', '1001 ']);
    expect([await lastValueFrom(result), await firstValueFrom(result)]).toEqual([{ remaining: 0 }, { remaining: 0 }]);
    expect(server.connections.size).toBe(0);
    for (const connection of connections) {
      expect(await firstValueFrom(connection.close$)).toEqual({
        code: 1001,
        reason: '',
        wasClean: true,
        initiator: 'local',
      });
    }
  });

  it('sends the code and the reason that it is given', async () => {
    const server = serve(anyPort);
    const raw = await open((await run(server)).port);
    server.close({ code: 1012, reason: 'back soon' });
    expect(await answerClose(raw)).toBe('1012 back soon');
  });

  it('keeps the grace when subscribers leave meanwhile', async () => {
    const server = serve(anyPort);
    const { port, subscription } = await run(server);
    const raw = await open(port);
    const result = lastValueFrom(server.close());
    subscription.unsubscribe();
    expect(server.connections.size).toBe(1);
    expect(await answerClose(raw)).toBe('1001 ');
    expect(await result).toEqual({ remaining: 0 });
  });

  it('terminates hundreds of dead peers after its timeout, and counts them', async () => {
    const scheduler = new VirtualTimeScheduler();
    const server = serve({ ...anyPort, scheduler, heartbeat: false });
    const { port } = await run(server);
    const peers = await Promise.all(Array.from({ length: 300 }, () => open(port)));
    const [alive] = peers;
    const answered = answerClose(alive!);
    const result = lastValueFrom(server.close({ timeout: 100 }));
    expect(await answered).toBe('1001 ');
    await until(() => server.connections.size === 299);
    scheduler.flush();
    expect(await result).toEqual({ remaining: 299 });
    await Promise.all(peers.map((raw) => raw.ended()));
    expect(server.connections.size).toBe(0);
  });

  it('spreads the Close frames over jitter', async () => {
    const server = serve(anyPort);
    const { port, connections } = await run(server);
    const peers = await Promise.all(Array.from({ length: 20 }, () => open(port)));
    const result = lastValueFrom(server.close({ jitter: 50 }));
    expect(connections.filter(({ readyState }) => readyState === 1).length).toBeGreaterThan(10);
    expect(new Set(await Promise.all(peers.map(answerClose)))).toEqual(new Set(['1001 ']));
    expect(await result).toEqual({ remaining: 0 });
  });

  it('refuses handshakes whose hooks have not decided with 503', async () => {
    const server = serve({ ...anyPort, authenticate: () => NEVER });
    const { port } = await run(server);
    const raw = await connect(port);
    const asked = new Promise((resolve) => {
      server.shouldHandle = () => {
        resolve(undefined);
        return true;
      };
    });
    raw.write(handshake());
    await asked;
    server.close();
    expect((await raw.response()).status).toBe(503);
  });

  it('is harmless on a server that does not run', async () => {
    const server = serve(anyPort);
    expect(await lastValueFrom(server.close())).toEqual({ remaining: 0 });
    const { subscription } = await run(server);
    subscription.unsubscribe();
    expect(await lastValueFrom(server.close())).toEqual({ remaining: 0 });
  });

  it.each([
    [TypeError, { code: '1001' as unknown as number }],
    [RangeError, { code: 1005 }],
    [RangeError, { code: 999 }],
    [RangeError, { reason: 'r'.repeat(124) }],
    [RangeError, { timeout: -1 }],
    [RangeError, { timeout: Number.NaN }],
    [TypeError, { timeout: '1' as unknown as number }],
    [RangeError, { jitter: Number.POSITIVE_INFINITY }],
  ])('throws %p for %p, and the server goes on', async (type, options) => {
    const server = serve(anyPort);
    const { port, subscription } = await run(server);
    expect(() => server.close(options)).toThrow(type);
    expect(await status(port)).toBe(101);
    subscription.unsubscribe();
  });

  it('is what await using calls', async () => {
    const server = serve(anyPort);
    const completed = completion(server);
    const raw = await open((await run(server)).port);
    const disposed = server[Symbol.asyncDispose]();
    expect(await answerClose(raw)).toBe('1001 ');
    await Promise.all([disposed, completed]);
  });
});

describe('close() on a server of others', () => {
  it('refuses newcomers with 503 while connections drain, then leaves the path to others', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ server: http });
    const { port } = await run(server);
    const raw = await open(port);
    const result = lastValueFrom(server.close());
    expect(await status(port)).toBe(503);
    await answerClose(raw);
    await result;
    expect([http.listening, http.listenerCount('upgrade')]).toEqual([true, 0]);
  });

  it('lets a new subscription take over at once', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ server: http });
    const { port } = await run(server);
    const raw = await open(port);
    const result = lastValueFrom(server.close());
    const again = await run(server);
    await open(port);
    expect(again.connections).toHaveLength(1);
    await answerClose(raw);
    await result;
    expect([await status(port), http.listenerCount('upgrade')]).toEqual([101, 1]);
    again.subscription.unsubscribe();
  });

  it('completes a new subscription too when that server closes while old connections drain', async () => {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const server = serve({ server: http });
    const { port, connections } = await run(server);
    await open(port);
    server.close();
    const completed = completion(server);
    http.close();
    connections[0]!.terminate();
    expect(await completed).toBe('completed');
  });
});

describe("the 'close' of a server of others", () => {
  it('completes the Observable and listening$, and may be followed by a new start', async () => {
    const http = createServer();
    const listen = (): Promise<void> => new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
    await listen();
    const server = serve({ server: http });
    const completed = completion(server);
    const listening = lastValueFrom(server.listening$);
    expect(await status(portOf(http.address()))).toBe(101);
    const address = http.address();
    http.close();
    for (const connection of server.connections) connection.terminate();
    expect([await completed, await listening]).toEqual(['completed', address]);
    await listen();
    const connections: Connection<unknown>[] = [];
    const subscription = server.subscribe((connection) => connections.push(connection));
    expect([await status(portOf(http.address())), connections.length]).toEqual([101, 1]);
    subscription.unsubscribe();
    connections[0]!.terminate();
    await new Promise((resolve) => http.close(resolve).closeAllConnections());
  });

  it('never comes from us', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ server: http });
    const { port, subscription } = await run(server);
    const raw = await open(port);
    subscription.unsubscribe();
    expect(await answerClose(raw)).toBe('1001 ');
    const plain = await connect(port);
    plain.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await plain.response()).status).toBe(200);
  });
});
