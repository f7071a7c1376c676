// Type-checked only: a CommonJS module that uses the packed types.
import rxjs = require('rxjs');
import sluice = require('sluice');
import operators = require('sluice/operators');
import testing = require('sluice/testing');

const server: sluice.WebSocketServer = sluice.serve({ port: 8080, host: 'localhost' });
server.pipe(sluice.handleConnections((conn) => conn.messages$.pipe(operators.sendTo(conn)))).subscribe();

const messages$: rxjs.Observable<sluice.Message> = sluice
  .connect('ws://localhost:8080')
  .pipe(rxjs.mergeMap((conn: sluice.Connection) => conn.messages$));
messages$.subscribe((message) => console.log(message));

const connection: sluice.Connection<undefined> = testing.connectionPair().client;
const web: { readonly readable: ReadableStream<sluice.Message> } = sluice.toWebStreams(connection);
web.readable.getReader();
