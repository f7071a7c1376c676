/** A first-in, first-out queue. Unlike `shift` of an array, it takes the same time however many items wait. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  get isEmpty(): boolean {
    return this.#first === this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Removes and returns the oldest item. The queue must not be empty. */
  shift(): T {
    const item = this.#items[this.#first] as T;
    this.#items[this.#first++] = undefined;
    if (this.#first * 2 >= this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Removes `item`: the newest occurrence, if there are several. The time grows with the number of items after it. */
  remove(item: T): void {
    const at = this.#items.lastIndexOf(item);
    if (at >= this.#first) this.#items.splice(at, 1);
  }

  /** Iterates over the waiting items, the oldest first. */
  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#first; at < this.#items.length; at++) yield this.#items[at] as T;
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
  }
}
