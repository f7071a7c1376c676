/** A counter of taken slots, at most `max` per key. It keeps nothing for a key without taken slots. */
export class Slots {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a slot and returns a function that releases it; further calls do nothing. Undefined if no slot is left. */
  take(key: string): (() => void) | undefined {
    const taken = this.of(key);
    if (taken >= this.#max) return undefined;
    this.#taken.set(key, taken + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(key);
      isTaken = false;
    };
  }

  /** How many slots of `key` are taken. */
  of(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  /** How many keys have taken slots. */
  get keys(): number {
    return this.#taken.size;
  }

  #giveBack(key: string): void {
    const left = this.of(key) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
