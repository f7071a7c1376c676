import { filter, type Observable, of } from 'rxjs';
import { type Connection, ReadyState } from '../connection/connection.js';
import {
  hooksOf,
  type Interception,
  type InterceptOptions,
  interceptSymbol,
  sessionsSymbol,
} from '../connection/hooks.js';
import type { Interceptor } from '../connection/interceptors.js';
import { UsageError } from '../protocol/errors.js';
import type { PersistentConnection } from './again/persistent-connection.js';

/** A connection, or a persistent connection, which outlives its sockets. */
// biome-ignore lint/suspicious/noExplicitAny: the data of a connection does not matter here
export type Peer<In, Out> = Connection<any, In, Out> | PersistentConnection<In, Out>;

/** One connection over one socket. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type Session<In, Out> = Connection<any, In, Out>;

/** Whether something can be sent on `session`. */
export function isOpen(session: Pick<Connection, 'readyState'>): boolean {
  return session.readyState === ReadyState.OPEN;
}

/** Emits `peer` itself, or each open connection of a persistent one, the current one at once. */
export function sessionsOf<In, Out>(peer: Peer<In, Out>): Observable<Session<In, Out>> {
  const sessions$ = hooksOf<In, Out>(peer)[sessionsSymbol];
  return sessions$ === undefined ? of(peer as Session<In, Out>) : sessions$.pipe(filter((session) => isOpen(session)));
}

/**
 * Calls `take` with each message of `session` before it is queued; `true` takes the message out.
 *
 * @throws UsageError NOT_INTERCEPTABLE if the connection does not support this.
 */
export function intercept<In>(
  operator: string,
  session: object,
  take: Interceptor<In>,
  options?: InterceptOptions<In>,
): Interception {
  const interception = hooksOf<In, unknown>(session)[interceptSymbol]?.(take, options);
  if (interception !== undefined) return interception;
  throw new UsageError('NOT_INTERCEPTABLE', `${operator} needs a connection of sluice`);
}
