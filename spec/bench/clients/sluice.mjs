// A client with sluice, from the built package, that echoes what its server sends.
import { mergeMap } from 'rxjs';
import { connect, sendTo } from 'sluice';
import { awaitOrders } from '../servers/child.mjs';

awaitOrders((url) => {
  connect(url)
    .pipe(mergeMap((conn) => conn.messages$.pipe(sendTo(conn))))
    // The load generator ends a round by cutting its connections.
    .subscribe({ error: () => {} });
});
