import { takeDeflateTurn } from '../../../src/channel/out/deflate-turns.js';
import { DeflateSender, SYNCHRONOUS_DEFLATE } from '../../../src/channel/out/deflating.js';
import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';
import { jsonText, noise } from '../../support/compressible.js';

const parameters = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
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
