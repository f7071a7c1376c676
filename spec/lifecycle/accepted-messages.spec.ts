/**
 * What `trySend` has accepted is delivered, or counts as dropped, however both ends close: RFC 6455 §5.5.1 lets an endpoint delay its Close
 * frame "until its current message is sent", and the messages before it were accepted.
 */
import { firstValueFrom, NEVER, Subject } from 'rxjs';
import { type Connection, fragments, type Outgoing, openConnection, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { close, text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

type AnyConnection = Connection<unknown, unknown>;

/** A payload that compresses, and is not the same for two sizes. */
const filled = (size: number): string => `${size} `.repeat(Math.ceil(size / 6)).slice(0, size);

const kinds: Readonly<Record<string, (size: number) => Outgoing>> = {
  text: (size) => filled(size),
  binary: (size) => Buffer.from(filled(size)),
  'a Blob': (size) => new Blob([filled(size)]),
  'fragments of known length': (size) => fragments([filled(size), filled(size)]),
};

const sizes = {
  'plain, 300 000 bytes': [300_000, false],
  'compressed, 2 000 bytes': [2_000, true],
  'compressed, 300 000 bytes': [300_000, true],
} as const;

/** Whoever closes, and when: right after the last message was accepted, or once the first one has arrived. */
const closers: Readonly<Record<string, (ends: { sender: AnyConnection; receiver: AnyConnection }) => void>> = {
  'the sender closes': ({ sender }) => sender.close(3000),
  'the receiver closes': ({ receiver }) => receiver.close(3000),
  'the receiver closes at the first message': ({ receiver }) =>
    void receiver.messages$.subscribe(() => receiver.close(3000)),
  'both close at once': ({ sender, receiver }) => {
    sender.close(3000);
    receiver.close(3000);
  },
};

describe.each(['server', 'client'] as const)('what a %s has accepted', (role) => {
  describe.each(Object.entries(sizes))('%s', (_, [size, isCompressed]) => {
    describe.each(Object.entries(kinds))('as %s', (__, make) => {
      it.each(Object.entries(closers))('is delivered to the last message when %s', async (___, closeThem) => {
        const { sender, receiver } = await ends(role, isCompressed);
        const seen: unknown[] = [];
        receiver.messages$.subscribe((message) => seen.push(message));
        const infos = Promise.all([sender, receiver].map(({ close$ }) => firstValueFrom(close$)));
        const results: string[] = [];
        for (const each of ['first', make(size), 'after', make(size + 1), 'last']) results.push(sender.trySend(each));
        closeThem({ sender, receiver });
        for (const { code, wasClean } of await infos)
          expect({ code, wasClean }).toEqual({ code: 3000, wasClean: true });
        expect(results.filter((result) => result === 'sent' || result === 'buffered')).toHaveLength(5);
        expect({ count: seen.length, last: seen.at(-1), dropped: sender.stats.messagesDropped }).toEqual({
          count: 5,
          last: 'last',
          dropped: 0,
        });
      });
    });
  });
});

describe('messages whose end nobody knows', () => {
  it('are given up when the peer closes, count as dropped, and take nothing with them before they have begun', async () => {
    const { sender, receiver } = await ends('server', true);
    const seen: unknown[] = [];
    receiver.messages$.subscribe((message) => seen.push(message));
    const parts = new Subject<string>();
    for (const each of ['before', fragments(NEVER), fragments(parts), 'x'.repeat(100_000), 'after'])
      sender.trySend(each);
    receiver.close(3000);
    expect(await firstValueFrom(receiver.close$)).toMatchObject({ code: 3000, wasClean: true });
    expect({ count: seen.length, last: seen.at(-1), dropped: sender.stats.messagesDropped }).toEqual({
      count: 3,
      last: 'after',
      dropped: 2,
    });
    expect(parts.observed).toBe(false);
  });

  it('are given up with all behind them once they have begun', async () => {
    const { sender, receiver } = await ends('server', true);
    const seen: unknown[] = [];
    receiver.messages$.subscribe((message) => seen.push(message));
    const parts = new Subject<string>();
    for (const each of ['before', fragments(parts), 'after', 'last']) sender.trySend(each);
    parts.next('a part');
    await until(() => seen.length === 1);
    receiver.close(3000);
    await firstValueFrom(receiver.close$);
    expect({ seen, dropped: sender.stats.messagesDropped }).toEqual({ seen: ['before'], dropped: 3 });
  });

  it('end within closeTimeout when they are ours and we close', async () => {
    const { sender, receiver } = await ends('server', false, { closeTimeout: 50 });
    for (const each of [fragments(NEVER), 'after']) sender.trySend(each);
    sender.close();
    await firstValueFrom(sender.close$);
    await firstValueFrom(receiver.close$);
    expect(sender.stats.messagesDropped).toBe(2);
  });
});

describe('an echo of 70 000 bytes, and a Close right behind them', () => {
  it('comes back before the Close, compressed in the thread pool', async () => {
    const server = serve({ port: 0 });
    const { port, subscription } = await run(server, (connection) => {
      connection.messages$.subscribe((message) => {
        connection.send.next(message);
        for (let i = 0; i < 5; i++) connection.send.next(`small ${i}`);
      });
    });
    atEnd(() => subscription.unsubscribe());
    const raw = await RawClient.connect(port);
    atEnd(() => raw.close());
    raw.write(handshake({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } }));
    await raw.response();
    raw.write(wire('server', [text('x'.repeat(70_000)), close(1000)]));
    const opcodes: number[] = [];
    while (opcodes.at(-1) !== 0x8) opcodes.push((await raw.frame()).opcode);
    expect(opcodes).toEqual([0x1, 0x1, 0x1, 0x1, 0x1, 0x1, 0x8]);
  });

  it('comes back where the peer ends its side without a Close', async () => {
    const server = serve({ port: 0, perMessageDeflate: false });
    const { port, subscription } = await run(server, (connection) => {
      connection.messages$.subscribe((message) => connection.send.next(message));
    });
    atEnd(() => subscription.unsubscribe());
    const raw = await RawClient.connect(port);
    atEnd(() => raw.close());
    raw.write(handshake());
    await raw.response();
    raw.socket.end(wire('server', [text('the last words')]));
    expect((await raw.frame()).payload.toString()).toBe('the last words');
  });
});

/** Two ends of one connection over TCP; the sender has this role. */
async function ends(
  role: 'server' | 'client',
  perMessageDeflate: boolean,
  options: { readonly closeTimeout?: number } = {},
): Promise<{ sender: AnyConnection; receiver: AnyConnection }> {
  const { port, subscription, connections } = await run(serve({ port: 0, perMessageDeflate, ...options }));
  atEnd(() => subscription.unsubscribe());
  const client: AnyConnection = await openConnection(`ws://127.0.0.1:${port}`, [], { perMessageDeflate, ...options });
  const server = connections[0] as AnyConnection;
  return role === 'server' ? { sender: server, receiver: client } : { sender: client, receiver: server };
}
