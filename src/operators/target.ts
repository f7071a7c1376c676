import type { Observable } from 'rxjs';
import type { SendResult } from '../reactive/outbox-settings.js';

/** A connection, as far as messages are sent to it. One that sends more types than needed will do. */
export interface Target<Out> {
  readonly trySend: (data: Out) => SendResult;
  readonly send: {
    readonly isReady: boolean;
    readonly ready$: Observable<boolean>;
    error(error: unknown): void;
  };
  readonly close$: Observable<unknown>;
  readonly readyState: number;
  close(code?: number, reason?: string): void;
}
