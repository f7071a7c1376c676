/** A client of the rooms, as a function of the connection source: `connect(...)`, or a double in tests. */
import { ignoreElements, map, merge, mergeMap, type Observable, takeUntil } from 'rxjs';
import { type Connection, type ReconnectPolicy, reconnect, sendTo, withCodec } from 'sluice';
import { clientCodec, type Event, type Request } from './messages.js';

/** The behavior of a client. */
export interface Visitor {
  /** The rooms that it joins each time it connects. */
  readonly rooms: readonly string[];
  /** The requests that it sends. Hot: requests are lost while there is no connection. */
  readonly requests$: Observable<Request>;
  /** When it reconnects. */
  readonly policy?: ReconnectPolicy;
}

/** Visits the rooms, and reconnects when the connection is lost. Emits the events; closes when it is unsubscribed. */
export function visit(
  dial$: Observable<Connection<undefined>>,
  { rooms, requests$, policy = {} }: Visitor,
): Observable<Event> {
  return dial$.pipe(
    map(withCodec(clientCodec)),
    mergeMap((conn) => {
      for (const room of rooms) conn.send.next({ type: 'join', room });
      const said$ = requests$.pipe(takeUntil(conn.close$), sendTo(conn), ignoreElements());
      return merge(conn.messages$, said$);
    }),
    reconnect(policy),
  );
}
