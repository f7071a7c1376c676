/**
 * An echo server: every message comes back. This is the demo.
 *
 *     npm start                                  # or: PORT=9000 npx tsx examples/echo-server.ts
 *     npx tsx examples/terminal-client.ts        # in another terminal: type a line
 */
import type { AddressInfo } from 'node:net';
import { merge, tap } from 'rxjs';
import { handleConnections, sendTo, serve } from 'sluice';

const server = serve({ port: Number(process.env.PORT ?? 8080) });

// One handler for each connection: if one fails, its own connection is closed with 1011, and the server goes on.
const echo$ = server.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn))));

const ready$ = server.listening$.pipe(
  tap((address) => {
    const url = `ws://localhost:${(address as AddressInfo).port}`;
    console.log(`echo server listening on ${url}`);
    console.log(`try it from another terminal: npx tsx examples/terminal-client.ts ${url}`);
  }),
);

// The server listens only while this subscription lives. A port in use is an error of the subscription.
merge(echo$, ready$).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
});
