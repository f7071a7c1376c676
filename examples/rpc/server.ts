/** The RPC server, as a function of its connections: `serve(...)`, or a double in tests. */
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

/** A failure that the caller should see. Other errors of a handler are printed here, and the caller learns only that the call failed. */
export class CallError extends Error {
  readonly code: Failure['code'];

  constructor(code: Failure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The methods. The params come from a client, so check them. The last value of the returned source is the answer. The source is unsubscribed
 * when the call is cancelled.
 */
export type Handlers = {
  readonly [M in Method]: (params: unknown) => ObservableInput<Methods[M]['value']>;
};

/** Answers the calls of all connections. Emits nothing; ends when they have ended. */
export function answerCalls(connections$: Observable<Connection>, handlers: Handlers): Observable<never> {
  return connections$.pipe(
    map(withCodec(serverCodec)),
    handleConnections((conn) =>
      conn.messages$.pipe(
        filter((request) => request.type === 'call'),
        // Stops reading from a client that does not read its answers.
        gate(conn.send.ready$, { on: conn }),
        // One more than a client may have open: when all slots are taken the connection is held, and cancellations could not arrive.
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

/** Emits one reply, whatever the handler does. */
function answer(handlers: Handlers, { id, method, params }: Call): Observable<Reply> {
  return defer((): ObservableInput<unknown> => {
    // Own properties only: a client could ask for `toString`.
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
