import { firstValueFrom } from 'rxjs';
import { until } from '../support/until.js';
import type { Driver } from './driver.js';
import { all, opener } from './opening.js';

/** What may be done inside a notification. */
export function reentrancy(driver: Driver): void {
  describe('inside next of messages$', () => {
    const open = opener(driver);

    it('close() lets the messages come that were there already', async () => {
      const subject = await open();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      const seen: unknown[] = [];
      subject.conn.messages$.subscribe((message) => {
        seen.push(message);
        subject.conn.close();
      });
      await firstValueFrom(subject.conn.close$);
      expect(seen).toEqual(['a', 'b']);
    });

    it('terminate() gives the message to the other subscribers, and then nothing but the end', async () => {
      const subject = await open();
      const { conn } = subject;
      const hold = conn.hold();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      const events: string[] = [];
      for (const name of ['first', 'second']) {
        conn.messages$.subscribe({
          next: (message) => {
            events.push(`${name} ${message}`);
            conn.terminate();
          },
          complete: () => events.push(`${name} completed`),
        });
      }
      hold.unsubscribe();
      await firstValueFrom(conn.close$);
      expect(events).toEqual(['first a', 'second a', 'first completed', 'second completed']);
    });

    it('leaving stops at that message', async () => {
      const subject = await open();
      const { conn } = subject;
      const hold = conn.hold();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      const seen: unknown[] = [];
      const subscription = conn.messages$.subscribe((message) => {
        seen.push(message);
        subscription.unsubscribe();
      });
      hold.unsubscribe();
      expect(seen).toEqual(['a']);
      expect(await firstValueFrom(conn.messages$)).toBe('b');
    });
  });

  describe('inside a notification of ready$', () => {
    const open = opener(driver);

    it.each<[string, 'close' | 'terminate', number]>([
      ['close()', 'close', 1000],
      ['terminate()', 'terminate', 1006],
    ])('%s completes it once', async (_, act, code) => {
      const { conn } = await open();
      const events: string[] = [];
      for (const name of ['first', 'second']) {
        conn.send.ready$.subscribe({
          next: (isReady) => {
            if (isReady) conn[act]();
          },
          complete: () => events.push(name),
        });
      }
      const info = await firstValueFrom(conn.close$);
      expect({ events, code: info.code }).toEqual({ events: ['first', 'second'], code });
    });

    it('send.next() sends', async () => {
      const { conn, peer } = await open();
      conn.send.ready$.subscribe((isReady) => {
        if (isReady) conn.send.next('a');
      });
      await until(() => peer.received.length === 1);
      expect(peer.received).toEqual(['a']);
    });
  });

  describe('inside close$', () => {
    const open = opener(driver);

    it('nothing can be sent, and nothing throws', async () => {
      const { conn, peer } = await open();
      const results: unknown[] = [];
      conn.close$.subscribe(() => {
        conn.send.next('a');
        results.push(conn.trySend('b'), conn.readyState);
        conn.send.complete();
        conn.send.error(new Error('late'));
        conn.close();
        conn.terminate();
        conn.pause();
        conn.resume();
      });
      conn.close(3000);
      await until(() => results.length > 0);
      expect({ results, received: peer.received }).toEqual({ results: ['closed', 3], received: [] });
      expect((await firstValueFrom(conn.close$)).code).toBe(3000);
    });

    it('what waits can be subscribed to', async () => {
      const subject = await open();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      const messages = firstValueFrom(subject.conn.close$).then(() => all(subject.conn.messages$));
      const seen: unknown[] = [];
      subject.conn.close$.subscribe(() => {
        subject.conn.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('end') });
      });
      subject.peer.lose();
      expect({ late: await messages, seen }).toEqual({ late: [], seen: ['a', 'end'] });
    });
  });

  describe('inside the completion of messages$', () => {
    const open = opener(driver);

    it('a subscription completes at once, and nothing can be sent', async () => {
      const { conn, peer } = await open();
      const events: unknown[] = [];
      conn.messages$.subscribe({
        complete: () => {
          conn.messages$.subscribe({ complete: () => events.push('completed') });
          events.push(conn.trySend('a'));
        },
      });
      peer.close(1000);
      await firstValueFrom(conn.close$);
      expect(events).toEqual(['completed', 'closed']);
    });
  });

  describe('inside an item of send', () => {
    const open = opener(driver);

    it('sending goes on, in order', async () => {
      const { conn, peer } = await open();
      conn.send.subscribe((item) => {
        if (item === 'a') conn.send.next('b');
        if (item === 'b') conn.close();
      });
      conn.send.next('a');
      await until(() => peer.closed !== undefined);
      expect({ received: peer.received, code: peer.closed?.code }).toEqual({ received: ['a', 'b'], code: 1000 });
    });
  });

  if (driver.supports.ping) {
    describe('inside pings$', () => {
      const open = opener(driver);

      it('terminate() stops what came after the ping', async () => {
        const { conn, peer } = await open();
        const seen: unknown[] = [];
        conn.messages$.subscribe((message) => seen.push(message));
        conn.pings$.subscribe(() => conn.terminate());
        peer.send('a');
        peer.ping('p');
        peer.send('b');
        await firstValueFrom(conn.close$);
        expect(seen).toEqual(['a']);
      });
    });
  }
}
