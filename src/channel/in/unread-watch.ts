import type { Unsubscribable } from 'rxjs';
import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import { complain, isTold } from '../../base/mistake.js';
import type { ChannelInbox } from '../../connection/channel.js';

/** How long messages may wait for a subscriber before that is taken for a mistake, in milliseconds. */
const UNREAD_MS = 10_000;

const UNREAD = { kind: 'messages' } as const;

/** Whose messages are watched. */
export interface UnreadOwner {
  readonly inbox: Pick<ChannelInbox<unknown>, 'isStuck' | 'cost'>;
  readonly terms: {
    readonly settings: { readonly place?: object | undefined };
    readonly deadlines: DeadlineQueue;
  };
}

/**
 * Tells the developer that nothing subscribes to `messages$`, of the first connection of a server that is full and stays so. There only while
 * reading is stopped.
 */
export class UnreadWatch implements Due, Unsubscribable {
  dueAt = 0;
  place = -1;
  readonly #owner: UnreadOwner;

  constructor(owner: UnreadOwner) {
    this.#owner = owner;
    owner.terms.deadlines.add(this, UNREAD_MS);
  }

  /** Whether `owner` needs one: it waits for a subscriber, and its place was not told of that yet. */
  static isNeeded({ inbox, terms }: UnreadOwner): boolean {
    return inbox.isStuck && !isTold(terms.settings.place, UNREAD);
  }

  due(): void {
    const { inbox, terms } = this.#owner;
    if (!inbox.isStuck) return;
    const message =
      `nothing has subscribed to messages$ for ${UNREAD_MS / 1000} s while ${inbox.cost} bytes wait there, and its peer is not read from; ` +
      'subscribe to messages$, or call ignoreMessages() where the messages do not matter';
    complain(terms.settings.place, { ...UNREAD, message });
  }

  unsubscribe(): void {
    this.#owner.terms.deadlines.remove(this);
  }
}
