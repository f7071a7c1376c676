import { once } from 'node:events';
import { firstValueFrom } from 'rxjs';
import { openConnection } from 'sluice';
import { WebSocket } from 'ws';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('the echo server', () => {
  const onEnd = endAfterEach();
  function start(env?: Record<string, string>): Example {
    const example = new Example('echo-server', { ...(env && { env }) });
    onEnd(() => example.kill());
    return example;
  }

  it('sends every message back, to clients of any library', async () => {
    const url = await start().url();
    const conn = await openConnection(url);
    onEnd(() => conn.terminate());
    conn.send.next('text');
    expect(await firstValueFrom(conn.messages$)).toBe('text');
    conn.send.next(Buffer.from([1, 2]));
    expect(await firstValueFrom(conn.messages$)).toEqual(Buffer.from([1, 2]));

    const other = new WebSocket(url);
    onEnd(() => other.terminate());
    await once(other, 'open');
    other.send('hello');
    expect(String((await once(other, 'message'))[0])).toBe('hello');
  });

  it('prints how to try it, and that works', async () => {
    const server = start();
    const [url] = (await server.line(/^try it .*: npx tsx examples\/terminal-client\.ts (ws:.*)$/)).split(' ');
    const client = new Example('terminal-client', { args: [url as string] });
    onEnd(() => client.kill());
    await client.line(/^connected to /);
    client.type('hello');
    expect(await client.line(/^< (.*)$/)).toBe('hello');
  });

  it('says why it cannot listen, and fails', async () => {
    const { port } = new URL(await start().url());
    const second = start({ PORT: port });
    expect(await second.ended()).toBe(1);
    expect(second.errors).toContain('cannot listen: listen EADDRINUSE');
  });
});
