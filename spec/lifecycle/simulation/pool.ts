import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';

/** The thread pool of zlib: what is compressed there is done when the simulation says so. */
export class SimulatedPool {
  #jobs: (() => void)[] = [];
  readonly #compressLater = MessageDeflater.prototype.compressLater;

  get isIdle(): boolean {
    return this.#jobs.length === 0;
  }

  /** Takes the place of the real one, until `uninstall`. */
  install(): void {
    const jobs = this.#jobs;
    MessageDeflater.prototype.compressLater = function (this: MessageDeflater, data, done, shared) {
      jobs.push(() => done(this.compress(data, shared)));
    };
  }

  /** What began first is done. */
  finishOne(): void {
    this.#jobs.shift()?.();
  }

  /** Everything is done: all connections share the pool, so none may leave a job behind. */
  uninstall(): void {
    while (!this.isIdle) this.finishOne();
    MessageDeflater.prototype.compressLater = this.#compressLater;
  }
}
