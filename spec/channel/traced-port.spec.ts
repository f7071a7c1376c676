/** Frames as `sluice:frame` shows them: each once, in order, however the bytes are cut, and nothing of it changes the connection. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { fragments, isText, openConnection, serve } from 'sluice';
import { connectionPair } from 'sluice/testing';
import { debugLine } from '../../src/net/debug-line.js';
import { bits } from '../support/bits.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { echo, run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();

/** The lines of what is published of frames from now on, without the numbers of their connections. */
function frames(): string[] {
  const lines: string[] = [];
  const note = (message: unknown): void => {
    lines.push(debugLine('frame', message as never).replace(/^#\d+ /, ''));
  };
  subscribe('sluice:frame', note);
  atEnd(() => unsubscribe('sluice:frame', note));
  return lines;
}

describe('frames are shown', () => {
  it('in both directions, with what they are', () => {
    const lines = frames();
    const { client, server } = connectionPair({ client: { perMessageDeflate: false } });
    server.messages$.subscribe((message) => server.send.next(isText(message) ? message.toUpperCase() : message));
    client.messages$.subscribe();
    client.send.next('hello');
    client.send.next(new Uint8Array(300));
    client.ping('p').subscribe();
    server.close(4000, 'enough');
    const each = (line: string): [string, string] => [`-> ${line}`, `<- ${line}`];
    expect(lines).toEqual([
      ...each('text, 5 bytes: "hello"'),
      ...each('text, 5 bytes: "HELLO"'),
      ...each('binary, 300 bytes'),
      ...each('binary, 300 bytes'),
      ...each('ping, 1 bytes'),
      ...each('pong, 1 bytes'),
      ...each('close, 8 bytes: 4000 "enough"'),
      ...each('close, 2 bytes: 4000'),
    ]);
  });

  it('as they are on the wire: in parts, compressed, and of any length', () => {
    const lines = frames();
    const { client, server } = connectionPair();
    server.ignoreMessages();
    client.send.next(fragments(['one', 'two']));
    client.send.next('x'.repeat(5_000));
    client.send.next(new Uint8Array(70_000).map((_, index) => (index * 7919) % 251));
    expect(lines.filter((line) => line.startsWith('<-'))).toEqual([
      '<- text, not final, 3 bytes: "one"',
      '<- continuation, not final, 3 bytes',
      '<- continuation, 0 bytes',
      expect.stringMatching(/^<- text, compressed, \d\d bytes$/),
      expect.stringMatching(/^<- binary, compressed, \d+ bytes$/),
    ]);
  });

  it('with at most the beginning of their text', () => {
    const lines = frames();
    const { client, server } = connectionPair({ client: { perMessageDeflate: false } });
    server.ignoreMessages();
    client.send.next('é'.repeat(40_000));
    client.send.next('a\r\nb');
    expect(lines.filter((line) => line.startsWith('->'))).toEqual([
      expect.stringMatching(/^-> text, 80000 bytes: "é{62}.?"$/),
      '-> text, 4 bytes: "a\\r\\nb"',
    ]);
  });

  it('however the bytes are cut', async () => {
    const lines = frames();
    const { port, subscription } = await run(serve({ port: 0, host: '127.0.0.1' }), echo);
    atEnd(() => subscription.unsubscribe());
    const raw = await RawClient.connect(port);
    atEnd(() => raw.close());
    raw.write(handshake());
    await raw.response();
    // Two frames: "Hi" under a mask, and one with a length in two bytes.
    const bytes = [...bits('1 000 0001 1 0000010'), 1, 2, 3, 4, 0x48 ^ 1, 0x69 ^ 2];
    bytes.push(...bits('1 000 0010 1 1111110'), 0, 126, 0, 0, 0, 0, ...new Array<number>(126).fill(7));
    for (const byte of bytes) {
      raw.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.frame();
    await raw.frame();
    // How many bytes a read brings is up to the system, and so is whether the first answer leaves before the second message comes.
    const ways = {
      in: lines.filter((line) => line.startsWith('<-')),
      out: lines.filter((line) => line.startsWith('->')),
    };
    expect(ways).toEqual({
      in: ['<- text, 2 bytes: "Hi"', '<- binary, 126 bytes'],
      out: ['-> text, 2 bytes: "Hi"', '-> binary, 126 bytes'],
    });
  });

  it('up to the first that is none', async () => {
    const lines = frames();
    const { port, subscription } = await run(serve({ port: 0, host: '127.0.0.1' }), echo);
    atEnd(() => subscription.unsubscribe());
    const raw = await RawClient.connect(port);
    atEnd(() => raw.close());
    raw.write(handshake());
    await raw.response();
    raw.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0]));
    expect((await raw.frame()).opcode).toBe(8);
    expect(lines).toEqual(['<- opcode 3, 0 bytes', expect.stringMatching(/^-> close, \d+ bytes: 1002 "/)]);
  });

  it('over sockets, where a client is lost or resumes, as without it', async () => {
    const lines = frames();
    const { port, subscription, connections } = await run(serve({ port: 0, host: '127.0.0.1', highWaterMark: 1024 }));
    atEnd(() => subscription.unsubscribe());
    const conn = await openConnection(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    const parts = Array.from({ length: 64 }, (_, index) => new Uint8Array(65_536).fill(index));
    for (const part of parts) conn.send.next(part);
    conn.close();
    const got = await lastValueFrom(connections[0]!.messages$.pipe(toArray()));
    conn.ignoreMessages();
    await firstValueFrom(conn.close$);
    expect(got.map((part) => (part as Buffer)[0])).toEqual(parts.map((part) => part[0]));
    expect(lines.filter((line) => line === '<- binary, 65536 bytes')).toHaveLength(64);
    expect(lines.filter((line) => line === '-> binary, 65536 bytes')).toHaveLength(64);
  });

  it('of a connection that is terminated, to its end', async () => {
    frames();
    const { port, subscription, connections } = await run(serve({ port: 0, host: '127.0.0.1' }));
    atEnd(() => subscription.unsubscribe());
    const conn = await openConnection(`ws://127.0.0.1:${port}/`);
    conn.terminate();
    conn.ignoreMessages();
    connections[0]?.ignoreMessages();
    expect((await firstValueFrom(connections[0]!.close$)).code).toBe(1006);
  });
});
