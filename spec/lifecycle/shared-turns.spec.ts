import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { firstValueFrom } from 'rxjs';
import { serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { continuation, text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake } from '../support/raw-client.js';
import { ca, serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const ends = endAfterEach();

/** What it takes more than one turn to parse: many fragments, empty ones and long ones among them. */
const messages = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(i % 4 === 0 ? 100_000 : 3_000));
const flood: Buffer = wire(
  'server',
  messages.flatMap((message, i) => {
    const size = i % 4 === 0 ? 100_000 : 1;
    const parts = Array.from({ length: Math.ceil(message.length / size) }, (_, at) =>
      message.slice(at * size, at * size + size),
    );
    return [...parts, ''].map((part, at) => (at === 0 ? text : continuation)(part, { fin: at === parts.length }));
  }),
);
const expected = messages.map(digest);

describe.each(['TCP', 'TLS', 'a Unix socket'] as const)('several that send much at once, over %s', (transport) => {
  it('lose nothing, and nothing is out of order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-turns-'));
    ends(() => rmSync(folder, { recursive: true }));
    const socketPath = join(folder, 'socket');
    const server = serve({
      maxFragments: 100_000,
      ...(transport === 'a Unix socket' ? { socketPath } : { port: 0, host: '127.0.0.1' }),
      ...(transport === 'TLS' && serverPair),
    });
    const seen: string[][] = [];
    const listening = firstValueFrom(server.listening$);
    const subscription = server.subscribe((connection) => {
      const own: string[] = [];
      seen.push(own);
      connection.messages$.subscribe((message) => own.push(digest(String(message))));
    });
    ends(() => subscription.unsubscribe());
    const address = (await listening) as { port: number };
    const at = transport === 'a Unix socket' ? { path: socketPath } : { port: address.port, host: '127.0.0.1' };
    for (let peers = 0; peers < 3; peers++) {
      const socket: Socket = transport === 'TLS' ? connectTls({ ...at, ca }) : connectPlain(at);
      ends(() => socket.destroy());
      socket.write(handshake());
      socket.once('data', () => socket.write(flood));
    }
    await until(() => seen.length === 3 && seen.every((own) => own.length === messages.length));
    expect(seen).toEqual([expected, expected, expected]);
  });
});

function digest(message: string): string {
  return `${message.length} ${createHash('sha1').update(message).digest('hex')}`;
}
