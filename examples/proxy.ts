/**
 * A proxy with backpressure: a slow reader on one side slows down the sender on the other side, through both sockets, and the
 * proxy buffers only a few blocks of each.
 *
 *     PORT=8081 npm start                                           # something to connect to
 *     UPSTREAM=ws://localhost:8081 npx tsx examples/proxy.ts
 *     npx tsx examples/terminal-client.ts ws://localhost:8080
 */
import type { AddressInfo } from 'node:net';
import { merge, tap } from 'rxjs';
import { connect, handleConnections, link, serve } from 'sluice';

const upstream = process.env.UPSTREAM ?? 'ws://localhost:8081';

// Messages of a client are held while the upstream connects. The end of either side is passed on, with its code. If the upstream cannot be
// reached, the client is closed with 1014. None of this is an error of the proxy. To log failed connects, tap the source:
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
