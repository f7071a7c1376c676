import * as fc from 'fast-check';
import { Subject } from 'rxjs';
import { flushAll } from '../../../src/channel/flush-queue.js';
import { fragments } from '../../../src/connection/outgoing.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { type OutboxOptions, type OutboxUnderTest, outboxOf } from '../../support/outbox.js';
import { type ReadFrame, readFrames } from '../../support/read-frames.js';

/** What one connection is told to do, or its peer does. */
type Step =
  | { readonly do: 'text' | 'bytes' | 'ping' | 'echo'; readonly size: number }
  | { readonly do: 'parts'; readonly sizes: readonly number[] }
  | { readonly do: 'open' | 'part' | 'complete' | 'flush' | 'tick' }
  | { readonly do: 'read'; readonly size: number };

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200) },
  { weight: 2, arbitrary: fc.constantFrom(4096, 4097, 16_384, 16_385, 65_535) },
  { weight: 1, arbitrary: fc.constant(70_000) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('text' as const, 'bytes' as const, 'echo' as const), size }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ping' as const), size: fc.nat(125) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('parts' as const), sizes: fc.array(size, { maxLength: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Step>(...names('open', 'part', 'part', 'complete', 'flush', 'tick', 'tick')),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), size: fc.nat(100_000) }) },
);

function names(...all: ('open' | 'part' | 'complete' | 'flush' | 'tick')[]): Step[] {
  return all.map((each) => ({ do: each }));
}

/** A connection, and what must come of all that it was told. */
class Trial {
  readonly under: OutboxUnderTest;
  readonly #name: string;
  readonly #mask: number;
  /** The messages, in the order of sending, with all of their bytes. */
  readonly #messages: { binary: boolean; bytes: Buffer }[] = [];
  readonly #pings: string[] = [];
  readonly #told: { readonly index: number; readonly messages: number }[] = [];
  #tells = 0;
  #open: { parts: Subject<Buffer>; message: number } | undefined;
  /** What was accepted and is in frames of its own at once. */
  #framed = 0;
  #hasParts = false;
  readonly #left = { messages: 0, pings: 0 };
  #counted = 0;

  constructor(name: string, options: OutboxOptions) {
    this.under = outboxOf({ maxBufferedAmount: 2 ** 32, ...options });
    this.#name = name;
    this.#mask = options.role === 'client' ? 4 : 0;
  }

