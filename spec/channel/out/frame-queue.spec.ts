import * as fc from 'fast-check';
import { enqueueFrame, FrameQueue } from '../../../src/channel/out/frame-queue.js';
import { readFrames } from '../../support/read-frames.js';

const FIN_BINARY = 0x82;

/** Everything that is in the queue, taken out: payloads, `#n` for marks, `@n` for later messages. */
function takeAll(queue: FrameQueue<string>): string[] {
  const taken: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    if (next.kind === 'bytes') taken.push(...readFrames(Buffer.concat(next.pieces)).map((f) => f.payload.toString()));
    else if (next.kind === 'later') taken.push(next.item);
    else next.reached();
  }
  return taken;
}

function add(queue: FrameQueue<string>, payload: string, maskKey?: number): void {
  enqueueFrame(queue, FIN_BINARY, Buffer.from(payload), maskKey);
}

describe('what is taken out', () => {
  it('is what was put in, in order, small and large', () => {
    const queue = new FrameQueue<string>();
    const payloads = ['', 'a', 'b'.repeat(125), 'c'.repeat(4096), 'd'.repeat(4097), 'e'.repeat(70_000), 'f'];
    for (const payload of payloads) add(queue, payload);
    expect(queue.size).toBe(2 + 3 + 127 + 4100 + 4101 + 70_010 + 3);
    expect(takeAll(queue)).toEqual(payloads);
    expect(queue.size).toBe(0);
    expect(queue.isEmpty).toBe(true);
  });

  it('packs small frames, so that they cost little more than they are on the wire', () => {
    const queue = new FrameQueue<string>();
    for (let i = 0; i < 100_000; i++) add(queue, 'x');
    let pieces = 0;
    for (let next = queue.take(); next !== undefined; next = queue.take()) pieces++;
    expect(pieces).toBeLessThan(20);
  });

  it('is a copy of small payloads and the memory itself of large ones', () => {
    const queue = new FrameQueue<string>();
    const small = Buffer.alloc(4096, 'a');
    const large = Buffer.alloc(4097, 'a');
    enqueueFrame(queue, FIN_BINARY, small, undefined);
    enqueueFrame(queue, FIN_BINARY, large, undefined);
    small.fill('b');
    large.fill('b');
    expect(takeAll(queue)).toEqual(['a'.repeat(4096), 'b'.repeat(4097)]);
  });

  it('is masked for a client, the payload of the caller is not', () => {
    const queue = new FrameQueue<string>();
    const payloads = [Buffer.alloc(5, 'a'), Buffer.alloc(5000, 'a')];
    for (const payload of payloads) enqueueFrame(queue, FIN_BINARY, payload, 0x12345678);
    expect(payloads.every((payload) => payload.equals(Buffer.alloc(payload.length, 'a')))).toBe(true);
    const bytes = [queue.take(), queue.take()].flatMap((taken) => (taken?.kind === 'bytes' ? taken.pieces : []));
    expect(readFrames(Buffer.concat(bytes))).toEqual(
      payloads.map((payload) => ({ fin: true, opcode: 2, masked: true, payload })),
    );
  });

  it('stays as it is when more is put in', () => {
    const queue = new FrameQueue<string>();
    add(queue, 'first');
    queue.mark(() => {}, false);
    const first = queue.take() as Extract<ReturnType<typeof queue.take>, { kind: 'bytes' }>;
    for (let i = 0; i < 1000; i++) add(queue, 'other');
    expect(readFrames(Buffer.concat(first.pieces))[0]!.payload.toString()).toBe('first');
  });
});

