/**
 * A chat room: every message goes to all members. The name is in the URL.
 *
 *     npx tsx examples/chat-room.ts
 *     npx tsx examples/terminal-client.ts 'ws://localhost:8080/?name=Ann'      # in several terminals
 */
import type { AddressInfo } from 'node:net';
import { concat, ignoreElements, map, merge, type Observable, of, tap, using } from 'rxjs';
import { type Connection, createHub, handleConnections, serve } from 'sluice';

/** The members. Messages from before a member joined are not repeated. */
const rooms = createHub<string>();
/** A room never ends by itself. A member that does not read is cut off when `maxBufferedAmount` bytes wait for it. */
const room = rooms.topic('the room');

function join(conn: Connection): Observable<never> {
  const name = new URL(conn.url, 'ws://localhost').searchParams.get('name') ?? 'somebody';
  // `messages$` completes when the connection has ended, however it ended, so every member leaves.
  const said$ = concat(
    of(`* ${name} joined`),
    conn.messages$.pipe(map((message) => `${name}: ${message}`)),
    of(`* ${name} left`),
  ).pipe(tap(room), ignoreElements());
  return using(
    () => rooms.join('the room', conn),
    () => said$,
  );
}

const server = serve({ port: Number(process.env.PORT ?? 8080), maxPayload: 4096, maxBufferedAmount: 1_048_576 });
const ready$ = server.listening$.pipe(
  tap((address) => console.log(`chat room listening on ws://localhost:${(address as AddressInfo).port}`)),
);

merge(server.pipe(handleConnections(join)), ready$).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
});
