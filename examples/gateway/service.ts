/**
 * A sample service behind the gateway. It greets the user that the gateway names, and echoes messages.
 *
 *     PORT=8081 npx tsx examples/gateway/service.ts chat
 */
import type { AddressInfo } from 'node:net';
import { concat, merge, of, tap } from 'rxjs';
import { handleConnections, reject, sendTo, serve } from 'sluice';

const [, , name = 'service'] = process.argv;

// It trusts the header fields, so it listens on the loopback address, where only the gateway can reach it.
const server = serve({
  port: Number(process.env.PORT ?? 8081),
  host: '127.0.0.1',
  authenticate: ({ headers }) => {
    const { 'x-user': user, 'x-tenant': tenant } = headers;
    return typeof user === 'string' && typeof tenant === 'string' ? { user, tenant } : reject(401);
  },
});

const ready$ = server.listening$.pipe(
  tap((address) => console.log(`${name} listening on ws://127.0.0.1:${(address as AddressInfo).port}`)),
);

const greeted$ = server.pipe(
  handleConnections((conn) =>
    concat(of(`${name}: hello ${conn.data.user} of ${conn.data.tenant}`), conn.messages$).pipe(sendTo(conn)),
  ),
);

merge(greeted$, ready$).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
});
