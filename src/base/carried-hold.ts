import { Subscription } from 'rxjs';

/** Counted holds that outlive a connection: they are carried from one connection to the next. */
export class CarriedHold {
  #count = 0;
  #current: { hold(): Subscription } | undefined;
  #hold: Subscription | undefined;

  hold(): Subscription {
    this.#count++;
    this.#hold ??= this.#current?.hold();
    return new Subscription(() => {
      this.#count--;
      if (this.#count > 0) return;
      const hold = this.#hold;
      this.#hold = undefined;
      hold?.unsubscribe();
    });
  }

  /** Holds `next` from now on if there are holds, and releases the connection that was held before. */
  carryTo(next: { hold(): Subscription }): void {
    const before = this.#hold;
    this.#current = next;
    this.#hold = this.#count > 0 ? next.hold() : undefined;
    before?.unsubscribe();
  }
}
