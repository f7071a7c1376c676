/**
 * Guards a loop that its own steps may call again: such a call returns at once, and leaves what it came for to the loop that runs. So
 * neither the order nor the stack suffers.
 */
export class OneLoop {
  #isRunning = false;

  /** Whether the loop runs at present. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Runs `loop`, and returns `true` when it is through; `false`, without a call, if it runs already. */
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
