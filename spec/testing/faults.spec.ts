import fc from 'fast-check';
import type { CloseInfo, Connection } from 'sluice';
import { connectionPair, dropPongs, reset, splitEvery, stallReads, testConnection } from 'sluice/testing';
import { marbles } from '../support/marbles.js';

describe('stallReads', () => {
  it('keeps everything from arriving, until it is unsubscribed', () => {
    const { client, server } = connectionPair();
    const seen = seenBy(server);
    const stall = stallReads(server);
    const second = stallReads(server);
    for (const text of ['a', 'b']) client.send.next(text);
    stall.unsubscribe();
    stall.unsubscribe();
    expect(seen).toEqual([]);
    second.unsubscribe();
    expect(seen).toEqual(['a', 'b']);
  });

  it('fills the sender up to its limit', () =>
    marbles(({ flush }) => {
      const { client, server } = connectionPair({ server: { maxBufferedAmount: 100_000, perMessageDeflate: false } });
      const infos = infosOf(server);
      stallReads(client);
      for (let i = 0; i < 20; i++) server.send.next('x'.repeat(10_000));
      flush();
      expect(infos).toEqual([
        expect.objectContaining({ code: 1006, error: expect.objectContaining({ code: 'BUFFER_FULL' }) }),
      ]);
    }));

  it('lets a close run into its timeout', () =>
    marbles(({ scheduler, flush }) => {
      const { client, server } = connectionPair();
      const infos = infosOf(client);
      stallReads(server);
      client.close();
      flush();
      expect([infos.map(({ code }) => code), scheduler.now()]).toEqual([[1006], 10_000]);
    }));
});

describe('splitEvery', () => {
  it('changes nothing but the chunks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.string({ unit: 'grapheme' })), (size, texts) => {
        const { client, server } = connectionPair();
        const seen = seenBy(server);
        splitEvery(server, size);
        for (const text of texts) client.send.next(text);
        expect(seen).toEqual(texts.map((text) => Buffer.from(text).toString()));
        client.terminate();
      }),
      { numRuns: 50 },
    );
  });

  it('lasts until it is unsubscribed, and takes integers from 1', () => {
    const { client, server } = connectionPair();
    const split = splitEvery(server, 1);
    split.unsubscribe();
    const seen = seenBy(server);
    client.send.next('a');
    expect(seen).toEqual(['a']);
    for (const size of [0, 1.5, Number.NaN]) expect(() => splitEvery(server, size)).toThrow(RangeError);
  });
});

describe('reset', () => {
  it('is the loss of the network for both ends, and of what has not arrived', () =>
    marbles(({ flush }) => {
      const { client, server } = connectionPair();
      const infos = [infosOf(client), infosOf(server)];
      const seen = seenBy(server);
      stallReads(server);
      client.send.next('lost');
      reset(client);
      flush();
      const lost = { code: 1006, initiator: 'peer', error: expect.objectContaining({ code: 'ECONNRESET' }) };
      for (const info of infos) expect(info).toEqual([expect.objectContaining(lost)]);
      expect(seen).toEqual([]);
    }));
});

describe('dropPongs', () => {
  it('lets a heartbeat see a silent peer, though it is not', () =>
    marbles(({ scheduler, flush }) => {
      const { client, server } = connectionPair({ client: { heartbeat: { interval: 1_000, timeout: 500 } } });
      for (const conn of [client, server]) conn.ignoreMessages();
      const infos = infosOf(client);
      scheduler.schedule(() => dropPongs(client), 10_500);
      flush();
      expect(infos).toEqual([
        expect.objectContaining({ error: expect.objectContaining({ code: 'HEARTBEAT_TIMEOUT' }) }),
      ]);
      expect(scheduler.now()).toBeLessThan(12_501);
    }));

  it('lasts until it is unsubscribed, and drops nothing else', () => {
    const { client, server } = connectionPair();
    const answers: number[] = [];
    server.ignoreMessages();
    const seen = seenBy(client);
    const drop = dropPongs(client);
    client.ping().subscribe((roundTrip) => answers.push(roundTrip));
    server.send.next('a');
    expect([answers, seen]).toEqual([[], ['a']]);
    drop.unsubscribe();
    client.ping().subscribe((roundTrip) => answers.push(roundTrip));
    // RFC 6455 §5.5.3: a pong answers the pings before it as well.
    expect(answers).toHaveLength(2);
    client.terminate();
  });
});

describe('faults', () => {
  it('are for the ends of pairs', () => {
    const conn = testConnection();
    for (const fault of [stallReads, reset, dropPongs, (at: Connection<undefined>) => splitEvery(at, 1)]) {
      expect(() => fault(conn)).toThrow(expect.objectContaining({ code: 'NOT_A_PAIR' }));
    }
  });
});

function seenBy(conn: Connection<unknown>): unknown[] {
  const seen: unknown[] = [];
  conn.messages$.subscribe((message) => seen.push(message));
  return seen;
}

function infosOf(conn: Connection<unknown>): CloseInfo[] {
  const infos: CloseInfo[] = [];
  conn.close$.subscribe((info) => infos.push(info));
  return infos;
}
