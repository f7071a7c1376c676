/** A server and clients of it in one process, for `NODE_DEBUG=sluice`: one client is refused, one talks and closes, one is never answered. */
import type { AddressInfo } from 'node:net';
import { catchError, EMPTY, firstValueFrom, mergeMap, take } from 'rxjs';
import { connect, handleConnections, reconnect, reject, sendTo, serve } from 'sluice';

const server = serve({
  port: 0,
  host: '127.0.0.1',
  handleProtocols: () => 'chat',
  verifyClient: ({ request }) => {
    if (request.url?.startsWith('/broken') === true) throw new Error('no database');
    return request.url?.startsWith('/chat') === true || reject(403, 'Not here');
  },
});
const running = server.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
const { port } = (await firstValueFrom(server.listening$)) as AddressInfo;

const talk = (path: string): Promise<unknown> => {
  const dial$ = connect(`ws://me:password@127.0.0.1:${port}${path}?token=secret`, 'chat', {
    headers: { Authorization: 'Bearer secret', Cookie: 'session=secret' },
    origin: `http://127.0.0.1:${port}`,
  });
  const first$ = dial$.pipe(
    mergeMap((conn) => {
      conn.send.next('hello');
      return conn.messages$;
    }),
    reconnect({ initial: 1, maxAttempts: 1, random: () => 0.5 }),
    take(1),
    catchError(() => EMPTY),
  );
  return firstValueFrom(first$, { defaultValue: undefined });
};

await talk('/nowhere');
await talk('/broken');
await talk('/chat');
await Promise.all([...server.connections].map((conn) => firstValueFrom(conn.close$)));
await firstValueFrom(server.close());
running.unsubscribe();
