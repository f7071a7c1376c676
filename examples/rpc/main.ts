/**
 * Calls over one connection: answers in any order, cancellation, timeouts, and errors as values.
 *
 *     npx tsx examples/rpc/main.ts serve
 *     npx tsx examples/rpc/main.ts call add '[1, 2, 3]'
 *     npx tsx examples/rpc/main.ts call wait '{ "ms": 60000 }' 500    # gives up after 500 ms, and the server stops waiting
 */
import type { AddressInfo } from 'node:net';
import { map, merge, of, switchMap, take, tap, timer } from 'rxjs';
import { connect, serve, withCodec } from 'sluice';
import { callerOf } from './client.js';
import { clientCodec, type Method, type Methods } from './messages.js';
import { answerCalls, CallError, type Handlers } from './server.js';

const [, , command, method = 'add', params = '[]', timeout = '30000'] = process.argv;
const port = Number(process.env.PORT ?? 8080);
const url = process.env.URL ?? `ws://localhost:${port}`;

const handlers: Handlers = {
  add: (params) => {
    if (!Array.isArray(params) || !params.every((each) => typeof each === 'number')) {
      throw new CallError('BAD_PARAMS', 'expected numbers');
    }
    return of(params.reduce((sum, each) => sum + each, 0));
  },
  wait: (params) => {
    const { ms } = (params ?? {}) as Partial<Methods['wait']['params']>;
    if (typeof ms !== 'number') throw new CallError('BAD_PARAMS', 'expected { ms }, a number');
    return timer(ms).pipe(
      map(() => `waited for ${ms} ms`),
      tap({ unsubscribe: () => console.log(`wait for ${ms} ms: cancelled`) }),
    );
  },
};

if (command === 'serve') {
  const server = serve({ port, maxPayload: 65_536 });
  const ready$ = server.listening$.pipe(
    tap((address) => console.log(`rpc server listening on ws://localhost:${(address as AddressInfo).port}`)),
  );
  merge(answerCalls(server, handlers), ready$).subscribe({ error: fail });
} else {
  connect(url)
    .pipe(
      map(withCodec(clientCodec)),
      switchMap((conn) => callerOf(conn)(method as Method, JSON.parse(params), { timeout: Number(timeout) })),
      // Unsubscribing closes the connection, after the cancellation if there was one.
      take(1),
    )
    .subscribe({
      next: ({ value, error }) => {
        if (error === undefined) console.log(value);
        else console.log(`${error.code}: ${error.message}`);
        process.exitCode = error === undefined ? 0 : 1;
      },
      error: fail,
    });
}

function fail(error: Error): void {
  console.error(error.message);
  process.exitCode = 1;
}
