import { VirtualTimeScheduler } from 'rxjs';
import { DeadlineQueue } from '../../../src/base/deadline-queue.js';
import { LifeSign } from '../../../src/channel/in/life-sign.js';

/** Its own interval between pings, in milliseconds. */
const INTERVAL = 30_000;

describe('a sign of life', () => {
  it('is given at half the interval of the own heartbeat after a single ping', () => {
    const { at, ping, pause, run, signs } = end();
    at(1_000, ping);
    at(2_000, pause);
    run(50_000);
    expect(signs).toEqual([17_000, 32_000, 47_000]);
  });

  it.each<[string, readonly number[], number]>([
    ['half the distance of the pings', [0, 10_000, 20_000], 5_000],
    ['half of a distance that is longer than the own interval', [0, 90_000], 45_000],
    ['half of the shortest distance', [0, 10_000, 16_000, 26_000], 3_000],
    ['a second for pings that come more often than every two', [0, 500, 1_000], 1_000],
    ['no regard to pings that come together', [0, 10_000, 10_000, 10_100], 5_000],
  ])('is given with %s', (_, pings, period) => {
    const { at, ping, pause, run, signs } = end();
    for (const time of pings) at(time, ping);
    at(100_000, pause);
    run(100_000 + 2 * period);
    expect(signs).toEqual([100_000 + period, 100_000 + 2 * period]);
  });

  it('does not take the time that pings lay unread for their distance', () => {
    const { at, ping, pause, resume, run, signs } = end();
    at(0, ping);
    at(1_000, pause);
    at(11_000, resume);
    for (const time of [11_000, 13_000]) at(time, ping);
    at(12_000, pause);
    at(12_500, resume);
    at(100_000, pause);
    run(120_000);
    expect(signs).toEqual([115_000]);
  });

  it('is not given while reading goes on', () => {
    const { at, ping, pause, resume, run, signs, scheduler } = end();
    at(0, ping);
    at(1_000, pause);
    at(20_000, resume);
    run(200_000);
    expect({ signs, timers: scheduler.actions }).toEqual({ signs: [16_000], timers: [] });
  });

  it('does not wait anew when reading goes on for a moment', () => {
    const { at, ping, pause, resume, run, signs } = end();
    at(0, ping);
    for (let time = 1_000; time < 100_000; time += 10_000) {
      at(time, pause);
      at(time + 9_999, resume);
    }
    run(62_000);
    expect(signs).toEqual([16_000, 31_000, 46_000, 61_000]);
  });

  it('leaves nothing behind when it is stopped', () => {
    const { at, ping, pause, run, signs, scheduler, sign } = end();
    at(0, ping);
    at(1_000, pause);
    at(20_000, () => sign.stop());
    run(200_000);
    expect({ signs, timers: scheduler.actions }).toEqual({ signs: [16_000], timers: [] });
  });
});

interface End {
  readonly sign: LifeSign;
  readonly scheduler: VirtualTimeScheduler;
  /** When signs were given. */
  readonly signs: number[];
  readonly ping: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
  at(time: number, work: () => void): void;
  /** Lets time pass until `last`. */
  run(last: number): void;
}

function end(): End {
  const scheduler = new VirtualTimeScheduler();
  const signs: number[] = [];
  const owner = {
    isReading: true,
    signLife: (): void => {
      signs.push(scheduler.now());
    },
  };
  const sign = new LifeSign(owner, INTERVAL, new DeadlineQueue(scheduler));
  return {
    sign,
    scheduler,
    signs,
    ping: () => sign.pinged(),
    pause: () => {
      owner.isReading = false;
      sign.interrupt();
    },
    resume: () => {
      owner.isReading = true;
    },
    at: (time, work) => {
      scheduler.schedule(work, time);
    },
    run: (last) => {
      scheduler.maxFrames = last;
      scheduler.flush();
    },
  };
}
