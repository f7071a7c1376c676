import { Observable, type OperatorFunction } from 'rxjs';
import type { Rejection } from '../protocol/rejection.js';
import type { Duplex, IncomingMessage } from '../transport/incoming-message.js';
import { SocketUpgrade } from '../transport/upgrade-request.js';
import type { BinaryType, Connection, MessageOf } from './connection.js';
import { Reception } from './reception.js';
import { type AcceptOptions, acceptSettings } from './server-options.js';

/**
 * Makes connections of the arguments of Node's 'upgrade' events: `serve` without the listening, and without a path.
 *
 * Completes when the source has and the last hook has decided; errors with the source; unsubscribing refuses those that are not
 * decided (503) and closes the connections with 1001. A failed handshake is answered and emits nothing.
 *
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example
 * const upgrades$ = fromEvent(httpServer, 'upgrade') as Observable<[IncomingMessage, Duplex, Buffer]>;
 * upgrades$.pipe(accept()).subscribe((conn) => conn.messages$.subscribe(conn.send));
 */
export function accept<R = undefined, B extends BinaryType = 'nodebuffer'>(
  options: AcceptOptions<R, B> = {},
): OperatorFunction<[IncomingMessage, Duplex, Buffer], Connection<Exclude<R, Rejection>, MessageOf<B>>> {
  const settings = acceptSettings(options as AcceptOptions<unknown, BinaryType>);
  return (source) =>
    new Observable((subscriber) => {
      let isOver = false;
      const reception = new Reception<Exclude<R, Rejection>, MessageOf<B>>(settings, new Set(), (connection) =>
        subscriber.next(connection),
      );
      subscriber.add(() => {
        reception.stop();
        if (!isOver) reception.closeAll(1001, '');
      });
      subscriber.add(
        source.subscribe({
          next: ([request, socket, head]) =>
            reception.receive(new SocketUpgrade(request, socket, head, settings.scheduler)),
          error: (error: unknown) => {
            isOver = true;
            subscriber.error(error);
          },
          complete: () => {
            isOver = true;
            reception.finish(() => subscriber.complete());
          },
        }),
      );
    });
}
