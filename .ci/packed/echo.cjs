// One message to an echo server and back. Ends the process with 1 when the answer is wrong or late, or when something keeps the
// process alive afterwards.
const assert = require('node:assert/strict');
const { mergeMap, take, timeout, toArray } = require('rxjs');

/**
 * @param server the sluice whose `serve` answers
 * @param client the sluice whose `connect` asks
 */
exports.echo = function echo(server, client) {
  const clients$ = server.serve({ port: 0, host: '127.0.0.1' });
  const running = clients$
    .pipe(server.handleConnections((conn) => conn.messages$.pipe(server.sendTo(conn))))
    .subscribe({ error: fail });

  clients$.listening$
    .pipe(
      take(1),
      mergeMap(({ port }) => client.connect(`ws://127.0.0.1:${port}`)),
      mergeMap((conn) => {
        conn.send.next('héllo');
        return conn.messages$;
      }),
      take(1),
      toArray(),
      timeout(10_000),
    )
    .subscribe({
      next: (messages) => assert.deepEqual(messages, ['héllo']),
      error: fail,
      complete: () => running.unsubscribe(),
    });

  setTimeout(() => fail(new Error('something keeps the process alive')), 30_000).unref();
};

function fail(error) {
  console.error(error);
  process.exit(1);
}
