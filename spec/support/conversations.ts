/** One suite for every pair of an end of ours and one that is not. */
import { firstValueFrom, from, Subject, take, toArray } from 'rxjs';
import { type CloseInfo, type Connection, fragments } from '../../src/index.js';
import type { Foreign } from './foreign.js';
import { allOr } from './long.js';

/** Both ends of a new connection. */
export type Ends = readonly [ours: Connection, theirs: Foreign];

/** What ours must allow, so that the largest messages pass. */
export const roomy = { maxPayload: 2 ** 25, maxBufferedAmount: 2 ** 27 } as const;

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 2 ** 20 + 1, ...allOr([2 ** 24], [])];

/** Every code point that can be in a text, a few thousand times, in every length of UTF-8. */
const allOfUnicode = Array.from({ length: 0x1100 }, (_, i) => i * 0x100 + (i % 0x100))
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code, 0x10ffff - (code % 0x1000), 0x7ff, 0x20ac))
  .join('');

/** Registers the suite: `pair` opens a connection, and whatever it needs is closed by the spec file. */
export function conversations(pair: () => Promise<Ends>, abilities: { readonly control: boolean }): void {
  it.each(['text', 'binary'])('exchanges %s of every size', async (kind) => {
    const [ours, theirs] = await pair();
    const received = firstValueFrom(ours.messages$.pipe(take(SIZES.length), toArray()));
    const sent = SIZES.map((size) => contentOf(kind, size));
    for (const content of sent) theirs.send(content);
    expectSame(await received, sent);
    for (const content of sent) {
      ours.send.next(content);
      expectSame([await theirs.next()], [content]);
    }
    await closeBoth(ours, theirs);
  });

  it('exchanges text of all of Unicode', async () => {
    const [ours, theirs] = await pair();
    ours.messages$.subscribe(ours.send);
    theirs.send(allOfUnicode);
    expectSame([await theirs.next()], [allOfUnicode]);
    await closeBoth(ours, theirs);
  });

  it('keeps 1000 messages in order, both ways at once', async () => {
    const [ours, theirs] = await pair();
    const received = firstValueFrom(ours.messages$.pipe(take(1000), toArray()));
    const names = (whose: string): string[] => Array.from({ length: 1000 }, (_, i) => `${whose} ${i}`);
    for (const name of names('theirs')) theirs.send(name);
    for (const name of names('ours')) ours.send.next(name);
    expectSame(await received, names('theirs'));
    for (const name of names('ours')) expect(await theirs.next()).toBe(name);
    await closeBoth(ours, theirs);
  });

  it('sends in fragments, with pings between where both can', async () => {
    const [ours, theirs] = await pair();
    const parts$ = new Subject<string>();
    ours.send.next(fragments(parts$));
    for (const part of ['ünï', '', 'cöde', '\u{1f600}']) {
      parts$.next(part);
      if (abilities.control) expect(await firstValueFrom(ours.ping())).toBeGreaterThanOrEqual(0);
    }
    parts$.complete();
    ours.send.next(fragments(from([Buffer.from('a'), Buffer.alloc(70_000, 'b')])));
    ours.send.next('whole');
    expectSame(
      [await theirs.next(), await theirs.next(), await theirs.next()],
      ['ünïcöde\u{1f600}', Buffer.from(`a${'b'.repeat(70_000)}`), 'whole'],
    );
    await closeBoth(ours, theirs);
  });

  if (abilities.control) controlConversations(pair);

  it.each([
    [1000, ''],
    [1000, 'done'],
    [3000, 'registered'],
    [4999, 'ünïcode: '.repeat(11)],
  ])('ends cleanly when they close first with %d %p', async (code, reason) => {
    const [ours, theirs] = await pair();
    const last = firstValueFrom(ours.messages$);
    theirs.send('last');
    theirs.close(code, reason);
    expect(await last).toBe('last');
    expect(await endOf(ours)).toEqual({ code, reason, wasClean: true, initiator: 'peer' });
    expect((await theirs.ended).code).toBe(code);
  });

  it('ends cleanly when they close first without a code', async () => {
    const [ours, theirs] = await pair();
    theirs.close();
    expect(await endOf(ours)).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'peer' });
    await theirs.ended;
  });

  it.each([
    [1000, ''],
    [1001, 'going away'],
    [3000, 'registered'],
    [4999, 'ünïcode: '.repeat(11)],
  ])('ends cleanly when we close first with %d %p', async (code, reason) => {
    const [ours, theirs] = await pair();
    ours.send.next('last');
    ours.close(code, reason);
    expect(await theirs.next()).toBe('last');
    expect(await theirs.ended).toEqual({ code, reason });
    expect(await endOf(ours)).toMatchObject({ code, wasClean: true, initiator: 'local' });
  });

  it('ends cleanly when both close at once', async () => {
    const [ours, theirs] = await pair();
    ours.close(4001);
    theirs.close(4002);
    expect(await endOf(ours)).toMatchObject({ wasClean: true });
    await theirs.ended;
  });
}

function controlConversations(pair: () => Promise<Ends>): void {
  it('takes a message in fragments with pings between, and answers each ping', async () => {
    const [ours, theirs] = await pair();
    const pings = firstValueFrom(ours.pings$.pipe(take(3), toArray()));
    const received = firstValueFrom(ours.messages$.pipe(take(3), toArray()));
    const emoji = Buffer.from('\u{1f600}');
    theirs.sendParts?.(['frag', 'ments', '', 'end']);
    theirs.send('between');
    theirs.sendParts?.([emoji.subarray(0, 1), emoji.subarray(1)]);
    expectSame(await received, ['fragmentsend', 'between', emoji]);
    expect((await pings).map((payload) => Buffer.from(payload).toString())).toEqual(['0', '1', '2']);
    await closeBoth(ours, theirs);
  });

  it('pings both ways while messages pass', async () => {
    const [ours, theirs] = await pair();
    ours.messages$.subscribe(ours.send);
    for (let i = 0; i < 20; i++) {
      theirs.send(`message ${i}`);
      const pong = theirs.ping?.(`ping ${i}`);
      expect(await firstValueFrom(ours.ping(`our ping ${i}`))).toBeGreaterThanOrEqual(0);
      expect(await pong).toBe(`ping ${i}`);
      expect(await theirs.next()).toBe(`message ${i}`);
    }
    await closeBoth(ours, theirs);
  });
}

function contentOf(kind: string, size: number): string | Buffer {
  return kind === 'text' ? '0123456789abcdef'.repeat(size / 16 + 1).slice(0, size) : Buffer.alloc(size, 'random\xff\0');
}

/** Matchers take seconds for megabytes. */
function expectSame(found: readonly unknown[], expected: readonly (string | Buffer)[]): void {
  const isSame = (value: unknown, index: number): boolean => {
    const content = expected[index];
    return typeof content === 'string' ? value === content : Buffer.isBuffer(value) && content?.equals(value) === true;
  };
  expect(found).toHaveLength(expected.length);
  expect(found.findIndex((value, index) => !isSame(value, index))).toBe(-1);
}

function endOf(ours: Connection): Promise<CloseInfo> {
  ours.messages$.subscribe();
  return firstValueFrom(ours.close$);
}

async function closeBoth(ours: Connection, theirs: Foreign): Promise<void> {
  theirs.close(1000);
  expect(await endOf(ours)).toMatchObject({ code: 1000, wasClean: true });
  expect((await theirs.ended).code).toBe(1000);
}
