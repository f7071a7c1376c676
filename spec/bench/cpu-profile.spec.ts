import { byGroup, type CpuProfile, hotSpots } from './cpu-profile.js';

/** A profile in which each function ran for so many microseconds, one after the other. */
function profile(...ran: readonly (readonly [name: string, url: string, micros: number])[]): CpuProfile {
  return {
    startTime: 0,
    nodes: ran.map(([functionName, url], id) => ({
      id,
      callFrame: { functionName, url, lineNumber: 9, columnNumber: 0 },
    })),
    samples: ran.map((_, id) => id),
    timeDeltas: ran.map(([, , micros]) => micros),
  };
}

describe('hotSpots', () => {
  it('shares the time in which the process was busy', () => {
    const spots = hotSpots(
      profile(
        ['(idle)', '', 700],
        ['unmask', 'file:///home/me/src/protocol/frame/mask.ts', 100],
        ['(garbage collector)', '', 200],
      ),
    );
    expect(spots).toEqual([
      { name: '(garbage collector)', group: 'gc', share: 200 / 300 },
      { name: 'unmask src/protocol/frame/mask.ts:10', group: 'unmask', share: 100 / 300 },
    ]);
  });

  it('adds up what one function took at different times', () => {
    const twice = profile(
      ['next', 'file:///x/src/protocol/message/session.ts', 10],
      ['next', 'file:///x/src/protocol/message/session.ts', 30],
    );
    expect(hotSpots(twice)).toEqual([{ name: 'next src/protocol/message/session.ts:10', group: 'parsing', share: 1 }]);
  });

  it('leaves out what is before and after', () => {
    const whole = profile(
      ['compile', '', 1000],
      ['next', 'file:///x/src/protocol/message/session.ts', 500],
      ['end', '', 400],
    );
    const spots = hotSpots(whole, { from: 1200, to: 1800 });
    expect(spots.map(({ name }) => name)).toEqual(['next src/protocol/message/session.ts:10']);
  });

  it.each([
    ['unmaskAscii', 'file:///x/src/protocol/frame/mask.ts', 'unmask'],
    ['wasm-function[0]', 'wasm://wasm/8a89c5', 'unmask'],
    ['readHeader', 'file:///x/src/protocol/frame-header.ts', 'parsing'],
    ['write', 'file:///x/src/protocol/frame-writer.ts', 'encoding'],
    ['text', 'file:///x/src/channel/out/batch.ts', 'encoding'],
    ['latin1Slice', '', 'strings'],
    ['write', 'node:buffer', 'strings'],
    ['(program)', '', 'libuv/write'],
    ['next', 'file:///x/node_modules/rxjs/dist/cjs/internal/Subscriber.js', 'rxjs'],
    ['take', 'file:///x/src/connection/inbox.ts', 'delivery'],
    ['writeBuffer', '', 'libuv/write'],
    ['writeGeneric', 'node:internal/stream_base_commons', 'node'],
    ['onread', 'file:///x/src/net/socket-port.ts', 'transport'],
    ['inflateRawSync', 'node:zlib', 'compression'],
    ['anything', 'file:///x/spec/bench/servers/sluice.mjs', 'other'],
  ])('knows the group of %s in %s', (name, url, group) => {
    expect(hotSpots(profile([name, url, 1]))[0]!.group).toBe(group);
  });
});

describe('byGroup', () => {
  it('adds up the functions of a group, the largest first', () => {
    const spot = (name: string, group: string, share: number) => ({ name, group, share });
    expect(byGroup([spot('a', 'gc', 0.4), spot('b', 'rxjs', 0.35), spot('c', 'rxjs', 0.25)])).toEqual([
      { group: 'rxjs', share: 0.6 },
      { group: 'gc', share: 0.4 },
    ]);
  });
});
