import { VirtualTimeScheduler } from 'rxjs';
import { DeadlineQueue } from '../../../src/base/deadline-queue.js';
import { Heartbeat } from '../../../src/channel/in/heartbeat.js';

const times = { interval: 30_000, timeout: 10_000, stalledTimeout: 100_000 };

describe('a heartbeat', () => {
  it.each([
    [0, 0],
    [0.25, 7_500],
    [1, 30_000],
  ])('pings first where in the first interval it is told: %d', (random, first) => {
    const { heart, pings, run } = patient();
    heart.start(random);
    run(30_000);
    expect(pings[0]).toBe(first);
  });

  it('pings once in an interval while the peer lives', () => {
    const { heart, pings, run, died } = patient({ answers: true });
    heart.start(0);
    run(100_000);
    expect([pings, died]).toEqual([[0, 30_000, 60_000, 90_000], []]);
  });

  it('gives a silent peer up when the timeout after a ping is over', () => {
    const { heart, run, died } = patient();
    heart.start(0.5);
    run(100_000);
    expect(died).toEqual([25_000]);
  });

  it('takes any byte for life', () => {
    const { heart, run, died, at, each } = patient();
    heart.start(0);
    for (let i = 0; i < 4; i++) at(i * 30_000 + 9_999, () => each.bytesReceived++);
    run(130_000);
    expect(died).toEqual([130_000]);
  });

  it('takes a byte for life that is read in the turn after the deadline', () => {
    const { heart, run, died, at, each } = patient();
    heart.start(0);
    at(10_000, () => each.bytesReceived++);
    run(39_999);
    expect(died).toEqual([]);
  });

  it('pings every interval though the timeout is longer, or a proxy in between would see nothing for that time', () => {
    const { heart, run, died, pings } = patient({ answers: true, timeout: 50_000 });
    heart.start(0);
    run(120_000);
    expect({ pings, died }).toEqual({ pings: [0, 30_000, 60_000, 90_000, 120_000], died: [] });
  });

  it('pings a silent peer no more, and gives it up after a timeout that is longer than the interval', () => {
    const { heart, run, died, pings } = patient({ timeout: 50_000 });
    heart.start(0);
    run(120_000);
    expect({ pings, died }).toEqual({ pings: [0], died: [50_000] });
  });

  it('pings again after the timeout when a byte came between the interval and then', () => {
    const { heart, run, died, pings, at, each } = patient({ timeout: 50_000 });
    heart.start(0);
    at(40_000, () => each.bytesReceived++);
    run(99_999);
    expect({ pings, died }).toEqual({ pings: [0, 50_000], died: [] });
  });

  it('does not ping while reading is stopped', () => {
    const { heart, run, pings, died, at, each } = patient();
    heart.start(0);
    each.isReading = false;
    at(100_000, () => {
      each.isReading = true;
    });
    run(120_000);
    expect([pings, died]).toEqual([[120_000], []]);
  });

  it('says nothing about a silence in which reading was stopped, even for a moment', () => {
    const { heart, run, pings, died, at, each } = patient();
    heart.start(0);
    at(1_000, () => {
      each.isReading = false;
      heart.interrupt();
    });
    at(9_999, () => {
      each.isReading = true;
    });
    run(20_000);
    expect([pings, died]).toEqual([[0, 10_000], [20_000]]);
  });

  it('says nothing when the deadline is noticed more than a second late', () => {
    const { heart, run, pings, died, at, block } = patient();
    heart.start(0);
    at(5_000, () => block(1_001));
    run(20_000);
    expect([pings, died]).toEqual([[0, 11_001], [21_001]]);
  });

  it('decides when it is noticed a second late', () => {
    const { heart, run, died, at, block } = patient();
    heart.start(0);
    at(5_000, () => block(1_000));
    run(20_000);
    expect(died).toEqual([11_000]);
  });

  it('leaves nothing behind when it is stopped', () => {
    const { heart, pings, died, scheduler, at, run } = patient();
    heart.start(0.5);
    at(20_000, () => heart.stop());
    run(100_000);
    expect({ pings, died, actions: scheduler.actions }).toEqual({ pings: [15_000], died: [], actions: [] });
  });

  it('leaves nothing behind when its ping stops it', () => {
    const { heart, scheduler, run, died, each } = patient();
    each.sendPing = () => heart.stop();
    heart.start(0);
    run(100_000);
    expect([died, scheduler.actions]).toEqual([[], []]);
  });
});

