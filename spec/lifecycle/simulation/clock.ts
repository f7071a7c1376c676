/** What `performance.now()` says: time goes on only when it is looked at, or spent. */
export class SimulatedClock {
  readonly #slowness: number;
  #now = 0;

  /** @param slowness what each look costs, in milliseconds. */
  constructor(slowness: number) {
    this.#slowness = slowness;
  }

  look(): number {
    this.#now += this.#slowness;
    return this.#now;
  }

  /** The application has worked for so many milliseconds. */
  spend(ms: number): void {
    this.#now += ms;
  }
}
