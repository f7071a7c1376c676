/**
 * A server that shuts down without losing work: on SIGTERM it accepts no new connections, tells its clients to come back later (1001), and
 * finishes the orders that it has received. Then the process exits by itself with code 0.
 *
 *     npx tsx examples/graceful-shutdown.ts
 *     npx tsx examples/terminal-client.ts      # type some orders, then Ctrl+C the server
 */
import type { AddressInfo } from 'node:net';
import { fromEvent, map, merge, mergeMap, type Observable, take, tap, timer } from 'rxjs';
import { type Connection, demandMap, handleConnections, type Message, sendTo, serve } from 'sluice';

const server = serve({ port: Number(process.env.PORT ?? 8080) });

/** Stands for a database that takes its time. */
function save(order: Message): Observable<string> {
  return timer(200).pipe(map(() => `saved ${order}`));
}

// One order at a time. Meanwhile the connection is held, and its client waits. Orders that were received before the end are
// still saved after it: the handler may go on for `closeTimeout`.
function takeOrders(conn: Connection): Observable<string> {
  return conn.messages$.pipe(
    demandMap(save),
    tap((line) => console.log(line)),
    // After the close frame nothing can be sent, and this does nothing.
    sendTo(conn),
  );
}

const ready$ = server.listening$.pipe(
  tap((address) => console.log(`order server listening on ws://localhost:${(address as AddressInfo).port}`)),
);

merge(server.pipe(handleConnections(takeOrders, { closeTimeout: 8_000 })), ready$).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
  // `close()` completes the server, and `handleConnections` completes with the last handler.
  complete: () => console.log('all orders are saved'),
});

// Only once: a second signal ends the process immediately, as usual.
merge(fromEvent(process, 'SIGTERM'), fromEvent(process, 'SIGINT'))
  .pipe(
    take(1),
    tap(() => console.log('closing')),
    // The jitter keeps clients from all coming back at the same moment. It must be below the timeout.
    mergeMap(() => server.close({ reason: 'restart', jitter: 500, timeout: 5_000 })),
  )
  // Then only the orders keep the process alive.
  .subscribe(({ remaining }) => console.log(`${remaining} clients had to be cut off`));
