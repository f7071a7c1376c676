/**
 * A proxy with backpressure: a slow reader on one side slows the sender on the other side down, through both sockets, and the
 * proxy holds no more than a few blocks of either.
 *
 *     PORT=8081 npm start                                           # something to connect to
 *     UPSTREAM=ws://localhost:8081 npx tsx examples/proxy.ts
 *     npx tsx examples/terminal-client.ts ws://localhost:8080
 */
import type { AddressInfo } from 'node:net';
import { merge, tap } from 'rxjs';
import { connect, handleConnections, link, serve } from 'sluice';

const upstream = process.env.UPSTREAM ?? 'ws://localhost:8081';

// What a client sends while we dial is held. The end of either side is passed on, with its code; a client whose upstream cannot be
// reached is closed with 1014. None of this is an error of the proxy. What should be logged is seen in the dial:
const dial$ = connect(upstream).pipe(tap({ error: (error: Error) => console.error(`${upstream}: ${error.message}`) }));

const server = serve({ port: Number(process.env.PORT ?? 8080) });
const ready$ = server.listening$.pipe(
  tap((address) => console.log(`proxy to ${upstream} listening on ws://localhost:${(address as AddressInfo).port}`)),
);

merge(server.pipe(handleConnections((client) => link(client, dial$))), ready$).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
});
