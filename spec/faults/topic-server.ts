/** A server of topics in a process of its own, that can be killed: `topic-server.ts [port]`. Tells its parent the port. */
import type { AddressInfo } from 'node:net';
import { mergeMap } from 'rxjs';
import { handleConnections, serve } from '../../src/index.js';

const server = serve({ port: Number(process.argv[2] ?? 0), host: '127.0.0.1' });
server.listening$.subscribe((address) => process.send?.((address as AddressInfo).port));
server
  .pipe(
    handleConnections((conn) =>
      conn.messages$.pipe(
        mergeMap((message) => {
          if (typeof message === 'string' && message.startsWith('+'))
            conn.send.next(`${message.slice(1)} from ${process.pid}`);
          return [];
        }),
      ),
    ),
  )
  .subscribe();
process.on('disconnect', () => process.exit());
