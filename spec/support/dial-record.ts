/** Records all that one subscription of `connect()` gives, so that a spec can wait for it and read it. */
import type { Observable, Subscription } from 'rxjs';
import type { CloseInfo, Connection } from '../../src/connection/connection.js';

/** How an Observable ended. */
export type Ending = { readonly kind: 'completed' } | { readonly kind: 'failed'; readonly error: DialError };

/** What every error of `connect()` is like. */
export type DialError = Error & { readonly uptime?: number; readonly code?: unknown };

/** What one subscription of `connect()` has given. */
export interface DialRecord<In> {
  readonly subscription: Subscription;
  /** Resolves with the connection; rejects when there is none. */
  readonly opened: Promise<Connection<undefined, In>>;
  /** Resolves with the terminal notification. */
  readonly ending: Promise<Ending>;
  /** Resolves with the error; rejects when it completed. */
  readonly failure: Promise<DialError>;
  readonly messages: readonly In[];
  readonly closeInfos: readonly CloseInfo[];
  /** Notifications in their order: `open`, `message`, `messages complete`, `close`, `complete`, `error`. */
  readonly log: readonly string[];
}

/** Subscribes to `connection$`, and to the messages and the end of each connection. */
export function recordDial<In>(connection$: Observable<Connection<undefined, In>>): DialRecord<In> {
  const messages: In[] = [];
  const closeInfos: CloseInfo[] = [];
  const log: string[] = [];
  const opened = deferred<Connection<undefined, In>>();
  const ending = deferred<Ending>();
  const subscription = connection$.subscribe({
    next: (connection) => {
      log.push('open');
      connection.messages$.subscribe({
        next: (message) => {
          messages.push(message);
          log.push('message');
        },
        complete: () => log.push('messages complete'),
      });
      connection.close$.subscribe((info) => {
        closeInfos.push(info);
        log.push('close');
      });
      opened.resolve(connection);
    },
    error: (error: DialError) => {
      log.push('error');
      opened.reject(error);
      ending.resolve({ kind: 'failed', error });
    },
    complete: () => {
      log.push('complete');
      opened.reject(new Error('completed without a connection'));
      ending.resolve({ kind: 'completed' });
    },
  });
  opened.promise.catch(() => {});
  const failure = ending.promise.then((end) => {
    if (end.kind === 'completed') throw new Error('completed, must fail');
    return end.error;
  });
  failure.catch(() => {});
  return { subscription, opened: opened.promise, ending: ending.promise, failure, messages, closeInfos, log };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A Promise and what settles it. */
export function deferred<T = void>(): Deferred<T> {
  let settle!: Pick<Deferred<T>, 'resolve' | 'reject'>;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}
