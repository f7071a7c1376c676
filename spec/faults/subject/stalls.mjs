// For how long the event loop did not turn.

const everyMillis = 1;

/**
 * Watches the event loop. What counts of a stall is the CPU time that the process had meanwhile: while others have the CPU nothing turns
 * either, but that is not the doing of the server.
 */
export class Stalls {
  #longest = 0;
  #turned = performance.now();
  #spent = cpuMillis();

  constructor() {
    setInterval(() => this.#look(), everyMillis);
  }

  /** The longest since the last question, in milliseconds. */
  take() {
    this.#look();
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  #look() {
    const [now, spent] = [performance.now(), cpuMillis()];
    const stall = Math.min(now - this.#turned, spent - this.#spent);
    if (stall > this.#longest) this.#longest = stall;
    this.#turned = now;
    this.#spent = spent;
  }
}

function cpuMillis() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
