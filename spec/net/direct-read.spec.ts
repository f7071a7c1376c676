import * as net from 'node:net';
import type * as DirectRead from '../../src/net/direct-read.js';
import { readDirectly } from '../../src/net/direct-read.js';
import { readMemory } from '../../src/protocol/frame/read-memory.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

/** Both ends of a connection. */
async function connected(): Promise<{ readonly peer: net.Socket; readonly socket: net.Socket }> {
  const server = net.createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const peer = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const socket = await accepted;
  atEnd(() => {
    peer.destroy();
    socket.destroy();
    server.close();
  });
  return { peer, socket };
}

/** Collects what a reader is given. */
function reader(): { readonly read: DirectRead.DirectReader; text: string } {
  const collected = {
    text: '',
    read(length: number): void {
      collected.text += readMemory.toString('latin1', 0, length);
    },
  };
  return collected;
}

describe('reading directly', () => {
  it('gives the bytes of every socket in the same memory, and emits no data', async () => {
    const emitted = jest.fn();
    const all: { readonly text: string }[] = [];
    for (const name of ['one', 'two']) {
      const { peer, socket } = await connected();
      const got = reader();
      expect(readDirectly(socket, got.read)).toBe(true);
      socket.on('data', emitted);
      peer.write(name);
      all.push(got);
    }
    await until(() => all.every(({ text }) => text.length === 3));
    expect(all.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(emitted).not.toHaveBeenCalled();
  });

  it('calls the reader on the socket', async () => {
    const { peer, socket } = await connected();
    const sockets: net.Socket[] = [];
    readDirectly(socket, function (this: net.Socket) {
      sockets.push(this);
    });
    socket.resume();
    peer.write('a');
    await until(() => sockets.length > 0);
    expect(sockets).toEqual([socket]);
  });

  it('stops at once when the socket is paused, and goes on with the next byte when it is resumed', async () => {
    const { peer, socket } = await connected();
    const got = reader();
    readDirectly(socket, function (length) {
      got.read.call(this, length);
      socket.pause();
    });
    socket.resume();
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => 97 + (i % 26)));
    peer.write(sent);
    for (let reads = 1; got.text.length < sent.length; reads++) {
      const before = got.text.length;
      await until(() => got.text.length > before);
      expect(socket.readableLength).toBe(0);
      expect(got.text.length).toBeLessThanOrEqual(reads * readMemory.length);
      socket.resume();
    }
    expect(got.text).toBe(sent.toString());
  });

  it('ends with the stream, and closes', async () => {
    const { peer, socket } = await connected();
    const got = reader();
    readDirectly(socket, got.read);
    const log: string[] = [];
    socket.on('end', () => log.push('end')).on('close', () => log.push('close'));
    socket.resume();
    peer.end('last');
    await until(() => log.includes('end'));
    expect(got.text).toBe('last');
    socket.end();
    await until(() => log.includes('close'));
    expect(log).toEqual(['end', 'close']);
  });
});

describe('a socket that cannot be read directly', () => {
  it('has somebody else who listens', async () => {
    const { socket } = await connected();
    socket.on('data', () => {});
    expect(readDirectly(socket, reader().read)).toBe(false);
  });

  it('has bytes in its stream', async () => {
    const { socket } = await connected();
    socket.unshift(Buffer.from('a'));
    expect(readDirectly(socket, reader().read)).toBe(false);
  });

  it('is closed', async () => {
    const { socket } = await connected();
    socket.destroy();
    expect(readDirectly(socket, reader().read)).toBe(false);
  });

  it('is one of a Node that keeps what the option sets elsewhere', async () => {
    const { socket } = await connected();
    jest.isolateModules(() => {
      jest.doMock('node:net', () => ({ Socket: class {} }));
      const other: typeof DirectRead = jest.requireActual('../../src/net/direct-read.js');
      expect(other.readDirectly(socket, reader().read)).toBe(false);
      jest.dontMock('node:net');
    });
  });
});
