import fc from 'fast-check';
import { type Subscription, take, VirtualTimeScheduler } from 'rxjs';
import { close, closeOf, continuation, type Frame, frame, ping, pong, text, wire } from '../support/frames.js';
import { isLong } from '../support/long.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

const CLOSE_TIMEOUT = 1_000;

/** What a subscriber does when it gets a message. */
const reactions = ['nothing', 'leave', 'hold', 'release', 'send', 'subscribe', 'close', 'terminate'] as const;
type Reaction = (typeof reactions)[number];

/** One step of a schedule. */
type Step =
  | { readonly do: 'bytes'; readonly size: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'subscribe'; readonly then: Reaction; readonly at: number }
  | { readonly do: 'unsubscribe'; readonly which: number }
  | { readonly do: 'hold' | 'release' | 'send' | 'block' | 'drain' | 'close' | 'terminate' | 'fin' | 'reset' };

/** How the peer ends what it sends. */
const lastFrames: Record<string, Frame[]> = {
  nothing: [],
  'Close frame': [close(3000, 'bye'), text('late')],
  'Close frame without a code': [closeOf()],
  fault: [frame(3), text('late')],
};

const often = (kind: 'hold' | 'release' | 'send' | 'block' | 'drain', weight: number) => ({
  weight,
  arbitrary: fc.constant<Step>({ do: kind }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('bytes' as const), size: fc.integer({ min: 1, max: 900 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 700 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      // biome-ignore lint/suspicious/noThenProperty: it is no Promise
      then: fc.constantFrom('nothing', 'nothing', 'nothing', ...reactions) as fc.Arbitrary<Reaction>,
      at: fc.nat(6),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), which: fc.nat(4) }) },
  often('hold', 2),
  often('release', 3),
  often('send', 2),
  often('block', 1),
  often('drain', 1),
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'close' }, { do: 'terminate' }, { do: 'fin' }, { do: 'reset' }) },
);

const schedule = fc.record({
  role: fc.constantFrom('server' as const, 'client' as const),
  messages: fc.nat(25),
  last: fc.constantFrom(...Object.keys(lastFrames)),
  highWaterMark: fc.constantFrom(1, 300, 1_000, 65_536),
  heartbeat: fc.boolean(),
  pausedTimeout: fc.constantFrom(undefined, 900),
  steps: fc.array(step, { maxLength: 40 }),
});
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

guardProcess();

describe('any schedule of bytes, ends, time, subscribers and holds', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('keeps the order, loses nothing between subscriptions, ends once, and leaves no timer', () => {
    jest.spyOn(performance, 'now').mockReturnValue(0);
    fc.assert(
      fc.property(schedule, (given) => {
        const simulation = new Simulation(given);
        for (const each of given.steps) simulation.take(each);
        simulation.end();
      }),
      { seed: 20_261_120, numRuns: isLong ? 6_000 : 1_000 },
    );
  });
});

class Simulation {
  readonly #each: MemoryConnection;
  readonly #scheduler = new VirtualTimeScheduler();
  readonly #sent: Buffer;
  readonly #holds: Subscription[] = [];
  readonly #subscriptions: Subscription[] = [];
  /** The number of each message, when it was delivered for the first time. */
  readonly #delivered: number[] = [];
  readonly #role: Schedule['role'];
  readonly #messages: number;
  readonly #violations: string[] = [];
  #finished = 0;
  #hasSentFin = false;
  #given = 0;
  /** Whether the rules allow that something is not delivered: after our own end, or when it was held back for too long. */
  #mayDrop = false;

