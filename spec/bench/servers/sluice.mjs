// An echo server with sluice, from the built package, as the README writes it.
import { handleConnections, sendTo, serve } from 'sluice';
import { announce } from './child.mjs';

const server = serve({ port: 0 });
server.listening$.subscribe(({ port }) => announce(port));
server.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
