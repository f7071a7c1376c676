import { LOOP_GRACE } from '../../base/clock.js';
import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Session } from '../../protocol/message/session.js';

/** A message that arrives at least this fast may take as long as it wants. In bytes per second. */
const MIN_RATE = 8_192;

/** Whose messages are watched. */
export interface MessageDeadlineOwner {
  readonly session: Pick<Session, 'partialMessage' | 'partialBytes'>;
  readonly terms: { readonly settings: { readonly messageTimeout: number }; readonly deadlines: DeadlineQueue };
  /** The message takes too long. */
  tooSlow(error: ProtocolError): void;
}

/**
 * Gives each incoming message a fixed time, and more only while it arrives at {@link MIN_RATE}. One deadline, which is not set again
 * for each message. A blocked event loop raises no false alarm.
 */
export class MessageDeadline implements Due {
  dueAt = 0;
  place = -1;
  readonly #owner: MessageDeadlineOwner;
  #watched = 0;
  #since = 0;
  #bytes = 0;

  constructor(owner: MessageDeadlineOwner) {
    this.#owner = owner;
  }

  /** Bytes were parsed: a message may have begun or ended. */
  check(): void {
    const current = this.#owner.session.partialMessage;
    if (current === this.#watched) return;
    this.#watched = current;
    if (current === 0) return;
    this.#begin(0);
    if (this.place < 0) this.#deadlines.add(this, this.#timeout);
  }

  /** Stands still, until the next `check`. */
  stop(): void {
    this.#deadlines.remove(this);
    this.#watched = 0;
  }

  /** The queue says that its time has come. */
  due(): void {
    if (this.#watched === 0) return;
    const left = this.#left;
    if (left > 0) {
      this.#deadlines.add(this, left);
      return;
    }
    const arrived = this.#owner.session.partialBytes - this.#bytes;
    if (left >= -LOOP_GRACE && arrived * 1000 < MIN_RATE * this.#timeout) {
      const message = `message is not complete after ${this.#timeout} ms (messageTimeout): ${arrived} bytes came, fewer than ${MIN_RATE} a second`;
      this.#owner.tooSlow(new ProtocolError('MESSAGE_TOO_SLOW', 1008, message));
      return;
    }
    this.#begin(this.#owner.session.partialBytes);
    this.#deadlines.add(this, this.#timeout);
  }

  get #deadlines(): DeadlineQueue {
    return this.#owner.terms.deadlines;
  }

  get #timeout(): number {
    return this.#owner.terms.settings.messageTimeout;
  }

  /** Until the deadline, in milliseconds. */
  get #left(): number {
    return this.#timeout - (this.#deadlines.clock() - this.#since);
  }

  #begin(bytes: number): void {
    this.#since = this.#deadlines.clock();
    this.#bytes = bytes;
  }
}

/** Checks the deadline of `owner`, that has none before the first message that does not come whole. Most do. */
export function checkDeadline(
  deadline: MessageDeadline | undefined,
  owner: MessageDeadlineOwner,
): MessageDeadline | undefined {
  if (deadline === undefined && owner.session.partialMessage === 0) return undefined;
  const checked = deadline ?? new MessageDeadline(owner);
  checked.check();
  return checked;
}
