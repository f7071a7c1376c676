import { broadcastTo, type Codec, withCodec } from 'sluice';
import { connectionPair, testConnection } from 'sluice/testing';
import { shareMessage } from '../../../src/connection/shared-message.js';
import { encodedOnce } from '../../../src/operators/typed/encoded-once.js';

describe('a value for many typed connections', () => {
  it('is encoded once for each codec', () => {
    const encode = jest.fn(String);
    const shared = shareMessage(1);
    const [a, b] = [{}, {}];
    const first = encodedOnce(a, shared, encode);
    expect(encodedOnce(a, shared, encode)).toBe(first);
    expect(first.value).toBe('1');
    expect(encodedOnce(b, shared, encode)).not.toBe(first);
    expect(encodedOnce(a, shareMessage(1), encode)).not.toBe(first);
    expect(encode).toHaveBeenCalledTimes(3);
  });

  it('reaches all of them by a broadcast, also those that watch what is handed over', () => {
    const encode = jest.fn((value: number) => `${value}`);
    const codec: Codec<number> = { decode: Number, encode };
    const pairs = [connectionPair(), connectionPair(), connectionPair()];
    const conns = pairs.map(({ server }) => withCodec(codec)(server));
    const seen: unknown[] = [];
    for (const { client } of pairs) client.messages$.subscribe((message) => seen.push(message));
    expect(broadcastTo(conns, 7)).toEqual({ sent: 3, buffered: 0, dropped: 0, closed: 0 });
    expect([seen, encode.mock.calls.length]).toEqual([['7', '7', '7'], 1]);
    const handed: number[] = [];
    conns[0]!.send.subscribe((value) => handed.push(value));
    broadcastTo(conns, 8);
    expect([handed, seen.length]).toEqual([[8], 6]);
    pairs[0]!.client.terminate();
    for (const { client, server } of pairs) for (const conn of [client, server]) conn.terminate();
    expect(broadcastTo(conns, 9)).toEqual({ sent: 0, buffered: 0, dropped: 0, closed: 3 });
  });

  it('that cannot be encoded is an error of the broadcast', () => {
    const encode = (): never => {
      throw new Error('no');
    };
    const conn = withCodec<number, number>({ decode: Number, encode })(testConnection());
    expect(() => broadcastTo([conn], 1)).toThrow(expect.objectContaining({ code: 'ENCODE_FAILED' }));
    expect(conn.readyState).toBe(1);
  });
});
