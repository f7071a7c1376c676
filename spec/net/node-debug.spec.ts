/** `NODE_DEBUG=sluice` of a program, as it comes on its standard error. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The standard error of a program that says what it does, line by line, without the number of its process, and with `PORT` for its port. */
async function errorsOf(env: Readonly<Record<string, string>>): Promise<string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'spec/net/debugged-program.ts'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(0);
  return text
    .replace(/SLUICE \d+: /g, 'SLUICE: ')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .trim()
    .split('\n');
}

const only = (lines: readonly string[], pattern: RegExp): string[] => lines.filter((line) => pattern.test(line));

describe('NODE_DEBUG=sluice', () => {
  it('shows dials, handshakes, frames, errors and ends, and no credential', async () => {
    const lines = await errorsOf({ NODE_DEBUG: 'sluice' });
    expect(lines.join('\n')).not.toMatch(/secret|password|token/);
    const url = 'ws://127.0.0.1:PORT';
    const from = 'from 127.0.0.1, origin "http://127.0.0.1:PORT"';
    expect(only(lines, /nowhere/)).toEqual([
      `SLUICE: dialing ${url}/nowhere?...`,
      `SLUICE: refused /nowhere?... ${from} with 403: Not here`,
      expect.stringContaining(`SLUICE: dialing ${url}/nowhere?... failed: `),
    ]);
    expect(only(lines, /broken|database|attempt/)).toEqual([
      `SLUICE: dialing ${url}/broken?...`,
      expect.stringMatching(/^sluice: verifyClient failed, .*: Error: no database$/),
      'SLUICE: server error: no database',
      `SLUICE: refused /broken?... ${from} with 500: Internal Server Error`,
      expect.stringMatching(/^SLUICE: dialing .*\/broken\?\.\.\. failed: .*500/),
      expect.stringMatching(/^SLUICE: attempt 1 in \d ms, after .*500/),
      `SLUICE: dialing ${url}/broken?...`,
      'SLUICE: server error: no database',
      `SLUICE: refused /broken?... ${from} with 500: Internal Server Error`,
      expect.stringMatching(/^SLUICE: dialing .*\/broken\?\.\.\. failed: .*500/),
    ]);
    const chat = only(lines, /#\d|\/chat/).map((line) => line.replace('SLUICE: ', ''));
    const [server] = /#\d/.exec(chat.find((line) => line.includes('accepted')) ?? '') ?? [];
    const [client] = /#\d/.exec(chat.find((line) => line.includes('connected')) ?? '') ?? [];
    expect(chat.filter((line) => line.startsWith(`${server} `))).toEqual([
      `${server} accepted /chat?... ${from}, protocol "chat", permessage-deflate`,
      `${server} <- text, 5 bytes: "hello"`,
      `${server} -> text, 5 bytes: "hello"`,
      `${server} <- close, 2 bytes: 1000`,
      `${server} -> close, 2 bytes: 1000`,
      expect.stringMatching(/^#\d closed with 1000 by the peer, after \d+ ms$/),
    ]);
    expect(chat.filter((line) => line.startsWith(`${client} `))).toEqual([
      `${client} connected to ${url}/chat?..., protocol "chat", permessage-deflate`,
      `${client} -> text, 5 bytes: "hello"`,
      `${client} <- text, 5 bytes: "hello"`,
      `${client} -> close, 2 bytes: 1000`,
      `${client} <- close, 2 bytes: 1000`,
      expect.stringMatching(/^#\d closed with 1000 by us, after \d+ ms$/),
    ]);
  });

  it('is silent for others, but for what the program does wrong', async () => {
    const lines = await errorsOf({ NODE_DEBUG: 'http-other' });
    expect(only(lines, /sluice:/i)).toEqual([expect.stringMatching(/^sluice: verifyClient failed/)]);
  });
});
