/** Counts what is taken under each key, at most `max` of one key. Keeps nothing of a key of which nothing is taken. */
export class Slots {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes one, and returns how to give it back: once, whenever and however often that is called. Nothing when there is none left. */
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

  /** How many of `key` are taken. */
  of(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  /** Of how many keys any is taken. */
  get keys(): number {
    return this.#taken.size;
  }

  #giveBack(key: string): void {
    const left = this.of(key) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
