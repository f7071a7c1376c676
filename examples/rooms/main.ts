/**
 * A chat with rooms, and its client.
 *
 *     npx tsx examples/rooms/main.ts serve
 *     npx tsx examples/rooms/main.ts visit Ann lobby      # in several terminals; each line is sent to the room
 */
import { createInterface } from 'node:readline';
import { fromEvent, map } from 'rxjs';
import { connect, reject, serve } from 'sluice';
import { visit } from './client.js';
import { rooms } from './server.js';

const [, , command = 'serve', name = 'somebody', room = 'lobby'] = process.argv;
const port = Number(process.env.PORT ?? 8080);

if (command === 'serve') {
  const server = serve({
    port,
    maxPayload: 4_096,
    authenticate: ({ url = '/' }) => {
      const found = new URL(url, 'ws://localhost').searchParams.get('name');
      return found === null ? reject(401) : { name: found };
    },
  });
  server.listening$.subscribe((address) => console.log('listening on', address));
  rooms(server).subscribe({ error: (error: Error) => console.error(`cannot listen: ${error.message}`) });
} else {
  const lines$ = fromEvent(createInterface({ input: process.stdin }), 'line') as ReturnType<typeof fromEvent<string>>;
  const requests$ = lines$.pipe(map((text) => ({ type: 'say', room, text }) as const));
  const url = `ws://localhost:${port}/?name=${encodeURIComponent(name)}`;
  visit(connect(url), { rooms: [room], requests$ }).subscribe({ next: console.log, error: console.error });
}
