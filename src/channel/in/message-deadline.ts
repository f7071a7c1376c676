import { LOOP_GRACE } from '../../base/clock.js';
import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Session } from '../../protocol/message/session.js';

/** A message that arrives at least this fast has no time limit. In bytes per second. */
const MIN_RATE = 8_192;

/** The owner of a deadline for messages. */
export interface MessageDeadlineOwner {
  readonly session: Pick<Session, 'partialMessage' | 'partialBytes'>;
  readonly terms: { readonly settings: { readonly messageTimeout: number }; readonly deadlines: DeadlineQueue };
  /** The message takes too long. */
  tooSlow(error: ProtocolError): void;
}

/**
 * Gives each incoming message a fixed time, and more only while it arrives at {@link MIN_RATE}. It has one deadline, which is not reset
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

  /** Stops until the next `check`. */
  stop(): void {
    this.#deadlines.remove(this);
    this.#watched = 0;
  }

  /** Called by the queue when the deadline is due. */
  due(): void {
    if (this.#watched === 0) return;
    const left = this.#left;
    if (left > 0) {
      this.#deadlines.add(this, left);
      return;
    }
    const arrived = this.#owner.session.partialBytes - this.#bytes;
    if (left >= -LOOP_GRACE && arrived * 1000 < MIN_RATE * this.#timeout) {
      const message = `message incomplete after ${this.#timeout} ms (messageTimeout): got ${arrived} bytes, fewer than ${MIN_RATE} per second`;
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

  /** Time left until the deadline, in milliseconds. */
  get #left(): number {
    return this.#timeout - (this.#deadlines.clock() - this.#since);
  }

  #begin(bytes: number): void {
    this.#since = this.#deadlines.clock();
    this.#bytes = bytes;
  }
}

/** Checks the deadline of `owner`. It is made for the first message that does not arrive whole, which is rare. */
export function checkDeadline(
  deadline: MessageDeadline | undefined,
  owner: MessageDeadlineOwner,
): MessageDeadline | undefined {
  if (deadline === undefined && owner.session.partialMessage === 0) return undefined;
  const checked = deadline ?? new MessageDeadline(owner);
  checked.check();
  return checked;
}
