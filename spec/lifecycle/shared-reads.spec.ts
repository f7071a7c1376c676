import { firstValueFrom, take, toArray } from 'rxjs';
import { type Connection, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { binary, text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const ends = endAfterEach();

/** A server, and two peers with their connections. */
async function twoPeers(): Promise<{
  readonly peers: readonly RawClient[];
  readonly connections: readonly Connection[];
}> {
  const { port, subscription, connections } = await run(serve({ port: 0, host: '127.0.0.1' }));
  ends(() => subscription.unsubscribe());
  const peers: RawClient[] = [];
  while (peers.length < 2) {
    const peer = await RawClient.connect(port);
    ends(() => peer.close());
    peer.write(handshake());
    expect((await peer.response()).status).toBe(101);
    peers.push(peer);
    await until(() => connections.length === peers.length);
  }
  return { peers, connections };
}

/** 100 messages that nobody else sends, in one write. */
const letters = (letter: string): Buffer =>
  wire(
    'server',
    Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? text(`${letter}${i}`) : binary(Buffer.alloc(i * 50, letter)))),
  );

const expected = (letter: string): (string | Buffer)[] =>
  Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? `${letter}${i}` : Buffer.alloc(i * 50, letter)));

describe('connections whose sockets read to the same memory', () => {
  it('keep what they did not parse while others read', async () => {
    const { peers, connections } = await twoPeers();
    const [slow, busy] = connections as [Connection, Connection];
    // Wanted for the first message only: the others wait behind it, parsed as far as the mark goes.
    const first = firstValueFrom(slow.messages$);
    await peers[0]!.send(Buffer.concat([letters('a'), letters('b'), letters('c')]));
    expect(await first).toBe('a0');
    const other = firstValueFrom(busy.messages$.pipe(take(300), toArray()));
    for (const letter of 'xyz') await peers[1]!.send(letters(letter));
    expect(await other).toEqual([...expected('x'), ...expected('y'), ...expected('z')]);
    const rest = await firstValueFrom(slow.messages$.pipe(take(299), toArray()));
    expect(['a0', ...rest]).toEqual([...expected('a'), ...expected('b'), ...expected('c')]);
  });

  it('give messages that do not change when others read, and headers that were cut', async () => {
    const { peers, connections } = await twoPeers();
    const received = connections.map((connection) => firstValueFrom(connection.messages$.pipe(take(100), toArray())));
    const wires = [letters('a'), letters('b')];
    for (let at = 0; at < wires[0]!.length; at += 997) {
      for (const [i, peer] of peers.entries()) await peer.send(wires[i]!.subarray(at, at + 997));
    }
    expect(await Promise.all(received)).toEqual([expected('a'), expected('b')]);
  });
});
