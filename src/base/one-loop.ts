/**
 * A guard for a loop that its own steps may call again. Such a call returns at once and leaves its work to the running loop, so the
 * order is kept and the stack does not grow.
 */
export class OneLoop {
  #isRunning = false;

  /** Whether the loop is running. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Runs `loop` and returns `true`; returns `false` without calling it if it is already running. */
  run(loop: () => void): boolean {
    if (this.#isRunning) return false;
    this.#isRunning = true;
    try {
      loop();
    } finally {
      this.#isRunning = false;
    }
    return true;
  }
}
