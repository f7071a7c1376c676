import * as fc from 'fast-check';
import { anyText } from '../support/any-text.js';
import {
  binary,
  close,
  continuation,
  type Frame,
  fragments,
  frame,
  ping,
  pong,
  text,
  wire,
} from '../support/frames.js';
import { runs } from '../support/long.js';
import { expectSeen, replay, roles, type Seen, sees } from '../support/vectors.js';

describe('however the wire is cut, the session sees the same', () => {
  it.each(roles)('of right messages, all that was sent (as %s)', (role) => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 8 }), cuts, pull, (items, positions, when) => {
        const bytes = wire(
          role,
          items.flatMap(({ sent }) => sent),
        );
        const seen = items.flatMap((each) => each.seen);
        expectSeen(replay(role, pieces(bytes, positions), {}, when), [...seen, { type: 'end' }]);
      }),
      runs(300),
    );
  });

  it.each(roles)('of frames in any order, the same up to the fault (as %s)', (role) => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), cuts, pull, (frames, positions, when) => {
        const bytes = wire(role, frames);
        expectSeen(replay(role, pieces(bytes, positions), limits, when), replay(role, [bytes], limits));
      }),
      runs(500),
    );
  });

  it.each(roles)('of any bytes, the same up to the fault (as %s)', (role) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), cuts, pull, (data, positions, when) => {
        const bytes = Buffer.from(data);
        const seen = replay(role, pieces(bytes, positions), limits, when);
        expectSeen(seen, replay(role, [bytes], limits));
        expect(seen.filter(({ type }) => type === 'fail' || type === 'end')).toHaveLength(1);
      }),
      runs(1000),
    );
  });

  it.each(roles)('of a wire with one bit changed, the same up to the fault (as %s)', (role) => {
    const traffic = [
      text('Hé', { fin: false }),
      ping('p'),
      continuation('llo'),
      binary(Buffer.alloc(130)),
      close(1000, 'é'),
    ];
    const bytes = wire(role, traffic);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 0x80 >> (bit & 7);
      const whole = replay(role, [changed], limits);
      const dripped = replay(
        role,
        [...changed.keys()].map((i) => changed.subarray(i, i + 1)),
        limits,
      );
      expectSeen(dripped, whole);
    }
  });
});

const limits = { maxPayload: 300, maxFragments: 5 };

const pull = fc.constantFrom('each' as const, 'end' as const);

/** Places to cut at, as parts of the whole. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

const payload = fc.oneof(anyText({ maxLength: 200 }), fc.constant('x'.repeat(66_000)), fc.constant(''));

/** A message, whole or in fragments with control frames between them, or a control frame, and what is seen of it. */
const item: fc.Arbitrary<{ sent: Frame[]; seen: Seen[] }> = fc.oneof(
  fc.record({ data: payload, isText: fc.boolean(), size: fc.integer({ min: 1, max: 100_000 }) }).map(fragmented),
  anyText({ maxLength: 30 }).map((data) => ({ sent: [ping(data)], seen: [sees.ping(data)] })),
  anyText({ maxLength: 30 }).map((data) => ({ sent: [pong(data)], seen: [sees.pong(data)] })),
);

function fragmented({ data, isText, size }: { data: string; isText: boolean; size: number }): {
  sent: Frame[];
  seen: Seen[];
} {
  const fragmentSize = Math.max(size, Math.ceil(Buffer.byteLength(data) / 50));
  const frames = fragments(isText ? 1 : 2, data, fragmentSize);
  return {
    sent: frames.flatMap((each, i) => (i === frames.length - 1 ? [each] : [each, ping(`${i}`)])),
    seen: [...frames.slice(1).map((_, i) => sees.ping(`${i}`)), sees.message(isText ? data : Buffer.from(data))],
  };
}

/** A frame that is right most of the time. */
const anyFrame: fc.Arbitrary<Frame> = fc
  .record({
    opcode: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(0, 0, 1, 2, 8, 9, 10) }, fc.nat({ max: 15 })),
    payload: fc.oneof(anyText({ maxLength: 150 }), fc.constant('\u0003é'), fc.uint8Array({ maxLength: 4 })),
    fin: fc.boolean(),
    rsv: fc.oneof({ weight: 30, arbitrary: fc.constant(0) }, fc.nat({ max: 7 })),
    key: fc.integer(),
  })
  .map(({ opcode, payload: data, ...fault }) => frame(opcode, data, fault));

function pieces(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const ends = [...positions.map((part) => Math.floor(part * bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end));
}
