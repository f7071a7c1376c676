// A server that echoes and, at SIGTERM, drains: `drain-server.mjs`. Writes its port, and what it did when it ends. Nothing but its
// connections keeps it alive, and nobody ends it.
import { writeSync } from 'node:fs';
import { firstValueFrom, tap } from 'rxjs';
import { handleConnections, serve } from 'sluice';

const server = serve({ port: 0, host: '127.0.0.1' });
const figures = { opened: 0, delivered: 0, echoed: 0, remaining: -1, escaped: 0 };
const print = (value) => writeSync(1, `${JSON.stringify(value)}\n`);

firstValueFrom(server.listening$).then(({ port }) => print({ port }));
const echo = (conn) => {
  figures.opened++;
  return conn.messages$.pipe(
    tap((message) => {
      figures.delivered++;
      if (conn.trySend(message) !== 'closed') figures.echoed++;
    }),
  );
};
server.pipe(handleConnections(echo)).subscribe();
process.on('SIGTERM', () => {
  server.close().subscribe(({ remaining }) => {
    figures.remaining = remaining;
  });
});
process.on('uncaughtException', () => figures.escaped++).on('unhandledRejection', () => figures.escaped++);
process.on('exit', () => print(figures));
