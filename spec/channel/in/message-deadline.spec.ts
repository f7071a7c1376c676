import { VirtualTimeScheduler } from 'rxjs';
import { DeadlineQueue } from '../../../src/base/deadline-queue.js';
import { MessageDeadline } from '../../../src/channel/in/message-deadline.js';

const TIMEOUT = 10_000;
/** What has to come in that time, at 8 KiB a second. */
const ENOUGH = 81_920;

describe('the deadline of a message', () => {
  it('expires for a message that does not go on', () => {
    const { message, check, at, expirations } = watched();
    at(500, () => begin(message, 100, check));
    expect(expirations()).toEqual([[10_500, 100]]);
  });

  it('expires for fragments that drip, each in good time', () => {
    const { message, check, at, expirations } = watched();
    at(0, () => begin(message, 1, check));
    for (let second = 1; second < 10; second++) {
      at(second * 1_000, () => {
        message.partialBytes++;
        check();
      });
    }
    expect(expirations()).toEqual([[TIMEOUT, 10]]);
  });

  it('lets a message pass that arrives at 8 KiB a second', () => {
    const { message, check, at, expirations } = watched();
    at(0, () => begin(message, 1, check));
    for (let period = 0; period < 5; period++) {
      at(period * TIMEOUT + 5_000, () => {
        message.partialBytes += ENOUGH;
        check();
      });
    }
    at(50_001, () => end(message, check));
    expect(expirations()).toEqual([]);
  });

  it('expires in the first period that brings less', () => {
    const { message, check, at, expirations } = watched();
    at(0, () => begin(message, ENOUGH, check));
    at(15_000, () => {
      message.partialBytes += ENOUGH - 1;
    });
    expect(expirations()).toEqual([[20_000, ENOUGH - 1]]);
  });

  it('is that of the next message when one was in time', () => {
    const { message, check, at, expirations } = watched();
    at(0, () => begin(message, 1, check));
    at(9_000, () => {
      end(message, check);
      begin(message, 5, check);
    });
    expect(expirations()).toEqual([[19_000, 5]]);
  });

  it('is one timer for any number of messages', () => {
    const { message, check, at, expirations, timers } = watched();
    for (let i = 0; i < 1_000; i++) {
      at(i, () => {
        begin(message, 1, check);
        end(message, check);
      });
    }
    expect(expirations()).toEqual([]);
    expect(timers()).toBeLessThan(4);
  });

  it('stands still while it is stopped, and begins anew', () => {
    const { message, check, at, expirations, deadline } = watched();
    at(0, () => begin(message, 1, check));
    at(9_999, () => deadline.stop());
    at(60_000, check);
    expect(expirations()).toEqual([[70_000, 1]]);
  });

  it('is not over for a message that goes on in the very turn of the loop', () => {
    const { message, check, at, expirations } = watched();
    at(0, () => begin(message, 1, check));
    at(TIMEOUT, () => {
      message.partialBytes += ENOUGH;
      check();
    });
    at(19_999, () => end(message, check));
    expect(expirations()).toEqual([]);
  });

  it('begins anew when it is noticed more than a second late', () => {
    const { message, check, at, expirations, delay } = watched();
    at(0, () => begin(message, 1, check));
    at(9_000, () => delay(1_001));
    expect(expirations()).toEqual([[21_001, 0]]);
  });

  it('leaves no timer when nothing arrives', () => {
    const { check, expirations, timers } = watched();
    check();
    expect([expirations(), timers()]).toEqual([[], 0]);
  });
});

interface ArrivingMessage {
  partialMessage: number;
  partialBytes: number;
}

function begin(message: ArrivingMessage, bytes: number, check: () => void): void {
  next++;
  message.partialMessage = next;
  message.partialBytes = bytes;
  check();
}

function end(message: ArrivingMessage, check: () => void): void {
  message.partialMessage = 0;
  message.partialBytes = 0;
  check();
}

let next = 0;

interface Watched {
  readonly message: ArrivingMessage;
  readonly deadline: MessageDeadline;
  check(): void;
  at(time: number, work: () => void): void;
  /** Blocks the loop for so long: the clock goes on, and no timer runs. */
  delay(ms: number): void;
  /** Lets all time pass. Gives when it expired, and with how many bytes. */
  expirations(): [number, number][];
  /** How many timers it took. */
  timers(): number;
}

function watched(): Watched {
  const scheduler = new VirtualTimeScheduler();
  const message = { partialMessage: 0, partialBytes: 0 };
  const expired: [number, number][] = [];
  let blocked = 0;
  const clock = (): number => scheduler.now() + blocked;
  const events: [number, () => void][] = [];
  let timers = 0;
  const counting = {
    now: () => scheduler.now(),
    schedule: (...given: Parameters<VirtualTimeScheduler['schedule']>) => {
      timers++;
      return scheduler.schedule(...given);
    },
  } as VirtualTimeScheduler;
  const deadline = new MessageDeadline({
    session: message,
    terms: { settings: { messageTimeout: TIMEOUT }, deadlines: new DeadlineQueue(counting, clock) },
    tooSlow: ({ message: text }) => expired.push([clock(), Number(/got (\d+) bytes/.exec(text)?.[1])]),
  });
  return {
    message,
    deadline,
    check: () => deadline.check(),
    at: (time, work) => events.push([time, work]),
    delay: (ms) => {
      blocked += ms;
    },
    expirations: () => {
      for (const [time, work] of events) scheduler.schedule(work, time);
      scheduler.flush();
      expect(scheduler.actions).toEqual([]);
      return expired;
    },
    timers: () => timers,
  };
}
