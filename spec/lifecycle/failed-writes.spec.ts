/** What a write to a peer that has gone must not cost: what the peer had sent before. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { type CloseInfo, type Connection, type ServeOptions, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { close, type Frame, ping, text } from '../support/frames.js';
import { type LeavingPeerOptions, sendAndLeave } from '../support/leaving-peer.js';
import { guardProcess } from '../support/process-guard.js';
import { serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

const COUNT = 400;
/** More than the first read of 64 KiB, so that some of it is still in the kernel while the connection is held. */
const messages = Array.from({ length: COUNT }, (_, i) => text(`${i} ${'x'.repeat(240)}`));

const transports = ['TCP', 'TLS', 'a Unix socket'] as const;
type Transport = (typeof transports)[number];

describe.each(transports)('a held server whose peer sends 400 messages and goes (over %s)', (transport) => {
  it('gets all of them and the Close frame after a failed write, however late it wants them', async () => {
    const { connection, seen, release, info } = await left(transport, [...messages, close(1000, 'done')]);
    await writeUntilCut(connection);
    expect({ seen: seen.length, tried: connection.trySend('more'), ready: connection.send.isReady }).toEqual({
      seen: 0,
      tried: 'closed',
      ready: false,
    });
    release();
    expect(await info).toMatchObject({ code: 1000, reason: 'done', initiator: 'peer' });
    expect(seen).toEqual(messages.map(({ payload }) => payload.toString()));
  });

  it('gets all of them and then 1006 where the peer had sent no Close frame', async () => {
    const { connection, seen, release, info } = await left(transport, messages);
    await writeUntilCut(connection);
    release();
    expect(await info).toMatchObject({ code: 1006, wasClean: false, initiator: 'peer', error: { syscall: 'write' } });
    expect(seen).toHaveLength(COUNT);
  });

  it('gets all of them where the write that fails is the answer to a ping', async () => {
    const { seen, release, info } = await left(transport, [ping('a'), ...messages, ping('b'), close(4000)]);
    release();
    expect(await info).toMatchObject({ code: 4000 });
    expect(seen).toHaveLength(COUNT);
  });

  it('ends when it closes, though nobody wants the messages', async () => {
    const { connection, seen, info } = await left(transport, [...messages, close(1000)]);
    await writeUntilCut(connection);
    connection.close();
    expect(await info).toMatchObject({ code: 1000 });
    expect(seen).toEqual([]);
  });

  it('ends at once when it terminates, and drops what waits', async () => {
    const { connection, seen, release, info } = await left(transport, messages);
    await writeUntilCut(connection);
    connection.terminate();
    expect(await info).toMatchObject({ code: 1006, initiator: 'local' });
    release();
    expect(seen).toEqual([]);
  });
});

describe('a failed write', () => {
  it('ends the connection soon where reading goes on', async () => {
    const { connection, info } = await left('TCP', [text('a')], { isHeld: false });
    expect(await info).toMatchObject({ code: 1006, initiator: 'peer' });
    expect(connection.readyState).toBe(3);
  });

  it('completes ready$ and flush(), and counts what was not written as dropped', async () => {
    const { connection, release, info } = await left('TCP', messages);
    const events: string[] = [];
    connection.send.ready$.subscribe({ complete: () => events.push('ready$') });
    let accepted = 0;
    while (connection.trySend('x'.repeat(100_000)) === 'sent') accepted++;
    connection.flush().subscribe({ next: () => events.push('flushed'), complete: () => events.push('flush') });
    await until(() => connection.readyState !== 1);
    expect(events).toEqual(['ready$']);
    expect(connection.stats).toMatchObject({ messagesSent: accepted + 1 });
    expect(connection.stats.messagesDropped).toBeGreaterThan(0);
    release();
    await info;
    expect(events).toEqual(['ready$', 'flush']);
  });
});

interface Left {
  readonly connection: Connection<unknown, unknown>;
  readonly seen: unknown[];
  readonly release: () => void;
  readonly info: Promise<CloseInfo>;
}

/** A server connection whose peer has sent `frames` and is gone. Held, and paused after the first read, unless it is said otherwise. */
async function left(transport: Transport, frames: readonly Frame[], { isHeld = true } = {}): Promise<Left> {
  const { options, peer } = await placeOf(transport);
  const connections: Connection<unknown, unknown>[] = [];
  const seen: unknown[] = [];
  let release = (): void => {};
  const server = serve({ ...options, highWaterMark: 1_024, perMessageDeflate: false });
  const listening = firstValueFrom(server.listening$);
  const subscription = server.subscribe((connection) => {
    connections.push(connection);
    const hold = isHeld ? connection.hold() : undefined;
    release = () => hold?.unsubscribe();
    connection.messages$.subscribe((message) => seen.push(message));
  });
  atEnd(() => subscription.unsubscribe());
  const address = await listening;
  await sendAndLeave(peer(address), frames);
  await until(() => connections.length === 1);
  const connection = connections[0] as Connection<unknown, unknown>;
  return { connection, seen, release: () => release(), info: firstValueFrom(connection.close$) };
}

async function placeOf(
  transport: Transport,
): Promise<{ options: ServeOptions<never>; peer: (address: unknown) => LeavingPeerOptions }> {
  if (transport === 'a Unix socket') {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'server.sock');
    return { options: { socketPath: path }, peer: () => ({ place: { path } }) };
  }
  const portOf = (address: unknown): number => (address as { port: number }).port;
  const options = transport === 'TLS' ? { port: 0, ...serverPair } : { port: 0 };
  return { options, peer: (address) => ({ place: { port: portOf(address) }, secure: transport === 'TLS' }) };
}

/** The answer to the first write is a reset; one of the next fails. */
async function writeUntilCut(connection: Connection<unknown, unknown>): Promise<void> {
  await until(() => {
    connection.pong('still there?');
    return connection.readyState !== 1;
  });
}
