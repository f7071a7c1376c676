// What the runner asks of a server: to say where it listens, to collect garbage before its memory is read, and for how long its event
// loop was blocked; and of a client: to dial.
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Tells the runner the port, and answers each question. */
export function announce(port, dial) {
  let delays;
  process.send({ listening: port });
  process.on('message', (message) => {
    if (message === 'gc') {
      globalThis.gc();
      process.send('gc');
    } else if (message === 'block') {
      // Its timer runs from the first question on only, so that it costs the other measurements nothing.
      delays ??= monitorEventLoopDelay({ resolution: 1 });
      process.send({ block: delays.max / 1e6 });
      delays.reset();
      delays.enable();
    } else {
      for (let n = 0; n < message.connections; n++) dial(`ws://127.0.0.1:${message.dial}`);
    }
  });
  process.on('disconnect', () => process.exit());
}

/** Tells the runner that a client waits; `dial` opens a connection to a URL, and ends it when the server does. */
export function awaitOrders(dial) {
  announce(0, dial);
}
