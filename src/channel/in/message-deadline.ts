import type { SchedulerLike, Subscription } from 'rxjs';
import { LOOP_GRACE } from '../../base/clock.js';
import { deadline } from '../../base/deadline.js';
import { ProtocolError } from '../../protocol/errors.js';

/** A message that arrives at least this fast may take as long as it wants. In bytes per second. */
const MIN_RATE = 8_192;

/** The message that is arriving. */
export interface ArrivingMessage {
  /** Its ordinal; 0 when none has begun. */
  readonly partialMessage: number;
  /** How much of it has come, in bytes. */
  readonly partialBytes: number;
}

/** Whose messages are watched. */
export interface MessageDeadlineOwner {
  readonly session: ArrivingMessage;
  readonly terms: { readonly settings: { readonly messageTimeout: number; readonly scheduler: SchedulerLike } };
  /** In milliseconds. */
  clock(): number;
  /** The message takes too long. */
  tooSlow(error: ProtocolError): void;
}

/**
 * Gives each incoming message a fixed time, and more only while it arrives at {@link MIN_RATE}. One timer, that is not armed anew
 * for each message. A blocked event loop raises no false alarm.
 */
export class MessageDeadline {
  readonly #owner: MessageDeadlineOwner;
  #timer: Subscription | undefined;
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
    this.#timer ??= this.#schedule(this.#timeout);
  }

  /** Stands still, until the next `check`. */
  stop(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#watched = 0;
  }

  get #timeout(): number {
    return this.#owner.terms.settings.messageTimeout;
  }

  /** Until the deadline, in milliseconds. */
  get #left(): number {
    return this.#timeout - (this.#owner.clock() - this.#since);
  }

  #begin(bytes: number): void {
    this.#since = this.#owner.clock();
    this.#bytes = bytes;
  }

  #schedule(delay: number): Subscription {
    return deadline(this.#owner.terms.settings.scheduler, delay, () => this.#due());
  }

  #due(): void {
    this.#timer = undefined;
    if (this.#watched === 0) return;
    const left = this.#left;
    if (left > 0) {
      this.#timer = this.#schedule(left);
      return;
    }
    const arrived = this.#owner.session.partialBytes - this.#bytes;
    if (left >= -LOOP_GRACE && arrived * 1000 < MIN_RATE * this.#timeout) {
      const message = `message is not complete after ${this.#timeout} ms (messageTimeout): ${arrived} bytes came, fewer than ${MIN_RATE} a second`;
      this.#owner.tooSlow(new ProtocolError('MESSAGE_TOO_SLOW', 1008, message));
      return;
    }
    this.#begin(this.#owner.session.partialBytes);
    this.#timer = this.#schedule(this.#timeout);
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