  constructor({ role, messages, last, highWaterMark, heartbeat, pausedTimeout }: Schedule) {
    this.#role = role;
    this.#messages = messages;
    const frames = Array.from({ length: messages }, (_, i) => messageFrames(i)).flat();
    this.#sent = wire(role, [...frames, ...(lastFrames[last] as Frame[])]);
    this.#each = memoryConnection({
      role,
      scheduler: this.#scheduler,
      closeTimeout: CLOSE_TIMEOUT,
      highWaterMark,
      heartbeat: heartbeat ? { interval: 500, timeout: 300 } : false,
      ...(pausedTimeout !== undefined && { pausedTimeout }),
    });
    this.#each.connection.onFinished({ finished: () => this.#finished++ });
  }

  take(step: Step): void {
    this.#perform(step);
    const { connection } = this.#each;
    const isWanted = this.#holds.length === 0 && this.#subscriptions.some(({ closed }) => !closed);
    this.#check(!isWanted || connection.stats.inboxBytes === 0, `something waits after ${step.do} in spite of demand`);
  }

  #perform(step: Step): void {
    const { port } = this.#each;
    switch (step.do) {
      case 'bytes':
        if (!this.#hasSentFin && !port.isClosed)
          port.receive(this.#sent.subarray(this.#given, this.#given + step.size));
        this.#given += step.size;
        break;
      case 'pass':
        this.#pass(step.ms);
        break;
      case 'subscribe':
        this.#subscribe(step.then, step.at);
        break;
      case 'unsubscribe':
        this.#subscriptions[step.which]?.unsubscribe();
        break;
      case 'fin':
        this.#hasSentFin = true;
        port.finish();
        break;
      case 'reset':
        port.reset();
        break;
      case 'block':
        port.block();
        break;
      case 'drain':
        port.drain();
        break;
      default:
        this.#act(step.do);
    }
  }

  /** Ends the connection where it has not, lets all that is left come, and checks what must hold at the end. */
  end(): void {
    const { port, connection, closeInfos } = this.#each;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const hold of this.#holds.splice(0)) hold.unsubscribe();
    this.#subscribe('nothing', 0);
    port.drain();
    this.#pass(0);
    expect(port.waiting).toBe(0);
    port.reset();
    this.#pass(0);
    expect({ closeInfos: closeInfos.length, finished: this.#finished, readyState: connection.readyState }).toEqual({
      closeInfos: 1,
      finished: 1,
      readyState: 3,
    });
    expect(this.#violations).toEqual([]);
    expect(this.#scheduler.actions).toEqual([]);
    expect(this.#subscriptions.every(({ closed }) => closed)).toBe(true);
    expect([connection.stats.inboxBytes, connection.bufferedAmount - port.pending]).toEqual([0, 0]);
    if (!this.#mayDrop) expect(this.#delivered).toEqual(numbers(this.#arrived()));
    this.#checkFrames();
  }

  #subscribe(reaction: Reaction, at: number): void {
    const { connection } = this.#each;
    let before: number | undefined;
    let count = 0;
    let isOver = false;
    const messages$ = reaction === 'leave' ? connection.messages$.pipe(take(at + 1)) : connection.messages$;
    const subscription = messages$.subscribe({
      next: (message) => {
        const number = Number.parseInt(String(message), 10);
        this.#check(!isOver, 'a message after the end of a subscription');
        this.#check(number > (before ?? -1), `${number} behind ${before}`);
        this.#check(before === undefined || number === before + 1 || this.#mayDrop, `a gap before ${number}`);
        before = number;
        this.#note(number);
        if (count++ !== at) return;
        if (reaction === 'subscribe') this.#subscribe('nothing', 0);
        else if (reaction !== 'nothing' && reaction !== 'leave') this.#act(reaction);
      },
      complete: () => {
        this.#check(!isOver, 'a completion after the end of a subscription');
        isOver = true;
      },
      error: (error) => this.#check(false, `an error: ${error}`),
    });
    subscription.add(() => {
      isOver = true;
    });
    this.#subscriptions.push(subscription);
  }

  #act(action: 'hold' | 'release' | 'send' | 'close' | 'terminate'): void {
    const { connection } = this.#each;
    if (action === 'hold') this.#holds.push(connection.hold());
    else if (action === 'release') this.#holds.pop()?.unsubscribe();
    else if (action === 'send') connection.send.next('sent');
    else {
      this.#mayDrop ||= action === 'terminate' || connection.readyState === 1;
      if (action === 'close') connection.close();
      else connection.terminate();
    }
  }

  #pass(ms: number): void {
    const end = this.#scheduler.now() + ms;
    this.#scheduler.schedule(() => {}, ms);
    this.#scheduler.maxFrames = end;
    this.#scheduler.flush();
    this.#mayDrop ||= ms > 0 && this.#holds.length > 0 && this.#each.closeInfos.length > 0;
  }

  /** Notes what must not be: an exception would end up in RxJS. */
  #check(isRight: boolean, violation: string): void {
    if (!isRight) this.#violations.push(violation);
  }

  /** Each message is delivered for the first time in its turn. */
  #note(number: number): void {
    const last = this.#delivered.at(-1) ?? -1;
    if (number <= last) return;
    this.#check(number === last + 1 || this.#mayDrop, `${number} first, behind ${last}`);
    this.#delivered.push(number);
  }

  /** How many messages came whole. */
  #arrived(): number {
    const { delivered } = this.#each.port;
    let size = 0;
    let count = 0;
    for (let i = 0; i < this.#messages; i++) {
      size += wire(this.#role, messageFrames(i)).length;
      if (size <= delivered) count++;
    }
    return count;
  }

  /** RFC 6455 §5.5.1, §5.5.2: nothing follows a Close frame but pongs, as long as that of the peer has not come. */
  #checkFrames(): void {
    const opcodes = this.#each.port.frames.map(({ opcode }) => opcode);
    const behind = opcodes.includes(0x8) ? opcodes.slice(opcodes.indexOf(0x8) + 1) : [];
    expect(behind.filter((opcode) => opcode !== 0xa)).toEqual([]);
  }
}

/** The frames of message `i`: whole or in parts, with control frames between. Its text begins with its number. */
function messageFrames(i: number): Frame[] {
  const body = `${i} ${'x'.repeat((i * 37) % 200)}`;
  if (i % 3 === 0) return [text(body)];
  if (i % 3 === 1) return [ping(`${i}`), pong(), text(body)];
  return [text(body.slice(0, 1), { fin: false }), ping(), continuation(body.slice(1))];
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
