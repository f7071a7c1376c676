/** curl as a client: it knows no WebSocket where Debian builds it, so it asks by hand, and shows what is answered. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expectEqual, Findings } from './conversation.js';
import { OurServer, type Result, type Row } from './row.js';

const run = promisify(execFile);
const handshake: Readonly<Record<string, string>> = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

interface Asked {
  readonly path?: string;
  readonly method?: string;
  /** In place of those of a handshake, or beside them. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answered {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

async function ask(port: number, { path = '/', method = 'GET', headers = {} }: Asked): Promise<Answered> {
  const fields = Object.entries({ ...handshake, ...headers }).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['-sS', '-i', '-N', '--http1.1', '--max-time', '15', '-X', method, ...fields];
  const target = ['--request-target', path, `http://127.0.0.1:${port}/`];
  // It never answers our Close frame, so that the connection is reset in the end: it says so, beside what it got.
  const { stdout } = await run('/usr/bin/curl', [...args, ...target], { encoding: 'buffer' }).catch(
    (error: { stdout: Buffer }) => error,
  );
  const end = stdout.indexOf('\r\n\r\n');
  const head = stdout.subarray(0, end).toString('latin1');
  return { status: Number(head.split(' ')[1]), head, body: stdout.subarray(end + 4) };
}

/** What a request is answered with, and what the answer has in it. */
const refusals: readonly (readonly [string, Asked, number, RegExp])[] = [
  ['a plain request', { headers: { Connection: 'close', Upgrade: '' } }, 426, /^Upgrade: websocket\r?$/m],
  ['another version', { headers: { 'Sec-WebSocket-Version': '12' } }, 426, /^Sec-WebSocket-Version: 13\r?$/m],
  ['POST', { method: 'POST' }, 405, /^Allow: GET\r?$/m],
  ['a short key', { headers: { 'Sec-WebSocket-Key': 'abc' } }, 400, /Sec-WebSocket-Key, got "abc"/],
  ['another path', { path: '/other' }, 404, /no WebSocket at this path/],
  ['another origin with a cookie', { headers: { Origin: 'https://evil.test', Cookie: 'a=1' } }, 403, /origins/],
  ['a repeated subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'a, a' } }, 400, /"a" twice/],
];

async function tryCurl(port: number, findings: Findings): Promise<void> {
  for (const [what, asked, status, has] of refusals) {
    await findings.check('refusals', async () => {
      const answer = await ask(port, asked);
      expectEqual(`answer to ${what}`, answer.status, status);
      if (!has.test(`${answer.head}\n${answer.body}`))
        throw new Error(`answer to ${what} lacks ${has}: ${answer.body}`);
    });
  }
  await findings.check('echo', async () => {
    const { status, head, body } = await ask(port, { headers: { 'Sec-WebSocket-Protocol': 'chat.v1, chat.v2' } });
    expectEqual('answer to a handshake', status, 101);
    if (!/^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r?$/m.test(head))
      throw new Error(`wrong accept: ${head}`);
    if (!/^Sec-WebSocket-Protocol: chat\.v1\r?$/m.test(head)) throw new Error(`no subprotocol: ${head}`);
    expectEqual('frames', body.toString('latin1'), '\x81\x05hello\x88\x02\x03\xe8');
  });
}

async function runCurl(): Promise<Result> {
  const { stdout } = await run('/usr/bin/curl', ['--version']);
  const server = await OurServer.start({ path: '/', closeTimeout: 200 }, (conn) => {
    conn.send.next('hello');
    conn.close();
  });
  try {
    const findings = new Findings();
    await tryCurl(server.port, findings);
    return { version: stdout.split(' ')[1]!, outcome: findings.outcome, agreed: '' };
  } finally {
    server.stop();
  }
}

export const curlRow: Row = { peer: 'curl', role: 'client', run: runCurl };
