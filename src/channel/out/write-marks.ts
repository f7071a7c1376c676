/** Callbacks for when written data has left, in order. */
export class WriteMarks {
  /** Callbacks for when the outstanding write has left. */
  #leaving: (() => void)[] = [];
  /** Callbacks for when the next write has left. */
  #next: (() => void)[] = [];
  /** Callbacks that are being called. */
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

  /** The next write was made, and is now outstanding. */
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
    // A callback that sends may make others due: they are called after the earlier ones.
    if (isCalling) return;
    for (const reached of this.#due) reached();
    this.#due = [];
  }

  /** Discards all callbacks. */
  clear(): void {
    this.#leaving = [];
    this.#next = [];
  }
}
