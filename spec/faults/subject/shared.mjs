// One http server for several: the ESM build of sluice on /esm, the CommonJS build on /cjs, and ws on /old, by the recipe of
// docs/how-to/shared-http-server.md. Hooks of /cjs?stalls never answer, nor does the route /slow; no listener takes other paths.
import { createRequire } from 'node:module';
import { NEVER } from 'rxjs';
import * as esm from 'sluice';
import { startShared } from './start-shared.mjs';

const cjs = createRequire(import.meta.url)('sluice');

export function start(options, _hook, vitals) {
  return startShared(options, vitals, (http, old) => {
    attach(esm, { ...options, server: http, path: '/esm' }, vitals);
    const authenticate = ({ url }) => (url.endsWith('stalls') ? NEVER : true);
    attach(cjs, { ...options, server: http, path: '/cjs', authenticate }, vitals);
    http.on('upgrade', (request, socket, head) => {
      if (request.url !== '/old') return;
      old.handleUpgrade(request, socket, head, (ws) => old.emit('connection', ws, request));
    });
  });
}

function attach({ handleConnections, sendTo, serve }, options, vitals) {
  serve(options)
    .pipe(
      handleConnections((conn) => {
        vitals.opened++;
        conn.close$.subscribe(({ code }) => vitals.noteClose(`${code}`));
        return conn.messages$.pipe(sendTo(conn));
      }),
    )
    .subscribe();
}
