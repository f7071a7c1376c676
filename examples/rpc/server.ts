/** The end that is called, as a function of its connections: `serve(...)`, or a double in tests. */
import {
  catchError,
  defer,
  filter,
  last,
  map,
  merge,
  type Observable,
  type ObservableInput,
  of,
  takeUntil,
} from 'rxjs';
import { type Connection, demandMap, gate, handleConnections, sendTo, withCodec } from 'sluice';
import {
  type Failure,
  MAX_CALLS,
  type Method,
  type Methods,
  type Reply,
  type Request,
  serverCodec,
} from './messages.js';

type Call = Extract<Request, { type: 'call' }>;

/** A failure that the caller should know of. What else a handler throws is printed here, and the caller hears only that it failed. */
export class CallError extends Error {
  readonly code: Failure['code'];

  constructor(code: Failure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * What is called. The params are what a client has sent: check them. The last value of what it returns is the answer; it is unsubscribed
 * when the call is cancelled.
 */
export type Handlers = {
  readonly [M in Method]: (params: unknown) => ObservableInput<Methods[M]['value']>;
};

/** Answers the calls of all connections. Emits nothing; ends with them. */
export function answerCalls(connections$: Observable<Connection>, handlers: Handlers): Observable<never> {
  return connections$.pipe(
    map(withCodec(serverCodec)),
    handleConnections((conn) =>
      conn.messages$.pipe(
        filter((request) => request.type === 'call'),
        // A client that does not read its answers is not read either.
        gate(conn.send.ready$, { on: conn }),
        // One more than a client may have open: a connection whose places are all taken is held, and cancellations with it.
        demandMap((call) => answer(handlers, call).pipe(takeUntil(cancellation(conn, call.id))), {
          concurrency: MAX_CALLS + 1,
          on: conn,
        }),
        sendTo(conn),
      ),
    ),
  );
}

/** Emits when the client has cancelled the call, or is gone. */
function cancellation(conn: Connection<unknown, Request, Reply>, id: number): Observable<unknown> {
  const cancelled$ = conn.messages$.pipe(filter((request) => request.type === 'cancel' && request.id === id));
  return merge(cancelled$, conn.close$);
}

/** Always a reply, whatever the handler does. */
function answer(handlers: Handlers, { id, method, params }: Call): Observable<Reply> {
  return defer((): ObservableInput<unknown> => {
    // Own names only: a client may ask for `toString` too.
    if (!Object.hasOwn(handlers, method)) throw new CallError('NO_SUCH_METHOD', `there is no ${method}`);
    return handlers[method as Method](params);
  }).pipe(
    last(),
    map((value) => ({ id, value })),
    catchError((error: unknown) => of({ id, error: failureOf(error, method) })),
  );
}

function failureOf(error: unknown, method: string): Failure {
  if (error instanceof CallError) return { code: error.code, message: error.message };
  console.error(`${method} failed:`, error);
  return { code: 'FAILED', message: `${method} failed` };
}
