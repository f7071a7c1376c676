import { Observable, type OperatorFunction } from 'rxjs';
import { describe } from '../base/describe.js';
import { Roster } from '../base/roster.js';
import type { BinaryType, Connection, Message, MessageOf } from '../connection/connection.js';
import type { Duplex, IncomingMessage } from '../connection/incoming-message.js';
import type { LiveConnection } from '../connection/live-connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { followAnswers } from '../net/open-answers.js';
import { takeUpgrade } from '../net/take-upgrade.js';
import { typedConnection } from '../operators/typed/with-codec.js';
import { admissionOf } from './admission.js';
import { reportTaken } from './complaints.js';
import { Reception } from './reception.js';
import {
  type AcceptOptions,
  type AnyAcceptOptions,
  type Authenticated,
  acceptSettings,
  type DataOf,
} from './server-options.js';
import { ServerTally } from './server-stats.js';

/**
 * Turns the arguments of Node's 'upgrade' events into connections: like `serve`, but it does not listen, and has no `path`.
 *
 * The source is `fromEvent(server, 'upgrade')`, or any other Observable of `[request, socket, head]`; other values are a `TypeError`.
 * Completes after the source has completed and the last hook has decided; errors with the source. Unsubscribing refuses the handshakes
 * that are not decided yet (503) and closes the connections with 1001. A failed handshake is answered and emits nothing. A socket that
 * is already upgraded is left alone, since a second answer would break it, and reported on `sluice:server-error`.
 *
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example fromEvent(httpServer, 'upgrade').pipe(accept(), handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
 */
export function accept<
  R extends Authenticated<R> = never,
  B extends BinaryType = 'nodebuffer',
  In = MessageOf<B>,
  Out = Outgoing,
>(options: AcceptOptions<R, B, In, Out> = {}): OperatorFunction<unknown, Connection<DataOf<R>, In, Out>> {
  const place = {};
  const settings = { ...acceptSettings(options as AnyAcceptOptions), place };
  return (source) =>
    new Observable((subscriber) => {
      let isOver = false;
      const books = {
        connections: new Roster<LiveConnection<DataOf<R>, Message>>(),
        admission: admissionOf(settings),
        tally: new ServerTally(),
      };
      const reception = new Reception(settings, books, (connection) =>
        subscriber.next(typedConnection(connection, settings.codec)),
      );
      subscriber.add(followAnswers());
      subscriber.add(() => {
        reception.stop();
        if (!isOver) reception.closeAll(1001, '');
      });
      subscriber.add(
        source.subscribe({
          next: (value) => {
            if (!isUpgrade(value)) {
              subscriber.error(new TypeError(`accept() expects [request, socket, head], got ${describe(value)}`));
              return;
            }
            const error = takeUpgrade(value, settings.scheduler, (upgrade) => reception.receive(upgrade));
            if (error !== undefined) reportTaken(place, undefined, error);
          },
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

/** RxJS types the values of `fromEvent` as unknown, so they are checked here. */
function isUpgrade(value: unknown): value is [IncomingMessage, Duplex, Buffer] {
  if (!Array.isArray(value)) return false;
  const [request, socket, head] = value as Partial<[IncomingMessage, Duplex, Buffer]>;
  return Array.isArray(request?.rawHeaders) && typeof socket?.write === 'function' && Buffer.isBuffer(head);
}
