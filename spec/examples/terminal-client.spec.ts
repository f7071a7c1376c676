import type { AddressInfo } from 'node:net';
import { firstValueFrom, Subject } from 'rxjs';
import { type Connection, handleConnections, sendTo, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('the terminal client', () => {
  const onEnd = endAfterEach();
  const connected$ = new Subject<Connection>();
  let url: string;

  beforeEach(async () => {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const handled$ = server.pipe(
      handleConnections((conn) => {
        connected$.next(conn);
        return conn.messages$.pipe(sendTo(conn));
      }),
    );
    const subscription = handled$.subscribe();
    onEnd(() => subscription.unsubscribe());
    url = `ws://127.0.0.1:${((await firstValueFrom(server.listening$)) as AddressInfo).port}`;
  });

  function start(...args: string[]): Example {
    const example = new Example('terminal-client', { args });
    onEnd(() => example.kill());
    return example;
  }

  it('sends what was typed before it was connected too, prints the answers to all of it, and ends with 0', async () => {
    const client = start(url);
    client.type('one');
    client.type('two');
    client.endInput();
    expect(await client.ended()).toBe(0);
    expect(client.lines).toEqual([`connected to ${url}`, '< one', '< two', 'closed']);
  });

  it('ends when the server closes, though nobody has ended the input', async () => {
    const connected = firstValueFrom(connected$);
    const client = start(url);
    (await connected).close(1000);
    expect(await client.ended()).toBe(0);
    expect(client.lines.at(-1)).toBe('closed');
  });

  it('says what went wrong, and fails', async () => {
    const connected = firstValueFrom(connected$);
    const client = start(url);
    (await connected).close(4001, 'no place');
    expect(await client.ended()).toBe(1);
    expect(client.errors).toContain(`${url}: closed with 4001: no place`);
  });
});