  act(each: Step): void {
    const { outbox, port } = this.under;
    switch (each.do) {
      case 'text':
      case 'bytes': {
        const bytes = this.#payload(each.size);
        this.#messages.push({ binary: each.do === 'bytes', bytes });
        this.#framed += headerSize(bytes.length) + this.#mask + bytes.length;
        outbox.send(each.do === 'text' ? bytes.toString() : Buffer.from(bytes), this.#tell());
        break;
      }
      case 'echo':
        // What is sent by whoever is told of an item comes behind all that was sent before.
        this.#framed += 2 + this.#mask + 4;
        this.#messages.push({ binary: false, bytes: Buffer.from('echo') });
        outbox.send(
          'echo',
          this.#tell(false, () => this.act({ do: 'text', size: each.size })),
        );
        break;
      case 'ping': {
        const payload = this.#payload(each.size).subarray(0, 125);
        this.#pings.push(payload.toString());
        this.#framed += 2 + this.#mask + payload.length;
        outbox.control(Opcode.ping, payload);
        break;
      }
      case 'parts': {
        const parts = each.sizes.map((length) => this.#payload(length));
        this.#hasParts = true;
        this.#messages.push({ binary: true, bytes: Buffer.concat(parts) });
        outbox.send(fragments(parts, { binary: true }), this.#tell());
        break;
      }
      case 'open':
        if (this.#open !== undefined) break;
        this.#hasParts = true;
        this.#open = { parts: new Subject(), message: this.#messages.length };
        this.#messages.push({ binary: true, bytes: Buffer.alloc(0) });
        outbox.send(fragments(this.#open.parts, { binary: true }), this.#tell());
        break;
      case 'part': {
        const message = this.#messages[this.#open?.message ?? -1];
        // An Observable that is not subscribed to yet emits for nobody.
        if (message === undefined || !this.#open!.parts.observed) break;
        const part = this.#payload(50);
        message.bytes = Buffer.concat([message.bytes, part]);
        this.#open!.parts.next(part);
        break;
      }
      case 'complete':
        this.#open?.parts.complete();
        this.#open = undefined;
        break;
      case 'flush':
        outbox.whenHanded(this.#tell(true));
        break;
      case 'tick':
        flushAll();
        port.turn();
        break;
      case 'read':
        port.read(each.size);
        break;
      default:
        each satisfies never;
    }
    this.check();
  }

  check(): void {
    const { outbox, port } = this.under;
    if (!this.#hasParts) expect(port.taken + outbox.bufferedAmount).toBe(this.#framed);
    expect(outbox.bytesSent).toBe(port.taken + port.pending);
  }

  /** The peer reads all, and all is told. */
  finish(): void {
    const { outbox, port } = this.under;
    this.#open?.parts.complete();
    port.read();
    do {
      flushAll();
      port.read(0);
      port.turn();
    } while (port.deferred.length + port.pending > 0);
    expect(outbox.bufferedAmount).toBe(0);
    expect(outbox.signal.isReady).toBe(true);
    const { messages, pings } = assemble(port.frames);
    expect(messages.map(summary)).toEqual(this.#messages.map(summary));
    expect(pings).toEqual(this.#pings);
    expect(port.frames.every(({ masked }) => masked === this.#mask > 0)).toBe(true);
    expect(this.#told.map(({ index }) => index).sort((a, b) => a - b)).toEqual([...Array(this.#tells).keys()]);
  }

  /** Notes that it was told, and fails when what it was told of has not left: the messages so far, and for a flush the pings. */
  #tell(isFlush = false, then: () => void = () => {}): () => void {
    const index = this.#tells++;
    const messages = this.#messages.length;
    const pings = isFlush ? this.#pings.length : 0;
    return () => {
      if ((this.#told.at(-1)?.messages ?? 0) > messages) throw new Error('told out of order');
      this.#told.push({ index, messages });
      const left = this.#countLeft();
      if (left.messages < messages || left.pings < pings) {
        throw new Error(`told of ${messages} and ${pings}, ${left.messages} and ${left.pings} have left`);
      }
      then();
    };
  }

  /** Each write is of whole frames. */
  #countLeft(): { messages: number; pings: number } {
    const { writes } = this.under.port;
    for (; this.#counted < writes.length; this.#counted++) {
      for (const { fin, opcode } of readFrames(writes[this.#counted]!)) {
        if (opcode === Opcode.ping) this.#left.pings++;
        else if (fin) this.#left.messages++;
      }
    }
    return this.#left;
  }

  /** Bytes that no other message has. */
  #payload(length: number): Buffer {
    const mark = `${this.#name}${this.#messages.length}.${this.#tells}.${this.#pings.length}|`;
    return Buffer.alloc(Math.max(length, mark.length), mark);
  }
}

/** The messages that frames make, and the pings between them. @throws when a message begins within another. */
function assemble(frames: readonly ReadFrame[]): { messages: { binary: boolean; bytes: Buffer }[]; pings: string[] } {
  const messages: { binary: boolean; bytes: Buffer }[] = [];
  const pings: string[] = [];
  let parts: Buffer[] | undefined;
  let binary = false;
  for (const { fin, opcode, payload } of frames) {
    if (opcode === Opcode.ping) {
      pings.push(payload.toString());
      continue;
    }
    if ((opcode === Opcode.continuation) !== (parts !== undefined)) throw new Error(`opcode ${opcode} out of place`);
    if (opcode !== Opcode.continuation) binary = opcode === Opcode.binary;
    parts = [...(parts ?? []), payload];
    if (!fin) continue;
    messages.push({ binary, bytes: Buffer.concat(parts) });
    parts = undefined;
  }
  return { messages, pings };
}

/** A message in few words: comparing bytes one by one takes seconds for megabytes. */
function summary({ binary, bytes }: { binary: boolean; bytes: Buffer }): string {
  return `${binary ? 'binary' : 'text'} of ${bytes.length}: ${bytes.subarray(0, 40)}${checksum(bytes)}`;
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}

function headerSize(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

const options: fc.Arbitrary<OutboxOptions> = fc.record({
  role: fc.constantFrom('server' as const, 'client' as const),
  room: fc.constantFrom(0, 1000, 100_000, Number.POSITIVE_INFINITY),
  synchronous: fc.boolean(),
  highWaterMark: fc.constantFrom(1, 1000, 65_536),
});

it('loses, doubles and reorders nothing, however the peer reads', () => {
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 60 }), (settings, steps) => {
      const trial = new Trial('', settings);
      for (const each of steps) trial.act(each);
      trial.finish();
    }),
    { numRuns: 150 },
  );
});

it('keeps the bytes of several connections apart, though they share memory', () => {
  const turn = fc.tuple(fc.nat(4), step);
  fc.assert(
    fc.property(fc.array(options, { minLength: 2, maxLength: 5 }), fc.array(turn, { maxLength: 150 }), (all, turns) => {
      const trials = all.map((settings, index) => new Trial('abcde'[index]!, settings));
      for (const [index, each] of turns) {
        trials[index % trials.length]!.act(each);
        for (const trial of trials) trial.check();
      }
      for (const trial of trials) trial.finish();
    }),
    { numRuns: 80 },
  );
});

describe('with a policy that drops', () => {
  const item = fc.record({
    size: fc.oneof(fc.nat(60), fc.constantFrom(3000, 5000)),
    tick: fc.boolean(),
    read: fc.nat(300),
  });

  it.each(['drop-newest', 'drop-oldest'] as const)('%s loses what it counts, and nothing else', (overflow) => {
    fc.assert(
      fc.property(options, fc.array(item, { maxLength: 80 }), (settings, items) => {
        const { outbox, port } = outboxOf({ ...settings, overflow, maxBufferedAmount: 4096 });
        const told: string[] = [];
        const accepted: string[] = [];
        for (const [index, { size: length, tick, read }] of items.entries()) {
          const text = `${index}.`.padEnd(length, 'x');
          if (outbox.send(text, () => told.push(text)) !== 'dropped') accepted.push(text);
          // One that is larger than the mark passes when it is alone.
          expect(outbox.bufferedAmount).toBeLessThanOrEqual(
            items.some((each) => each.size > 4000) ? 5014 + 4096 : 4096,
          );
          if (tick) flushAll();
          port.read(read);
        }
        do {
          flushAll();
          port.read();
        } while (port.pending > 0);
        const texts = port.frames.map(({ payload }) => payload.toString());
        expect(told).toEqual(texts);
        expect(texts.length + outbox.messagesDropped).toBe(items.length);
        expect(texts).toEqual(accepted.filter((text) => texts.includes(text)));
        if (overflow === 'drop-newest') expect(texts).toEqual(accepted);
      }),
      { numRuns: 150 },
    );
  });
});
