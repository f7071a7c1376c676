import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { asapScheduler, asyncScheduler, Subscription, VirtualTimeScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { clockOf, deadline } from '../../src/base/clock.js';
import { blockLoop } from '../support/block-loop.js';
import { endAfterEach } from '../support/end-after-each.js';

const atEnd = endAfterEach();

describe('the clock', () => {
  it('does not follow the wall clock', () => {
    const clock = clockOf(asyncScheduler);
    const before = clock();
    const wall = jest.spyOn(Date, 'now').mockReturnValue(-1e15);
    try {
      expect(clock()).toBeGreaterThanOrEqual(before);
    } finally {
      wall.mockRestore();
    }
  });

  it('is virtual under a test scheduler', () => {
    const scheduler = new TestScheduler(() => {});
    const clock = clockOf(scheduler);
    const seen: number[] = [];
    scheduler.run(({ cold }) => {
      cold('500ms a 499ms a|').subscribe(() => seen.push(clock()));
    });
    expect(seen).toEqual([500, 1000]);
  });

  it('is that of any other scheduler', () => {
    expect(clockOf(asapScheduler)()).toBeGreaterThan(Date.UTC(2020));
  });
});

describe('a deadline', () => {
  it('expires once, when its time has passed', () => {
    const scheduler = new VirtualTimeScheduler();
    const expired: number[] = [];
    deadline(scheduler, 40, () => expired.push(scheduler.now()));
    scheduler.flush();
    expect(expired).toEqual([40]);
  });

  it.each([
    ['before its time', 39],
    ['at its time, in the turn that it waits still', 40],
  ])('can be called off %s', (_, at) => {
    const scheduler = new VirtualTimeScheduler();
    const expired: number[] = [];
    const timers = new Subscription();
    timers.add(deadline(scheduler, 40, () => expired.push(scheduler.now())));
    scheduler.schedule(() => timers.unsubscribe(), at);
    scheduler.flush();
    expect(expired).toEqual([]);
  });

  it('lets be read what came in time while the loop was blocked', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const socket = await accepted;
    atEnd(() => {
      peer.destroy();
      socket.destroy();
      server.close();
    });
    const seen: string[] = [];
    socket.on('data', () => seen.push('data'));
    await new Promise<void>((resolve) => {
      deadline(asyncScheduler, 5, () => {
        seen.push('expired');
        resolve();
      });
      peer.write('in time');
      blockLoop(20);
    });
    expect(seen).toEqual(['data', 'expired']);
  });
});
