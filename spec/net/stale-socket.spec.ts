import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect as connectTcp, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { type ServeOptions, serve, type WebSocketServer } from 'sluice';
import { isSocketFile, removeStaleSocket } from '../../src/net/stale-socket.js';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { echo } from '../support/running-server.js';
import { stopChild } from '../support/stop-child.js';
import { serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

/** A folder of its own, and a path in it. */
function place(): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, path: join(folder, 's') };
}

const listener = `
const server = require('node:net').createServer();
server.listen(process.argv[1], () => process.send('up'));
`;

/** A process that listens at `path`. */
async function processAt(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', listener, path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  atEnd(() => stopChild(child));
  await once(child, 'message');
  return child;
}

/** A socket at `path` whose process was killed. */
async function leaveBehind(path: string): Promise<void> {
  await stopChild(await processAt(path));
  expect(lstatSync(path).isSocket()).toBe(true);
}

async function listenAt(path: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end('alive'));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

/** What the listener at `path` says. */
async function wordOf(path: string): Promise<string> {
  const socket = connectTcp(path);
  const [word] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return word.toString();
}

function begin(options: ServeOptions): { server: WebSocketServer<undefined>; failure: Promise<NodeJS.ErrnoException> } {
  const server = serve(options);
  const failure = new Promise<NodeJS.ErrnoException>((resolve) => {
    const subscription = server.subscribe({ next: echo, error: resolve });
    atEnd(() => subscription.unsubscribe());
  });
  return { server, failure };
}

async function expectEcho(raw: RawClient): Promise<void> {
  atEnd(() => raw.close());
  raw.write(handshake());
  expect((await raw.response()).status).toBe(101);
  raw.write(wire('server', [text('hello')]));
  expect((await raw.frame()).payload.toString()).toBe('hello');
}

const removed = (path: string): Promise<boolean> => new Promise((resolve) => removeStaleSocket(path, resolve));

describe('serve({ socketPath }) where a file is', () => {
  it.each<[string, ServeOptions, typeof RawClient.connect]>([
    ['plain', {}, RawClient.connect],
    ['over TLS', serverPair, RawClient.connectTls],
  ])('takes over the socket of a process that was killed: %s', async (_, options, connect) => {
    const { folder, path } = place();
    await leaveBehind(path);
    const { server } = begin({ socketPath: path, ...options });
    expect(await firstValueFrom(server.listening$)).toBe(path);
    await expectEcho(await connect({ path }));
    expect(readdirSync(folder)).toEqual(['s']);
  });

  it('fails with EADDRINUSE where a process listens, and leaves it what it has', async () => {
    const { path } = place();
    await listenAt(path);
    const { failure } = begin({ socketPath: path });
    expect(await failure).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen', address: path });
    expect(await wordOf(path)).toBe('alive');
  });

  it('fails with EADDRINUSE where another server of sluice listens, and that goes on', async () => {
    const { path } = place();
    const first = begin({ socketPath: path });
    await firstValueFrom(first.server.listening$);
    expect(await begin({ socketPath: path }).failure).toMatchObject({ code: 'EADDRINUSE' });
    await expectEcho(await RawClient.connect({ path }));
  });

  it.each<[string, (path: string) => void]>([
    ['an ordinary file', (path) => writeFileSync(path, 'precious')],
    ['a link', (path) => symlinkSync('/nowhere/at/all', path)],
  ])('fails with EADDRINUSE for what is no socket, and leaves it: %s', async (_, make) => {
    const { folder, path } = place();
    make(path);
    expect(await begin({ socketPath: path }).failure).toMatchObject({ code: 'EADDRINUSE' });
    expect(readdirSync(folder)).toEqual(['s']);
    if (lstatSync(path).isFile()) expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('lets one of several servers that begin at once have it', async () => {
    const { folder, path } = place();
    await leaveBehind(path);
    const begun = Array.from({ length: 5 }, () => begin({ socketPath: path }));
    const outcomes = await Promise.all(
      begun.map(({ server, failure }) =>
        Promise.race([
          firstValueFrom(server.listening$).catch((error) => error.code),
          failure.then(({ code }) => code),
        ]),
      ),
    );
    expect(outcomes.sort()).toEqual([path, 'EADDRINUSE', 'EADDRINUSE', 'EADDRINUSE', 'EADDRINUSE'].sort());
    await expectEcho(await RawClient.connect({ path }));
    expect(readdirSync(folder)).toEqual(['s']);
  });

  it('does not listen any more when it was left meanwhile', async () => {
    const { folder, path } = place();
    await leaveBehind(path);
    const server = serve({ socketPath: path });
    const subscription = server.subscribe();
    // The error of listening comes at the end of this turn, the answer of the file in a later one.
    await new Promise((resolve) => process.nextTick(resolve));
    subscription.unsubscribe();
    await until(() => readdirSync(folder).length === 0);
    expect(server.address()).toBeNull();
    await listenAt(path);
    expect(await wordOf(path)).toBe('alive');
  });
});

describe('a stale socket', () => {
  it('is removed, and nothing else is left', async () => {
    const { folder, path } = place();
    await leaveBehind(path);
    expect([await removed(path), readdirSync(folder)]).toEqual([true, []]);
  });

  it('is none where something listens, or where there is nothing', async () => {
    const { folder, path } = place();
    expect(await removed(path)).toBe(false);
    await listenAt(path);
    expect({ removed: await removed(path), files: readdirSync(folder), word: await wordOf(path) }).toEqual({
      removed: false,
      files: ['s'],
      word: 'alive',
    });
  });

  it('is given back where another process has come to the path while it was asked', async () => {
    const { folder, path } = place();
    await leaveBehind(path);
    const isFree = removed(path);
    unlinkSync(path);
    await listenAt(path);
    expect({ isFree: await isFree, files: readdirSync(folder), word: await wordOf(path) }).toEqual({
      isFree: false,
      files: ['s'],
      word: 'alive',
    });
  });

  it('is a matter of paths in the file system', () => {
    expect([
      isSocketFile('/run/s', 'linux'),
      isSocketFile('\0abstract', 'linux'),
      isSocketFile('\\\\.\\pipe\\s', 'win32'),
    ]).toEqual([true, false, false]);
  });
});
