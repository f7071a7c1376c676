import { createServer } from 'node:http';
import { type AddressInfo, type Server, Socket } from 'node:net';
import { asyncScheduler } from 'rxjs';
import { reject } from 'sluice';
import type { PortEvents } from '../../src/channel/byte-port.js';
import { SocketUpgrade } from '../../src/net/socket-upgrade.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

const answer = { status: 101, fields: ['Upgrade', 'websocket', 'X-A', 'b'], protocol: '', deflate: undefined };

interface Received {
  readonly peer: RawClient;
  readonly upgrade: SocketUpgrade;
  readonly socket: Socket;
}

/** Sends a handshake with `early` behind it, and gives what the server makes of it inside its 'upgrade' event. */
async function receive(early = '', request = handshake()): Promise<Received> {
  const http: Server = createServer();
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => http.close(resolve)));
  const received = new Promise<Omit<Received, 'peer'>>((resolve) => {
    http.once('upgrade', (incoming, socket, head) => {
      resolve({ upgrade: new SocketUpgrade(incoming, socket, head, asyncScheduler, 5), socket });
    });
  });
  const peer = await RawClient.connect((http.address() as AddressInfo).port);
  peer.write(request + early);
  const { upgrade, socket } = await received;
  atEnd(async () => {
    socket.destroy();
    await peer.close();
  });
  return { peer, upgrade, socket };
}

/** Collects what a port delivers. */
function collector(): PortEvents & { readonly text: string; readonly log: string[] } {
  const log: string[] = [];
  let all = Buffer.alloc(0);
  return {
    log,
    get text() {
      return all.toString();
    },
    bytes(memory, length) {
      all = Buffer.concat([all, memory.subarray(0, length)]);
    },
    ended: () => log.push('ended'),
    broken: () => log.push('broken'),
    drained: () => log.push('drained'),
    closed: () => log.push('closed'),
  };
}

describe('a request to upgrade', () => {
  it('tells once that its transport is gone, also when it was before', async () => {
    const { upgrade, socket, peer } = await receive();
    let count = 0;
    upgrade.whenClosed(() => count++);
    expect(count).toBe(0);
    upgrade.refuse(reject(403));
    socket.destroy();
    await until(() => count > 0);
    await peer.ended();
    expect([count, socket.closed]).toEqual([1, true]);
    upgrade.whenClosed(() => count++);
    expect(count).toBe(2);
  });

  it('tells what it is validated from, and where it comes from', async () => {
    const { upgrade, socket } = await receive('', handshake({ method: 'PUT', path: '/a?b' }));
    expect(upgrade.head).toMatchObject({ method: 'PUT', path: '/a?b', httpVersion: '1.1' });
    expect(upgrade.head.rawHeaders.slice(0, 2)).toEqual(['Host', '127.0.0.1']);
    expect(upgrade).toMatchObject({
      remoteAddress: '127.0.0.1',
      localAddress: '127.0.0.1',
      secure: false,
      hasClientCertificate: false,
      startedAt: 5,
    });
    expect(socket.timeout ?? 0).toBe(0);
  });

  it('is accepted with the bytes that were there, then those that came, then those that come', async () => {
    const { peer, upgrade } = await receive('head ');
    upgrade.watch(() => {});
    await peer.send('early ');
    await new Promise((resolve) => setImmediate(resolve));
    const events = collector();
    upgrade.accept(answer, false)?.open(events);
    const { status, reason, headers } = await peer.response();
    expect({ status, reason, upgrade: headers.get('upgrade'), own: headers.get('x-a') }).toEqual({
      status: 101,
      reason: 'Switching Protocols',
      upgrade: ['websocket'],
      own: ['b'],
    });
    await peer.send('late');
    await until(() => events.text.length === 15);
    expect(events.text).toBe('head early late');
    peer.end();
    await until(() => events.log.includes('ended'));
  });

  it.each([true, false])('has TCP look after the peer where that is asked for: %s', async (keepAlive) => {
    const { upgrade, socket } = await receive();
    const setKeepAlive = jest.spyOn(socket, 'setKeepAlive');
    upgrade.accept(answer, keepAlive);
    expect(setKeepAlive.mock.calls).toEqual(keepAlive ? [[true, 60_000]] : []);
  });

  it('tells once when the peer ends or resets before the decision, and accepts nothing then', async () => {
    for (const leave of [(raw: RawClient): void => raw.end(), (raw: RawClient): void => raw.reset()]) {
      const { peer, upgrade } = await receive();
      let told = 0;
      upgrade.watch(() => told++);
      leave(peer);
      await until(() => told > 0);
      expect(upgrade.accept(answer, false)).toBeUndefined();
      upgrade.refuse(reject(503));
      await new Promise((resolve) => setImmediate(resolve));
      expect(told).toBe(1);
    }
  });

  it('is not accepted when the peer has gone unwatched', async () => {
    const { peer, upgrade, socket } = await receive();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    peer.reset();
    await closed;
    expect(upgrade.accept(answer, false)).toBeUndefined();
  });

  it('reads 64 KiB and little more while nobody has decided', async () => {
    const { peer, upgrade, socket } = await receive();
    upgrade.watch(() => {});
    peer.write(Buffer.alloc(4_000_000));
    await until(() => socket.isPaused());
    await new Promise((resolve) => setImmediate(resolve));
    expect(socket.bytesRead).toBeLessThan(4 * 65_536);
  });

  it('is refused, read for a while, and ended', async () => {
    const { peer, upgrade, socket } = await receive('frames');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    upgrade.refuse(reject(403, 'No', { 'X-Why': 'so' }, 'body'));
    const response = await peer.response();
    expect({ status: response.status, reason: response.reason, why: response.headers.get('x-why') }).toEqual({
      status: 403,
      reason: 'No',
      why: ['so'],
    });
    expect(await peer.body(response)).toBe('body');
    expect(await peer.ended()).toBe('end');
    peer.end();
    await closed;
  });

  it('is refused without a body when it was HEAD', async () => {
    const { peer, upgrade } = await receive('', handshake({ method: 'HEAD' }));
    upgrade.refuse(reject(405, undefined, {}, 'body'));
    expect((await peer.response()).headers.get('content-length')).toEqual(['4']);
    await peer.ended();
    expect(peer.received).toHaveLength(0);
  });

  it('survives a reset while nobody looks at it', async () => {
    const { peer, socket } = await receive();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    peer.reset();
    await closed;
    expect(socket).toBeInstanceOf(Socket);
  });
});
