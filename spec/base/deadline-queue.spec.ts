import fc from 'fast-check';
import { asyncScheduler, type SchedulerLike, Subscription, VirtualTimeScheduler } from 'rxjs';
import { DeadlineQueue, type Due } from '../../src/base/deadline-queue.js';

/** An entry that writes down when it was due. */
class Entry implements Due {
  dueAt = 0;
  place = -1;
  readonly #name: string;
  readonly #log: string[];
  readonly #then: (() => void) | undefined;

  constructor(name: string, log: string[], then?: () => void) {
    this.#name = name;
    this.#log = log;
    this.#then = then;
  }

  due(): void {
    this.#log.push(`${this.#name} ${this.dueAt}`);
    this.#then?.();
  }
}

function queueOf(): { queue: DeadlineQueue; scheduler: VirtualTimeScheduler; log: string[] } {
  const scheduler = new VirtualTimeScheduler();
  return { queue: new DeadlineQueue(scheduler), scheduler, log: [] };
}

describe('a line of deadlines', () => {
  it('tells each when its time has come, the earliest first, with one timer', () => {
    const { queue, scheduler, log } = queueOf();
    for (const [name, delay] of Object.entries({ b: 20, d: 40, a: 10, c: 30 })) queue.add(new Entry(name, log), delay);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toHaveLength(1);
    scheduler.flush();
    expect(log).toEqual(['a 10', 'b 20', 'c 30', 'd 40']);
  });

  it('leaves no timer when the last is taken out, and does not mind one that is not there', () => {
    const { queue, scheduler, log } = queueOf();
    const [first, second] = [new Entry('a', log), new Entry('b', log)];
    queue.add(first, 10);
    queue.add(second, 20);
    queue.remove(first);
    queue.remove(first);
    queue.remove(second);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
    scheduler.flush();
    expect(log).toEqual([]);
  });

  it('lets one that is told take out another of the same time, and add itself for a later turn', () => {
    const { queue, scheduler, log } = queueOf();
    const victim = new Entry('victim', log);
    let left = 2;
    const first = new Entry('first', log, () => {
      queue.remove(victim);
      if (--left > 0) queue.add(first, 0);
    });
    queue.add(first, 10);
    queue.add(victim, 10);
    scheduler.flush();
    expect(log).toEqual(['first 10', 'first 10']);
  });

  it('tells them one turn after their time, and what has become due in that turn after another one', () => {
    const turns: (() => void)[] = [];
    let time = 0;
    const schedule = (work: () => void): Subscription => {
      turns.push(work);
      return Subscription.EMPTY;
    };
    const queue = new DeadlineQueue({ now: () => time, schedule } as SchedulerLike);
    const log: string[] = [];
    queue.add(new Entry('a', log), 10);
    queue.add(new Entry('b', log), 15);
    const toldAfterEach: number[] = [];
    for (const now of [12, 20, 20, 20]) {
      time = now;
      turns.at(-1)?.();
      // Whatever is added meanwhile does not put it off.
      queue.add(new Entry('later', log), 1_000);
      toldAfterEach.push(log.length);
    }
    expect({ toldAfterEach, log }).toEqual({ toldAfterEach: [0, 1, 1, 2], log: ['a 10', 'b 15'] });
  });

  it('goes on for the others when one throws', () => {
    const timers: (() => void)[] = [];
    let time = 0;
    const schedule = (work: () => void): Subscription => {
      timers.push(work);
      return Subscription.EMPTY;
    };
    const queue = new DeadlineQueue({ now: () => time, schedule } as SchedulerLike);
    const log: string[] = [];
    const broken = (): void => {
      throw new Error('broken');
    };
    queue.add(new Entry('a', log, broken), 10);
    queue.add(new Entry('b', log), 10);
    time = 10;
    timers.at(-1)?.();
    expect(timers.at(-1)).toThrow('broken');
    expect(log).toEqual(['a 10']);
    timers.at(-1)?.();
    timers.at(-1)?.();
    expect(log).toEqual(['a 10', 'b 10']);
  });

  it('sets its timer anew when it was set in a time that is over', () => {
    const scheduler = new VirtualTimeScheduler();
    let passed = 0;
    const queue = new DeadlineQueue(scheduler, () => scheduler.now() + passed);
    const log: string[] = [];
    queue.add(new Entry('lost', log), 10);
    for (const action of scheduler.actions.splice(0)) action.unsubscribe();
    passed = 5_000;
    queue.add(new Entry('b', log), 20);
    scheduler.flush();
    expect(log).toEqual(['lost 10', 'b 5020']);
  });

  it('is one for all in real time', () => {
    expect(DeadlineQueue.of(asyncScheduler)).toBe(DeadlineQueue.of(asyncScheduler));
    const scheduler = new VirtualTimeScheduler();
    expect(DeadlineQueue.of(scheduler)).not.toBe(DeadlineQueue.of(scheduler));
  });

  it('keeps the order of time whatever is added and taken out', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 60 }), (steps) => {
        const { queue, scheduler, log } = queueOf();
        const staying: number[] = [];
        steps.forEach(([delay, leaves], index) => {
          const entry = new Entry(String(index), log);
          queue.add(entry, delay);
          if (leaves) queue.remove(entry);
          else staying.push(delay);
        });
        scheduler.flush();
        expect(log.map((line) => Number(line.split(' ')[1]))).toEqual(staying.sort((one, other) => one - other));
      }),
    );
  });
});