describe('what entries cost beside their bytes', () => {
  it('is nothing to speak of for few', () => {
    const queue = new FrameQueue<string>();
    for (let i = 0; i < 64; i++) enqueueFrame(queue, FIN_BINARY, Buffer.alloc(5000), undefined);
    expect(queue.overhead).toBe(0);
  });

  it('is their objects, for many', () => {
    const queue = new FrameQueue<string>();
    for (let i = 0; i < 1000; i++) enqueueFrame(queue, FIN_BINARY, Buffer.alloc(5000), undefined);
    expect(queue.overhead).toBe(1000 * 256);
    for (let i = 0; i < 936; i++) queue.take();
    expect(queue.overhead).toBe(0);
  });

  it('is little for small frames, whose pages leave no room unused', () => {
    const queue = new FrameQueue<string>();
    for (let i = 0; i < 4096; i++) enqueueFrame(queue, FIN_BINARY, Buffer.alloc(4096), undefined);
    expect(queue.overhead).toBeGreaterThan(0);
    expect(queue.overhead).toBeLessThan(queue.size / 64);
  });
});

describe('the oldest message', () => {
  it('is dropped with its own mark, and no other', () => {
    const queue = new FrameQueue<string>();
    const reached: string[] = [];
    queue.mark(() => reached.push('flush'), false);
    add(queue, 'a');
    queue.mark(() => reached.push('a'), true);
    add(queue, 'b');
    queue.mark(() => reached.push('flush 2'), false);
    queue.later('later', 10);
    queue.mark(() => reached.push('later'), true);
    add(queue, 'c');
    expect([queue.dropOldest(), queue.dropOldest(), queue.dropOldest()]).toEqual([true, true, true]);
    expect(queue.size).toBe(3);
    expect(takeAll(queue)).toEqual(['c']);
    expect(reached).toEqual(['flush', 'flush 2']);
  });

  it('is none in an empty queue, nor in one of marks', () => {
    const queue = new FrameQueue<string>();
    expect(queue.dropOldest()).toBe(false);
    queue.mark(() => {}, false);
    expect(queue.dropOldest()).toBe(false);
  });

  it('is dropped at once, however many wait behind it', () => {
    const queue = new FrameQueue<string>();
    const send = (): void => {
      add(queue, 'x');
      queue.mark(() => {}, true);
    };
    // If each drop moved all that wait, this would move some hundred gigabytes.
    for (let i = 0; i < 200_000; i++) send();
    for (let i = 0; i < 200_000; i++) {
      queue.dropOldest();
      send();
    }
    expect(queue.size).toBe(600_000);
  });
});

describe('messages that are not encoded yet and not wanted any more', () => {
  it('are dropped with their marks, and nothing else is', () => {
    const queue = new FrameQueue<string>();
    const reached: string[] = [];
    const mark = (name: string, ofMessage: boolean): void => queue.mark(() => reached.push(name), ofMessage);
    add(queue, 'a');
    queue.later('unwanted', 10);
    mark('of the unwanted', true);
    mark('of what follows', false);
    queue.later('wanted', 5);
    mark('of the wanted', true);
    add(queue, 'b');
    expect(queue.frames).toBe(4);
    expect(queue.dropLater((item) => item === 'unwanted')).toBe(1);
    add(queue, 'c');
    expect({ size: queue.size, frames: queue.frames }).toEqual({ size: 3 * 3 + 5, frames: 4 });
    expect(takeAll(queue)).toEqual(['a', 'wanted', 'b', 'c']);
    expect(reached).toEqual(['of what follows', 'of the wanted']);
  });

  it('take their mark with them when their turn has come', () => {
    const queue = new FrameQueue<string>();
    queue.later('unwanted', 10);
    queue.mark(() => {
      throw new Error('reached');
    }, true);
    queue.take();
    queue.dropMark();
    expect(queue.isEmpty).toBe(true);
    queue.mark(() => {}, false);
    queue.dropMark();
    expect(queue.isEmpty).toBe(false);
  });

  it('leave room for what follows, though the page before is full', () => {
    const queue = new FrameQueue<string>();
    const full = 'a'.repeat(1018);
    add(queue, full);
    queue.later('later', 3);
    expect(queue.dropLater(() => true)).toBe(1);
    add(queue, 'a Close frame');
    expect(takeAll(queue)).toEqual([full, 'a Close frame']);
  });

  it('are none where all is encoded', () => {
    const queue = new FrameQueue<string>();
    add(queue, 'a');
    expect(queue.dropLater(() => true)).toBe(0);
    expect(takeAll(queue)).toEqual(['a']);
  });
});