describe('a heartbeat with messages before its ping', () => {
  it('gives the peer up when nothing has come or gone for stalledTimeout', () => {
    const { heart, run, died, reasons, each } = patient();
    heart.start(0);
    each.effort = 1;
    run(200_000);
    expect({ died, reasons }).toEqual({
      died: [100_000],
      reasons: ['no byte came or went for 100000 ms while the peer had messages to read before a ping'],
    });
  });

  it('pings once, and takes any byte for life', () => {
    const { heart, run, pings, died, at, each } = patient();
    heart.start(0);
    each.effort = 1;
    at(99_999, () => each.bytesReceived++);
    run(130_000);
    expect({ pings, died }).toEqual({ pings: [0, 120_000], died: [] });
  });

  it('is patient with messages that were sent after the ping too', () => {
    const { heart, run, died, at, each } = patient();
    heart.start(0);
    at(9_000, () => each.effort++);
    run(200_000);
    expect(died).toEqual([100_000]);
  });

  it('is patient no longer once a ping that came after them was answered', () => {
    const { heart, run, died, pings, at, each } = patient();
    each.effort = 7;
    heart.start(0);
    at(5_000, () => {
      each.bytesReceived += 2;
      heart.answered(7);
    });
    run(200_000);
    expect({ pings, died }).toEqual({ pings: [0, 30_000], died: [40_000] });
  });

  it('stays patient when the ping that was answered came before them', () => {
    const { heart, run, died, at, each } = patient();
    each.effort = 7;
    heart.start(0);
    at(5_000, () => {
      each.effort = 8;
      each.bytesReceived += 2;
      heart.answered(7);
    });
    run(200_000);
    expect(died).toEqual([130_000]);
  });

  it('counts anew when the kernel takes what it had no room for', () => {
    const { heart, run, died, at, each } = patient();
    each.effort = 1;
    each.taken = 0;
    heart.start(0);
    at(15_000, () => each.taken!++);
    at(95_000, () => {
      each.taken = undefined;
    });
    run(300_000);
    expect(died).toEqual([200_000]);
  });

  it('does not take it for progress that the kernel has room for more', () => {
    const { heart, run, died, at, each } = patient();
    each.effort = 1;
    heart.start(0);
    // Written, and taken or not, between two looks: a dead peer has a kernel buffer to fill too.
    for (let time = 5_000; time < 300_000; time += 20_000) at(time, () => each.effort++);
    at(65_000, () => {
      each.taken = 5;
    });
    run(300_000);
    expect(died).toEqual([100_000]);
  });

  it('looks more often where stalledTimeout is shorter than timeout', () => {
    const { heart, run, died, at, each } = patient({ stalledTimeout: 12_000 });
    each.effort = 1;
    each.taken = 0;
    heart.start(0);
    at(11_000, () => each.taken!++);
    run(300_000);
    expect(died).toEqual([24_000]);
  });

  it('says nothing about a silence in which reading was stopped', () => {
    const { heart, run, died, pings, at, each } = patient();
    each.effort = 1;
    heart.start(0);
    at(95_000, () => {
      each.isReading = false;
      heart.interrupt();
    });
    at(400_000, () => {
      each.isReading = true;
    });
    run(499_999);
    expect({ pings, died }).toEqual({ pings: [0, 400_000], died: [] });
  });

  it('begins anew when it is noticed more than a second late', () => {
    const { heart, run, died, pings, at, each, block } = patient();
    each.effort = 1;
    heart.start(0);
    at(95_000, () => block(6_001));
    run(300_000);
    expect({ pings, died }).toEqual({ pings: [0, 106_001], died: [206_001] });
  });
});

interface Watched {
  readonly heart: Heartbeat;
  readonly each: {
    bytesReceived: number;
    isReading: boolean;
    effort: number;
    taken: number | undefined;
    sendPing: () => void;
    signLife: () => void;
    died: (silence: string) => void;
  };
  readonly scheduler: VirtualTimeScheduler;
  /** When it pinged, and when it gave up. */
  readonly pings: number[];
  readonly died: number[];
  readonly reasons: string[];
  at(time: number, work: () => void): void;
  /** Lets the clock go on by so much, while no timer runs. */
  block(ms: number): void;
  /** Lets time pass until `end`. */
  run(end: number): void;
}

function patient({ answers = false, timeout = times.timeout, stalledTimeout = times.stalledTimeout } = {}): Watched {
  const scheduler = new VirtualTimeScheduler();
  let blocked = 0;
  const clock = (): number => scheduler.now() + blocked;
  const pings: number[] = [];
  const died: number[] = [];
  const reasons: string[] = [];
  const each: Watched['each'] = {
    bytesReceived: 0,
    isReading: true,
    effort: 0,
    taken: undefined,
    sendPing: (): void => {
      pings.push(clock());
      if (answers) each.bytesReceived += 2;
    },
    signLife: () => {},
    died: (silence): void => {
      died.push(clock());
      reasons.push(silence);
    },
  };
  return {
    heart: new Heartbeat(each, { ...times, timeout, stalledTimeout }, new DeadlineQueue(scheduler, clock)),
    each,
    scheduler,
    pings,
    died,
    reasons,
    at: (time, work) => {
      scheduler.schedule(work, time);
    },
    block: (ms) => {
      blocked += ms;
    },
    run: (end) => {
      scheduler.maxFrames = end;
      scheduler.flush();
    },
  };
}
