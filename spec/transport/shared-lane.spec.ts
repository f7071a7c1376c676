import { SharedFrame } from '../../src/protocol/shared-frame.js';
import { SharedLane } from '../../src/transport/shared-lane.js';

/** A frame of 12 bytes. */
const frame = new SharedFrame(0x82, Buffer.alloc(10));

function laneOf(limits = { limit: 30, plainBelow: 100 }): { lane: SharedLane; schedules: () => number } {
  let count = 0;
  const lane = new SharedLane(limits, () => {
    count++;
    lane.isScheduled = true;
  });
  return { lane, schedules: () => count };
}

describe('a lane', () => {
  it('lets nothing in before it is opened', () => {
    expect(laneOf().lane.takes(frame, 10)).toBe(false);
  });

  it('lets in as much as fits beside what is in the batch, has it written once, and counts', () => {
    const { lane, schedules } = laneOf();
    lane.open(0);
    expect([lane.takes(frame, 10), lane.takes(frame, 10), lane.takes(frame, 10)]).toEqual([true, true, false]);
    expect([lane.size, lane.count, schedules()]).toEqual([24, 2, 1]);
    lane.open(24);
    expect(lane.takes(frame, 10)).toBe(false);
  });

  it('leaves to others what may have to be compressed', () => {
    const { lane } = laneOf();
    lane.open(0);
    expect([lane.takes(frame, 100), lane.takes(frame, Number.POSITIVE_INFINITY), lane.takes(frame, 99)]).toEqual([
      false,
      false,
      true,
    ]);
    const never = laneOf({ limit: 30, plainBelow: Number.POSITIVE_INFINITY }).lane;
    never.open(0);
    expect(never.takes(frame, Number.POSITIVE_INFINITY)).toBe(false);
  });

  it('gives what was added, and is closed then', () => {
    const { lane } = laneOf();
    expect(lane.take()).toBeUndefined();
    lane.add(frame);
    lane.open(12);
    lane.takes(frame, 10);
    expect(lane.take()?.size).toBe(24);
    expect([lane.size, lane.take(), lane.takes(frame, 10)]).toEqual([0, undefined, false]);
  });

  it('is closed until it is opened, or for good', () => {
    const { lane } = laneOf();
    lane.open(0);
    lane.close();
    expect(lane.takes(frame, 10)).toBe(false);
    lane.open(0);
    expect(lane.takes(frame, 10)).toBe(true);
    lane.shut();
    lane.open(0);
    expect(lane.takes(frame, 10)).toBe(false);
  });

  it('may be one that never opens', () => {
    const lane = SharedLane.none();
    lane.open(0);
    expect(lane.takes(frame, 10)).toBe(false);
  });
});
