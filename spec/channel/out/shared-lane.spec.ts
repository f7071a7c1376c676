import { flushAll } from '../../../src/channel/flush-queue.js';
import { SharedLane } from '../../../src/channel/out/shared-lane.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { SharedFrame } from '../../../src/protocol/frame/shared-frame.js';
import { KernelPort } from '../../support/kernel-port.js';
import { readFrames } from '../../support/read-frames.js';

const TEXT = 0x80 | Opcode.text;

/** A frame of `size` bytes in all, up to 127. */
function frameOf(size: number, filler = 'x'): SharedFrame {
  return new SharedFrame(TEXT, Buffer.alloc(size - 2, filler));
}

function textFrame(text: string): SharedFrame {
  return new SharedFrame(TEXT, Buffer.from(text));
}

/** A lane over `port`, and what its owner was asked for. */
function laneOf({ limit = 100, plainBelow = Number.POSITIVE_INFINITY, port = new KernelPort() } = {}): {
  lane: SharedLane;
  calls: string[];
  port: KernelPort;
} {
  const calls: string[] = [];
  const owner = { write: () => calls.push('write'), blocked: () => calls.push('blocked') };
  return { lane: new SharedLane({ limit, plainBelow }, port, owner), calls, port };
}

/** What was written, as text. */
function written(port: KernelPort): string[] {
  return port.writes.map((bytes) =>
    readFrames(bytes)
      .map(({ payload }) => payload.toString())
      .join(' '),
  );
}

describe('a lane that is open', () => {
  it('takes frames up to its limit, with what is in the batch already', () => {
    for (const batched of [0, 40]) {
      const { lane } = laneOf();
      lane.open(batched);
      expect(lane.takes(frameOf(60 - batched), 1)).toBe(true);
      expect(lane.takes(frameOf(41), 1)).toBe(false);
      expect(lane.takes(frameOf(40), 1)).toBe(true);
      expect(lane.takes(frameOf(2), 0)).toBe(false);
      expect([lane.size, lane.count]).toEqual([100 - batched, 2]);
    }
  });

  it('takes nothing when the batch has reached the limit', () => {
    const { lane } = laneOf();
    for (const batched of [99, 100, 1000]) {
      lane.open(batched);
      expect(lane.takes(frameOf(2), 0)).toBe(false);
    }
  });

  it('leaves messages to others that may have to be compressed', () => {
    const { lane } = laneOf({ plainBelow: 10 });
    lane.open(0);
    expect(lane.takes(frameOf(12), 10)).toBe(false);
    expect(lane.takes(frameOf(5), Number.POSITIVE_INFINITY)).toBe(false);
    expect([lane.size, lane.count]).toEqual([0, 0]);
    expect(lane.takes(frameOf(11), 9)).toBe(true);
  });

  it('leaves a message to others that is compressed whatever its size', () => {
    const { lane } = laneOf();
    lane.open(0);
    expect(lane.takes(frameOf(5), Number.POSITIVE_INFINITY)).toBe(false);
  });

  it('is scheduled with the first frame, and again once it was flushed', () => {
    const { lane, port } = laneOf();
    const schedule = jest.spyOn(port, 'schedule');
    lane.open(0);
    lane.takes(frameOf(10), 8);
    lane.takes(frameOf(10), 8);
    expect(schedule.mock.calls).toEqual([[lane]]);
    flushAll();
    lane.takes(frameOf(20), 18);
    expect(schedule).toHaveBeenCalledTimes(2);
    flushAll();
  });

  it('is scheduled once though it is emptied meanwhile', () => {
    const { lane, port } = laneOf();
    const schedule = jest.spyOn(port, 'schedule');
    for (let i = 0; i < 3; i++) {
      lane.open(0);
      lane.takes(frameOf(10), 8);
      lane.take();
    }
    expect(schedule).toHaveBeenCalledTimes(1);
    flushAll();
    expect(port.writes).toEqual([]);
  });

  it('is not scheduled for what it does not take', () => {
    const { lane, port } = laneOf();
    const schedule = jest.spyOn(port, 'schedule');
    lane.open(0);
    expect(lane.takes(frameOf(101), 99)).toBe(false);
    expect(schedule).not.toHaveBeenCalled();
  });
});

