// A server that sends without an end to its one peer: `producer.mjs PRODUCER`. Tells its parent where it listens, and for how long its
// event loop did not turn while it produced; then, once the peer is gone, that the producer and the connection have learned of it, with the time of a clock
// that all processes of the machine share.
import { pipeline, Readable } from 'node:stream';
import { firstValueFrom } from 'rxjs';
import { fragments, serve, toDuplex, toWebStreams } from 'sluice';
import { Stalls } from './stalls.mjs';

const producer = process.argv[2];

function* endless(value) {
  for (;;) yield value;
}

const small = 'x'.repeat(100);
const producers = {
  nothing: () => new Promise(() => {}),
  'sendFrom of small messages': (conn) => firstValueFrom(conn.sendFrom(endless(small))),
  'sendFrom of 60 kB that compress well': (conn) => firstValueFrom(conn.sendFrom(endless('y'.repeat(60_000)))),
  'fragments of an iterable': (conn) => {
    conn.send.next(fragments(endless(small)));
    return firstValueFrom(conn.close$);
  },
  'a loop that asks isReady': (conn) =>
    new Promise((resolve) => {
      const next = () => {
        while (conn.send.isReady) conn.send.next(small);
      };
      conn.send.ready$.subscribe({ next, complete: resolve });
    }),
  'a pipeline of Node': (conn) =>
    new Promise((resolve) => pipeline(Readable.from(endless(small)), toDuplex(conn), resolve)),
  "a pump on 'drain'": (conn) =>
    new Promise((resolve) => {
      const duplex = toDuplex(conn)
        .on('error', () => {})
        .on('close', resolve);
      const pump = () => {
        while (!duplex.destroyed && duplex.write(small));
      };
      duplex.on('drain', pump);
      pump();
    }),
  'a pipe of web streams': (conn) => {
    const source = new ReadableStream({ pull: (controller) => controller.enqueue(small) });
    return source.pipeTo(toWebStreams(conn).writable).catch(() => {});
  },
};

const now = () => Number(process.hrtime.bigint()) / 1e6;

const server = serve({ port: 0, heartbeat: false });
firstValueFrom(server.listening$).then(({ port }) => process.send({ event: 'listening', port }));
server.subscribe((conn) => {
  const stalls = new Stalls();
  const over = producers[producer](conn);
  setTimeout(() => process.send({ event: 'produced', stallMillis: stalls.take() }), 1_500);
  const closed = firstValueFrom(conn.close$);
  Promise.all(producer === 'nothing' ? [closed] : [over, closed]).then(() =>
    process.send({ event: 'noticed', at: now() }),
  );
});
process.on('disconnect', () => process.exit());
