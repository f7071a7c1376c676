import type { Unsubscribable } from 'rxjs';
import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import { complain, isTold } from '../../base/mistake.js';
import type { ChannelInbox } from '../../connection/channel.js';

/** How long messages may wait for a subscriber before this is considered a mistake, in milliseconds. */
const UNREAD_MS = 10_000;

const UNREAD = { kind: 'messages' } as const;

/** The owner of the messages that are watched. */
export interface UnreadOwner {
  readonly inbox: Pick<ChannelInbox<unknown>, 'isStuck' | 'cost'>;
  readonly terms: {
    readonly settings: { readonly place?: object | undefined };
    readonly deadlines: DeadlineQueue;
  };
}

/**
 * Warns the developer that `messages$` has no subscriber, once per server: for the first connection whose inbox is full and stays so.
 * Exists only while reading is stopped.
 */
export class UnreadWatch implements Due, Unsubscribable {
  dueAt = 0;
  place = -1;
  readonly #owner: UnreadOwner;

  constructor(owner: UnreadOwner) {
    this.#owner = owner;
    owner.terms.deadlines.add(this, UNREAD_MS);
  }

  /** Whether `owner` needs a watch: it waits for a subscriber, and this was not reported for its place yet. */
  static isNeeded({ inbox, terms }: UnreadOwner): boolean {
    return inbox.isStuck && !isTold(terms.settings.place, UNREAD);
  }

  due(): void {
    const { inbox, terms } = this.#owner;
    if (!inbox.isStuck) return;
    const message =
      `messages$ has had no subscriber for ${UNREAD_MS / 1000} s while ${inbox.cost} bytes wait, and reading from the peer has stopped; ` +
      'subscribe to messages$, or call ignoreMessages() if the messages do not matter';
    complain(terms.settings.place, { ...UNREAD, message });
  }

  unsubscribe(): void {
    this.#owner.terms.deadlines.remove(this);
  }
}
