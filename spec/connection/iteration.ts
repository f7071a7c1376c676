import { firstValueFrom } from 'rxjs';
import { until } from '../support/until.js';
import type { Driver } from './driver.js';
import { opener, record } from './opening.js';

/** Async iteration and disposal. */
export function iteration(driver: Driver): void {
  describe('async iteration', () => {
    const open = opener(driver);

    it('gives all messages, and is done at the end', async () => {
      const { conn, peer } = await open();
      const seen: unknown[] = [];
      peer.send('a', 'b');
      for await (const message of conn) {
        seen.push(message);
        if (message === 'b') {
          peer.send('c');
          peer.close(1000);
        }
      }
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    it('leaves the rest where it is when the loop is left', async () => {
      const { conn, peer } = await open();
      peer.send('a', 'b');
      for await (const message of conn) {
        expect(message).toBe('a');
        break;
      }
      expect(await firstValueFrom(conn.messages$)).toBe('b');
    });

    it('holds between its questions, for other subscribers too', async () => {
      const subject = await open();
      const iterator = subject.conn[Symbol.asyncIterator]();
      const first = iterator.next();
      const others = record(subject.conn);
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      expect({ first: await first, others }).toEqual({ first: { done: false, value: 'a' }, others: ['a'] });
      expect({ second: await iterator.next(), others }).toEqual({
        second: { done: false, value: 'b' },
        others: ['a', 'b'],
      });
    });

    it('answers questions that are open at the end, and all later ones', async () => {
      const { conn, peer } = await open();
      const iterator = conn[Symbol.asyncIterator]();
      const open$ = [iterator.next(), iterator.next()];
      peer.lose();
      const done = { done: true, value: undefined };
      expect(await Promise.all([...open$, iterator.next()])).toEqual([done, done, done]);
    });

    it('lets others go on when it is returned', async () => {
      const { conn, peer } = await open();
      const iterator = conn[Symbol.asyncIterator]();
      const answer = iterator.next();
      const others = record(conn);
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
      expect(await answer).toEqual({ done: true, value: undefined });
      peer.send('a');
      await until(() => others.length === 1);
      expect(others).toEqual(['a']);
    });
  });

  describe('Symbol.asyncDispose', () => {
    const open = opener(driver);

    it('closes with 1000 and waits for the end', async () => {
      const { conn, peer } = await open();
      const disposed = conn[Symbol.asyncDispose]();
      expect(conn.trySend('a')).toBe('closed');
      await disposed;
      expect(conn.readyState).toBe(3);
      await until(() => peer.closed !== undefined);
      expect(peer.closed).toEqual({ code: 1000, reason: '' });
    });

    it('is harmless after the end', async () => {
      const { conn, peer } = await open();
      peer.close(4000);
      await firstValueFrom(conn.close$);
      await conn[Symbol.asyncDispose]();
      expect((await firstValueFrom(conn.close$)).code).toBe(4000);
    });
  });
}
