/** Proxies between our client and our server. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lastValueFrom, take } from 'rxjs';
import { type Connection, fragments, HandshakeError, openConnection } from 'sluice';
import { text, wire } from '../support/frames.js';
import { handshake } from '../support/raw-client.js';
import { until } from '../support/until.js';
import { expectEqual, Findings, next, VARIANTS, type Variant } from './conversation.js';
import { inTime, Lines, PeerProcess } from './peer.js';
import { OurServer, ourClient, type Result, type Row, tryVariants } from './row.js';

const run = promisify(execFile);

/** A program in between. It listens on a Unix socket, so that it takes no port, and passes on by path. */
export interface Proxy {
  readonly name: string;
  readonly program: string;
  /** Its version is in what it prints to this. */
  readonly version: readonly string[];
  /** What it reads: `/idle` ends after four seconds without a byte, `/nohost` drops the port from Host if `dropsPort`. */
  config(socket: string, port: number): string;
  args(folder: string, config: string): readonly string[];
  readonly dropsPort: boolean;
}

const nginxLocation = (path: string, port: number, host: string, seconds: number): string => `
    location ${path} {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host ${host};
      proxy_read_timeout ${seconds}s;
      proxy_send_timeout ${seconds}s;
    }`;

export const nginx: Proxy = {
  name: 'nginx',
  program: '/usr/sbin/nginx',
  version: ['-v'],
  dropsPort: true,
  config: (socket, port) => `
user root;
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen unix:${socket};${nginxLocation('/', port, '$http_host', 60)}${nginxLocation('/idle', port, '$http_host', 4)}
    ${nginxLocation('/nohost', port, '$host', 60)}
  }
}
`,
  args: (folder, config) => ['-p', folder, '-c', config, '-e', 'stderr'],
};

export const haproxy: Proxy = {
  name: 'haproxy',
  program: '/usr/sbin/haproxy',
  version: ['-v'],
  dropsPort: false,
  config: (socket, port) => `
global
  maxconn 200
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend all
  bind unix@${socket}
  use_backend idle if { path_beg /idle }
  default_backend usual
backend usual
  server sluice 127.0.0.1:${port}
backend idle
  timeout tunnel 4s
  server sluice 127.0.0.1:${port}
`,
  args: (_folder, config) => ['-db', '-f', config],
};

/** Our server's side of the conversations. */
function answerCommands(conn: Connection, lines: Lines): void {
  conn.close$.subscribe(({ code, reason }) => lines.push(`closed ${code} ${reason}`));
  conn.messages$.subscribe((message) => {
    if (message === 'my last') lines.push('heard my last');
    answer(conn, message as string);
  });
}

function answer(conn: Connection, message: string | Uint8Array): void {
  const [word, ...rest] = typeof message === 'string' ? message.split(' ') : [];
  if (word === '!close') conn.close(Number(rest[0]), rest.slice(1).join(' '));
  else if (word === '!ping')
    conn.ping(rest.join(' ')).subscribe({ next: () => conn.send.next(`pong ${rest.join(' ')}`), error: () => {} });
  else if (word === '!parts') conn.send.next(fragments(['part one, ', 'part two, ', 'part three']));
  else if (word === '!terminate') conn.terminate();
  else conn.send.next(message);
}

/** A connection on which nothing is said stays open for as long as the heartbeat is shorter than the patience of the proxy. */
async function stayIdle(url: string): Promise<void> {
  const conn = await inTime('handshake', openConnection(url, [], { heartbeat: false }));
  await inTime('sixth ping', lastValueFrom(conn.pings$.pipe(take(6))));
  const answered = next('echo after silence', conn.messages$);
  conn.send.next('still here');
  expectEqual('echo after silence', await answered, 'still here');
  conn.close();
}

/** A peer that ends its side without a Close frame: what it said before arrives, and the end does. */
async function endHalf(socket: string, lines: Lines): Promise<void> {
  const raw = createConnection({ path: socket });
  raw.on('error', () => {});
  raw.write(handshake({ path: '/' }), 'latin1');
  await inTime('answer', new Promise((resolve) => raw.once('data', resolve)));
  raw.end(wire('server', [text('my last')]));
  await lines.take('heard');
  expectEqual('the end of a peer without a Close frame', await lines.take('closed'), '1006 ');
  raw.destroy();
}

async function breakOff(url: string, lines: Lines): Promise<void> {
  const conn = await ourClient(url, 'plain');
  const record = next('end', conn.close$);
  conn.send.next('!terminate');
  const { code, wasClean } = await record;
  expectEqual('the end of a connection that the server resets', { code, wasClean }, { code: 1006, wasClean: false });
  await lines.take('closed');
}

/** The page of a site on another port than 80, with a cookie. */
async function comeAsPage(url: string, dropsPort: boolean): Promise<void> {
  const headers = { Host: 'app.test:8080', Origin: 'http://app.test:8080', Cookie: 'session=1' };
  const conn = await inTime('handshake', openConnection(url, [], { headers }));
  conn.close();
  if (!dropsPort) return;
  const refused = await openConnection(`${url}nohost`, [], { headers }).then(
    () => 'accepted',
    (error: unknown) => (error instanceof HandshakeError ? `${error.status} ${error.body}` : String(error)),
  );
  if (!/^403 .*\$http_host/.test(refused))
    throw new Error(`a page, through "Host $host": expected 403, found ${refused}`);
}

async function tryProxy(proxy: Proxy, folder: string): Promise<Result> {
  const { stdout, stderr } = await run(proxy.program, [...proxy.version]);
  const version = /(\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1] ?? '';
  const lines = new Lines();
  const server = await OurServer.start(
    {
      ...VARIANTS.context,
      heartbeat: { interval: 1000, timeout: 30_000 },
      handleProtocols: (offered) => offered[1],
    },
    (conn) => answerCommands(conn, conn.url === '/idle' ? new Lines() : lines),
  );
  const [socket, config] = [join(folder, 'socket'), join(folder, 'config')];
  writeFileSync(config, proxy.config(socket, server.port));
  const between = PeerProcess.start([proxy.program, ...proxy.args(folder, config)]);
  try {
    await Promise.race([
      inTime(
        'socket of the proxy',
        until(() => existsSync(socket)),
      ),
      between.lines.take('never'),
    ]);
    return { version, ...(await tryThrough(proxy, socket, lines)) };
  } finally {
    await between.stop();
    server.stop();
  }
}

async function tryThrough(proxy: Proxy, socket: string, lines: Lines): Promise<Omit<Result, 'version'>> {
  const url = `ws+unix:${socket}:/`;
  const findings = new Findings();
  const idle = findings.check('proxy', () => stayIdle(`${url}idle`));
  const can = { fragments: true, pings: true };
  const { outcome, agreed } = await tryVariants((variant: Variant) => ourClient(url, variant), lines, can);
  await findings.check('proxy', () => endHalf(socket, lines));
  await findings.check('proxy', () => breakOff(url, lines));
  await findings.check('proxy', () => comeAsPage(url, proxy.dropsPort));
  await idle;
  return { outcome: { ...outcome, ...findings.outcome }, agreed };
}

export function proxyRow(proxy: Proxy): Row {
  return {
    peer: proxy.name,
    role: 'proxy',
    async run() {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-peers-'));
      try {
        return await tryProxy(proxy, folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
