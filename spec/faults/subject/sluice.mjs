// The server under test, with sluice from the built package.
import { firstValueFrom, lastValueFrom, NEVER, tap, timer } from 'rxjs';
import { demandMap, handleConnections, sendTo, serve } from 'sluice';
import { sendAll } from './send-all.mjs';

/** @param hook what `authenticate` does: `undefined`, or 'stalls' where the path is /stalled */
export async function start(options, hook, vitals) {
  const authenticate = (request) => (request.url.startsWith('/stalled') ? NEVER : true);
  const server = serve({
    host: '127.0.0.1',
    ...('port' in options ? {} : { port: 0 }),
    ...options,
    ...(hook === 'stalls' && { authenticate }),
  });
  const listening = firstValueFrom(server.listening$);
  server
    .pipe(
      tap((conn) => note(conn, vitals)),
      handleConnections((conn) => deal(conn, vitals)),
    )
    .subscribe();
  const { port } = await listening;
  return { port, close: (closing) => lastValueFrom(server.close(closing)) };
}

function note(conn, vitals) {
  vitals.opened++;
  conn.close$.subscribe(({ code, error }) =>
    vitals.noteClose(error?.code === undefined ? `${code}` : `${code} ${error.code}`),
  );
}

function deal(conn, vitals) {
  const { pathname, searchParams } = new URL(conn.url, 'ws://127.0.0.1');
  const counted$ = conn.messages$.pipe(tap((message) => vitals.noteMessage(message.length)));
  switch (pathname) {
    case '/ignore':
      return counted$;
    case '/slow':
      return counted$.pipe(demandMap(() => timer(Number(searchParams.get('ms'))), { on: conn }));
    case '/unread':
      return NEVER;
    case '/send':
      sendAll(searchParams, {
        done: () => vitals.noteSent(),
        isOpen: () => conn.readyState === 1,
        send(data) {
          conn.send.next(data);
          vitals.noteBuffered(conn.bufferedAmount);
        },
      });
      return counted$;
    default:
      return counted$.pipe(sendTo(conn));
  }
}
