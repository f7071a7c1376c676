// An echo server with sluice, from the built package, as the README writes it.
//   sluice.mjs BYTES text|binary none|message|context
import { handleConnections, sendTo, serve } from 'sluice';
import { announce } from './child.mjs';

const compression = process.argv[4];
const forgets = compression !== 'context';
const server = serve({
  port: 0,
  ...(compression !== 'none' && {
    perMessageDeflate: { threshold: 0, serverNoContextTakeover: forgets, clientNoContextTakeover: forgets },
  }),
});
server.listening$.subscribe(({ port }) => announce(port));
server.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
