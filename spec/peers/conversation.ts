/** What is tried on each connection, whichever end opened it. */
import { isDeepStrictEqual } from 'node:util';
import { firstValueFrom, type Observable } from 'rxjs';
import { type Connection, fragments, type Message, type PerMessageDeflateOptions } from 'sluice';
import { inTime, type Lines } from './peer.js';

/** What is tried, in the order of the columns of the table. */
export const SUBJECTS = [
  'echo',
  'fragments',
  'compression',
  'context',
  'pings',
  'close',
  'subprotocol',
  'refusals',
  'proxy',
] as const;
export type Subject = (typeof SUBJECTS)[number];

/** What came of each: `ok`, `-` where the peer cannot do it, or what went wrong. */
export type Outcome = Partial<Record<Subject, string>>;

/** How a connection is compressed. */
export type Variant = 'plain' | 'compression' | 'context';

/** Our options for each variant. */
export const VARIANTS: Readonly<Record<Variant, { readonly perMessageDeflate: boolean | PerMessageDeflateOptions }>> = {
  plain: { perMessageDeflate: false },
  compression: { perMessageDeflate: true },
  context: { perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false, threshold: 0 } },
};

/** What a peer can do beside what each can. */
export interface Abilities {
  /** It can send a message in several frames. */
  readonly fragments?: boolean;
  /** It can send pings, and tells of pongs. */
  readonly pings?: boolean;
  /** It compresses what it sends. @default true */
  readonly compresses?: boolean;
  /** It compresses empty messages as RFC 7692 §7.2.3.6 says. @default true */
  readonly compressesEmpty?: boolean;
  /** It forgets its window when our answer says `client_no_context_takeover`. @default true */
  readonly forgets?: boolean;
  /** The subprotocol that is agreed on of `chat.v1` and `chat.v2`. */
  readonly protocol?: string;
}

/** Tries subjects, and keeps what came of each: the first thing that goes wrong counts. */
export class Findings {
  readonly outcome: Outcome = {};

  async check(subject: Subject, run: () => unknown): Promise<void> {
    try {
      await run();
      this.outcome[subject] ??= 'ok';
    } catch (error) {
      if ((this.outcome[subject] ?? 'ok') === 'ok') this.outcome[subject] = (error as Error).message;
    }
  }
}

/** @throws Error that shows both when they differ. */
export function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`${what}: expected ${excerpt(expected)}, found ${excerpt(found)}`);
}

function excerpt(value: unknown): string {
  const text = Buffer.isBuffer(value) ? `${value.length} bytes` : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

export function next<T>(what: string, values$: Observable<T>): Promise<T> {
  return inTime(what, firstValueFrom(values$));
}

const text = JSON.stringify(Array.from({ length: 24 }, (_, index) => ({ index, name: `name ${index * 7919}` })));

/** 1 MiB in bytes of UTF-8, which compresses well. */
const longText = `${'sluice '.repeat(149_796)}four`;

const messages: readonly (readonly [string, string | Buffer])[] = [
  ['text', 'a text'],
  ['text beyond ASCII', 'gr\u00fc\u00dfe \u20ac \u{1f30a}'],
  ['an empty text', ''],
  ['bytes', Buffer.from([0, 1, 127, 128, 255])],
  ['no bytes', Buffer.alloc(0)],
  ['70 000 bytes', Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * index) % 251))],
  ['1 MiB of text', longText],
  ['1 MiB of bytes', Buffer.alloc(1_048_576, 'sixteen bytes...')],
];

async function expectEcho(conn: Connection, what: string, sent: string | Buffer): Promise<void> {
  const answered = next(`echo of ${what}`, conn.messages$);
  conn.send.next(sent);
  expectEqual(`echo of ${what}`, await answered, sent);
}

async function expectAnswer(conn: Connection, command: string, expected: Message): Promise<void> {
  const answered = next(`answer to ${command}`, conn.messages$);
  conn.send.next(command);
  expectEqual(`answer to ${command}`, await answered, expected);
}

