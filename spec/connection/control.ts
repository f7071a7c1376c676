import { firstValueFrom, take, toArray } from 'rxjs';
import { ConnectionClosedError } from 'sluice';
import { until } from '../support/until.js';
import type { Driver } from './driver.js';
import { opener } from './opening.js';

/** Pings and pongs. */
export function control(driver: Driver): void {
  // What it says instead is tested with `supports`.
  if (!driver.supports.ping) return;

  describe('pings and pongs', () => {
    const open = opener(driver);
    const isSilent = driver.differences.includes('sends no control frames');

    it('of the peer are in pings$ and pongs$, in order', async () => {
      const { conn, peer } = await open();
      const pings = firstValueFrom(conn.pings$.pipe(take(2), toArray()));
      const pongs = firstValueFrom(conn.pongs$.pipe(take(2), toArray()));
      peer.ping('a');
      peer.pong('b');
      peer.ping('c');
      peer.pong('d');
      expect({ pings: (await pings).map(String), pongs: (await pongs).map(String) }).toEqual({
        pings: ['a', 'c'],
        pongs: ['b', 'd'],
      });
    });

    it('of the peer are not replayed', async () => {
      const { conn, peer } = await open();
      const first: string[] = [];
      conn.pings$.subscribe((payload) => first.push(String(payload)));
      peer.ping('a');
      await until(() => first.length === 1);
      const second = firstValueFrom(conn.pings$);
      peer.ping('b');
      expect({ second: String(await second), first }).toEqual({ second: 'b', first: ['a', 'b'] });
    });

    it('tell the round trip to whoever subscribes to ping()', async () => {
      const { conn, peer } = await open();
      expect(conn.latency).toBeUndefined();
      const answer = firstValueFrom(conn.ping().pipe(toArray()));
      peer.answerPings();
      const [roundTrip, ...others] = await answer;
      expect(roundTrip).toBeGreaterThanOrEqual(0);
      expect({ others, latency: conn.latency }).toEqual({ others: [], latency: roundTrip });
    });

    it('that are not subscribed to are not sent', async () => {
      const { conn, peer } = await open();
      const pongs: string[] = [];
      conn.pongs$.subscribe((payload) => pongs.push(String(payload)));
      conn.ping('a');
      peer.pong('b');
      await until(() => pongs.length > 0);
      expect(pongs).toEqual(['b']);
    });

    it('of ours arrive, unless the double sends none', async () => {
      const { conn, peer } = await open();
      conn.pong('a');
      conn.send.next('after');
      await until(() => peer.received.length === 1);
      expect(peer.pongs).toEqual(isSilent ? [] : ['a']);
    });

    it('that are too long, or neither text nor bytes, throw at the call', async () => {
      const { conn } = await open();
      const long = 'x'.repeat(126);
      expect(() => conn.ping(long)).toThrow(RangeError);
      expect(() => conn.pong(long)).toThrow(RangeError);
      expect(() => conn.ping(5 as never)).toThrow(TypeError);
      expect(() => conn.pong(5 as never)).toThrow(TypeError);
      expect(conn.readyState).toBe(1);
    });

    it('that wait error when the peer closes first', async () => {
      const { conn, peer } = await open();
      peer.stall();
      const answer = firstValueFrom(conn.ping());
      peer.close(4000, 'why');
      // A peer that has stopped reading does not get the answer to its Close frame.
      conn.terminate();
      await expect(answer).rejects.toBeInstanceOf(ConnectionClosedError);
    });

    it('that are unsubscribed are forgotten', async () => {
      const { conn, peer } = await open();
      const events: unknown[] = [];
      conn
        .ping()
        .subscribe({ next: (value) => events.push(value), error: (error) => events.push(error) })
        .unsubscribe();
      peer.lose();
      await firstValueFrom(conn.close$);
      expect(events.filter((event) => typeof event !== 'number')).toEqual([]);
    });
  });
}
