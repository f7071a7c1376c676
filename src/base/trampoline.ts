/**
 * Runs tasks one after the other, first in first out: one that is given while another runs waits for its end. So two ends that
 * answer each other at once do not grow the stack.
 */
export class Trampoline {
  #tasks: (() => void)[] = [];
  #isRunning = false;

  /** Runs `task` now, or after the tasks that wait. */
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
