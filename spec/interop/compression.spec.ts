import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  type Connection,
  fragments,
  type Message,
  type Outgoing,
  openConnection,
  type PerMessageDeflateOptions,
  serve,
} from 'sluice';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { jsonText, noise } from '../support/compressible.js';
import { endAfterEach } from '../support/end-after-each.js';
import { isLong } from '../support/long.js';
import { guardProcess } from '../support/process-guard.js';
import { run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();

type Parameters = Required<
  Pick<
    PerMessageDeflateOptions,
    'serverNoContextTakeover' | 'clientNoContextTakeover' | 'serverMaxWindowBits' | 'clientMaxWindowBits'
  >
>;

interface Pair {
  readonly ours: Connection;
  readonly theirs: WebSocket;
}

/** Two sources of messages that differ from one another in some places. */
const json = [1, 2].map((seed) => jsonText(200_000, seed));
const bytes = noise(140_000);

/** The message of this number: JSON, sometimes bytes that do not compress. */
function messageOf(index: number, size: number): string | Buffer {
  if (index % 23 === 7) return bytes.subarray(index, index + size);
  const at = (index * 37) % 1000;
  return json[index % 2]!.slice(at, at + size);
}

async function oursServes(parameters: Parameters): Promise<Pair> {
  const server = serve({ port: 0, host: '127.0.0.1', perMessageDeflate: { ...parameters, threshold: 0 } });
  const { port, subscription, connections } = await run(server);
  atEnd(() => subscription.unsubscribe());
  // What the client asks for besides is the server's to decide.
  const theirs = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: { threshold: 0 } });
  await once(theirs, 'open');
  return { ours: connections[0]!, theirs };
}

async function theirsServes(parameters: Parameters): Promise<Pair> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: { ...parameters, threshold: 0 },
  });
  await once(server, 'listening');
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const perMessageDeflate = {
    ...parameters,
    // ws accepts a window of the server that is asked for only when it has none of its own.
    serverMaxWindowBits: 15,
    threshold: 0,
  };
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ours = await openConnection(url, [], { perMessageDeflate });
  const [theirs] = await accepted;
  return { ours, theirs };
}

/** `theirs` answers each message with itself; every sixth in parts. */
function answerAll(theirs: WebSocket): void {
  let index = 0;
  theirs.on('message', (data: RawData, isBinary: boolean) => {
    const payload = isBinary ? (data as Buffer) : data.toString();
    if (index++ % 6 !== 5) {
      theirs.send(payload);
      return;
    }
    const half = payload.length >> 1;
    theirs.send(payload.slice(0, half), { fin: false, binary: isBinary });
    theirs.send(payload.slice(half), { fin: true, binary: isBinary });
  });
}

function inParts(message: string | Buffer): Outgoing {
  const third = Math.ceil(message.length / 3);
  const parts = [0, 1, 2].map((part) => message.slice(part * third, (part + 1) * third));
  return fragments(parts as string[], { binary: typeof message !== 'string' });
}

/** Sends messages of `sizeOf` their number through `theirs` and back, and checks each; every fifth is sent in parts. */
async function exchange({ ours, theirs }: Pair, count: number, sizeOf: (index: number) => number): Promise<void> {
  answerAll(theirs);
  const all = new Promise<void>((resolve, reject) => {
    let received = 0;
    ours.messages$.subscribe({
      next: (message: Message) => {
        const expected = messageOf(received, sizeOf(received));
        const isSame =
          typeof message === 'string' || typeof expected === 'string'
            ? message === expected
            : Buffer.compare(message, expected) === 0;
        if (!isSame) reject(new Error(`message ${received} is not what was sent`));
        if (++received === count) resolve();
      },
      complete: () => reject(new Error(`ended after ${received} messages`)),
    });
  });
  function* messages(): Generator<Outgoing> {
    for (let index = 0; index < count; index++) {
      const message = messageOf(index, sizeOf(index));
      yield index % 5 === 4 ? inParts(message) : message;
    }
  }
  ours.sendFrom(messages()).subscribe();
  await all;
  ours.terminate();
  theirs.terminate();
}

const both = [true, false];
const windows = [15, 9];
const combinations = both.flatMap((serverNoContextTakeover) =>
  both.flatMap((clientNoContextTakeover) =>
    windows.flatMap((serverMaxWindowBits) =>
      windows.map((clientMaxWindowBits) => ({
        serverNoContextTakeover,
        clientNoContextTakeover,
        serverMaxWindowBits,
        clientMaxWindowBits,
      })),
    ),
  ),
);

/** Mostly small, some as large as two windows and more. */
const mixed = [16, 64, 256, 1024, 16, 64, 256, 1024, 4096];
const large = [8192, 16_384, 32_768, 65_536, 131_072];
const mixedSize = (index: number): number =>
  index % 40 === 39 ? large[Math.floor(index / 40) % large.length]! : mixed[index % mixed.length]!;

const roles: [string, (parameters: Parameters) => Promise<Pair>, boolean][] = [
  ['a client of ws', oursServes, true],
  ['a server of ws', theirsServes, false],
];

describe.each(roles)('compressed messages through %s', (_, connect, forgets) => {
  const named = combinations.map((parameters) => [Object.values(parameters).join(', '), parameters] as const);
  it.each(named)('come back unchanged: %s', async (_, parameters) => {
    const pair = await connect(parameters);
    const agreed = pair.ours.extensions['permessage-deflate']?.[0];
    expect({
      serverNoContextTakeover: agreed?.server_no_context_takeover ?? false,
      clientNoContextTakeover: agreed?.client_no_context_takeover ?? false,
      serverMaxWindowBits: agreed?.server_max_window_bits ?? 15,
      clientMaxWindowBits: agreed?.client_max_window_bits ?? 15,
    }).toEqual(parameters);
    await exchange(pair, isLong ? 1000 : 80, mixedSize);
  });

  const parameters = {
    serverNoContextTakeover: forgets,
    clientNoContextTakeover: forgets,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  const sizes = [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072];
  it.each(sizes)('come back unchanged: many of %d bytes', async (size) => {
    await exchange(await connect(parameters), isLong ? 1000 : 20, () => size);
  });
});
