/**
 * A client for the terminal: sends the lines that you type, and prints the messages that arrive. Ctrl+D closes.
 *
 *     npx tsx examples/terminal-client.ts ws://localhost:8080
 */
import { createInterface } from 'node:readline';
import { finalize, fromEvent, mergeMap, Observable, takeUntil } from 'rxjs';
import { connect } from 'sluice';

const url = process.argv[2] ?? `ws://localhost:${process.env.PORT ?? 8080}`;

/** Reads only while it is subscribed to, so that no line is read before it can be sent. */
const lines$ = new Observable<string>((subscriber) => {
  const reader = createInterface({ input: process.stdin });
  const line$ = fromEvent(reader, 'line') as Observable<string>;
  subscriber.add(() => reader.close());
  line$.pipe(takeUntil(fromEvent(reader, 'close'))).subscribe(subscriber);
});

connect(url)
  .pipe(
    mergeMap((conn) => {
      console.log(`connected to ${url}`);
      // `send` is an Observer: when the input ends it flushes and closes with 1000. Answers in transit still arrive.
      const typing = lines$.subscribe(conn.send);
      return conn.messages$.pipe(finalize(() => typing.unsubscribe()));
    }),
  )
  .subscribe({
    next: (message) => console.log(`< ${message}`),
    error: (error: Error) => {
      console.error(`${url}: ${error.message}`);
      process.exitCode = 1;
    },
    complete: () => console.log('closed'),
  });
