import { until } from '../support/until.js';
import type { Driver, FlowConnection } from './driver.js';
import { opener } from './opening.js';

const CHUNK = 'x'.repeat(65_536);

/** `send.ready$`, `send.isReady` and `bufferedAmount`. */
export function readiness(driver: Driver<FlowConnection>): void {
  describe('ready$', () => {
    const open = opener(driver);

    it('replays the present value to each subscriber', async () => {
      const { conn } = await open();
      const seen: boolean[][] = [[], []];
      for (const values of seen) conn.send.ready$.subscribe((isReady) => values.push(isReady));
      expect({ seen, isReady: conn.send.isReady }).toEqual({ seen: [[true], [true]], isReady: true });
    });

    it('completes at the end, for late subscribers too', async () => {
      const { conn } = await open();
      const events: string[] = [];
      conn.send.ready$.subscribe({ complete: () => events.push('early') });
      conn.send.complete();
      await until(() => events.length > 0);
      const late: unknown[] = [];
      conn.send.ready$.subscribe({ next: (value) => late.push(value), complete: () => events.push('late') });
      expect({ events, late }).toEqual({ events: ['early', 'late'], late: [] });
    });

    it('says that nothing waits when all was handed over', async () => {
      const { conn, peer } = await open();
      conn.send.next('a');
      await until(() => peer.received.length === 1 && conn.bufferedAmount === 0);
      expect(conn.send.bufferedAmount).toBe(0);
    });

    if (!driver.hasBackpressure) return;

    it('is false above the mark, and true again when the peer reads', async () => {
      const { conn, peer } = await open({ highWaterMark: 65_536 });
      const values: boolean[] = [];
      conn.send.ready$.subscribe((isReady) => values.push(isReady));
      const stall = peer.stall();
      // It may say false before, when others have used the turn.
      const isBelow = (): boolean => conn.send.isReady || conn.bufferedAmount <= 65_536;
      for (let sent = 0; sent < driver.fill && isBelow(); sent += CHUNK.length) conn.send.next(CHUNK);
      expect({ values, isReady: conn.send.isReady }).toEqual({ values: [true, false], isReady: false });
      expect(conn.bufferedAmount).toBeGreaterThan(65_536);
      expect(conn.send.bufferedAmount).toBe(conn.bufferedAmount);
      stall.unsubscribe();
      await until(() => conn.send.isReady);
      expect(values).toEqual([true, false, true]);
    });

    it('tells a late subscriber what is true then', async () => {
      const { conn, peer } = await open({ highWaterMark: 65_536 });
      peer.stall();
      // It may say false before, when others have used the turn.
      const isBelow = (): boolean => conn.send.isReady || conn.bufferedAmount <= 65_536;
      for (let sent = 0; sent < driver.fill && isBelow(); sent += CHUNK.length) conn.send.next(CHUNK);
      const values: boolean[] = [];
      conn.send.ready$.subscribe((isReady) => values.push(isReady));
      expect(values).toEqual([false]);
    });

    it('may be changed inside its own notification: each subscriber is told each change once', async () => {
      const { conn, peer } = await open({ highWaterMark: 65_536 });
      const first: boolean[] = [];
      const second: boolean[] = [];
      const stall = peer.stall();
      let rounds = 0;
      conn.send.ready$.subscribe((isReady) => {
        first.push(isReady);
        if (!isReady || rounds === 2) return;
        rounds++;
        // It may say false before, when others have used the turn.
        const isBelow = (): boolean => conn.send.isReady || conn.bufferedAmount <= 65_536;
        for (let sent = 0; sent < driver.fill && isBelow(); sent += CHUNK.length) conn.send.next(CHUNK);
      });
      conn.send.ready$.subscribe((isReady) => second.push(isReady));
      stall.unsubscribe();
      await until(() => rounds === 2 && conn.send.isReady && conn.bufferedAmount === 0);
      expect(first).toEqual([true, false, true, false, true]);
      // Whoever was told `false` waits for `true`.
      expect(second.at(-1)).toBe(true);
      expect(second.filter((isReady, index) => isReady === second[index - 1])).toEqual([]);
    });
  });
}