/** All that is tried while a connection is open. */
export async function converse(conn: Connection, variant: Variant, can: Abilities, findings: Findings): Promise<void> {
  const isPlain = variant === 'plain';
  await findings.check(isPlain ? 'echo' : variant, async () => {
    const tried = messages.filter(([, { length }]) => isPlain || can.compressesEmpty !== false || length > 0);
    for (const [what, sent] of tried) await expectEcho(conn, what, sent);
  });
  if (variant === 'compression') await findings.check(variant, () => expectSmall(conn, can.compresses ?? true));
  if (!isPlain) await findings.check(variant, () => expectContext(conn, variant === 'context'));
  await findings.check('fragments', () => exchangeFragments(conn, can));
  await findings.check('pings', () => exchangePings(conn, can));
  if (isPlain)
    await findings.check('subprotocol', () => expectEqual('subprotocol', conn.protocol, can.protocol ?? 'chat.v2'));
}

/** What was said above has taken at least 4 MiB of payload in both directions. */
function expectSmall(conn: Connection, compresses: boolean): void {
  const { bytesSent, bytesReceived } = conn;
  if (conn.extensions['permessage-deflate'] === undefined) throw new Error('compression was not agreed to');
  const isSmall = bytesSent < 500_000 && bytesReceived < 500_000 === compresses;
  if (!isSmall) throw new Error(`messages are not compressed: ${bytesSent} bytes out, ${bytesReceived} in`);
}

/** The same text again costs a few bytes where our window is kept, and comes back right in any case. */
async function expectContext(conn: Connection, isWanted: boolean): Promise<void> {
  const [agreed] = conn.extensions['permessage-deflate'] ?? [];
  if (agreed === undefined) throw new Error('compression was not agreed to');
  const isServer = conn.request !== undefined;
  const costs: number[] = [];
  for (let i = 0; i < 3; i++) {
    const before = conn.bytesSent;
    await expectEcho(conn, 'a text that was sent before', text);
    costs.push(conn.bytesSent - before);
  }
  const forgets = agreed[isServer ? 'server_no_context_takeover' : 'client_no_context_takeover'] === true;
  if (isWanted && !forgets && costs[2]! > costs[0]! / 2)
    throw new Error(`the window is not used: ${costs.join(', ')} bytes`);
}

async function exchangeFragments(conn: Connection, can: Abilities): Promise<void> {
  const answered = next('echo of fragments', conn.messages$);
  conn.send.next(fragments(['one, ', '', 'two, ', 'three']));
  expectEqual('echo of fragments', await answered, 'one, two, three');
  if (can.fragments === true) await expectAnswer(conn, '!parts', 'part one, part two, part three');
}

async function exchangePings(conn: Connection, can: Abilities): Promise<void> {
  await next('pong', conn.ping('from sluice'));
  if (can.pings !== true) return;
  const pinged = next('ping', conn.pings$);
  await expectAnswer(conn, '!ping hello', 'pong hello');
  expectEqual('ping', Buffer.from(await pinged).toString(), 'hello');
}

/** Ends a connection from our side. */
export async function closeOurs(conn: Connection, lines: Lines, findings: Findings): Promise<void> {
  await findings.check('close', async () => {
    const record = next('end', conn.close$);
    conn.close(4001, 'sluice g\u00f6es');
    expectEqual('what the peer says of our close', await lines.take('closed'), '4001 sluice g\u00f6es');
    const { code, wasClean } = await record;
    // Some answer with 1000, and most without the reason.
    expectEqual('our record of our close', { code, wasClean }, { code: code === 1000 ? 1000 : 4001, wasClean: true });
  });
}

/** Has the peer end a connection. */
export async function closeTheirs(conn: Connection, lines: Lines, findings: Findings): Promise<void> {
  await findings.check('close', async () => {
    const record = next('end', conn.close$);
    conn.send.next('!close 4002 the peer goes');
    const { code, reason, wasClean } = await record;
    expectEqual('their close', { code, reason, wasClean }, { code: 4002, reason: 'the peer goes', wasClean: true });
    // Some say the code that they sent, some the one that was echoed: it is the same.
    expectEqual('what the peer says of its close', (await lines.take('closed')).slice(0, 4), '4002');
  });
}

/** What a connection has agreed to about windows, in words. */
export function agreedContext(conn: Connection): string {
  const [agreed] = conn.extensions['permessage-deflate'] ?? [];
  if (agreed === undefined) return 'no compression';
  const ends = [
    agreed.server_no_context_takeover === true ? [] : ['server'],
    agreed.client_no_context_takeover === true ? [] : ['client'],
  ].flat();
  return ends.length === 0 ? 'no context' : `context of the ${ends.join(' and the ')}`;
}
