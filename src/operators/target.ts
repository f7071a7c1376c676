import type { Observable } from 'rxjs';
import type { SendResult } from '../reactive/outbox-settings.js';

/** The sending end of a {@link Target}. */
export interface TargetSend {
  /** The current value of `ready$`. */
  readonly isReady: boolean;
  /** Whether more is welcome. Replayed. */
  readonly ready$: Observable<boolean>;
  /** Closes with 1011. */
  error(error: unknown): void;
}

/** A connection, as far as messages are sent to it. One that sends more types than needed will do. */
export interface Target<Out> {
  /** Sends, and tells what became of it. */
  readonly trySend: (data: Out) => SendResult;
  /** Its sending end. */
  readonly send: TargetSend;
  /** Emits when it has ended. */
  readonly close$: Observable<unknown>;
  /** 1 while it is open. */
  readonly readyState: number;
  /** Flushes and closes. */
  close(code?: number, reason?: string): void;
}

/** What a connection sends. */
export type OutOf<C extends Target<never>> = C extends Target<infer Out> ? Out : never;
