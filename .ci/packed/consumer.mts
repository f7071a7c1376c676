// Type-checked only: an ES module that uses the packed types.
import { mergeMap, type Observable } from 'rxjs';
import { type Connection, connect, handleConnections, type Message, sendTo, serve, type WebSocketServer } from 'sluice';
import { demandMap } from 'sluice/operators';
import { testConnection } from 'sluice/testing';

const server: WebSocketServer = serve({ port: 8080, host: 'localhost' });
server.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();

const messages$: Observable<Message> = connect('ws://localhost:8080').pipe(
  mergeMap((conn: Connection) => conn.messages$),
);
messages$
  .pipe(demandMap(async (message) => (typeof message === 'string' ? message : message.byteLength), 2))
  .subscribe();

// @ts-expect-error: a bare number cannot be sent
connect('ws://localhost:8080').subscribe((conn) => conn.send.next(1));

const { sent$ }: { sent$: Observable<unknown> } = testConnection({ messages$ });
sent$.subscribe();
