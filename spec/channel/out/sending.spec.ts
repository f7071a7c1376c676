import { createHash } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import { type Connection, fragments, type Message, type Outgoing, openConnection, serve } from 'sluice';
import { endAfterEach } from '../../support/end-after-each.js';
import { guardProcess } from '../../support/process-guard.js';
import { handshake, RawClient } from '../../support/raw-client.js';
import { closeRawServers, type RawPeer, type ReceivedFrame, rawServer } from '../../support/raw-server.js';
import { run } from '../../support/running-server.js';
import { ca, serverPair } from '../../support/tls.js';
import { until } from '../../support/until.js';

guardProcess();
const ends = endAfterEach();
afterEach(closeRawServers);

/** A client of ours, and the server's end of it, that reads bytes. */
async function rawPeered(): Promise<{ client: Connection; peer: RawPeer }> {
  const server = await rawServer((peer) => peer.accept().then(() => undefined));
  const client = (await openConnection(server.url, { closeTimeout: 100 })) as Connection;
  ends(() => client.terminate());
  return { client, peer: server.peers[0]! };
}

describe('the masks of a client (RFC 6455 §5.3)', () => {
  it('are fresh for each frame: 10 000 frames, control frames and parts among them', async () => {
    const { client, peer } = await rawPeered();
    for (let i = 0; i < 2000; i++) {
      client.send.next('text');
      client.send.next(Buffer.from('bytes'));
      client.pong('pong');
      client.send.next(fragments(['part']));
    }
    const frames: ReceivedFrame[] = [];
    while (frames.length < 10_000) frames.push(await peer.frame());
    expect(frames.every(({ masked }) => masked)).toBe(true);
    // Of 10 000 random keys 0.01 pairs are equal; three pairs come about once in ten million times.
    expect(new Set(frames.map(({ key }) => key)).size).toBeGreaterThan(9997);
    expect(new Set(frames.map(({ payload }) => payload.toString()))).toEqual(
      new Set(['text', 'bytes', 'pong', 'part', '']),
    );
  });

  it.each([10, 4096, 4097, 300_000])(
    'leave the bytes of the caller as they are, of which there are %i',
    async (size) => {
      const { client, peer } = await rawPeered();
      const bytes = Buffer.alloc(size, 'abc');
      client.send.next(bytes);
      client.send.next(fragments([bytes, bytes]));
      for (let i = 0; i < 3; i++) expect((await peer.frame()).payload.equals(bytes)).toBe(true);
      expect(bytes.equals(Buffer.alloc(size, 'abc'))).toBe(true);
    },
  );
});

describe('bytes that the caller changes after sending', () => {
  it('are sent as they were, when they are few', async () => {
    const { client, peer } = await rawPeered();
    const bytes = Buffer.from('before');
    client.send.next(bytes);
    bytes.write('after!');
    expect((await peer.frame()).payload.toString()).toBe('before');
  });
});

/** Messages of all kinds and sizes, in a mix that is the same each time. */
function* mixed(): Generator<Outgoing> {
  for (let i = 0; i < 120; i++) {
    const size = [0, 1, 125, 126, 4096, 4097, 16_385, 65_536, 200_000][(i * 5) % 9]!;
    const bytes = Buffer.alloc(size, `${i}.`);
    switch (i % 6) {
      case 0:
        yield bytes;
        break;
      case 1:
        yield new Blob([bytes]);
        break;
      case 2:
        yield fragments([bytes, `${i}`].map((part) => Buffer.from(part as string)));
        break;
      default:
        yield `${i} \u20ac ${bytes}`;
    }
  }
}

/** What a peer must receive for {@link mixed}, in few words. */
async function expected(): Promise<string[]> {
  const all: string[] = [];
  let i = 0;
  for (const item of mixed()) {
    if (typeof item === 'string') all.push(summary(item));
    else if (item instanceof Blob) all.push(summary(Buffer.from(await item.arrayBuffer())));
    else if (i % 6 === 0) all.push(summary(item as Buffer));
    else all.push(summary(Buffer.concat([...(item as unknown as { chunks: Buffer[] }).chunks])));
    i++;
  }
  return all;
}

function summary(message: Message): string {
  const digest = createHash('sha1').update(message).digest('hex');
  return `${typeof message === 'string' ? 'text' : 'binary'} of ${message.length}: ${digest}`;
}

describe('messages of all kinds, with pings between them', () => {
  it.each(['tcp', 'tls'] as const)('arrive in the order of sending, over %s, both ways', async (transport) => {
    const options = {
      port: 0,
      host: '127.0.0.1',
      maxPayload: 1_048_576,
      ...(transport === 'tls' && serverPair),
    };
    const server = await run(serve(options));
    ends(() => server.subscription.unsubscribe());
    const client = (await openConnection(`${transport === 'tls' ? 'wss' : 'ws'}://127.0.0.1:${server.port}`, {
      ca,
    })) as Connection;
    ends(() => client.terminate());
    for (const [from, to] of [
      [server.connections[0]!, client],
      [client, server.connections[0]!],
    ] as const) {
      const found: string[] = [];
      to.messages$.subscribe((message) => found.push(summary(message)));
      await firstValueFrom(from.flush());
      const pings: Promise<number>[] = [];
      for (const item of mixed()) {
        if (pings.length < 12) pings.push(firstValueFrom(from.ping()));
        from.send.next(item);
      }
      await Promise.all(pings);
      await until(() => found.length === 120);
      expect(found).toEqual(await expected());
      await until(() => from.bufferedAmount === 0);
    }
  });
});

describe('ready$ and bufferedAmount over TCP', () => {
  it('tell of a peer that stops reading, and of one that reads again', async () => {
    const server = await run(serve({ port: 0, host: '127.0.0.1', closeTimeout: 100 }));
    ends(() => server.subscription.unsubscribe());
    const client = await RawClient.connect(server.port);
    ends(() => client.close());
    client.write(handshake());
    await client.response();
    client.socket.pause();
    const connection = server.connections[0]!;
    const seen: (boolean | '|')[] = [];
    connection.send.ready$.subscribe({ next: (ready) => seen.push(ready), complete: () => seen.push('|') });
    let sent = 0;
    const chunk = Buffer.alloc(65_526);
    await until(() => {
      // On a busy machine the producer may have to rest before the peer is full.
      for (; connection.send.isReady; sent += 65_530) connection.send.next(chunk);
      return connection.bufferedAmount > 65_536;
    });
    expect(seen.at(-1)).toBe(false);
    expect(connection.bufferedAmount).toBe(connection.send.bufferedAmount);
    client.socket.removeAllListeners('data');
    client.socket.resume();
    await firstValueFrom(connection.flush());
    expect(seen.at(-1)).toBe(true);
    expect(connection.bufferedAmount).toBe(0);
    expect(connection.bytesSent).toBe(sent);
    connection.terminate();
    expect(seen.slice(-3)).toEqual([true, false, '|']);
    expect(seen.every((value, i) => value !== seen[i - 1])).toBe(true);
  });
});
