import fc from 'fast-check';
import { firstValueFrom, lastValueFrom, tap, toArray } from 'rxjs';
import { type Connection, fragments, message, type Outgoing, type PerMessageDeflateOptions, serve } from 'sluice';
import { jsonText, noise } from '../support/compressible.js';
import { runs } from '../support/long.js';
import { Loopback } from '../support/loopback.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

const noisy = noise(200_000);
const json = jsonText(200_000);
const accents = 'é𝄞 '.repeat(2000);

/** A message in plain form, with what must arrive of it. */
interface Sample {
  readonly outgoing: () => Outgoing;
  readonly arrives: string | Buffer;
}

/** Bytes that tell which message they are, and go on with some of `source`. */
const bytesOf = (index: number, size: number, source: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${index}:`), source]).subarray(0, size);

function* partsOf<T extends { slice(start: number, end: number): T }>(
  whole: T,
  size: number,
  length: number,
): Generator<T> {
  for (let at = 0; at < length; at += size) yield whole.slice(at, at + size);
}

async function* slowly<T>(parts: Iterable<T>): AsyncGenerator<T> {
  for (const part of parts) {
    await Promise.resolve();
    yield part;
  }
}

type Draft = [kind: string, size: number, content: string, compress: boolean | undefined];

function sample([kind, size, content, compress]: Draft, index: number): Sample {
  const source = content === 'noise' ? noisy : Buffer.from(content === 'json' ? json : accents);
  const bytes = bytesOf(index, size, source);
  const text =
    content === 'noise' ? bytes.toString('latin1') : `${index}:${content === 'json' ? json : accents}`.slice(0, size);
  const options = compress === undefined ? {} : { compress };
  const partSize = Math.max(1, Math.ceil(size / 5));
  switch (kind) {
    case 'text':
      return { outgoing: () => (compress === undefined ? text : message(text, options)), arrives: asUtf8(text) };
    case 'binary':
      return { outgoing: () => (compress === undefined ? bytes : message(bytes, options)), arrives: bytes };
    case 'blob':
      return { outgoing: () => message(new Blob([bytes as Uint8Array<ArrayBuffer>]), options), arrives: bytes };
    case 'parts':
      return {
        outgoing: () => fragments(partsOf(bytes, partSize, size), { binary: true, ...options }),
        arrives: bytes,
      };
    default:
      return {
        outgoing: () => fragments(slowly(partsOf<string>(text, partSize, text.length)), { binary: false, ...options }),
        arrives: asUtf8(text),
      };
  }
}

/** A lone surrogate at the end becomes U+FFFD. */
const asUtf8 = (text: string): string => Buffer.from(text).toString();

const size = fc.constantFrom(
  0,
  1,
  3,
  64,
  125,
  126,
  255,
  256,
  257,
  300,
  1023,
  1024,
  5000,
  32_768,
  32_769,
  65_535,
  65_536,
  65_537,
  150_000,
);
const draft: fc.Arbitrary<Draft> = fc.tuple(
  fc.constantFrom('text', 'text', 'binary', 'binary', 'blob', 'parts', 'slow parts'),
  size,
  fc.constantFrom('json', 'json', 'noise', 'accents'),
  fc.constantFrom(undefined, undefined, true, false),
);
const bits = fc.constantFrom(8, 9, 12, 15);
const options: fc.Arbitrary<PerMessageDeflateOptions> = fc.record({
  serverNoContextTakeover: fc.boolean(),
  clientNoContextTakeover: fc.boolean(),
  serverMaxWindowBits: bits,
  clientMaxWindowBits: bits,
  threshold: fc.constantFrom(0, 100, 1024),
  level: fc.constantFrom(1, 6, 9),
});

/** Both ends of one connection: the one that sends, and the one that receives. */
interface Ends {
  readonly sender: Connection;
  readonly receiver: Connection;
}

let loopback = new Loopback();
afterEach(() => loopback.end());

type Policy = { overflow: 'drop-newest' | 'drop-oldest'; maxBufferedAmount: number } | Record<never, never>;

async function connected(
  server: PerMessageDeflateOptions,
  client: PerMessageDeflateOptions,
  role: string,
  policy: Policy,
): Promise<Ends> {
  await loopback.end();
  loopback = new Loopback();
  let accepted: Connection | undefined;
  const listening = serve<unknown>({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: server,
    maxPayload: 1_000_000,
    ...policy,
  });
  const pausing = tap((connection: Connection) => {
    accepted = connection;
    connection.pause();
  });
  const url = await loopback.serve(listening, (connections) => connections.pipe(pausing));
  const connecting = await loopback.connect(url, [], { perMessageDeflate: client, ...policy });
  connecting.pause();
  const ends = [accepted as Connection, connecting] as const;
  return role === 'server' ? { sender: ends[0], receiver: ends[1] } : { sender: ends[1], receiver: ends[0] };
}

async function received({ sender, receiver }: Ends, send: () => void): Promise<unknown[]> {
  const arrived = lastValueFrom(receiver.messages$.pipe(toArray()));
  receiver.resume();
  send();
  sender.close();
  const found = await arrived;
  expect(await firstValueFrom(receiver.close$)).toMatchObject({ code: 1000, wasClean: true });
  expect(sender.bufferedAmount).toBe(0);
  return found;
}

/** Whether the messages are equal: `expect` takes long to compare large ones. */
const same = (a: unknown, b: unknown): boolean =>
  typeof a === 'string' || typeof b === 'string' ? a === b : Buffer.compare(a as Buffer, b as Buffer) === 0;

const role = fc.constantFrom('server', 'client');
const drafts = fc.array(draft, { minLength: 1, maxLength: 14 });

describe('messages with any parameters on both sides', () => {
  it('arrive as they were sent, in order', async () => {
    await fc.assert(
      fc.asyncProperty(options, options, role, drafts, async (server, client, side, list) => {
        const ends = await connected(server, client, side, {});
        const samples = list.map(sample);
        const found = await received(ends, () => {
          for (const { outgoing } of samples) ends.sender.send.next(outgoing());
        });
        expect(found).toHaveLength(samples.length);
        for (const [at, { arrives }] of samples.entries()) expect([at, same(found[at], arrives)]).toEqual([at, true]);
      }),
      runs(150),
    );
  });

  it('arrive but for those that were dropped when they were sent', async () => {
    let dropped = 0;
    await fc.assert(
      fc.asyncProperty(options, role, drafts, async (own, side, list) => {
        const ends = await connected(own, own, side, { overflow: 'drop-newest', maxBufferedAmount: 80_000 });
        // A Blob comes first, so that all others wait.
        const samples = [['blob', 5000, 'json', undefined] as Draft, ...list, ...list].map(sample);
        const expected: (string | Buffer)[] = [];
        const found = await received(ends, () => {
          for (const { outgoing, arrives } of samples) {
            if (ends.sender.trySend(outgoing()) === 'dropped') dropped++;
            else expected.push(arrives);
          }
        });
        expect(found).toHaveLength(expected.length);
        for (const [at, arrives] of expected.entries()) expect([at, same(found[at], arrives)]).toEqual([at, true]);
      }),
      runs(80),
    );
    expect(dropped).toBeGreaterThan(0);
  });

  it('arrive but for those that made room, the others in order', async () => {
    let dropped = 0;
    await fc.assert(
      fc.asyncProperty(options, role, drafts, async (own, side, list) => {
        const ends = await connected(own, own, side, { overflow: 'drop-oldest', maxBufferedAmount: 80_000 });
        const samples = [['blob', 5000, 'json', undefined] as Draft, ...list, ...list].map(sample);
        const found = await received(ends, () => {
          for (const { outgoing } of samples) ends.sender.trySend(outgoing());
        });
        const { messagesDropped } = ends.sender.stats;
        dropped += messagesDropped;
        expect(found).toHaveLength(samples.length - messagesDropped);
        let at = 0;
        for (const each of found) {
          while (at < samples.length && !same(each, samples[at]!.arrives)) at++;
          expect(at++).toBeLessThan(samples.length);
        }
      }),
      runs(80),
    );
    expect(dropped).toBeGreaterThan(0);
  });
});
