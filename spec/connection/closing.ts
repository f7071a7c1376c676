import { firstValueFrom } from 'rxjs';
import { UsageError } from 'sluice';
import { until } from '../support/until.js';
import type { Driver } from './driver.js';
import { opener } from './opening.js';

/** Closes from either side. */
export function closing(driver: Driver): void {
  describe('a close', () => {
    const open = opener(driver);

    it('of ours reaches the peer with code and reason, after what was sent', async () => {
      const { conn, peer } = await open();
      conn.send.next('a');
      conn.close(3000, 'enough');
      await until(() => peer.closed !== undefined);
      expect({ received: peer.received, closed: peer.closed }).toEqual({
        received: ['a'],
        closed: { code: 3000, reason: 'enough' },
      });
      const { code, wasClean, initiator, error } = await firstValueFrom(conn.close$);
      expect({ code, wasClean, initiator, error }).toEqual({
        code: 3000,
        wasClean: true,
        initiator: 'local',
        error: undefined,
      });
    });

    it('of ours is 1000 without a reason by default', async () => {
      const { conn, peer } = await open();
      conn.close();
      await until(() => peer.closed !== undefined);
      expect(peer.closed).toEqual({ code: 1000, reason: '' });
    });

    it('of ours is CLOSING from the call on, and CLOSED at the end', async () => {
      const { conn, peer } = await open();
      expect(conn.readyState).toBe(1);
      peer.stall();
      conn.close();
      expect({ readyState: conn.readyState, result: conn.trySend('a') }).toEqual({ readyState: 2, result: 'closed' });
      conn.terminate();
      expect(conn.readyState).toBe(3);
    });

    it('of ours makes ready$ false until the end', async () => {
      const { conn, peer } = await open();
      const values: boolean[] = [];
      conn.send.ready$.subscribe((isReady) => values.push(isReady));
      peer.stall();
      conn.close();
      const isDifferent = driver.differences.includes('stays ready while it closes');
      expect({ values, isReady: conn.send.isReady }).toEqual(
        isDifferent ? { values: [true], isReady: true } : { values: [true, false], isReady: false },
      );
    });

    it.each<[string, number, string, typeof Error]>([
      ['a code that only reports', 1005, '', RangeError],
      ['the code of a lost peer', 1006, '', RangeError],
      ['a code below the range', 999, '', RangeError],
      ['a code above the range', 5000, '', RangeError],
      ['a code that is no number', '1000' as never, '', TypeError],
      ['a reason that is too long', 1000, 'x'.repeat(124), RangeError],
    ])('of ours with %s throws, and nothing happens', async (_, code, reason, type) => {
      const { conn, peer } = await open();
      expect(() => conn.close(code, reason)).toThrow(type);
      conn.send.next('a');
      await until(() => peer.received.length === 1);
      expect(conn.readyState).toBe(1);
    });

    it('of ours counts once', async () => {
      const { conn, peer } = await open();
      conn.close(3000, 'first');
      conn.close(3001, 'second');
      conn.send.complete();
      await until(() => peer.closed !== undefined);
      expect(peer.closed).toEqual({ code: 3000, reason: 'first' });
    });

    it('of the peer is told with code and reason', async () => {
      const { conn, peer } = await open();
      peer.close(4001, 'bye');
      expect(await firstValueFrom(conn.close$)).toEqual({
        code: 4001,
        reason: 'bye',
        wasClean: true,
        initiator: 'peer',
      });
    });

    if (driver.peerMayOmitCode) {
      it('of the peer without a code is 1005', async () => {
        const { conn, peer } = await open();
        peer.close();
        expect(await firstValueFrom(conn.close$)).toEqual({
          code: 1005,
          reason: '',
          wasClean: true,
          initiator: 'peer',
        });
      });
    }

    it('of both at once is clean, and each gets the code of the other', async () => {
      const { conn, peer } = await open();
      const stall = peer.stall();
      conn.close(3001);
      peer.close(3002);
      stall.unsubscribe();
      const { code, wasClean, initiator } = await firstValueFrom(conn.close$);
      const isDifferent = driver.differences.includes('blames the peer for crossing closes');
      expect({ code, wasClean, initiator }).toEqual({
        code: 3002,
        wasClean: true,
        initiator: isDifferent ? 'peer' : 'local',
      });
      await until(() => peer.closed !== undefined);
      expect(peer.closed?.code).toBe(3001);
    });

    it('that never came is 1006: the peer is lost', async () => {
      const { conn, peer } = await open();
      peer.lose();
      expect(await firstValueFrom(conn.close$)).toMatchObject({
        code: 1006,
        reason: '',
        wasClean: false,
        initiator: 'peer',
      });
    });

    it('by terminate() is 1006 at both ends, at once here', async () => {
      const { conn, peer } = await open();
      const told = firstValueFrom(conn.close$);
      conn.terminate();
      conn.terminate();
      expect(conn.readyState).toBe(3);
      expect(await told).toEqual({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
      await until(() => peer.closed !== undefined);
      expect(peer.closed?.code).toBe(1006);
    });

    it('by terminate() ends a close that waits for its answer', async () => {
      const { conn, peer } = await open();
      peer.stall();
      conn.close(3000);
      conn.terminate();
      const { code, wasClean, initiator } = await firstValueFrom(conn.close$);
      expect({ code, wasClean, initiator }).toEqual({ code: 1006, wasClean: false, initiator: 'local' });
    });

    it('by an error of send says which', async () => {
      const { conn } = await open();
      const error = new Error('of the application');
      conn.send.error(error);
      const info = await firstValueFrom(conn.close$);
      expect(info).toMatchObject({ code: 1011, wasClean: true, initiator: 'local' });
      expect(info.error).toBe(error);
    });

    const { unsendable } = driver;
    if (unsendable !== undefined) {
      it('by a value that cannot be sent says what is wrong with it', async () => {
        const { conn } = await open();
        conn.send.next(unsendable.value);
        const info = await firstValueFrom(conn.close$);
        expect(info).toMatchObject({ code: 1011, initiator: 'local', error: { code: unsendable.code } });
        expect(info.error).toBeInstanceOf(UsageError);
      });
    }
  });
}
