import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { VirtualTimeScheduler } from 'rxjs';
import { endAndLinger } from '../../src/net/linger.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { RawClient } from '../support/raw-client.js';

guardProcess();
const atEnd = endAfterEach();

/** Both ends of a connection; the server's is left half-open, as sockets of http are. */
async function pair(): Promise<{ peer: RawClient; socket: Socket; closed: Promise<unknown> }> {
  const server: Server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const peer = await RawClient.connect((server.address() as AddressInfo).port);
  atEnd(() => peer.close());
  const socket = await accepted;
  socket.on('error', () => {});
  return { peer, socket, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

describe('endAndLinger', () => {
  it('says the last word, ends, and waits for the end of the peer', async () => {
    const { peer, socket, closed } = await pair();
    const scheduler = new VirtualTimeScheduler();
    endAndLinger(socket, 'last', scheduler);
    expect((await peer.bytes(4)).toString()).toBe('last');
    expect(await peer.ended()).toBe('end');
    expect(socket.destroyed).toBe(false);
    await peer.send('still talking');
    peer.end();
    await closed;
    expect(scheduler.actions.every((action) => action.closed)).toBe(true);
  });

  it('lets a peer read it that has sent more than was read', async () => {
    const { peer, socket, closed } = await pair();
    await peer.send(Buffer.alloc(60_000));
    endAndLinger(socket, 'last', new VirtualTimeScheduler());
    expect((await peer.bytes(4)).toString()).toBe('last');
    expect(await peer.ended()).toBe('end');
    peer.end();
    await closed;
    expect(socket.bytesRead).toBe(60_000);
  });

  it('waits for one second', async () => {
    const { peer, socket, closed } = await pair();
    const scheduler = new VirtualTimeScheduler();
    endAndLinger(socket, 'last', scheduler);
    await peer.ended();
    scheduler.maxFrames = 999;
    scheduler.flush();
    expect(socket.destroyed).toBe(false);
    scheduler.maxFrames = 1_000;
    scheduler.flush();
    expect(socket.destroyed).toBe(true);
    await closed;
  });

  it('throws away 64 KiB at most, and leaves the rest unread until the time is over', async () => {
    const { peer, socket, closed } = await pair();
    const scheduler = new VirtualTimeScheduler();
    const paused = new Promise<void>((resolve) => socket.once('pause', resolve));
    endAndLinger(socket, 'last', scheduler);
    peer.write(Buffer.alloc(1_000_000));
    await paused;
    expect(socket.destroyed).toBe(false);
    expect((await peer.bytes(4)).toString()).toBe('last');
    expect(await peer.ended()).toBe('end');
    scheduler.flush();
    await closed;
    expect(socket.bytesRead).toBeLessThan(3 * 65_536);
  });

  it('does nothing to a socket that is gone', async () => {
    const { socket, closed } = await pair();
    socket.destroy();
    await closed;
    const scheduler = new VirtualTimeScheduler();
    endAndLinger(socket, 'last', scheduler);
    expect(scheduler.actions).toEqual([]);
  });
});
