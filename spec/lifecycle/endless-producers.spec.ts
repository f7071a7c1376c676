/**
 * Producers that are never late, to a peer that reads as fast: they leave the event loop to timers and sockets, so that the end of the peer is
 * noticed, and they learn of it.
 */
import { pipeline, Readable } from 'node:stream';
import { firstValueFrom } from 'rxjs';
import {
  type Connection,
  fragments,
  json,
  openConnection,
  persistent,
  serve,
  toDuplex,
  toWebStreams,
  withCodec,
} from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();

type AnyConnection = Connection<unknown, unknown>;

function* endless(value = 'x'.repeat(100)): Generator<string> {
  for (;;) yield value;
}

async function* endlessAsync(): AsyncGenerator<string> {
  yield* endless();
}

const nothing = (): void => {};

/** Each begins to produce, and resolves when it has learned that the connection is no more. */
const producers: Readonly<Record<string, (conn: AnyConnection) => Promise<unknown>>> = {
  'sendFrom of an iterable': (conn) => firstValueFrom(conn.sendFrom(endless())),
  'sendFrom of an async iterable': (conn) => firstValueFrom(conn.sendFrom(endlessAsync())),
  'sendFrom of large messages that compress well': (conn) => firstValueFrom(conn.sendFrom(endless('y'.repeat(60_000)))),
  'sendFrom through a codec': (conn) => firstValueFrom(withCodec(json<string>())(conn as never).sendFrom(endless())),
  'fragments of an iterable': (conn) => {
    conn.send.next(fragments(endless()));
    return firstValueFrom(conn.close$);
  },
  'fragments of an async iterable': (conn) => {
    conn.send.next(fragments(endlessAsync()));
    return firstValueFrom(conn.close$);
  },
  'a loop that asks isReady': (conn) => {
    return new Promise<void>((resolve) => {
      conn.send.ready$.subscribe({
        next: () => {
          while (conn.send.isReady) conn.send.next('x');
        },
        complete: resolve,
      });
    });
  },
  'a loop that asks trySend': (conn) => {
    return new Promise<void>((resolve) => {
      const pump = (): void => {
        for (let result = 'sent'; conn.send.isReady; ) {
          result = conn.trySend('x'.repeat(1_000));
          if (result === 'closed') return;
        }
      };
      conn.send.ready$.subscribe({ next: pump, complete: resolve });
    });
  },
  'a pipeline of Node': (conn) =>
    new Promise<void>((resolve) => {
      pipeline(Readable.from(endless()), toDuplex(conn as never), () => resolve());
    }),
  "a pump on 'drain'": (conn) =>
    new Promise<void>((resolve) => {
      const duplex = toDuplex(conn as never)
        .on('error', nothing)
        .on('close', resolve);
      const pump = (): void => {
        while (!duplex.destroyed && duplex.write('x'.repeat(100)));
      };
      duplex.on('drain', pump);
      pump();
    }),
  'a pipe of web streams': (conn) => {
    const source = new ReadableStream<string>({ pull: (controller) => controller.enqueue('x'.repeat(100)) });
    return source.pipeTo(toWebStreams(conn).writable as WritableStream<string>).catch(nothing);
  },
};

describe.each(Object.entries(producers))('%s', (_, produce) => {
  it.each(['server', 'client'] as const)('lets a %s notice that its peer has gone', async (role) => {
    const { sender, receiver } = await ends(role);
    let received = 0;
    receiver.messages$.subscribe(() => received++);
    const over = produce(sender);
    await passes(() => receiver.bytesReceived > 100_000);
    receiver.terminate();
    await over;
    expect(sender.trySend('more')).toBe('closed');
    expect((await firstValueFrom(sender.close$)).code).toBe(1006);
  });
});

describe('a persistent client that sends in a loop', () => {
  it('lets timers run, and dials again when its socket is lost', async () => {
    const { port, subscription, connections } = await run(serve({ port: 0 }), (conn) => conn.messages$.subscribe());
    atEnd(() => subscription.unsubscribe());
    const client = persistent(`ws://127.0.0.1:${port}`, { reconnect: { initial: 1 } });
    const opened = client.open();
    atEnd(() => opened.unsubscribe());
    client.send.ready$.subscribe(() => {
      while (client.send.isReady) client.send.next('x'.repeat(100));
    });
    await passes(() => (connections[0]?.bytesReceived ?? 0) > 100_000);
    connections[0]?.terminate();
    await passes(() => (connections[1]?.bytesReceived ?? 0) > 100_000);
    expect(connections).toHaveLength(2);
  });
});

/** Looks with a timer, as an application does. */
async function passes(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Two ends of one connection over TCP; the sender has this role. */
async function ends(role: 'server' | 'client'): Promise<{ sender: AnyConnection; receiver: AnyConnection }> {
  const { port, subscription, connections } = await run(serve({ port: 0 }));
  atEnd(() => subscription.unsubscribe());
  const client: AnyConnection = await openConnection(`ws://127.0.0.1:${port}`);
  const server = connections[0] as AnyConnection;
  return role === 'server' ? { sender: server, receiver: client } : { sender: client, receiver: server };
}
