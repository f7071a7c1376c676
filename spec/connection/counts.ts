import { firstValueFrom } from 'rxjs';
import { until } from '../support/until.js';
import type { Driver } from './driver.js';
import { opener } from './opening.js';

/** `supports`, `stats` and the other figures. */
export function counts(driver: Driver): void {
  describe('what it says of itself', () => {
    const open = opener(driver);

    it('is what it supports', async () => {
      const { conn } = await open();
      expect(conn.supports).toEqual(driver.supports);
    });

    const lacking = Object.entries(driver.supports).filter(([, isSupported]) => !isSupported);
    for (const [feature] of lacking) {
      it(`lacks ${feature}, as supports says`, async () => {
        const { conn } = await open();
        expect(conn.supports).toHaveProperty(feature, false);
      });
    }

    if (!driver.takesBytes) {
      it('is kept: bytes do not arrive as bytes', async () => {
        const { conn, peer } = await open();
        conn.send.next(Uint8Array.of(1));
        await until(() => peer.received.length === 1 || peer.closed !== undefined);
        expect(peer.received.filter((message) => message instanceof Uint8Array)).toEqual([]);
      });
    }

    it('has the facts of the handshake', async () => {
      const { conn } = await open();
      const { url, protocol, extensions, protocolVersion } = conn;
      expect({ url, protocol, extensions, protocolVersion }).toEqual({
        url: expect.stringMatching(/\/$/),
        protocol: '',
        extensions: {},
        protocolVersion: expect.any(Number),
      });
    });
  });

  describe('stats', () => {
    const open = opener(driver);

    it('begin with nothing', async () => {
      const { conn } = await open();
      expect(conn.stats).toEqual({
        messagesReceived: 0,
        messagesSent: 0,
        messagesDropped: 0,
        pingsReceived: 0,
        pongsReceived: 0,
        bytesReceived: 0,
        bytesSent: 0,
        inboxBytes: 0,
        uptime: expect.any(Number),
      });
    });

    it('count messages and bytes both ways', async () => {
      const { conn, peer } = await open();
      conn.messages$.subscribe();
      peer.send('abc', 'def');
      conn.send.next('12345');
      await until(() => conn.stats.messagesReceived === 2 && peer.received.length === 1);
      await firstValueFrom(conn.flush());
      const { messagesSent, messagesDropped, bytesReceived, bytesSent, inboxBytes } = conn.stats;
      expect({ messagesSent, messagesDropped, inboxBytes }).toEqual({
        messagesSent: 1,
        messagesDropped: 0,
        inboxBytes: 0,
      });
      expect(bytesReceived).toBeGreaterThanOrEqual(6);
      expect(bytesSent).toBeGreaterThanOrEqual(5);
      expect({ bytesReceived: conn.bytesReceived, bytesSent: conn.bytesSent }).toEqual({ bytesReceived, bytesSent });
    });

    it('say what waits for a subscriber, with 128 bytes for each message', async () => {
      const { conn, peer } = await open();
      peer.send('abc');
      await until(() => conn.stats.messagesReceived === 1);
      expect(conn.stats.inboxBytes).toBeGreaterThanOrEqual(131);
      conn.messages$.subscribe();
      expect(conn.stats.inboxBytes).toBe(0);
    });

    it('do not count what is not sent any more', async () => {
      const { conn } = await open();
      conn.close();
      conn.send.next('a');
      expect(conn.stats.messagesSent).toBe(0);
    });

    it('have an uptime that stands still after the end', async () => {
      const { conn, peer } = await open();
      peer.lose();
      await firstValueFrom(conn.close$);
      const before = conn.stats.uptime;
      const ended = { real: Date.now(), monotonic: performance.now() };
      await until(() => Date.now() > ended.real + 1 && performance.now() > ended.monotonic + 1);
      expect(conn.stats.uptime).toBe(before);
    });

    if (driver.supports.ping) {
      it('count the pings and pongs of the peer', async () => {
        const { conn, peer } = await open();
        const pongs = firstValueFrom(conn.pongs$);
        peer.ping('a');
        peer.pong('b');
        await pongs;
        const { pingsReceived, pongsReceived } = conn.stats;
        expect({ pingsReceived, pongsReceived }).toEqual({ pingsReceived: 1, pongsReceived: 1 });
      });
    }
  });
}
