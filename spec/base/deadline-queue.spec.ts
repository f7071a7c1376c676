import fc from 'fast-check';
import { asyncScheduler, type SchedulerLike, Subscription, VirtualTimeScheduler } from 'rxjs';
import { DeadlineQueue, type Due } from '../../src/base/deadline-queue.js';

/** An entry that writes down when it was due. */
class Entry implements Due {
  dueAt = 0;
  place = -1;
  readsFirst = false;
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

/** An entry that lets be read what has come before it is told. */
function patient(name: string, log: string[], then?: () => void): Entry {
  const entry = new Entry(name, log, then);
  entry.readsFirst = true;
  return entry;
}

function queueOf(): { queue: DeadlineQueue; scheduler: VirtualTimeScheduler; log: string[] } {
  const scheduler = new VirtualTimeScheduler();
  return { queue: new DeadlineQueue(scheduler), scheduler, log: [] };
}

function fail(): never {
  throw new Error('broken');
}

/** A queue whose timer, the one that was set last, fires when `tick` says so; it survives an exception. */
function ticking(): { queue: DeadlineQueue; log: string[]; tick(passed: number): void } {
  const timers: (() => void)[] = [];
  let time = 0;
  const schedule = (work: () => void): Subscription => {
    timers.push(work);
    return Subscription.EMPTY;
  };
  const queue = new DeadlineQueue({ now: () => time, schedule } as SchedulerLike);
  const tick = (passed: number): void => {
    time += passed;
    timers.at(-1)?.();
  };
  return { queue, log: [], tick };
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

  it('goes on for the others when one throws', () => {
    const { queue, tick, log } = ticking();
    queue.add(new Entry('a', log, fail), 10);
    queue.add(new Entry('b', log), 10);
    expect(() => tick(10)).toThrow('broken');
    expect(log).toEqual(['a 10']);
    tick(0);
    expect(log).toEqual(['a 10', 'b 10']);
  });

  describe('with one that lets be read first', () => {
    it('tells it one turn after its time, with its own time, and the others at once', () => {
      const { queue, scheduler, log } = queueOf();
      scheduler.schedule(() => scheduler.schedule(() => log.push('the turn after')), 10);
      queue.add(patient('patient', log), 10);
      queue.add(new Entry('a', log), 10);
      queue.add(new Entry('b', log), 11);
      scheduler.flush();
      expect(log).toEqual(['a 10', 'the turn after', 'patient 10', 'b 11']);
    });

    it('tells it no more when it has left in that turn, and keeps no timer for it', () => {
      const { queue, scheduler, log } = queueOf();
      const gone = patient('gone', log);
      queue.add(gone, 10);
      scheduler.schedule(() => {
        queue.remove(gone);
        queue.remove(gone);
        expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
      }, 10);
      scheduler.flush();
      expect(log).toEqual([]);
    });

    it('gives it its whole time again when it is added anew in that turn', () => {
      const { queue, scheduler, log } = queueOf();
      const again = patient('again', log);
      queue.add(again, 10);
      scheduler.schedule(() => queue.add(again, 5), 10);
      scheduler.flush();
      expect(log).toEqual(['again 15']);
    });

    it('tells it in a later turn when another of that turn throws', () => {
      const { queue, tick, log } = ticking();
      queue.add(patient('broken', log, fail), 10);
      queue.add(patient('other', log), 10);
      tick(10);
      expect(() => tick(0)).toThrow('broken');
      expect(log).toEqual(['broken 10']);
      tick(0);
      expect(log).toEqual(['broken 10', 'other 10']);
    });
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
