import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { firstValueFrom, tap } from 'rxjs';
import { type Connection, connect, type HandshakeError, handleConnections, openConnection, serve } from 'sluice';
import { receiveFile, sendFile } from '../../examples/transfer/transfer.js';
import { noise } from '../support/compressible.js';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';
import { until } from '../support/until.js';

const LONGEST = 4_000_000;

describe('transfers', () => {
  const onEnd = endAfterEach();
  let server: Example;
  let stored: string;
  let url: string;

  beforeAll(async () => {
    stored = mkdtempSync(join(tmpdir(), 'transfer-'));
    // A process that was killed has left this.
    writeFileSync(join(stored, '.0b0e7d3c-1f64-4a4c-9a53-6d3c1b0a2f11.part'), 'left');
    server = new Example('transfer/main', { args: ['serve', stored], env: { MAX_LENGTH: `${LONGEST}` } });
    url = await server.url();
  });

  afterEach(() => {
    // Whatever a client does, the server prints no error.
    expect(server.errors).toBe('');
    for (const name of readdirSync(stored)) rmSync(join(stored, name));
  });

  afterAll(async () => {
    await server.kill();
    rmSync(stored, { recursive: true });
  });

  function directory(): string {
    const path = mkdtempSync(join(tmpdir(), 'transfer-'));
    onEnd(() => rmSync(path, { recursive: true }));
    return path;
  }

  function run(...args: string[]): Example {
    const example = new Example('transfer/main', { args, env: { URL: url } });
    onEnd(() => example.kill());
    return example;
  }

  async function open(target: string): Promise<Connection> {
    const conn = await openConnection(target);
    onEnd(() => conn.terminate());
    return conn;
  }

  it('begin without the parts that a process that was killed has left', () => {
    expect(readdirSync(stored)).toEqual([]);
  });

  it('store a file, and give it back, byte for byte', async () => {
    const here = directory();
    const bytes = noise(3_000_000);
    writeFileSync(join(here, 'dump.sql'), bytes);
    const put = run('put', join(here, 'dump.sql'));
    expect(await put.ended()).toBe(0);
    await server.line(/^put dump\.sql: done, 3000000 bytes$/);
    expect(readFileSync(join(stored, 'dump.sql')).equals(bytes)).toBe(true);
    const get = run('get', 'dump.sql', join(here, 'copy.sql'));
    expect(await get.ended()).toBe(0);
    await server.line(/^get dump\.sql: done, 3000000 bytes$/);
    expect(readFileSync(join(here, 'copy.sql')).equals(bytes)).toBe(true);
    expect({ stored: readdirSync(stored), here: readdirSync(here).sort(), errors: put.errors + get.errors }).toEqual({
      stored: ['dump.sql'],
      here: ['copy.sql', 'dump.sql'],
      errors: '',
    });
  });

  it('keep nothing of an upload whose client was killed, and say so', async () => {
    writeFileSync(join(stored, 'big.bin'), 'the version before');
    const put = run('put', '-', 'big.bin');
    put.type('the first part');
    const parts = (): string[] => readdirSync(stored).filter((name) => name.endsWith('.part'));
    await until(() => parts().some((name) => statSync(join(stored, name)).size > 0));
    put.signal('SIGKILL');
    await server.line(/^put big\.bin: failed, nothing was kept: connection lost/);
    expect(readdirSync(stored)).toEqual(['big.bin']);
    expect(readFileSync(join(stored, 'big.bin'), 'utf8')).toBe('the version before');
  });

  it('keep nothing of an upload that ends without a marker, or whose marker does not fit', async () => {
    const quitter = await open(`${url}/put/quit`);
    quitter.send.next(Buffer.from('a part'));
    quitter.close();
    await server.line(/^put quit: failed, nothing was kept: closed without the end marker$/);
    const liar = await open(`${url}/put/lie`);
    liar.send.next(Buffer.from('a part'));
    liar.send.next('{"length":6,"sha256":"0"}');
    expect(await firstValueFrom(liar.close$)).toMatchObject({
      code: 4000,
      reason: 'length or hash does not match the data',
    });
    await server.line(/^put lie: failed, nothing was kept: length or hash does not match the data$/);
    expect(readdirSync(stored)).toEqual([]);
  });

  it('take nothing for a file too, and refuse what is too long, also while its source stands still', async () => {
    expect(await sendFile(await open(`${url}/put/empty`), Readable.from([]))).toBe(0);
    expect(statSync(join(stored, 'empty')).size).toBe(0);
    const source = new Readable({ read: () => {} });
    const long = sendFile(await open(`${url}/put/long`), source);
    for (let sent = 0; sent <= LONGEST; sent += 500_000) source.push(Buffer.alloc(500_000));
    await expect(long).rejects.toMatchObject({ code: 1009, reason: `more than ${LONGEST} bytes` });
    expect({ isDestroyed: source.destroyed, names: readdirSync(stored) }).toEqual({
      isDestroyed: true,
      names: ['empty'],
    });
  });

  it('refuse what is not there, and names that lead elsewhere', async () => {
    const here = directory();
    const missing = receiveFile(await open(`${url}/get/missing`), join(here, 'missing'), LONGEST);
    await expect(missing).rejects.toMatchObject({ code: 4004, reason: 'no such file' });
    expect(readdirSync(here)).toEqual([]);
    for (const name of ['..%2Fsecret', '.hidden', 'a/b', '']) {
      const error = await firstValueFrom(connect(`${url}/get/${name}`)).catch((thrown: unknown) => thrown);
      expect({ name, status: (error as HandshakeError).status }).toEqual({ name, status: 404 });
    }
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
    const download = receiveFile(await open(`ws://127.0.0.1:${port}`), join(here, 'file'), LONGEST);
    await expect(download).rejects.toMatchObject({ code: 1006 });
    expect(readdirSync(here)).toEqual([]);
  });

  it('end with the server on SIGTERM, and keep nothing of those under way', async () => {
    const other = directory();
    const ending = run('serve', other);
    const put = await open(`${await ending.url()}/put/late`);
    put.send.next(Buffer.from('a part'));
    await until(() => readdirSync(other).length === 1);
    ending.signal('SIGTERM');
    expect(await firstValueFrom(put.close$)).toMatchObject({ code: 1001, reason: 'restart' });
    expect(await ending.ended()).toBe(0);
    await ending.line(/^put late: failed, nothing was kept/);
    expect({ names: readdirSync(other), errors: ending.errors }).toEqual({ names: [], errors: '' });
  });
});
