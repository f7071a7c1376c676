import { Observable } from 'rxjs';
import { ReadySignal } from '../../src/base/ready-signal.js';
import { Closing } from '../../src/channel/closing.js';
import { FrameChannel } from '../../src/channel/frame-channel.js';
import { Heartbeat } from '../../src/channel/in/heartbeat.js';
import { MessageDeadline } from '../../src/channel/in/message-deadline.js';
import { PingTracker } from '../../src/channel/in/ping-tracker.js';
import { Receiver } from '../../src/channel/in/receiver.js';
import { Backlog } from '../../src/channel/out/backlog.js';
import { DeflateSender } from '../../src/channel/out/deflating.js';
import { FrameQueue } from '../../src/channel/out/frame-queue.js';
import { Outbox } from '../../src/channel/out/outbox.js';
import { PartsSender } from '../../src/channel/out/parts-sender.js';
import { Slab } from '../../src/channel/out/slab.js';
import { Wire } from '../../src/channel/out/wire.js';
import { ConnectionStreams } from '../../src/connection/endings.js';
import { Inbox } from '../../src/connection/inbox.js';
import { Session } from '../../src/protocol/message/session.js';
import { Reception } from '../../src/server/reception.js';
import { isLong } from '../support/long.js';
import { type Schedule, type Step, scheduleOf } from './simulation/schedule.js';
import { shrunk } from './simulation/shrink.js';
import { violationsOf } from './simulation/trial.js';

/** `npm run simulate` runs many more. */
const SCHEDULES = isLong ? 250 : 100;
/** After so many at the latest the simulation finds what is broken. */
const SCHEDULES_THAT_FIND = 3_000;

