// A server under test, in a process of its own: `main.mjs sluice|ws|shared|shared-ws`, run with --expose-gc. The first message of its parent are the
// options of the server and the hook; later ones are orders, each answered once. What a connection is for stands in its path:
//   /echo           sends each message back
//   /ignore         takes each message, and does nothing
//   /unread         nobody wants the messages
//   /slow?ms=100    takes one message after the other, each for so long
//   /ask?open=N&by=key|match
//                   takes each message, with N open questions that it does not answer; match on a connection with a codec
//   /send?bytes=N&size=65536&every=0
//                   sends N bytes in messages of `size`, at once or 1 MiB each `every` ms, whether the peer reads or not
import { Vitals } from './vitals.mjs';

const library = process.argv[2];
const { start } = await import(`./${library}.mjs`);
const vitals = new Vitals();
let server;

const orders = {
  async start({ options, hook }) {
    server = await start(options, hook, vitals);
    return { port: server.port };
  },
  vitals: ({ collect }) => vitals.read(collect),
  /** How many connections a shared http server has. */
  sockets: () => server.sockets(),
  /** Keeps the event loop from turning. */
  block({ millis }) {
    const end = performance.now() + millis;
    while (performance.now() < end);
  },
  /** Closes the server, as its library does it. */
  close: ({ options }) => server.close(options),
};

process.on('message', async ({ id, order, ...parameters }) => {
  process.send({ id, answer: await orders[order](parameters) });
});
process.on('disconnect', () => process.exit());
