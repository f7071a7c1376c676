import type { SchedulerLike, Unsubscribable } from 'rxjs';
import { type Enrolled, Roster } from '../base/roster.js';
import type { CloseInfo } from '../connection/connection.js';
import type { Interception } from '../connection/hooks.js';
import { ConnectionClosedError, UsageError } from '../protocol/errors.js';
import { intercept, isOpen, type Session } from './sessions-of.js';

// biome-ignore lint/suspicious/noExplicitAny: what passes does not matter here
type AnySession = Session<any, any>;

/** A question that waits for its answer. */
export interface OpenQuestion extends Enrolled {
  /** There will be no answer. */
  fail(error: unknown): void;
}

const booksOf = new WeakMap<object, Map<SchedulerLike, Questions>>();

/** Returns the open questions of `session` that use `scheduler`. */
export function questionsOf(session: AnySession, scheduler: SchedulerLike): Questions {
  const books = booksOf.get(session) ?? new Map<SchedulerLike, Questions>();
  booksOf.set(session, books);
  const questions = books.get(scheduler) ?? new Questions(session, scheduler);
  books.set(scheduler, questions);
  return questions;
}

/**
 * The open questions of one connection. It listens once for what ends all of them, however many there are. While there are any, the
 * connection reads ahead twice as far.
 */
export class Questions {
  readonly #session: AnySession;
  readonly #scheduler: SchedulerLike;
  readonly #open = new Roster<OpenQuestion>();
  #interception: Interception | undefined;
  #closing: Unsubscribable | undefined;
  #end: CloseInfo | undefined;
  #isLooking = false;

  constructor(session: AnySession, scheduler: SchedulerLike) {
    this.#session = session;
    this.#scheduler = scheduler;
  }

  /** Whether messages are currently read. */
  get isReading(): boolean {
    return this.#interception?.isReading === true;
  }

  /** Messages that wait for a subscriber, in bytes. */
  get unread(): number {
    return this.#session.stats.inboxBytes;
  }

  /**
   * Fails `question` when its connection ends, has ended, or is stuck, until it is removed.
   *
   * @throws UsageError NOT_INTERCEPTABLE if the connection is not one of sluice.
   */
  add(question: OpenQuestion): void {
    this.#open.add(question);
    this.#listen();
    this.#closing ??= this.#session.close$.subscribe((info) => this.#ended(info));
    if (this.#end !== undefined) question.fail(closed(this.#end));
  }

  remove(question: OpenQuestion): void {
    this.#open.delete(question);
    if (this.#open.size > 0) return;
    this.#interception?.unsubscribe();
    this.#interception = undefined;
  }

  #listen(): void {
    if (this.#interception !== undefined) return;
    const interception = intercept('ask', this.#session, () => false, { onStuck: () => this.#lookLater() });
    // There is room for more now: messages that came in may have made the application ask again, or give up.
    if (this.#interception === undefined && this.#open.size > 0) this.#interception = interception;
    else interception.unsubscribe();
  }

  #ended(info: CloseInfo): void {
    this.#end = info;
    const error = closed(info);
    for (const question of this.#open) question.fail(error);
  }

  /** Checks in the next turn: in this one the application may still subscribe, as `merge(ask(...), conn.messages$)` does. */
  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#scheduler.schedule(() => {
      this.#isLooking = false;
      // A closing connection reads everything.
      if (this.#interception?.isStuck !== true || !isOpen(this.#session)) return;
      const error = blocked(this.unread);
      for (const question of this.#open) question.fail(error);
    });
  }
}

function closed(info: CloseInfo): ConnectionClosedError {
  return new ConnectionClosedError({ ...info, cause: info.error });
}

function blocked(unread: number): UsageError {
  return new UsageError(
    'ASK_BLOCKED',
    `the answer cannot be read: ${unread} bytes of messages wait before it, and nothing subscribes to messages$; ` +
      'subscribe to it, or discard what comes with ignoreMessages()',
  );
}
