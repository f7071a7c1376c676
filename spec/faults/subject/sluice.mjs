// The server under test, with sluice from the built package.
import { firstValueFrom, lastValueFrom, NEVER, tap, timer } from 'rxjs';
import { ask, demandMap, handleConnections, json, sendTo, serve, withCodec } from 'sluice';
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
    case '/ask':
      if (searchParams.get('by') === 'match') return askByMatch(conn, searchParams, vitals);
      askByKey(conn, searchParams);
      return counted$;
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

/** Ids that no message has. */
function idsOf(searchParams) {
  return Array.from({ length: Number(searchParams.get('open')) }, (_, index) => -1 - index);
}

function askByKey(conn, searchParams) {
  const key = (message) => JSON.parse(message).id;
  for (const id of idsOf(searchParams)) ask(conn, 'q', { key, equals: id }).subscribe({ error: () => {} });
}

function askByMatch(conn, searchParams, vitals) {
  const typed = withCodec(json())(conn);
  for (const id of idsOf(searchParams)) {
    ask(typed, 'q', { match: (message) => message.id === id }).subscribe({ error: () => {} });
  }
  return typed.messages$.pipe(tap(({ size }) => vitals.noteMessage(size)));
}
