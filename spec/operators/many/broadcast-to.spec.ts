import * as zlib from 'node:zlib';
import { expectTypeOf } from 'expect-type';
import { firstValueFrom, range, take, toArray } from 'rxjs';
import { type BroadcastResult, broadcastTo, type Connection, message, type Outgoing, serve, UsageError } from 'sluice';
import { jsonText } from '../../support/compressible.js';
import { Loopback } from '../../support/loopback.js';
import { membersOf, readBy, stall } from '../../support/members.js';
import { memoryConnection } from '../../support/memory-connection.js';
import { guardProcess } from '../../support/process-guard.js';
import { run } from '../../support/running-server.js';

jest.mock('node:zlib', () => {
  const actual = jest.requireActual<typeof zlib>('node:zlib');
  return { ...actual, deflateRawSync: jest.fn(actual.deflateRawSync) };
});

const nobody: BroadcastResult = { sent: 0, buffered: 0, dropped: 0, closed: 0 };

describe('broadcastTo', () => {
  it('sends to each connection, and counts', () => {
    const members = membersOf(3);
    expect(broadcastTo(connectionsOf(members), 'a')).toEqual({ ...nobody, sent: 3 });
    expect(broadcastTo(new Set(connectionsOf(members)), Buffer.from('b'))).toEqual({ ...nobody, sent: 3 });
    expect(members.map(readBy)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(members.map(({ connection }) => connection.stats.messagesSent)).toEqual([2, 2, 2]);
    expect(broadcastTo([], 'c')).toEqual(nobody);
  });

  it('leaves out one connection, or a set of them', () => {
    const members = membersOf(3);
    const [first, second, third] = connectionsOf(members);
    expect(broadcastTo([first!, second!, third!], 'a', { except: first! }).sent).toBe(2);
    expect(broadcastTo([first!, second!, third!], 'b', { except: new Set([first!, third!]) }).sent).toBe(1);
    expect(members.map(readBy)).toEqual([[], ['a', 'b'], ['a']]);
  });

  it('counts those that are closing or closed, and sends to the others', () => {
    const members = membersOf(3);
    members[0]!.connection.close();
    members[1]!.connection.terminate();
    expect(broadcastTo(connectionsOf(members), 'a')).toEqual({ ...nobody, sent: 1, closed: 2 });
    expect(readBy(members[2]!)).toEqual(['a']);
  });

  it('keeps the order with what else is sent to one of them', () => {
    const members = membersOf(2, { highWaterMark: 65_536 });
    const { connection } = members[0]!;
    const steps = ['a', '!b', 'c', 'd', '!e', '!f', 'g'];
    for (const step of steps) {
      if (step.startsWith('!')) connection.send.next(step);
      else broadcastTo(connectionsOf(members), step);
    }
    expect(readBy(members[0]!)).toEqual(steps);
    expect(readBy(members[1]!)).toEqual(steps.filter((step) => !step.startsWith('!')));
  });

  it('tells who listens to send what was handed over, as it was given', () => {
    const [member] = membersOf(1);
    const { connection } = member!;
    const handed: Outgoing[] = [];
    broadcastTo([connection], 'before');
    connection.send.subscribe((value) => handed.push(value));
    const binary = message('b', { binary: true });
    broadcastTo([connection], 'a');
    broadcastTo([connection], binary);
    expect(handed).toEqual(['a', binary]);
  });

  it('throws for a message that cannot be sent before anybody was sent anything', () => {
    const members = membersOf(2);
    expect(() => broadcastTo(connectionsOf(members), 5 as never)).toThrow(UsageError);
    expect(members.map(readBy)).toEqual([[], []]);
    expect(connectionsOf(members).map(({ readyState }) => readyState)).toEqual([1, 1]);
  });

  it('throws for an overflow that does not exist', () => {
    expect(() => broadcastTo([], 'a', { overflow: 'wait' as never })).toThrow(RangeError);
  });

  it('tells each outcome', () => {
    const members = membersOf(3);
    const [first, second, third] = connectionsOf(members);
    stall(members[1]!);
    third!.close();
    const seen: unknown[] = [];
    broadcastTo([first!, second!, third!], 'a', { onResult: (...args) => seen.push(args) });
    expect(seen).toEqual([
      ['sent', first, 'a'],
      ['buffered', second, 'a'],
      ['closed', third, 'a'],
    ]);
  });

  it('uses trySend of connections that are not of sluice', () => {
    const sent: number[] = [];
    const other = { trySend: (value: number) => sent.push(value) && 'sent' } as unknown as Connection<1, 2, number>;
    expect(broadcastTo([other], 7)).toEqual({ ...nobody, sent: 1 });
    expect(sent).toEqual([7]);
  });

  it('sends to those who were there when it was called, whatever happens meanwhile', () => {
    const members = membersOf(3);
    const group = new Set(connectionsOf(members).slice(0, 2));
    const late = members[2]!.connection;
    const onResult = (): void => {
      group.clear();
      group.add(late);
      members[1]!.connection.close();
    };
    expect(broadcastTo(group, 'a', { onResult })).toEqual({ ...nobody, sent: 1, closed: 1 });
    expect(members.map(readBy)).toEqual([['a'], ['close 1000'], []]);
  });

  it('takes the type of what the connections send', () => {
    const typed = [] as Connection<unknown, unknown, { id: number }>[];
    expectTypeOf(broadcastTo(typed, { id: 1 })).toEqualTypeOf<BroadcastResult>();
    // @ts-expect-error the connections do not send text
    broadcastTo(typed, 'a');
    // @ts-expect-error an Observable is not a message
    expect(() => broadcastTo([memoryConnection().connection], range(2))).toThrow(UsageError);
  });
});

describe('the policies for slow connections', () => {
  it("'buffer' lets it wait, up to the mark of the connection and its own policy", () => {
    const members = [
      ...membersOf(1),
      ...membersOf(1, { maxBufferedAmount: 110, overflow: 'drop-newest' }),
      ...membersOf(1, { maxBufferedAmount: 110 }),
    ];
    members.forEach(stall);
    expect(broadcastTo(connectionsOf(members), 'a long message')).toEqual({
      ...nobody,
      buffered: 1,
      dropped: 1,
      closed: 1,
    });
    for (const { port } of members) port.drain();
    expect(members.map(readBy)).toEqual([['a long message'], [], []]);
  });

  it("'drop' drops it where the connection is not ready", () => {
    const members = membersOf(2);
    stall(members[0]!);
    expect(broadcastTo(connectionsOf(members), 'a', { overflow: 'drop' })).toEqual({ ...nobody, sent: 1, dropped: 1 });
    members[0]!.port.drain();
    expect(broadcastTo(connectionsOf(members), 'b', { overflow: 'drop' })).toEqual({ ...nobody, sent: 2 });
    expect(members.map(readBy)).toEqual([['b'], ['a', 'b']]);
  });

  it("'latest' keeps the latest of each key, and sends them in the order in which they came", () => {
    const members = membersOf(2);
    stall(members[0]!);
    const send = (text: string): BroadcastResult =>
      broadcastTo(connectionsOf(members), text, { overflow: { latest: (each) => each.charAt(0) } });
    expect(['a1', 'b1', 'c1', 'a2', 'b2'].map(send)).toEqual(Array(5).fill({ ...nobody, sent: 1, buffered: 1 }));
    members[0]!.port.drain();
    expect(send('a3')).toEqual({ ...nobody, sent: 2 });
    expect(members.map(readBy)).toEqual([
      ['c1', 'a2', 'b2', 'a3'],
      ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'],
    ]);
  });

  it("'close' closes a connection that is not ready with 1013", () => {
    const members = membersOf(2);
    stall(members[0]!);
    expect(broadcastTo(connectionsOf(members), 'a', { overflow: 'close' })).toEqual({ ...nobody, sent: 1, closed: 1 });
    members[0]!.port.drain();
    expect(members.map(readBy)).toEqual([['close 1013'], ['a']]);
  });

  it.each(['drop', 'close', { latest: () => 0 }] as const)('are for open connections only: %s', (overflow) => {
    const [member] = membersOf(1);
    stall(member!);
    member!.connection.close();
    expect(broadcastTo([member!.connection], 'a', { overflow })).toEqual({ ...nobody, closed: 1 });
  });
});

describe('the work of a broadcast', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is framing once, and joining once for those who are sent the same', () => {
    const members = membersOf(100, { highWaterMark: 65_536 });
    const pieces: Uint8Array[][] = members.map(() => []);
    for (const [index, { port }] of members.entries()) {
      jest.spyOn(port, 'write').mockImplementation((each) => pieces[index]!.push(...each));
    }
    broadcastTo(connectionsOf(members), 'hello');
    broadcastTo(connectionsOf(members), 'x'.repeat(100_000));
    const [first, ...others] = pieces;
    expect(first!.length).toBeGreaterThan(0);
    for (const other of others) expect(other.every((piece, index) => piece === first![index])).toBe(true);
  });

  it('is masking for each on a client (RFC 6455 §5.3)', () => {
    const members = membersOf(2, { role: 'client' });
    expect(broadcastTo(connectionsOf(members), 'hello').sent).toBe(2);
    expect(members.map(({ port }) => port.frames[0])).toEqual(
      Array(2).fill(expect.objectContaining({ masked: true, payload: Buffer.from('hello') })),
    );
    const [first, second] = members.map(({ port }) => port.writes[0]!.subarray(2, 6).toString('hex'));
    expect(first).not.toBe(second);
  });

  it('is the same for many that read though one does not, which costs its mark and no more', () => {
    const members = membersOf(50, { overflow: 'drop-oldest', maxBufferedAmount: 10_000, highWaterMark: 1000 });
    const [stalled, ...others] = members;
    stall(stalled!);
    for (let index = 0; index < 2000; index++) broadcastTo(connectionsOf(members), `message ${index}`);
    const expected = Array.from({ length: 2000 }, (_, index) => `message ${index}`);
    for (const other of others) expect(readBy(other)).toEqual(expected);
    expect(stalled!.connection.bufferedAmount).toBeLessThanOrEqual(10_000);
    stalled!.port.drain();
    const late = readBy(stalled!);
    expect(late).toEqual(expected.slice(-late.length));
    expect(late.length).toBeGreaterThan(500);
  });

  it('keeps large messages once for all who wait', () => {
    const members = membersOf(3);
    members.forEach(stall);
    const data = Buffer.alloc(5000, 'a');
    broadcastTo(connectionsOf(members), data);
    data.fill('b');
    for (const { port } of members) port.drain();
    for (const { port } of members) expect(port.frames.at(-1)!.payload.equals(data)).toBe(true);
  });
});

describe('broadcastTo over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterEach(async () => {
    jest.restoreAllMocks();
    await loopback.end();
  });

  it('compresses once for all with the same parameters, and reaches clients with and without compression', async () => {
    const { port, subscription, connections } = await run(serve({ port: 0, host: '127.0.0.1' }));
    const clients: Connection[] = [];
    for (const perMessageDeflate of [true, true, true, false] as const) {
      clients.push(await loopback.connect(`ws://127.0.0.1:${port}`, [], { perMessageDeflate }));
    }
    const heard = clients.map((client) => firstValueFrom(client.messages$.pipe(take(3), toArray())));
    const deflates = jest.mocked(zlib.deflateRawSync).mockClear();
    const texts = [jsonText(5000), 'short', jsonText(3000, 2)];
    for (const text of texts) expect(broadcastTo(connections, text).sent).toBe(4);
    expect(deflates).toHaveBeenCalledTimes(2);
    expect(await Promise.all(heard)).toEqual(Array(4).fill(texts));
    subscription.unsubscribe();
  });
});

function connectionsOf(members: ReturnType<typeof membersOf>): (typeof members)[number]['connection'][] {
  return members.map(({ connection }) => connection);
}
