import type { AddressInfo } from 'node:net';
import { firstValueFrom, mergeMap, tap } from 'rxjs';
import { type Connection, openConnection, ReadyState, sendTo, serve } from 'sluice';
import { noise } from '../support/compressible.js';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('the proxy', () => {
  const onEnd = endAfterEach();

  /** The upstream: an echo that goes when it is told to, and its connections. */
  async function startUpstream(connections: Connection[]): Promise<{ url: string; stop: () => void }> {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const echo$ = server.pipe(
      tap((conn) => connections.push(conn)),
      mergeMap((conn) =>
        conn.messages$.pipe(
          tap((message) => message === 'go' && conn.close(4001, 'gone')),
          sendTo(conn),
        ),
      ),
    );
    const subscription = echo$.subscribe();
    const stop = (): void => subscription.unsubscribe();
    onEnd(stop);
    const { port } = (await firstValueFrom(server.listening$)) as AddressInfo;
    return { url: `ws://127.0.0.1:${port}`, stop };
  }

  it('passes messages and codes on, slows a fast sender down, and says when there is no upstream', async () => {
    const connections: Connection[] = [];
    const upstream = await startUpstream(connections);
    const example = new Example('proxy', { env: { UPSTREAM: upstream.url } });
    onEnd(() => example.kill());
    const url = await example.url();
    const dial = async (): Promise<Connection> => {
      const conn = await openConnection(url);
      onEnd(() => conn.terminate());
      return conn;
    };

    const client = await dial();
    client.send.next('through');
    expect(await firstValueFrom(client.messages$)).toBe('through');
    client.send.next('go');
    expect(await firstValueFrom(client.close$)).toMatchObject({ code: 4001, reason: 'gone', wasClean: true });

    const fast = await dial();
    fast.send.next('hello');
    await firstValueFrom(fast.messages$);
    const slow = connections.at(-1);
    slow?.pause();
    // What compresses would not fill anything.
    const block = noise(65_536);
    const total = 1024;
    let pulled = 0;
    function* blocks(): Generator<Buffer> {
      for (; pulled < total; pulled++) yield block;
    }
    const sending = fast.sendFrom(blocks()).subscribe();
    // Another client has all the proxy's time meanwhile; the first gets no further than what the kernel holds on the way.
    const other = await dial();
    for (let i = 0; i < 500; i++) {
      other.send.next(`${i}`);
      expect(await firstValueFrom(other.messages$)).toBe(`${i}`);
    }
    expect(pulled).toBeLessThan(total);
    // Without backpressure the proxy would have filled its buffer, and given up.
    expect(fast.readyState).toBe(ReadyState.OPEN);
    sending.unsubscribe();
    slow?.resume();

    upstream.stop();
    const late = await dial();
    expect(await firstValueFrom(late.close$)).toMatchObject({ code: 1014, reason: 'the upstream cannot be reached' });
    expect(example.errors).toContain(`${upstream.url}: connect ECONNREFUSED`);
  });
});
