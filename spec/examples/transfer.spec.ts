import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, tap } from 'rxjs';
import { type Connection, connect, type HandshakeError, handleConnections, openConnection, serve } from 'sluice';
import { noise } from '../support/compressible.js';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';
import { until } from '../support/until.js';

describe('transfers', () => {
  const onEnd = endAfterEach();

  function directory(): string {
    const path = mkdtempSync(join(tmpdir(), 'transfer-'));
    onEnd(() => rmSync(path, { recursive: true }));
    return path;
  }

  function run(args: string[], env: Record<string, string> = {}): Example {
    const example = new Example('transfer/main', { args, env });
    onEnd(() => example.kill());
    return example;
  }

  async function startServer(env?: Record<string, string>): Promise<{ server: Example; stored: string; url: string }> {
    const stored = directory();
    const server = run(['serve', stored], env);
    return { server, stored, url: await server.url() };
  }

  async function open(url: string): Promise<Connection> {
    const conn = await openConnection(url);
    onEnd(() => conn.terminate());
    return conn;
  }

  it('store a file, and give it back, byte for byte', async () => {
    const { server, stored, url } = await startServer();
    const here = directory();
    const bytes = noise(3_000_000);
    writeFileSync(join(here, 'dump.sql'), bytes);
    const put = run(['put', join(here, 'dump.sql')], { URL: url });
    expect(await put.ended()).toBe(0);
    await server.line(/^put dump\.sql: done, 3000000 bytes$/);
    expect(readFileSync(join(stored, 'dump.sql')).equals(bytes)).toBe(true);
    const get = run(['get', 'dump.sql', join(here, 'copy.sql')], { URL: url });
    expect(await get.ended()).toBe(0);
    await server.line(/^get dump\.sql: done, 3000000 bytes$/);
    expect(readFileSync(join(here, 'copy.sql')).equals(bytes)).toBe(true);
    const errors = [server, put, get].map((each) => each.errors).join('');
    expect({ stored: readdirSync(stored), here: readdirSync(here).sort(), errors }).toEqual({
      stored: ['dump.sql'],
      here: ['copy.sql', 'dump.sql'],
      errors: '',
    });
  });

  it('store what standard input gives, and nothing is a file too', async () => {
    const { stored, url } = await startServer();
    const typed = run(['put', '-', 'typed.txt'], { URL: url });
    typed.type('one');
    typed.endInput();
    const empty = run(['put', '-', 'empty'], { URL: url });
    empty.endInput();
    expect({ typed: await typed.ended(), empty: await empty.ended() }).toEqual({ typed: 0, empty: 0 });
    expect(readFileSync(join(stored, 'typed.txt'), 'utf8')).toBe('one\n');
    expect(statSync(join(stored, 'empty')).size).toBe(0);
  });

  it('keep nothing of an upload whose client was killed, and say so', async () => {
    const { server, stored, url } = await startServer();
    writeFileSync(join(stored, 'big.bin'), 'the version before');
    const put = run(['put', '-', 'big.bin'], { URL: url });
    put.type('the first part');
    const parts = (): string[] => readdirSync(stored).filter((name) => name.endsWith('.part'));
    await until(() => parts().some((name) => statSync(join(stored, name)).size > 0));
    put.signal('SIGKILL');
    await server.line(/^put big\.bin: not done, nothing is kept: connection lost/);
    expect({ names: readdirSync(stored), errors: server.errors }).toEqual({ names: ['big.bin'], errors: '' });
    expect(readFileSync(join(stored, 'big.bin'), 'utf8')).toBe('the version before');
  });

  it('keep nothing of an upload that ends without a marker, or whose marker does not fit', async () => {
    const { server, stored, url } = await startServer();
    const quitter = await open(`${url}/put/quit`);
    quitter.send.next(Buffer.from('a part'));
    quitter.close();
    await server.line(/^put quit: not done, nothing is kept: closed without the end marker$/);
    const liar = await open(`${url}/put/lie`);
    liar.send.next(Buffer.from('a part'));
    liar.send.next('{"length":6,"sha256":"0"}');
    expect(await firstValueFrom(liar.close$)).toMatchObject({
      code: 4000,
      reason: 'length or hash do not fit what came',
    });
    await server.line(/^put lie: not done, nothing is kept: length or hash do not fit what came$/);
    expect({ names: readdirSync(stored), errors: server.errors }).toEqual({ names: [], errors: '' });
  });

  it('refuse what is too long, what is not there, and names that lead elsewhere', async () => {
    const { server, stored, url } = await startServer({ MAX_LENGTH: '10' });
    const long = run(['put', '-', 'long'], { URL: url });
    long.type('more than ten bytes');
    expect(await long.ended()).toBe(1);
    expect(long.errors).toContain('closed with 1009: more than 10 bytes');
    const here = directory();
    const missing = run(['get', 'missing', join(here, 'missing')], { URL: url });
    expect(await missing.ended()).toBe(1);
    expect(missing.errors).toContain('closed with 4004: there is no such file');
    for (const name of ['..%2Fsecret', '.hidden', 'a/b', '']) {
      const error = await firstValueFrom(connect(`${url}/get/${name}`)).catch((thrown: unknown) => thrown);
      expect({ name, status: (error as HandshakeError).status }).toEqual({ name, status: 404 });
    }
    expect({ stored: readdirSync(stored), here: readdirSync(here), errors: server.errors }).toEqual({
      stored: [],
      here: [],
      errors: '',
    });
  });

  it('keep nothing of a download that was cut, and fail', async () => {
    const sender = serve({ port: 0, host: '127.0.0.1' });
    const cut$ = sender.pipe(
      handleConnections((conn) => {
        conn.send.next(Buffer.from('the first part'));
        return conn.flush().pipe(tap(() => conn.terminate()));
      }),
    );
    const running = cut$.subscribe();
    onEnd(() => running.unsubscribe());
    const { port } = (await firstValueFrom(sender.listening$)) as AddressInfo;
    const here = directory();
    const get = run(['get', 'file', join(here, 'file')], { URL: `ws://127.0.0.1:${port}` });
    expect(await get.ended()).toBe(1);
    expect(get.errors).toContain('connection lost without a close frame');
    expect(readdirSync(here)).toEqual([]);
  });

  it('end with the server on SIGTERM, keep nothing of those under way, and leave no part of a server that was killed', async () => {
    const { server, stored, url } = await startServer();
    writeFileSync(join(stored, '.0b0e7d3c-1f64-4a4c-9a53-6d3c1b0a2f11.part'), 'left');
    const put = await open(`${url}/put/late`);
    put.send.next(Buffer.from('a part'));
    await until(() => readdirSync(stored).length === 2);
    server.signal('SIGTERM');
    expect(await firstValueFrom(put.close$)).toMatchObject({ code: 1001, reason: 'restart' });
    expect(await server.ended()).toBe(0);
    await server.line(/^put late: not done, nothing is kept/);
    expect(readdirSync(stored)).toHaveLength(1);
    const next = run(['serve', stored]);
    await next.url();
    expect(readdirSync(stored)).toEqual([]);
  });
});
