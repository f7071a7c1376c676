/** A client of the rooms, as a function of how to dial: `connect(...)`, or a double in tests. */
import { ignoreElements, map, merge, mergeMap, type Observable, takeUntil } from 'rxjs';
import { type Connection, type ReconnectPolicy, reconnect, sendTo, withCodec } from 'sluice';
import { clientCodec, type Event, type Request } from './messages.js';

/** What a client does. */
export interface Visitor {
  /** The rooms that it joins, after each dial. */
  readonly rooms: readonly string[];
  /** What it says meanwhile. Hot: what is said while there is no connection is lost. */
  readonly requests$: Observable<Request>;
  /** When it dials again. */
  readonly policy?: ReconnectPolicy;
}

/** Visits the rooms, and comes back when the connection is lost. Emits what is heard; closes when it is unsubscribed. */
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
