import { Compressor, DeflateSender, SYNCHRONOUS_DEFLATE, takeDeflateTurn } from '../../../src/channel/out/deflating.js';
import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';
import { UsageError } from '../../../src/protocol/errors.js';
import { jsonText, noise } from '../../support/compressible.js';

const parameters = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const compressor = (predicate?: (data: string | Uint8Array) => boolean): Compressor =>
  new Compressor(new MessageDeflater(parameters, 'server', { threshold: 10, level: 6, memLevel: 8 }), predicate);
const large = Buffer.from(jsonText(SYNCHRONOUS_DEFLATE + 1));

/** A sender, what it sent, and a promise of its end. */
function sending(bytes: Uint8Array, isSynchronous = false) {
  const deflater = new MessageDeflater(parameters, 'server', { threshold: 0, level: 6, memLevel: 8, isSynchronous });
  const sent: [number, number][] = [];
  let ended = 0;
  let end = (): void => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const sender = new DeflateSender(
    { kind: 'deflate', firstByte: 0x82, bytes, deflater, shared: undefined },
    {
      frame: (firstByte, payload) => sent.push([firstByte, payload.length]),
      done: () => {
        ended++;
        end();
      },
    },
  );
  return { sender, sent, over, times: () => ended };
}

/** Resolves when all turns that were taken before are over: both places are free at once then. */
function turnsAreOver(): Promise<void> {
  return new Promise((resolve) => {
    const ends: (() => void)[] = [];
    for (let turn = 0; turn < 2; turn++) {
      takeDeflateTurn((done) => {
        if (ends.push(done) < 2) return;
        for (const end of ends) end();
        resolve();
      });
    }
  });
}

describe('a message that is compressed when its turn comes', () => {
  it('is sent at once when it is small', () => {
    const { sender, sent, times } = sending(Buffer.from(jsonText(5000)));
    sender.start();
    expect(sent).toEqual([[0xc2, expect.any(Number)]]);
    expect(sent[0]![1]).toBeLessThan(5000);
    expect(times()).toBe(1);
  });

  it('is sent later when it is large, once', async () => {
    const { sender, sent, over, times } = sending(large);
    sender.start();
    sender.resume();
    expect(sent).toEqual([]);
    await over;
    expect(sent).toEqual([[0xc2, expect.any(Number)]]);
    expect(times()).toBe(1);
  });

  it('is sent at once however large it is, where the deflater says so', () => {
    const { sender, sent, times } = sending(large, true);
    sender.start();
    expect(sent).toEqual([[0xc2, expect.any(Number)]]);
    expect(times()).toBe(1);
  });

  it.each([100, SYNCHRONOUS_DEFLATE + 1])('is sent as it is when that is shorter: %d bytes', async (size) => {
    const { sender, sent, over } = sending(noise(size));
    sender.start();
    await over;
    expect(sent).toEqual([[0x82, size]]);
  });

  it('is forgotten while it is compressed', async () => {
    const { sender, sent, times } = sending(large);
    sender.start();
    sender.unsubscribe();
    await turnsAreOver();
    expect([sent, times()]).toEqual([[], 0]);
  });

  it('is forgotten while it waits for others, and gives its turn up', async () => {
    const ends: (() => void)[] = [];
    for (let turn = 0; turn < 2; turn++) takeDeflateTurn((done) => ends.push(done));
    const { sender, sent, times } = sending(large);
    sender.start();
    sender.unsubscribe();
    const next = sending(large);
    next.sender.start();
    for (const end of ends) end();
    await next.over;
    expect([sent, times()]).toEqual([[], 0]);
    expect(next.sent).toHaveLength(1);
  });
});

describe('whether a message is compressed', () => {
  it('depends on its size, first of all', () => {
    expect(compressor().wants('a', 9, {})).toBe(false);
    expect(compressor().wants('a', 10, {})).toBe(true);
  });

  it('is asked of the predicate for those that are long enough', () => {
    const asked: unknown[] = [];
    const each = compressor((data) => {
      asked.push(data);
      return data !== 'no';
    });
    expect([each.wants('short', 9, {}), each.wants('yes', 10, {}), each.wants('no', 10, {})]).toEqual([
      false,
      true,
      false,
    ]);
    expect(asked).toEqual(['yes', 'no']);
  });

  it.each([true, false])('is what the message says, without asking: %s', (compress) => {
    const each = compressor(() => {
      throw new Error('asked');
    });
    expect(each.wants('a', 1, { compress })).toBe(compress);
    expect(each.wants('a', 100, { compress })).toBe(compress);
  });

  it('is a UsageError when the predicate throws', () => {
    const cause = new Error('broken');
    const each = compressor(() => {
      throw cause;
    });
    const ask = () => each.wants('a', 100, {});
    expect(ask).toThrow(UsageError);
    expect(ask).toThrow(expect.objectContaining({ code: 'COMPRESS_FAILED', cause }));
    expect(ask).toThrow('perMessageDeflate.compress threw: broken');
  });
});

describe('turns in the thread pool', () => {
  it('are two at a time, first come, first served', () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      takeDeflateTurn((done) => {
        begun.push(name);
        ends.push(done);
      });
    }
    expect(begun).toEqual(['a', 'b']);
    ends[1]!();
    expect(begun).toEqual(['a', 'b', 'c']);
    ends[0]!();
    ends[2]!();
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
    ends[3]!();
    ends[4]!();
  });

  it('are left by who does not want to wait any more, once', () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const [leaveA, , leaveC] = ['a', 'b', 'c', 'd'].map((name) =>
      takeDeflateTurn((done) => {
        begun.push(name);
        ends.push(done);
      }),
    );
    leaveC!();
    leaveC!();
    leaveA!();
    ends[0]!();
    expect(begun).toEqual(['a', 'b', 'd']);
    ends[1]!();
    ends[2]!();
  });

  it('can be over when they begin, however many there are', () => {
    let ended = 0;
    const ends: (() => void)[] = [];
    for (let turn = 0; turn < 2; turn++) takeDeflateTurn((done) => ends.push(done));
    for (let turn = 0; turn < 50_000; turn++) {
      takeDeflateTurn((done) => {
        ended++;
        done();
      });
    }
    expect(ended).toBe(0);
    ends[0]!();
    expect(ended).toBe(50_000);
    ends[1]!();
  });
});