describe('a lane that is flushed', () => {
  it('writes what it took when that is alone in the batch, and takes as much again', () => {
    const { lane, calls, port } = laneOf();
    lane.open(0);
    for (const text of ['one', 'two']) expect(lane.takes(textFrame(text), 3)).toBe(true);
    lane.flush();
    expect([written(port), lane.size, lane.bytesSent]).toEqual([['one two'], 0, 10]);
    expect(lane.takes(frameOf(100), 98)).toBe(true);
    lane.flush();
    expect([port.taken, lane.bytesSent, lane.count, calls]).toEqual([110, 110, 3, []]);
  });

  it('writes nothing when there is nothing any more', () => {
    const { lane, calls, port } = laneOf();
    lane.open(0);
    lane.takes(textFrame('taken'), 5);
    lane.take();
    lane.flush();
    lane.open(0);
    lane.flush();
    expect([port.writes, calls, lane.bytesSent]).toEqual([[], [], 0]);
  });

  it('leaves it to its owner when something is before the frames', () => {
    const { lane, calls, port } = laneOf();
    lane.open(40);
    lane.takes(textFrame('behind'), 6);
    lane.flush();
    expect([calls, port.writes, lane.size]).toEqual([['write'], [], 8]);
  });

  it('leaves it to its owner when it was closed meanwhile, or a frame was added by the owner', () => {
    for (const meddle of [
      (lane: SharedLane) => lane.close(),
      (lane: SharedLane) => lane.shut(),
      (lane: SharedLane) => lane.add(textFrame('more')),
    ]) {
      const { lane, calls, port } = laneOf();
      lane.open(0);
      lane.takes(textFrame('first'), 5);
      meddle(lane);
      lane.flush();
      expect([calls, port.writes]).toEqual([['write'], []]);
    }
  });

  it('tells its owner when not all has left', () => {
    const { lane, calls, port } = laneOf({ port: new KernelPort(5) });
    lane.open(0);
    lane.takes(textFrame('one'), 3);
    lane.flush();
    expect(calls).toEqual([]);
    lane.takes(textFrame('two'), 3);
    lane.flush();
    expect([calls, lane.size, lane.bytesSent, port.pending]).toEqual([['blocked'], 0, 10, 5]);
  });
});

describe('a lane that is closed', () => {
  it('takes nothing: before it is opened, once it is closed, and once it was emptied', () => {
    const { lane } = laneOf();
    expect(lane.takes(frameOf(5), 3)).toBe(false);
    lane.open(0);
    lane.close();
    expect(lane.takes(frameOf(5), 3)).toBe(false);
    lane.open(0);
    expect(lane.takes(frameOf(5), 3)).toBe(true);
    lane.take();
    expect(lane.takes(frameOf(5), 3)).toBe(false);
    expect(lane.count).toBe(1);
  });

  it('keeps what it took', () => {
    const { lane } = laneOf();
    const frame = frameOf(5);
    lane.open(0);
    lane.takes(frame, 3);
    lane.close();
    expect(lane.size).toBe(5);
    expect(lane.take()).toBe(frame.run);
  });

  it('has what is added to it all the same, uncounted', () => {
    const { lane, port } = laneOf({ limit: 0 });
    const frame = frameOf(50);
    lane.add(frame);
    flushAll();
    expect([lane.size, lane.count, port.writes]).toEqual([50, 0, []]);
    expect(lane.take()).toBe(frame.run);
  });

  it('stays closed once it was shut', () => {
    const { lane } = laneOf();
    lane.open(0);
    lane.shut();
    expect(lane.takes(frameOf(5), 3)).toBe(false);
    lane.open(0);
    expect(lane.takes(frameOf(5), 3)).toBe(false);
  });

  it('never opens when it has no limit to keep to', () => {
    const lane = SharedLane.none();
    lane.open(0);
    expect(lane.takes(textFrame(''), 0)).toBe(false);
  });
});

describe('what was taken', () => {
  it('comes out once', () => {
    const { lane } = laneOf();
    lane.open(0);
    lane.takes(frameOf(5), 3);
    expect(lane.take()).toBeDefined();
    expect(lane.size).toBe(0);
    expect(lane.take()).toBeUndefined();
  });

  it('is the same run in all lanes that took the same', () => {
    const frames = ['a', 'b', 'c'].map(textFrame);
    const runs = [laneOf(), laneOf(), laneOf()].map(({ lane }) => {
      lane.open(0);
      for (const frame of frames) lane.takes(frame, 1);
      return lane.take();
    });
    expect(runs[0]!.pieces.length).toBe(1);
    for (const run of runs) expect(run).toBe(runs[0]);
  });
});
