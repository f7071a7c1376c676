import { endWith, forkJoin, ignoreElements, Observable, tap } from 'rxjs';
import type { CloseInfo, Connection } from '../connection/connection.js';
import { gate } from './gate.js';
import { sendTo } from './send-to.js';

/**
 * A proxy: the messages of each connection go to the other, and each is paused while the other does not take more.
 *
 * The end of either is passed on with its code and reason, after its messages; an end without a code as 1000, a lost connection
 * as 1014 (bad gateway). Emits nothing, completes when both have ended, never errors. Unsubscribing closes both with 1001.
 * Pings belong to each connection alone.
 *
 * @example serve(8080).pipe(handleConnections((a) => connect(upstream).pipe(mergeMap((b) => link(a, b))))).subscribe();
 */
export function link<AOut, BOut, AIn extends BOut, BIn extends AOut>(
  a: Connection<unknown, AIn, AOut>,
  b: Connection<unknown, BIn, BOut>,
): Observable<never> {
  return new Observable((subscriber) => {
    let isOver = false;
    subscriber.add(() => {
      if (isOver) return;
      a.close(1001);
      b.close(1001);
    });
    subscriber.add(forward(a, b).subscribe());
    subscriber.add(forward(b, a).subscribe());
    subscriber.add(
      forkJoin([a.close$, b.close$]).subscribe(() => {
        isOver = true;
        subscriber.complete();
      }),
    );
  });
}

/** Sends what `source` gets to `target`, and closes `target` behind the last of it. */
function forward<AIn extends BOut, AOut, BIn, BOut>(
  source: Connection<unknown, AIn, AOut>,
  target: Connection<unknown, BIn, BOut>,
): Observable<unknown> {
  const messages$ = source.messages$.pipe(
    gate(target.send.ready$, { on: source }),
    sendTo(target),
    ignoreElements(),
    endWith(undefined),
  );
  return forkJoin([messages$, source.close$]).pipe(tap(([, info]) => target.close(codeToPassOn(info), info.reason)));
}

function codeToPassOn({ code }: CloseInfo): number {
  // RFC 6455 §7.4.1: 1005 and 1006 "MUST NOT be set as a status code in a Close control frame by an endpoint".
  if (code === 1005) return 1000;
  return code === 1006 ? 1014 : code;
}
