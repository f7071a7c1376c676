/**
 * A queue that runs tasks one after the other, first in, first out. A task that is added while another runs waits until that one has
 * finished, so two ends that answer each other at once do not grow the stack.
 */
export class Trampoline {
  #tasks: (() => void)[] = [];
  #isRunning = false;

  /** Runs `task` now, or after the waiting tasks. */
  run(task: () => void): void {
    this.#tasks.push(task);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#tasks.length > 0) {
        const tasks = this.#tasks;
        this.#tasks = [];
        for (const next of tasks) next();
      }
    } finally {
      this.#isRunning = false;
    }
  }
}
