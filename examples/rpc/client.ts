/** The RPC client, over any open connection. */
import {
  BehaviorSubject,
  catchError,
  finalize,
  first,
  map,
  type Observable,
  of,
  switchMap,
  TimeoutError,
  tap,
} from 'rxjs';
import { ask, type Connection } from 'sluice';
import {
  type Failure,
  MAX_CALLS,
  type Method,
  type Methods,
  type Reply,
  type Request,
  type Result,
} from './messages.js';

/**
 * Calls a method when it is subscribed to, and emits the result, once. Never errors. Unsubscribing earlier cancels the call: the
 * server's handler is unsubscribed. `timeout` is in milliseconds, from when the call is sent.
 */
export type Caller = <M extends Method>(
  method: M,
  params: Methods[M]['params'],
  options?: { readonly timeout?: number },
) => Observable<Result<Methods[M]['value']>>;

// One shared function for all questions, so that it is called once for each message, however many calls are open.
const idOf = (reply: Reply): number => reply.id;

export function callerOf(conn: Connection<unknown, Reply, Request>): Caller {
  const open$ = new BehaviorSubject(0);
  let lastId = 0;
  // `ask` takes the answers. Any other message is an answer to a cancelled call.
  conn.ignoreMessages();

  function call(method: Method, params: unknown, timeout: number): Observable<Result<unknown>> {
    const id = ++lastId;
    let isAnswered = false;
    open$.next(open$.value + 1);
    return ask(conn, { type: 'call', id, method, params }, { key: idOf, equals: id, timeout }).pipe(
      tap(() => {
        isAnswered = true;
      }),
      map(({ value, error }) => (error === undefined ? { value } : { error })),
      catchError((error: unknown) => of({ error: failureOf(error) })),
      finalize(() => {
        // Unsubscribed, or timed out. Does nothing if the connection has ended.
        if (!isAnswered) conn.send.next({ type: 'cancel', id });
        open$.next(open$.value - 1);
      }),
    );
  }

  const caller = (method: Method, params: unknown, { timeout = 30_000 } = {}): Observable<Result<unknown>> =>
    open$.pipe(
      // Reads the current value: a call that waited longer may have taken the slot.
      first(() => open$.value < MAX_CALLS),
      switchMap(() => call(method, params, timeout)),
    );
  return caller as Caller;
}

function failureOf(error: unknown): Failure {
  const { message } = error as Error;
  return { code: error instanceof TimeoutError ? 'TIMEOUT' : 'LOST', message };
}
