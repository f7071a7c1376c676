import { Subscription } from 'rxjs';
import { OneLoop } from '../../base/one-loop.js';
import { subscribeWithin } from '../../base/subscribe-within.js';
import type { SharedMessage } from '../../connection/shared-message.js';
import { sendShared } from './send-shared.js';
import { isSlow, type Target } from './target.js';

/**
 * Keeps the latest message of each key for slow connections, and sends it when they are ready. A kept message is discarded only for
 * a later message of its key, or at the end of the connection.
 */
export class LatestKeeper<Out> {
  readonly #waiting = new WeakMap<object, Waiting<Out>>();

  /** Whether a message to `conn` must be kept: the connection is slow, or earlier kept messages are not sent yet. */
  mustKeep(conn: Target<Out>): boolean {
    return isSlow(conn.send) || this.#waiting.has(conn);
  }

  /** Keeps `message` after all others, and discards the message that was kept for `key`. */
  keep(conn: Target<Out>, key: unknown, message: SharedMessage<Out>): void {
    const known = this.#waiting.get(conn);
    if (known !== undefined) {
      known.put(key, message);
      return;
    }
    const waiting = new Waiting(conn, () => this.#waiting.delete(conn));
    this.#waiting.set(conn, waiting);
    waiting.put(key, message);
    waiting.start();
  }
}

/** The messages that are kept for one connection. */
class Waiting<Out> {
  readonly #conn: Target<Out>;
  readonly #messages = new Map<unknown, SharedMessage<Out>>();
  readonly #subscription = new Subscription();
  readonly #sending = new OneLoop();

  /** @param onEnd called when no more messages are kept. */
  constructor(conn: Target<Out>, onEnd: () => void) {
    this.#conn = conn;
    this.#subscription.add(onEnd);
  }

  start(): void {
    subscribeWithin(this.#subscription, this.#conn.send.ready$, {
      next: (isReady) => isReady && this.#send(),
      complete: () => this.#subscription.unsubscribe(),
    });
  }

  put(key: unknown, message: SharedMessage<Out>): void {
    this.#messages.delete(key);
    this.#messages.set(key, message);
  }

  #send(): void {
    // Sending may make the application send, and so keep, more: one loop sends all of it.
    const isThrough = this.#sending.run(() => {
      for (const [key, message] of this.#messages) {
        if (!this.#conn.send.isReady) break;
        this.#messages.delete(key);
        sendShared(this.#conn, message);
      }
    });
    if (isThrough && this.#messages.size === 0) this.#subscription.unsubscribe();
  }
}
