// One end of a connection, in a process of its own: `one-end.mjs server HOST HEARTBEAT` or `one-end.mjs client URL HEARTBEAT`, the
// heartbeat in JSON. Tells its parent when it listens, when it is open, and when it has a close record, with the time of a clock that
// all processes of the machine share.
import { firstValueFrom } from 'rxjs';
import { connect, serve } from 'sluice';

const [role, place, heartbeat] = process.argv.slice(2);
const options = { heartbeat: JSON.parse(heartbeat) };

function watch(connection) {
  process.send({ event: 'open' });
  connection.messages$.subscribe();
  connection.close$.subscribe(({ code, error }) => {
    process.send({ event: 'closed', at: Number(process.hrtime.bigint()) / 1e6, code, error: error?.code ?? '' });
  });
}

if (role === 'server') {
  const server = serve({ host: place, port: 0, ...options });
  firstValueFrom(server.listening$).then(({ port }) => process.send({ event: 'listening', port }));
  server.subscribe(watch);
} else {
  connect(place, [], options).subscribe({ next: watch, error: () => {} });
}
process.on('disconnect', () => process.exit());
