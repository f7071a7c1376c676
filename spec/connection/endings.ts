import { firstValueFrom, map } from 'rxjs';
import { ask, type CloseInfo, ConnectionClosedError, iterate } from 'sluice';
import { until } from '../support/until.js';
import type { AnyConnection, Driver, Subject } from './driver.js';
import { all, opener, record } from './opening.js';

/** How a connection is ended, and by whom. */
const ways: readonly (readonly [string, (subject: Subject) => void])[] = [
  ['the peer closes', ({ peer }) => peer.close(3001, 'bye')],
  ['close()', ({ conn }) => conn.close(3000)],
  ['send.complete()', ({ conn }) => conn.send.complete()],
  ['the peer is lost', ({ peer }) => peer.lose()],
  ['terminate()', ({ conn }) => conn.terminate()],
];

/** What an error says of `terminate()`. */
const BY_US = 'ended by this side, without a close frame of the peer';

/** What happens at the end, in which order. */
export function endings(driver: Driver): void {
  describe('the order of an end', () => {
    const open = opener(driver);

    it.each(ways)('is: send and ready$, messages$, pings$ and pongs$, close$ (%s)', async (_, act) => {
      const subject = await open();
      const { events, states } = eventsOf(subject.conn);
      act(subject);
      await until(() => events.includes('close$ completes'));
      const steps = [events.slice(0, 2).sort(), events[2], events.slice(3, 5).sort(), events.slice(5)];
      expect({ steps, states: [...new Set(states)] }).toEqual({
        steps: [['ready$', 'send'], 'messages$', ['pings$', 'pongs$'], ['close$', 'close$ completes']],
        states: [3],
      });
    });

    it.each(ways)('is the same for late subscribers: each gets only its end (%s)', async (_, act) => {
      const subject = await open();
      const { conn } = subject;
      act(subject);
      const [info] = await all(conn.close$);
      expect({
        messages: await all(conn.messages$),
        pings: await all(conn.pings$),
        pongs: await all(conn.pongs$),
        ready: await all(conn.send.ready$),
        flushes: await all(conn.flush().pipe(map(() => 'flushed'))),
        sent: await all(conn.sendFrom(['a'])),
        infos: await all(conn.close$),
      }).toEqual({ messages: [], pings: [], pongs: [], ready: [], flushes: [], sent: [0], infos: [info] });
      await new Promise<void>((resolve) => conn.send.subscribe({ complete: resolve }));
      await expect(firstValueFrom(conn.ping())).rejects.toBeInstanceOf(ConnectionClosedError);
      expect({ result: conn.trySend('a'), readyState: conn.readyState }).toEqual({ result: 'closed', readyState: 3 });
    });

    it('tells close$ once, whatever else happens', async () => {
      const { conn, peer } = await open();
      const infos: CloseInfo[] = [];
      conn.close$.subscribe((info) => infos.push(info));
      conn.close(3000);
      conn.close(3001);
      conn.send.error(new Error('late'));
      await until(() => conn.readyState === 3);
      conn.terminate();
      peer.lose();
      expect(infos.map(({ code }) => code)).toEqual([3000]);
    });

    it('delivers what waits before the end to a subscriber that comes later', async () => {
      const subject = await open();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      subject.peer.lose();
      await firstValueFrom(subject.conn.close$);
      expect({
        first: await all(subject.conn.messages$),
        second: await all(subject.conn.messages$),
      }).toEqual({ first: ['a', 'b'], second: [] });
    });

    it('does not wait for a hold, which keeps what waits and the end of messages$', async () => {
      const subject = await open();
      const events: unknown[] = [];
      subject.conn.messages$.subscribe({
        next: (message) => events.push(message),
        complete: () => events.push('completed'),
      });
      const hold = subject.conn.hold();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      subject.peer.lose();
      await firstValueFrom(subject.conn.close$);
      expect(events).toEqual([]);
      hold.unsubscribe();
      expect(events).toEqual(['a', 'b', 'completed']);
    });

    it('comes after all messages that the peer sent before it closed', async () => {
      const subject = await open();
      const { events } = eventsOf(subject.conn);
      subject.conn.messages$.subscribe((message) => events.push(message as string));
      subject.peer.send('a', 'b');
      subject.peer.close();
      await until(() => events.includes('close$ completes'));
      expect(events.filter((event) => ['a', 'b', 'messages$', 'close$'].includes(event))).toEqual([
        'a',
        'b',
        'messages$',
        'close$',
      ]);
    });

    it('delivers what comes after close(), while somebody wants it', async () => {
      const { conn, peer } = await open();
      const seen = record(conn);
      const stall = peer.stall();
      conn.close();
      peer.send('late');
      stall.unsubscribe();
      await firstValueFrom(conn.close$);
      expect(seen).toEqual(['late']);
    });

    it('discards what comes after close(), when nobody wants it', async () => {
      const { conn, peer } = await open();
      const stall = peer.stall();
      conn.close();
      peer.send('late');
      stall.unsubscribe();
      await firstValueFrom(conn.close$);
      const isKept = driver.differences.includes('keeps messages after close() without demand');
      expect(await all(conn.messages$)).toEqual(isKept ? ['late'] : []);
    });

    it('drops what waits on terminate()', async () => {
      const subject = await open();
      subject.peer.send('a', 'b');
      await until(() => subject.arrived === 2);
      subject.conn.terminate();
      expect({ readyState: subject.conn.readyState, inboxBytes: subject.inboxBytes }).toEqual({
        readyState: 3,
        inboxBytes: 0,
      });
      expect(await all(subject.conn.messages$)).toEqual([]);
    });

    it('ends messages$ at once on terminate(), whatever holds it', async () => {
      const subject = await open();
      const { conn } = subject;
      const { events } = eventsOf(conn);
      conn.messages$.subscribe((message) => events.push(message as string));
      const hold = conn.hold();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      conn.terminate();
      const client = driver.emittedBy === 'client' ? { type: 'complete' } : undefined;
      expect({ last: events.slice(-3), client: client && subject.source?.ending }).toEqual({
        last: [expect.stringMatching(/^p.ngs\$$/), 'close$', 'close$ completes'],
        client,
      });
      hold.unsubscribe();
      expect({ told: events.filter((event) => event === 'messages$'), messages: events.includes('a') }).toEqual({
        told: ['messages$'],
        messages: false,
      });
    });

    it('ends what a hold has kept after the end on terminate()', async () => {
      const subject = await open();
      const events: unknown[] = [];
      subject.conn.messages$.subscribe({
        next: (message) => events.push(message),
        complete: () => events.push('completed'),
      });
      subject.conn.hold();
      subject.peer.send('a');
      await until(() => subject.arrived === 1);
      subject.peer.lose();
      await firstValueFrom(subject.conn.close$);
      expect(events).toEqual([]);
      subject.conn.terminate();
      expect(events).toEqual(['completed']);
    });

    it('leaves nothing waiting on terminate(): no loop, no flush, no source', async () => {
      const { conn, peer } = await open();
      peer.stall();
      conn.hold();
      const loops = [conn, iterate(conn)].map((messages) => messages[Symbol.asyncIterator]().next());
      const [flush, sent] = [all(conn.flush()), all(conn.sendFrom(new Promise<never>(() => {})))];
      conn.terminate();
      expect({ loops: await Promise.all(loops), sent: await sent, isFlushed: Array.isArray(await flush) }).toEqual({
        loops: [
          { done: true, value: undefined },
          { done: true, value: undefined },
        ],
        sent: [0],
        isFlushed: true,
      });
    });

    it('errors a question that is open, with what close$ says', async () => {
      const { conn, peer } = await open();
      peer.stall();
      conn.hold();
      const answer = firstValueFrom(ask(conn, 'a', { match: () => true }));
      conn.terminate();
      await expect(answer).rejects.toMatchObject({ name: 'ConnectionClosedError', message: BY_US });
    });

    it('errors a ping that waits, with what close$ says', async () => {
      const { conn, peer } = await open();
      peer.stall();
      const answer = firstValueFrom(conn.ping());
      conn.terminate();
      await expect(answer).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 1006, message: BY_US });
      await expect(firstValueFrom(conn.ping())).rejects.toMatchObject({ code: 1006, message: BY_US });
    });

    it('errors a ping after the peer was lost, with what close$ says', async () => {
      const { conn, peer } = await open();
      peer.lose();
      await firstValueFrom(conn.close$);
      const message = expect.stringMatching(/^connection lost/);
      await expect(firstValueFrom(conn.ping())).rejects.toMatchObject({ code: 1006, message });
    });
  });
}

/** Ends in the order in which they come, and the state of the connection at each. */
function eventsOf(conn: AnyConnection): { events: string[]; states: number[] } {
  const events: string[] = [];
  const states: number[] = [];
  const note = (event: string) => () => {
    events.push(event);
    states.push(conn.readyState);
  };
  // Not in the order of an end.
  conn.close$.subscribe({ next: note('close$'), complete: note('close$ completes') });
  conn.pongs$.subscribe({ complete: note('pongs$') });
  conn.messages$.subscribe({ complete: note('messages$') });
  conn.pings$.subscribe({ complete: note('pings$') });
  conn.send.ready$.subscribe({ complete: note('ready$') });
  conn.send.subscribe({ complete: note('send') });
  return { events, states };
}
