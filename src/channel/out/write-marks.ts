/** What is to be called when what was written has left, in order. */
export class WriteMarks {
  /** When the write that is outstanding has left. */
  #leaving: (() => void)[] = [];
  /** When the next write has left. */
  #next: (() => void)[] = [];
  /** What is being called. */
  #due: (() => void)[] = [];

  /** Whether nothing waits for the next write. */
  get isNextEmpty(): boolean {
    return this.#next.length === 0;
  }

  /** Calls `reached` when the next write has left. */
  next(reached: () => void): void {
    this.#next.push(reached);
  }

  /** Calls `reached` when the outstanding write has left. */
  outstanding(reached: () => void): void {
    this.#leaving.push(reached);
  }

  /** The next write was made: it is outstanding now. */
  written(): void {
    this.#leaving = this.#next;
    this.#next = [];
  }

  /** The outstanding write has left. */
  left(): void {
    if (this.#leaving.length === 0) return;
    const isCalling = this.#due.length > 0;
    for (const reached of this.#leaving) this.#due.push(reached);
    this.#leaving = [];
    // A callback that sends may make others due: they are called after those that were due before.
    if (isCalling) return;
    for (const reached of this.#due) reached();
    this.#due = [];
  }

  /** Forgets all of it. */
  clear(): void {
    this.#leaving = [];
    this.#next = [];
  }
}