type Step =
  | { readonly do: 'add'; readonly length: number; readonly masked: boolean }
  | { readonly do: 'later' | 'mark' | 'ownMark' | 'take' | 'drop' | 'cut' | 'clear' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('add' as const), length: lengths(), masked: fc.boolean() }) },
  { weight: 8, arbitrary: fc.constantFrom<Step>({ do: 'take' }, { do: 'drop' }, { do: 'mark' }, { do: 'ownMark' }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'later' }, { do: 'later' }, { do: 'cut' }, { do: 'clear' }) },
);

function lengths(): fc.Arbitrary<number> {
  return fc.oneof(fc.nat(20), fc.constantFrom(125, 126, 4095, 4096, 4097, 66_000));
}

/** What a {@link FrameQueue} must be like, in the simplest words: names of messages and marks. */
class Model {
  entries: { readonly name: string; readonly kind: 'frame' | 'later' | 'mark' | 'ownMark'; readonly size: number }[] =
    [];

  get size(): number {
    return this.entries.reduce((sum, entry) => sum + entry.size, 0);
  }

  drop(): boolean {
    const at = this.entries.findIndex(({ kind }) => kind === 'frame' || kind === 'later');
    if (at < 0) return false;
    this.entries.splice(at, this.entries[at + 1]?.kind === 'ownMark' ? 2 : 1);
    return true;
  }

  /** Drops messages that are not encoded and whose name is even. */
  cut(): void {
    let isDropping = false;
    this.entries = this.entries.filter(({ kind, name }) => {
      if (isDropping && kind === 'ownMark') return false;
      isDropping = kind === 'later' && Number(name) % 2 === 0;
      return !isDropping;
    });
  }

  get frames(): number {
    return this.entries.filter(({ kind }) => kind === 'frame' || kind === 'later').length;
  }
}

it('does what a plain list does, whatever is done in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new FrameQueue<string>();
      const model = new Model();
      const found: string[] = [];
      const expected: string[] = [];
      const takeNext = (): void => {
        const taken = queue.take();
        if (taken?.kind === 'mark') taken.reached();
        else if (taken?.kind === 'later') found.push(taken.item);
        else if (taken !== undefined) {
          for (const { payload } of readFrames(Buffer.concat(taken.pieces))) found.push(payload.toString().trimEnd());
        }
        while (expected.length < found.length) expected.push(model.entries.shift()!.name);
      };
      for (const [index, each] of steps.entries()) {
        const name = `${index}`;
        if (each.do === 'add') {
          const payload = Buffer.alloc(Math.max(each.length, name.length), ' ');
          payload.write(name);
          const before = queue.size;
          enqueueFrame(queue, FIN_BINARY, payload, each.masked ? 0x01020304 * (index + 1) : undefined);
          model.entries.push({ name, kind: 'frame', size: queue.size - before });
        } else if (each.do === 'later') {
          queue.later(name, index);
          model.entries.push({ name, kind: 'later', size: index });
        } else if (each.do === 'mark' || each.do === 'ownMark') {
          const last = model.entries.at(-1)?.kind;
          const kind = last === 'frame' || last === 'later' ? each.do : 'mark';
          queue.mark(() => found.push(name), kind === 'ownMark');
          model.entries.push({ name, kind, size: 0 });
        } else if (each.do === 'take') takeNext();
        else if (each.do === 'drop') expect(queue.dropOldest()).toBe(model.drop());
        else if (each.do === 'cut') {
          queue.dropLater((item) => Number(item) % 2 === 0);
          model.cut();
        } else {
          queue.clear();
          model.entries = [];
        }
        expect(queue.size).toBe(model.size);
        expect(queue.frames).toBe(model.frames);
        expect(queue.isEmpty).toBe(model.entries.length === 0);
      }
      while (!queue.isEmpty) takeNext();
      expect(found).toEqual(expected);
      expect(model.entries).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
