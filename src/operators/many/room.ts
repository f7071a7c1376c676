import { Observable, Subject } from 'rxjs';
import { Fifo } from '../../base/fifo.js';
import { OneLoop } from '../../base/one-loop.js';
import { subscribeWithin } from '../../base/subscribe-within.js';
import { LatestKeeper } from './latest-keeper.js';
import { Members } from './members.js';
import type { Target } from './target.js';

/** A change of the members of a key. */
export interface Presence<C> {
  /** Whether the connection joined or left. */
  readonly type: 'joined' | 'left';
  /** The connection. */
  readonly conn: C;
  /** The number of members after the change. */
  readonly size: number;
}

type Change<C> = Omit<Presence<C>, 'size'>;

/** The members of one key of a hub. */
export class Room<Out, C extends Target<Out>> {
  readonly members: Members<Out, C> = new Members<Out, C>();
  /** The latest messages for slow members. */
  readonly kept: LatestKeeper<Out> = new LatestKeeper<Out>();
  /** Emits the current members, then each change. Never completes. */
  readonly presence$: Observable<Presence<C>> = new Observable((subscriber) => {
    // The members that this subscriber knows: a change may have been made that is not emitted yet.
    const known = new Set<C>();
    const tell = ({ type, conn }: Change<C>): void => {
      if (known.has(conn) === (type === 'joined')) return;
      if (type === 'joined') known.add(conn);
      else known.delete(conn);
      subscriber.next({ type, conn, size: known.size });
    };
    subscribeWithin(subscriber, this.#changes, { next: tell });
    for (const conn of this.members.list) {
      if (subscriber.closed) return;
      if (this.members.has(conn)) tell({ type: 'joined', conn });
    }
  });
  readonly #changes = new Subject<Change<C>>();
  readonly #untold = new Fifo<Change<C>>();
  readonly #telling = new OneLoop();

  /** Whether there are no members and no subscribers of `presence$`. */
  get isUnused(): boolean {
    return this.members.size === 0 && !this.#changes.observed;
  }

  join(conn: C): void {
    if (this.members.add(conn)) this.#tell({ type: 'joined', conn });
  }

  leave(conn: C): void {
    if (this.members.remove(conn)) this.#tell({ type: 'left', conn });
  }

  #tell(change: Change<C>): void {
    if (!this.#changes.observed) return;
    this.#untold.push(change);
    // A subscriber may join or leave: all get one change before the next.
    this.#telling.run(() => {
      while (!this.#untold.isEmpty) this.#changes.next(this.#untold.shift());
    });
  }
}
