import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { PortEvents } from '../../src/channel/byte-port.js';
import { SocketPort } from '../../src/net/socket-port.js';
import { duplexPair } from '../support/duplex-pair.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { RawClient } from '../support/raw-client.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

async function accepted(): Promise<{ peer: RawClient; socket: Socket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  const connection = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const peer = await RawClient.connect((server.address() as AddressInfo).port);
  const socket = await connection;
  atEnd(async () => {
    socket.destroy();
    await peer.close();
  });
  return { peer, socket };
}

interface Log extends PortEvents {
  readonly events: string[];
  /** All bytes, as latin1. */
  text: string;
  size: number;
}

function log(): Log {
  const events: string[] = [];
  return {
    events,
    text: '',
    size: 0,
    bytes(memory, length) {
      this.text += memory.toString('latin1', 0, Math.min(length, 100));
      this.size += length;
    },
    ended: () => events.push('ended'),
    broken: (error) => events.push(`broken ${(error as NodeJS.ErrnoException).code}`),
    drained: () => events.push('drained'),
    closed: (error) => events.push(error === undefined ? 'closed' : `closed ${(error as NodeJS.ErrnoException).code}`),
  };
}

describe('a port over a socket of TCP', () => {
  it('delivers nothing before it is opened, and the head first', async () => {
    const { peer, socket } = await accepted();
    const port = new SocketPort(socket, Buffer.from('head '));
    const events = log();
    await peer.send('bytes');
    port.open(events);
    await until(() => events.text.length === 10);
    expect(events.text).toBe('head bytes');
  });

  it('is synchronous: small writes have left when write returns', async () => {
    const { peer, socket } = await accepted();
    const port = new SocketPort(socket, Buffer.alloc(0));
    port.open(log());
    port.write([Buffer.from('a'), Buffer.from('b')]);
    port.write([Buffer.from('c')]);
    expect([port.synchronous, port.pending]).toEqual([true, 0]);
    expect((await peer.bytes(3)).toString()).toBe('abc');
  });

  it('tells when what had to wait has left, once', async () => {
    const { peer, socket } = await accepted();
    const port = new SocketPort(socket, Buffer.alloc(0));
    const events = log();
    peer.socket.pause();
    port.open(events);
    const piece = Buffer.alloc(1_000_000, 'x');
    port.write([piece, piece, piece, piece, piece, piece, piece, piece]);
    expect(port.pending).toBeGreaterThan(0);
    peer.socket.resume();
    expect(await peer.bytes(8_000_000)).toHaveLength(8_000_000);
    await until(() => events.events.length > 0);
    expect([events.events, port.pending]).toEqual([['drained'], 0]);
  });

  it('tells so of the last of many small writes too, and each time', async () => {
    const { peer, socket } = await accepted();
    const port = new SocketPort(socket, Buffer.alloc(0));
    const events = log();
    port.open(events);
    for (let time = 1; time <= 3; time++) {
      peer.socket.pause();
      let size = 0;
      for (; port.pending === 0; size += 1000) port.write([Buffer.alloc(1000, `${time}`)]);
      peer.socket.resume();
      expect((await peer.bytes(size)).equals(Buffer.alloc(size, `${time}`))).toBe(true);
      await until(() => events.events.length === time);
      expect(port.pending).toBe(0);
    }
    expect(events.events).toEqual(['drained', 'drained', 'drained']);
  });

  it('stops to deliver while it is paused', async () => {
    const { peer, socket } = await accepted();
    const port = new SocketPort(socket, Buffer.alloc(0));
    const events = log();
    port.open(events);
    port.pause();
    await peer.send(Buffer.alloc(500_000, 'x'));
    expect(events.size).toBe(0);
    port.resume();
    await until(() => events.size === 500_000);
  });

  it('tells of the FIN of the peer, and can still write', async () => {
    const { peer, socket } = await accepted();
    const port = new SocketPort(socket, Buffer.alloc(0));
    const events = log();
    port.open(events);
    peer.end();
    await until(() => events.events.includes('ended'));
    port.write([Buffer.from('bye')]);
    port.end();
    port.end();
    expect((await peer.bytes(3)).toString()).toBe('bye');
    expect(await peer.ended()).toBe('end');
    await until(() => events.events.includes('closed'));
    expect(events.events).toEqual(['ended', 'closed']);
  });

  it('tells of a reset, with the error, once', async () => {
    const { peer, socket } = await accepted();
    const events = log();
    new SocketPort(socket, Buffer.alloc(0)).open(events);
    peer.reset();
    await until(() => events.events.length > 0);
    expect(events.events).toEqual(['closed ECONNRESET']);
  });

  it('resets on terminate, and is harmless behind that', async () => {
    const { peer, socket } = await accepted();
    const port = new SocketPort(socket, Buffer.alloc(0));
    const events = log();
    port.open(events);
    port.terminate();
    expect(await peer.ended()).toBe('reset');
    port.write([Buffer.from('late')]);
    port.end();
    port.terminate();
    port.pause();
    port.resume();
    await until(() => events.events.length > 0);
    expect(events.events).toEqual(['closed']);
  });

  it('tells at once when the socket was gone before it was opened', async () => {
    const { socket } = await accepted();
    const port = new SocketPort(socket, Buffer.alloc(0));
    socket.destroy();
    const events = log();
    port.open(events);
    await until(() => events.events.length > 0);
    expect(events.events).toEqual(['closed']);
  });
});

describe('a port over a stream that is no socket', () => {
  it('promises nothing about when bytes have left, and carries them all the same', async () => {
    const [ours, theirs] = duplexPair();
    const port = new SocketPort(ours, Buffer.from('head'));
    const events = log();
    port.open(events);
    expect(port.synchronous).toBe(false);
    const got: Buffer[] = [];
    theirs.on('data', (chunk: Buffer) => got.push(chunk));
    port.write([Buffer.alloc(10_000, 'a'), Buffer.alloc(10_000, 'b')]);
    theirs.write('in');
    await until(() => Buffer.concat(got).length === 20_000 && events.text === 'headin');
    await until(() => events.events.includes('drained'));
    expect(port.pending).toBe(0);
    port.terminate();
    await until(() => events.events.includes('closed'));
  });
});
