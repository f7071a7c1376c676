import { concat, firstValueFrom, take, toArray } from 'rxjs';
import { until } from '../support/until.js';
import type { Driver, FlowConnection } from './driver.js';
import { opener, record } from './opening.js';

/** What a subscription to `messages$` means. */
export function demand(driver: Driver<FlowConnection>): void {
  describe('demand', () => {
    const open = opener(driver);

    it('keeps what comes without a subscriber, in order, for the first one', async () => {
      const subject = await open();
      subject.peer.send('a', 'b', 'c');
      await until(() => subject.arrived === 3);
      expect(record(subject.conn)).toEqual(['a', 'b', 'c']);
    });

    it('loses no message between subscriptions', async () => {
      const { conn, peer } = await open();
      peer.send('a', 'b', 'c');
      const first = await firstValueFrom(conn.messages$.pipe(take(2), toArray()));
      peer.send('d');
      const second = await firstValueFrom(conn.messages$.pipe(take(2), toArray()));
      expect({ first, second }).toEqual({ first: ['a', 'b'], second: ['c', 'd'] });
    });

    it('gives one message to each subscription of a chain of take(1)', async () => {
      const { conn, peer } = await open();
      const one$ = conn.messages$.pipe(take(1));
      const chained = firstValueFrom(concat(one$, one$, one$).pipe(toArray()));
      peer.send('a', 'b', 'c', 'd');
      expect(await chained).toEqual(['a', 'b', 'c']);
      expect(await firstValueFrom(conn.messages$)).toBe('d');
    });

    it('delivers to all subscribers, and replays nothing for a second one', async () => {
      const subject = await open();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      const first = record(subject.conn);
      const second = record(subject.conn);
      subject.peer.send('b', 'c');
      await until(() => second.length === 2);
      expect({ first, second }).toEqual({ first: ['a', 'b', 'c'], second: ['b', 'c'] });
    });

    it('is not there while a hold is, so that subscribers under it share what waited', async () => {
      const subject = await open();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      const hold = subject.conn.hold();
      const first = record(subject.conn);
      const second = record(subject.conn);
      expect({ first, second }).toEqual({ first: [], second: [] });
      hold.unsubscribe();
      expect({ first, second }).toEqual({ first: ['a', 'b'], second: ['a', 'b'] });
    });

    it('ends with the subscription, and the connection does not', async () => {
      const subject = await open();
      const seen: unknown[] = [];
      const subscription = subject.conn.messages$.subscribe((message) => seen.push(message));
      subscription.unsubscribe();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      expect({ seen, readyState: subject.conn.readyState }).toEqual({ seen: [], readyState: 1 });
      expect(await firstValueFrom(subject.conn.messages$)).toBe('a');
    });

    it('begins with the next message for a subscriber that comes inside next, however many wait', async () => {
      const subject = await open();
      subject.peer.send('a', 'b', 'c');
      await until(() => subject.arrived === 3);
      const events: string[] = [];
      subject.conn.messages$.subscribe((message) => {
        events.push(`outer ${message}`);
        if (message !== 'a') return;
        subject.conn.messages$.subscribe((later) => events.push(`inner ${later}`));
        events.push('subscribed');
      });
      expect(events).toEqual(['outer a', 'subscribed', 'outer b', 'inner b', 'outer c', 'inner c']);
    });

    it('goes from one subscriber to another inside next', async () => {
      const subject = await open();
      subject.peer.send('a', 'b', 'c');
      await until(() => subject.arrived === 3);
      const seen: string[] = [];
      subject.conn.messages$.pipe(take(1)).subscribe((message) => {
        seen.push(`first ${message}`);
        subject.conn.messages$.subscribe((later) => seen.push(`second ${later}`));
      });
      expect(seen).toEqual(['first a', 'second b', 'second c']);
    });

    it('is there for ignoreMessages(), which discards while it lasts', async () => {
      const subject = await open();
      const ignoring = subject.conn.ignoreMessages();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      ignoring.unsubscribe();
      subject.peer.send('c');
      expect(await firstValueFrom(subject.conn.messages$)).toBe('c');
    });

    it('delivers empty messages', async () => {
      const { conn, peer } = await open();
      peer.send('', 'a');
      expect(await firstValueFrom(conn.messages$.pipe(take(2), toArray()))).toEqual(['', 'a']);
    });

    it('bounds what is read without it, and loses nothing of the rest', async () => {
      const mark = 5_000;
      const subject = await open({ highWaterMark: mark });
      const messages = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(10_000));
      subject.peer.send(...messages);
      await until(() => subject.arrived > 0);
      // The mark, a message and what keeping it costs, a read of 64 KiB.
      expect(subject.inboxBytes).toBeLessThanOrEqual(mark + 10_128 + 65_536);
      const seen = record(subject.conn);
      await until(() => seen.length === messages.length);
      expect(seen).toEqual(messages);
    });

    if (driver.takesBytes) {
      it('delivers text as a string, and binary as bytes', async () => {
        const { conn, peer } = await open();
        peer.send('a', Buffer.from([1, 2]), Buffer.alloc(0));
        const [text, bytes, empty] = await firstValueFrom(conn.messages$.pipe(take(3), toArray()));
        expect({ text, bytes: [...bytes], empty: [...empty] }).toEqual({ text: 'a', bytes: [1, 2], empty: [] });
        expect(bytes).toBeInstanceOf(Uint8Array);
      });
    }
  });
}
