import { until } from '../support/until.js';
import type { Driver, FlowConnection } from './driver.js';
import { opener, record } from './opening.js';

/** How delivery is suspended. */
export function holds(driver: Driver<FlowConnection>): void {
  describe('holds', () => {
    const open = opener(driver);

    it('are counted', async () => {
      const subject = await open();
      const seen = record(subject.conn);
      const [first, second] = [subject.conn.hold(), subject.conn.hold()];
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      first.unsubscribe();
      expect(seen).toEqual([]);
      second.unsubscribe();
      expect(seen).toEqual(['a']);
    });

    it('are released once, however often they are unsubscribed', async () => {
      const subject = await open();
      const seen = record(subject.conn);
      const [first, second] = [subject.conn.hold(), subject.conn.hold()];
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      first.unsubscribe();
      first.unsubscribe();
      expect(seen).toEqual([]);
      second.unsubscribe();
      expect(seen).toEqual(['a']);
    });

    it('are one for all callers of pause(), and the first resume() releases it', async () => {
      const subject = await open();
      const seen = record(subject.conn);
      subject.conn.pause();
      subject.conn.pause();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      expect(seen).toEqual([]);
      subject.conn.resume();
      expect(seen).toEqual(['a']);
      subject.conn.resume();
      subject.conn.pause();
      subject.peer.send('b');
      await until(() => subject.arrived === 2);
      expect(seen).toEqual(['a']);
      subject.conn.resume();
      expect(seen).toEqual(['a', 'b']);
    });

    it('are not released by resume() without pause()', async () => {
      const subject = await open();
      const seen = record(subject.conn);
      const hold = subject.conn.hold();
      subject.conn.resume();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      expect(seen).toEqual([]);
      hold.unsubscribe();
      expect(seen).toEqual(['a']);
    });

    it('stop the delivery after the message, when they are taken inside next', async () => {
      const subject = await open();
      subject.peer.send('a', 'b', 'c');
      await until(() => subject.arrived === 3);
      const seen: unknown[] = [];
      subject.conn.messages$.subscribe((message) => {
        seen.push(message);
        subject.conn.pause();
      });
      const other = record(subject.conn);
      expect({ seen, other }).toEqual({ seen: ['a'], other: [] });
      subject.conn.resume();
      expect({ seen, other }).toEqual({ seen: ['a', 'b'], other: ['b'] });
      subject.conn.resume();
      expect({ seen, other }).toEqual({ seen: ['a', 'b', 'c'], other: ['b', 'c'] });
    });

    it('interrupt nothing when they are taken and released inside next', async () => {
      const subject = await open();
      subject.peer.send('a', 'b', 'c');
      await until(() => subject.arrived === 3);
      const events: string[] = [];
      subject.conn.messages$.subscribe((message) => {
        events.push(`${message} begins`);
        subject.conn.hold().unsubscribe();
        events.push(`${message} ends`);
      });
      expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    });

    it('outlast the subscriptions under them', async () => {
      const subject = await open();
      const hold = subject.conn.hold();
      subject.conn.messages$.subscribe().unsubscribe();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      const seen = record(subject.conn);
      expect(seen).toEqual([]);
      hold.unsubscribe();
      expect(seen).toEqual(['a']);
    });
  });
}