/** The seed of the first of `count` schedules that breaks a rule, and how. */
function firstFailure(count: number): { seed: number; violations: string[] } | undefined {
  for (let seed = 1; seed <= count; seed++) {
    const violations = violationsOf(scheduleOf(seed));
    if (violations.length > 0) return { seed, violations };
  }
  return undefined;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('any schedule of both ends of a connection, and of the network between them', () => {
  it('breaks no rule', () => {
    expect(firstFailure(SCHEDULES)).toBeUndefined();
  });

  it('is the same for the same seed', () => {
    expect(scheduleOf(7)).toEqual(scheduleOf(7));
    expect(scheduleOf(7)).not.toEqual(scheduleOf(8));
  });
});

describe('the simulation', () => {
  const nothing = (): void => {};
  const { put } = Inbox.prototype;
  const { settled, ping } = ConnectionStreams.prototype;
  const { start } = DeflateSender.prototype;
  const { dropLater } = FrameQueue.prototype;
  const { peerClosed, readingChanged } = Closing.prototype;
  const breakages: [string, () => void][] = [
    [
      'the outbox is not told that all was written',
      () => jest.spyOn(Outbox.prototype, 'drained').mockImplementation(nothing),
    ],
    ['marks are lost', () => jest.spyOn(Wire.prototype, 'mark').mockImplementation(nothing)],
    ['marks in the queue are lost', () => jest.spyOn(FrameQueue.prototype, 'mark').mockImplementation(nothing)],
    ['sources of parts are not resumed', () => jest.spyOn(PartsSender.prototype, 'resume').mockImplementation(nothing)],
    [
      'sources of parts are not stopped',
      () => jest.spyOn(PartsSender.prototype, 'unsubscribe').mockImplementation(nothing),
    ],
    ['ready$ does not complete', () => jest.spyOn(ReadySignal.prototype, 'end').mockImplementation(nothing)],
    ['pings wait for ever', () => jest.spyOn(PingTracker.prototype, 'end').mockImplementation(nothing)],
    ['the heartbeat goes on', () => jest.spyOn(Heartbeat.prototype, 'stop').mockImplementation(nothing)],
    [
      'the deadline of a message stays',
      () => jest.spyOn(MessageDeadline.prototype, 'stop').mockImplementation(nothing),
    ],
    ['the end is not delivered', () => jest.spyOn(Inbox.prototype, 'end').mockImplementation(nothing)],
    ['what is held is not dropped', () => jest.spyOn(Inbox.prototype, 'abandon').mockImplementation(nothing)],
    [
      'nobody is told that a hold is released',
      () => jest.spyOn(Inbox.prototype, 'whenOver').mockImplementation(nothing),
    ],
    ['there is no close record', () => jest.spyOn(ConnectionStreams.prototype, 'settled').mockImplementation(nothing)],
    ['bytes of a read are not kept', () => jest.spyOn(Session.prototype, 'keep').mockImplementation(nothing)],
    ['memory is not given back', () => jest.spyOn(Slab.prototype, 'release').mockImplementation(nothing)],
    [
      'the peer is not told that its Close frame came',
      () => jest.spyOn(Closing.prototype, 'peerClosed').mockImplementation(nothing),
    ],
    ['FIN is not noticed', () => jest.spyOn(FrameChannel.prototype, 'ended').mockImplementation(nothing)],
    ['the end is not acted on', () => jest.spyOn(Receiver.prototype, 'finish').mockImplementation(nothing)],
    [
      'a server lists connections for ever',
      () => jest.spyOn(Reception.prototype, 'closed').mockImplementation(nothing),
    ],
    [
      'messages come twice',
      () =>
        jest.spyOn(Inbox.prototype, 'put').mockImplementation(function (this: Inbox<unknown>, ...args) {
          put.apply(this, args);
          put.apply(this, args);
        }),
    ],
    [
      'close$ comes before the end of messages$',
      () =>
        jest.spyOn(ConnectionStreams.prototype, 'ended').mockImplementation(function (
          this: ConnectionStreams<unknown>,
          info,
        ) {
          this.info = info;
          settled.call(this);
        }),
    ],
    [
      'a Close frame ends what is being compressed',
      () =>
        jest.spyOn(DeflateSender.prototype, 'start').mockImplementation(function (this: DeflateSender) {
          Object.assign(this, { hasKnownEnd: false });
          start.call(this);
        }),
    ],
    [
      'a Close frame ends Blobs and arrays of parts',
      () => jest.spyOn(PartsSender.prototype, 'hasKnownEnd', 'get').mockReturnValue(false),
    ],
    [
      'a Close frame ends what waits to be encoded',
      () =>
        jest.spyOn(FrameQueue.prototype, 'dropLater').mockImplementation(function (this: FrameQueue) {
          return dropLater.call(this, () => true);
        }),
    ],
    [
      'a Close frame overtakes what waits',
      () =>
        jest.spyOn(Outbox.prototype, 'close').mockImplementation(function (this: Outbox, payload, onHanded) {
          this.fail(payload, onHanded);
        }),
    ],
    [
      'messages without an end are not given up',
      () => jest.spyOn(Outbox.prototype, 'giveUpEndless').mockImplementation(nothing),
    ],
    [
      'what is given up is not counted',
      () =>
        jest.spyOn(FrameQueue.prototype, 'dropLater').mockImplementation(function (this: FrameQueue, isUnwanted) {
          dropLater.call(this, isUnwanted);
          return 0;
        }),
    ],
    [
      'what waits behind a message that is given up is not counted',
      () => jest.spyOn(Backlog.prototype, 'messages', 'get').mockReturnValue(0),
    ],
    ['a producer never rests', () => jest.spyOn(ReadySignal.prototype, 'rest').mockImplementation(nothing)],
    ['a producer that rests is not woken', () => jest.spyOn(ReadySignal.prototype, 'wake').mockImplementation(nothing)],
    ['ready$ replays what others are being told', replayStale],
    [
      'pings come twice',
      () =>
        jest.spyOn(ConnectionStreams.prototype, 'ping').mockImplementation(function (
          this: ConnectionStreams<unknown>,
          payload,
        ) {
          ping.call(this, payload);
          ping.call(this, payload);
        }),
    ],
    [
      'a write that fails ends everything',
      () =>
        jest.spyOn(FrameChannel.prototype, 'broken').mockImplementation(function (this: FrameChannel<unknown>, error) {
          this.closed(error);
        }),
    ],
    [
      'a write that fails is not noticed',
      () => jest.spyOn(FrameChannel.prototype, 'broken').mockImplementation(nothing),
    ],
    [
      'what a peer that is gone has left is not waited for',
      () =>
        jest.spyOn(Closing.prototype, 'readingChanged').mockImplementation(function (this: Closing) {
          readingChanged.call(this, true);
        }),
    ],
    [
      'the Close frame of a peer that is gone does not count',
      () =>
        jest.spyOn(Closing.prototype, 'peerClosed').mockImplementation(function (this: Closing, ...args) {
          if (this.state !== 'cut') peerClosed.apply(this, args);
        }),
    ],
  ];

  it.each(breakages)('finds out when %s', (_, breakIt) => {
    breakIt();
    expect(firstFailure(SCHEDULES_THAT_FIND)).toBeDefined();
  });

  /** As if there were one value for all subscribers: the one that they are being told. */
  function replayStale(): void {
    const { get } = Object.getOwnPropertyDescriptor(ReadySignal.prototype, 'ready$') as {
      get(this: ReadySignal): Observable<boolean>;
    };
    const told = new WeakMap<ReadySignal, boolean>();
    jest.spyOn(ReadySignal.prototype, 'ready$', 'get').mockImplementation(function (this: ReadySignal) {
      return new Observable<boolean>((subscriber) => {
        const before = told.get(this);
        let count = 0;
        return get.call(this).subscribe({
          next: (ready) => {
            told.set(this, ready);
            subscriber.next(count++ === 0 ? (before ?? ready) : ready);
          },
          complete: () => subscriber.complete(),
        });
      });
    });
  }

  it('cuts a schedule down to the steps that break the rule', () => {
    const needed: Step[] = [
      { do: 'hold', on: 'client' },
      { do: 'close', on: 'server' },
    ];
    const isBroken = ({ steps }: Schedule): string[] =>
      needed.every((step) => steps.some((each) => each.do === step.do)) ? ['step 9: broken'] : [];
    const schedule = scheduleOf(1);
    const others = schedule.steps.filter((step) => step.do !== 'hold' && step.do !== 'close');
    const steps = others.flatMap((step, index) =>
      index === 3 || index === 8 ? [needed[+(index > 3)]!, step] : [step],
    );
    expect(shrunk({ ...schedule, steps }, isBroken)).toEqual({ ...schedule, steps: needed });
  });
});
