/** A write to a bridge that waits for room while the peer closes: what was accepted is sent, so that a normal end is no error of the write. */
import { firstValueFrom } from 'rxjs';
import { type Connection, openConnection, serve, toDuplex, toWebStreams } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

const LARGE = 8_000_000;

describe('a write that waits for room', () => {
  it.each([1000, 4000])('to a duplex ends as the connection does when the peer closes meanwhile: %d', async (code) => {
    const { sender, receiver, read } = await stalled();
    const duplex = toDuplex(sender as Connection<unknown, string>, { maxMessageSize: Number.POSITIVE_INFINITY });
    const results: unknown[] = [];
    duplex.on('error', () => {});
    duplex.write(Buffer.alloc(LARGE), (error) => results.push(error));
    receiver.close(code);
    const closed = new Promise<void>((resolve) => duplex.once('close', resolve));
    duplex.resume();
    const sizes = read();
    await closed;
    await until(() => results.length === 1);
    expect(sizes).toEqual([LARGE]);
    expect(results[0] ?? undefined).toEqual(code === 1000 ? undefined : expect.objectContaining({ code }));
  });

  it.each([1000, 4000])(
    'to a web stream ends as the connection does when the peer closes meanwhile: %d',
    async (code) => {
      const { sender, receiver, read } = await stalled();
      const { writable } = toWebStreams(sender);
      const writer = (writable as WritableStream<Uint8Array>).getWriter();
      writer.closed.catch(() => {});
      const written = writer.write(Buffer.alloc(LARGE)).then(
        () => undefined,
        (error: unknown) => error,
      );
      receiver.close(code);
      const sizes = read();
      expect((await firstValueFrom(sender.close$)).code).toBe(code);
      expect(await written).toEqual(code === 1000 ? undefined : expect.objectContaining({ code }));
      expect(sizes).toEqual([LARGE]);
    },
  );
});

/** Two ends of a connection, of which the receiver does not read before `read` is called. */
async function stalled() {
  const { port, subscription, connections } = await run(serve({ port: 0, perMessageDeflate: false }));
  atEnd(() => subscription.unsubscribe());
  const options = { perMessageDeflate: false, maxPayload: LARGE } as const;
  const receiver: Connection<unknown, unknown> = await openConnection(`ws://127.0.0.1:${port}`, [], options);
  const sender = connections[0] as Connection<unknown, unknown>;
  const read = (): number[] => {
    const sizes: number[] = [];
    receiver.messages$.subscribe((message) => sizes.push((message as Uint8Array).length));
    return sizes;
  };
  return { sender, receiver, read };
}
