import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { from, of, Subscription, tap, throwError } from 'rxjs';
import { UsageError } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { until } from '../support/until.js';
import type { Driver, FlowConnection } from './driver.js';
import { opener } from './opening.js';

/** What `send` and `trySend` do. */
export function sending(driver: Driver<FlowConnection>): void {
  describe('send', () => {
    const open = opener(driver);
    const end = endAfterEach();

    /** The errors of applications that are reported from now on. */
    const reported = (): unknown[] => {
      const errors: unknown[] = [];
      const note = (message: unknown): void => {
        errors.push((message as { error: unknown }).error);
      };
      subscribe('sluice:connection-error', note);
      end(() => unsubscribe('sluice:connection-error', note));
      return errors;
    };

    it('sends strings in order, with next and with trySend', async () => {
      const { conn, peer } = await open();
      conn.send.next('a');
      const result = conn.trySend('');
      conn.send.next('c');
      await until(() => peer.received.length === 3);
      expect(peer.received).toEqual(['a', '', 'c']);
      expect(['sent', 'buffered']).toContain(result);
    });

    if (driver.takesBytes) {
      it('sends bytes, those that an ArrayBuffer view shows', async () => {
        const { conn, peer } = await open();
        conn.send.next(Uint8Array.of(1, 2));
        conn.send.next(Uint8Array.of(9, 3, 9).subarray(1, 2));
        await until(() => peer.received.length === 2);
        expect(peer.received.map((bytes) => [...(bytes as Uint8Array)])).toEqual([[1, 2], [3]]);
      });
    }

    it('answers inside next, in order', async () => {
      const { conn, peer } = await open();
      const messages = Array.from({ length: 20 }, (_, index) => `${index}`);
      conn.messages$.subscribe((message) => conn.send.next(message));
      peer.send(...messages);
      await until(() => peer.received.length === 20);
      expect(peer.received).toEqual(messages);
    });

    it('emits each item when it is handed over, and not what was sent before', async () => {
      const { conn, peer } = await open();
      conn.send.next('before');
      await until(() => peer.received.length === 1 && conn.bufferedAmount === 0);
      const handed: unknown[] = [];
      conn.send.subscribe((item) => handed.push(item));
      conn.send.next('a');
      conn.trySend('b');
      await until(() => handed.length === 2);
      expect(handed).toEqual(['a', 'b']);
    });

    it('is safe in tap() and subscribes nothing without an observer', async () => {
      const { conn, peer } = await open();
      of('a')
        .pipe(tap(conn.send))
        .subscribe({ next: () => {} });
      expect(conn.send.subscribe()).toBe(Subscription.EMPTY);
      await until(() => peer.closed !== undefined);
      expect({ received: peer.received, code: peer.closed?.code }).toEqual({ received: ['a'], code: 1000 });
    });

    it('does nothing when it is unsubscribed', async () => {
      const { conn, peer } = await open();
      conn.send.unsubscribe();
      conn.send.next('a');
      await until(() => peer.received.length === 1);
      expect(conn.readyState).toBe(1);
    });

    it('sends what was sent before, then closes with 1000, on complete', async () => {
      const { conn, peer } = await open();
      from(['a', 'b']).subscribe(conn.send);
      const result = conn.trySend('c');
      await until(() => peer.closed !== undefined);
      expect({ received: peer.received, code: peer.closed?.code, result }).toEqual({
        received: ['a', 'b'],
        code: 1000,
        result: 'closed',
      });
    });

    it('closes with 1011 on an error', async () => {
      const { conn, peer } = await open();
      throwError(() => new Error('of the application')).subscribe(conn.send);
      await until(() => peer.closed !== undefined);
      expect(peer.closed).toEqual({ code: 1011, reason: '' });
    });

    it('closes with the code and the reason of an error, where a Close frame may carry them', async () => {
      const { conn, peer } = await open();
      conn.send.error({ code: 4001, reason: 'why' });
      await until(() => peer.closed !== undefined);
      expect(peer.closed).toEqual({ code: 4001, reason: 'why' });
    });

    it('closes with 1011 where the code of an error may not be sent', async () => {
      const { conn, peer } = await open();
      conn.send.error({ code: 1006 });
      await until(() => peer.closed !== undefined);
      expect(peer.closed?.code).toBe(1011);
    });

    it('does nothing after the close', async () => {
      const { conn, peer } = await open();
      conn.send.complete();
      conn.send.next('a');
      conn.send.error({ code: 4001 });
      conn.send.complete();
      const result = conn.trySend('b');
      await until(() => peer.closed !== undefined);
      expect({ result, received: peer.received, code: peer.closed?.code }).toEqual({
        result: 'closed',
        received: [],
        code: 1000,
      });
    });

    const { unsendable } = driver;
    if (unsendable === undefined) {
      it('takes any value', async () => {
        const { conn, peer } = await open();
        const value = { any: 'value' };
        conn.send.next(value);
        expect({ received: peer.received, readyState: conn.readyState }).toEqual({ received: [value], readyState: 1 });
      });
    } else {
      it('closes with 1011 for a value that cannot be sent, and reports it', async () => {
        const { conn, peer } = await open();
        const errors = reported();
        conn.send.next('a');
        conn.send.next(unsendable.value);
        conn.send.next('b');
        await until(() => peer.closed !== undefined);
        expect({ received: peer.received, code: peer.closed?.code }).toEqual({ received: ['a'], code: 1011 });
        expect(errors).toEqual([expect.objectContaining({ code: unsendable.code })]);
      });

      it('throws a UsageError from trySend for a value that cannot be sent, and does nothing else', async () => {
        const { conn, peer } = await open();
        const errors = reported();
        expect(() => conn.trySend(unsendable.value)).toThrow(UsageError);
        conn.send.next('a');
        await until(() => peer.received.length === 1);
        expect({ errors, readyState: conn.readyState }).toEqual({ errors: [], readyState: 1 });
      });
    }
  });
}
