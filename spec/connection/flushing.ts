import { count, firstValueFrom, Observable, of, Subject, throwError } from 'rxjs';
import { until } from '../support/until.js';
import type { AnyConnection, Driver } from './driver.js';
import { all, opener } from './opening.js';

const CHUNK = 'x'.repeat(65_536);

/** `flush` and `sendFrom`. */
export function flushing(driver: Driver): void {
  describe('flush()', () => {
    const open = opener(driver);

    it('emits once and completes when all that was sent is handed over', async () => {
      const { conn, peer } = await open();
      conn.send.next('a');
      conn.send.next('b');
      expect(await flushes(conn)).toBe(1);
      expect(conn.bufferedAmount).toBe(0);
      await until(() => peer.received.length === 2);
    });

    it('emits where nothing was sent', async () => {
      const { conn } = await open();
      expect(await flushes(conn)).toBe(1);
    });

    it('counts what was sent before it was subscribed to', async () => {
      const { conn } = await open();
      const flushed$ = conn.flush();
      conn.send.next('a');
      const handed: unknown[] = [];
      conn.send.subscribe((item) => handed.push(item));
      conn.send.next('b');
      await all(flushed$);
      expect(handed).toEqual(['b']);
    });

    if (!driver.hasBackpressure) return;

    it('waits for a peer that does not read', async () => {
      const { conn, peer } = await open();
      const stall = peer.stall();
      fill(conn, driver.fill);
      const events: string[] = [];
      conn.flush().subscribe({ next: () => events.push('flushed'), complete: () => events.push('completed') });
      expect({ events, waits: conn.bufferedAmount > 0 }).toEqual({ events: [], waits: true });
      stall.unsubscribe();
      await until(() => events.length === 2);
      expect({ events, bufferedAmount: conn.bufferedAmount }).toEqual({
        events: ['flushed', 'completed'],
        bufferedAmount: 0,
      });
    });

    it('only completes when the connection ends first', async () => {
      const { conn, peer } = await open();
      peer.stall();
      fill(conn, driver.fill);
      const emissions = flushes(conn);
      conn.terminate();
      expect(await emissions).toBe(0);
    });
  });

  describe('sendFrom()', () => {
    const open = opener(driver);

    it.each<[string, () => Parameters<AnyConnection['sendFrom']>[0]]>([
      ['an iterable', () => ['a', 'b', 'c']],
      ['an async iterable', () => letters()],
      ['an Observable', () => of('a', 'b', 'c')],
    ])('sends what %s gives, emits the count and does not close', async (_, sourceOf) => {
      const { conn, peer } = await open();
      expect(await all(conn.sendFrom(sourceOf()))).toEqual([3]);
      await until(() => peer.received.length === 3);
      expect({ received: peer.received, readyState: conn.readyState }).toEqual({
        received: ['a', 'b', 'c'],
        readyState: 1,
      });
    });

    it('sends the value of a promise', async () => {
      const { conn, peer } = await open();
      expect(await all(conn.sendFrom(Promise.resolve('a')))).toEqual([1]);
      await until(() => peer.received.length === 1);
    });

    it('sends nothing before it is subscribed to', async () => {
      const { conn, peer } = await open();
      conn.sendFrom(['a']);
      conn.send.next('b');
      await until(() => peer.received.length > 0);
      expect(peer.received).toEqual(['b']);
    });

    it('throws for a string, and for what is no source', async () => {
      const { conn } = await open();
      expect(() => conn.sendFrom('abc' as never)).toThrow(TypeError);
      expect(() => conn.sendFrom(5 as never)).toThrow(TypeError);
    });

    it('errors with the error of its source, and does not close', async () => {
      const { conn } = await open();
      const error = new Error('of the source');
      await expect(all(conn.sendFrom(throwError(() => error)))).rejects.toBe(error);
      expect(conn.readyState).toBe(1);
    });

    it('stops its source when it is unsubscribed', async () => {
      const { conn } = await open();
      let isStopped = false;
      const source$ = new Observable<string>(() => () => {
        isStopped = true;
      });
      conn.sendFrom(source$).subscribe().unsubscribe();
      expect(isStopped).toBe(true);
    });

    it('completes with the count so far when the connection ends', async () => {
      const { conn, peer } = await open();
      const source$ = new Subject<string>();
      const counts = all(conn.sendFrom(source$));
      source$.next('a');
      peer.lose();
      expect(await counts).toEqual([1]);
      expect(source$.observed).toBe(false);
    });

    it('completes with the count so far when we close', async () => {
      const { conn } = await open();
      const source$ = new Subject<string>();
      const sent = firstValueFrom(conn.sendFrom(source$));
      source$.next('a');
      conn.close();
      expect(await sent).toBe(1);
    });

    const { unsendable } = driver;
    if (unsendable !== undefined) {
      it('errors for a value that cannot be sent, and does not close', async () => {
        const { conn, peer } = await open();
        const sent = all(conn.sendFrom(['a', unsendable.value, 'b']));
        await expect(sent).rejects.toMatchObject({ code: unsendable.code });
        await until(() => peer.received.length > 0);
        expect({ received: peer.received, readyState: conn.readyState }).toEqual({ received: ['a'], readyState: 1 });
      });
    }

    if (driver.hasBackpressure) {
      it('pulls an iterable only while ready$ is true', async () => {
        const { conn, peer } = await open({ highWaterMark: 65_536 });
        let pulled = 0;
        function* chunks(): Generator<string> {
          for (; pulled < driver.fill / CHUNK.length; pulled++) yield CHUNK;
        }
        const stall = peer.stall();
        const sent = firstValueFrom(conn.sendFrom(chunks()));
        await until(() => !conn.send.isReady && conn.bufferedAmount > 65_536);
        expect(pulled).toBeLessThan(driver.fill / CHUNK.length);
        expect(conn.bufferedAmount).toBeLessThan(3 * CHUNK.length);
        stall.unsubscribe();
        expect(await sent).toBe(driver.fill / CHUNK.length);
      });
    }
  });
}

async function* letters(): AsyncGenerator<string> {
  yield* ['a', 'b', 'c'];
}

/** How often `flush()` emits before it completes. */
function flushes(conn: AnyConnection): Promise<number> {
  return firstValueFrom(conn.flush().pipe(count()));
}

/** Sends `bytes`, however little of it leaves. */
function fill(conn: AnyConnection, bytes: number): void {
  const large = CHUNK.repeat(4);
  for (let sent = 0; sent < bytes; sent += large.length) conn.send.next(large);
}
