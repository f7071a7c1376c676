// What the runner asks of a server: to say where it listens, and to collect garbage before its memory is read.

/** Tells the runner the port, and answers each `gc` when it is done. */
export function announce(port) {
  process.send({ listening: port });
  process.on('message', (message) => {
    if (message !== 'gc') return;
    globalThis.gc();
    process.send('gc');
  });
  process.on('disconnect', () => process.exit());
}
