// A server that sends each message to all with sluice, from the built package.

import { tap, using } from 'rxjs';
import { createHub, handleConnections, serve } from 'sluice';
import { announce } from './child.mjs';

const hub = createHub();
const everybody = hub.topic('all');
const server = serve({ port: 0 });
server.listening$.subscribe(({ port }) => announce(port));
server
  .pipe(
    handleConnections((conn) =>
      using(
        () => hub.join('all', conn),
        () => conn.messages$.pipe(tap(everybody)),
      ),
    ),
  )
  .subscribe();
