import { Batch } from '../../../src/channel/out/batch.js';
import { ControlLane } from '../../../src/channel/out/control-lane.js';
import { KernelPort } from '../../support/kernel-port.js';
import { readFrames } from '../../support/read-frames.js';

const PING = 0x89;
const PONG = 0x8a;

/** The payloads that the lane moves to a write, and that write's size. */
function moved(lane: ControlLane, maskKey?: () => number): { payloads: string[]; size: number } {
  const batch = new Batch();
  const port = new KernelPort();
  lane.moveTo(batch, maskKey);
  batch.flush(port);
  return { payloads: readFrames(port.bytes).map(({ payload }) => payload.toString()), size: port.taken };
}

describe('answers to pings (RFC 6455 §5.5.3)', () => {
  it('are kept in order up to 4 KiB, and beyond that the latest only', () => {
    const lane = new ControlLane(2);
    for (let i = 0; i < 100_000; i++) lane.addPong(PONG, Buffer.from(`${i}`.padStart(30)));
    expect(lane.size).toBe(4096 + 32);
    const { payloads, size } = moved(lane);
    expect(size).toBe(4096 + 32);
    expect(payloads.map(Number)).toEqual([...Array(128).keys(), 99_999]);
    expect(lane.size).toBe(0);
  });

  it('may be empty, and are counted all the same', () => {
    const lane = new ControlLane(2);
    for (let i = 0; i < 5000; i++) lane.addPong(PONG, Buffer.alloc(0));
    expect(lane.size).toBe(4096 + 2);
    expect(moved(lane).size).toBe(4098);
  });
});

describe('frames of our own', () => {
  it('are never dropped', () => {
    const lane = new ControlLane(2);
    for (let i = 0; i < 200; i++) {
      lane.add(PING, Buffer.from(`ping ${i}`));
      lane.addPong(PONG, Buffer.alloc(125));
    }
    const pings = moved(lane).payloads.filter((payload) => payload.startsWith('ping'));
    expect(pings).toEqual(Array.from({ length: 200 }, (_, i) => `ping ${i}`));
  });

  it('have a mask on a client, which counts', () => {
    const lane = new ControlLane(6);
    lane.add(PING, Buffer.from('abc'));
    lane.addPong(PONG, Buffer.from('de'));
    expect(lane.size).toBe(9 + 8);
    expect(moved(lane, () => 0x01020304)).toEqual({ payloads: ['abc', 'de'], size: 17 });
  });
});

it('forgets all when it is cleared', () => {
  const lane = new ControlLane(2);
  for (let i = 0; i < 100; i++) lane.addPong(PONG, Buffer.alloc(125));
  lane.clear();
  expect(lane.size).toBe(0);
  expect(moved(lane).payloads).toEqual([]);
});
