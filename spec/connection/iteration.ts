import { firstValueFrom } from 'rxjs';
import { iterate } from 'sluice';
import { until } from '../support/until.js';
import type { Driver, Peer, Subject } from './driver.js';
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

/** Iteration that tells whether the messages are all that there were. */
export function checkedIteration(driver: Driver): void {
  describe('iterate()', () => {
    const open = opener(driver);

    it.each([
      { name: 'the peer closes with 1000', end: ({ peer }: Subject) => peer.close(1000) },
      { name: 'this end closes', end: ({ conn }: Subject) => conn.close(4000) },
      { name: 'this end terminates', end: ({ conn }: Subject) => conn.terminate() },
    ])('gives all messages and is done when $name', async ({ end }) => {
      const subject = await open();
      const seen: unknown[] = [];
      subject.peer.send('a', 'b');
      for await (const message of iterate(subject.conn)) {
        seen.push(message);
        if (message === 'b') end(subject);
      }
      expect(seen).toEqual(['a', 'b']);
    });

    it.each([
      { name: 'the peer closes with another code', code: 4001, end: (peer: Peer) => peer.close(4001, 'no') },
      { name: 'the network fails', code: 1006, end: (peer: Peer) => peer.lose() },
    ])('gives all messages and throws when $name', async ({ code, end }) => {
      const { conn, peer } = await open();
      const seen: unknown[] = [];
      peer.send('a', 'b');
      const error = await (async () => {
        for await (const message of iterate(conn)) {
          seen.push(message);
          if (message === 'b') end(peer);
        }
      })().catch((thrown: unknown) => thrown);
      expect({ seen, error }).toMatchObject({ seen: ['a', 'b'], error: { name: 'ConnectionClosedError', code } });
    });

    it('throws to one question of those that are open at the end', async () => {
      const { conn, peer } = await open();
      const iterator = iterate(conn)[Symbol.asyncIterator]();
      const questions = [iterator.next(), iterator.next()];
      peer.lose();
      const [first, second] = await Promise.allSettled(questions);
      expect({ first, second, later: await iterator.next() }).toMatchObject({
        first: { status: 'rejected', reason: { code: 1006 } },
        second: { status: 'fulfilled', value: { done: true } },
        later: { done: true },
      });
    });

    it('leaves the connection open and the rest where it is on break', async () => {
      const { conn, peer } = await open();
      peer.send('a', 'b');
      for await (const message of iterate(conn)) {
        expect(message).toBe('a');
        break;
      }
      expect({ next: await firstValueFrom(conn.messages$), readyState: conn.readyState }).toEqual({
        next: 'b',
        readyState: 1,
      });
    });

    it('passes on what the body throws, whatever becomes of the connection', async () => {
      const { conn, peer } = await open();
      peer.send('a');
      const loop = async (): Promise<void> => {
        for await (const message of iterate(conn)) {
          peer.lose();
          await firstValueFrom(conn.close$);
          throw new Error(`cannot save ${String(message)}`);
        }
      };
      await expect(loop()).rejects.toThrow('cannot save a');
    });

    it('holds between its questions, for other subscribers too', async () => {
      const subject = await open();
      const iterator = iterate(subject.conn)[Symbol.asyncIterator]();
      const first = iterator.next();
      const others = record(subject.conn);
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      expect({ first: await first, others }).toEqual({ first: { done: false, value: 'a' }, others: ['a'] });
    });

    it('is over without an error when it is returned while it waits', async () => {
      const { conn, peer } = await open();
      const iterator = iterate(conn)[Symbol.asyncIterator]();
      const answer = iterator.next();
      peer.lose();
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
      expect(await answer).toEqual({ done: true, value: undefined });
    });

    it('tells of an end that came before it', async () => {
      const { conn, peer } = await open();
      peer.lose();
      await firstValueFrom(conn.close$);
      const loop = async (): Promise<void> => {
        for await (const message of iterate(conn)) throw new Error(`found ${String(message)}`);
      };
      await expect(loop()).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 1006 });
    });
  });
}
