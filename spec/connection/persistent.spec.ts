import { endAfterEach } from '../support/end-after-each.js';
import { until } from '../support/until.js';
import { lastingOverDoubles, lastingOverSockets } from './drivers/lasting.js';
import { flowSuite } from './flow-suite.js';

describe.each([lastingOverSockets, lastingOverDoubles])('$name', (driver) => {
  flowSuite(driver);

  describe('the end by complete()', () => {
    const end = endAfterEach();

    it('sends what was sent before, closes with 1000, and completes all', async () => {
      const { conn, peer, ...subject } = await driver.open();
      end(() => subject.end());
      const events: string[] = [];
      conn.messages$.subscribe({ complete: () => events.push('messages$') });
      conn.send.subscribe({ complete: () => events.push('send') });
      conn.send.ready$.subscribe({ complete: () => events.push('ready$') });
      conn.state$.subscribe({ complete: () => events.push('state$') });
      conn.send.next('a');
      conn.complete();
      await until(() => events.length === 4 && peer.closed !== undefined);
      expect({ received: peer.received, code: peer.closed?.code, events: [...events].sort() }).toEqual({
        received: ['a'],
        code: 1000,
        events: ['messages$', 'ready$', 'send', 'state$'],
      });
      expect({ result: conn.trySend('b'), readyState: conn.readyState }).toEqual({ result: 'closed', readyState: 3 });
    });

    it('is told to late subscribers, and cannot be undone', async () => {
      const { conn, ...subject } = await driver.open();
      end(() => subject.end());
      conn.complete();
      await until(() => conn.readyState === 3);
      const events: string[] = [];
      conn.messages$.subscribe({ complete: () => events.push('messages$') });
      conn.send.subscribe({ complete: () => events.push('send') });
      conn.send.ready$.subscribe({ complete: () => events.push('ready$') });
      conn.state$.subscribe({ complete: () => events.push('state$') });
      conn.open();
      expect({ events, readyState: conn.readyState }).toEqual({
        events: ['messages$', 'send', 'ready$', 'state$'],
        readyState: 3,
      });
    });
  });
});
