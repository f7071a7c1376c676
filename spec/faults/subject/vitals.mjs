// What is counted and measured in the server process.
import { Stalls } from './stalls.mjs';

/** Counts from the start of the process; the stalls of the event loop from one reading to the next. */
export class Vitals {
  opened = 0;
  closed = 0;
  messages = 0;
  messageBytes = 0;
  /** Connections on which an application has sent all that it wanted. */
  sent = 0;
  /** The most that one connection had to send and had not handed over, in bytes. */
  mostBuffered = 0;
  /** How often each close record came, under its code and the code of its error. */
  closes = {};
  /** Errors that nobody took. */
  escaped = [];
  #stalls = new Stalls();

  constructor() {
    const note = (error) => this.escaped.push(String(error?.stack ?? error));
    process.on('uncaughtException', note).on('unhandledRejection', note);
  }

  noteClose(name) {
    this.closed++;
    this.closes[name] = (this.closes[name] ?? 0) + 1;
  }

  noteMessage(bytes) {
    this.messages++;
    this.messageBytes += bytes;
  }

  noteSent() {
    this.sent++;
  }

  noteBuffered(bytes) {
    if (bytes > this.mostBuffered) this.mostBuffered = bytes;
  }

  /** All figures; when `collect`, behind a collection of the garbage. */
  async read(collect) {
    const stall = { maxMillis: this.#stalls.take() };
    if (collect) await collectGarbage();
    this.#stalls.take();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const { opened, closed, messages, messageBytes, sent, mostBuffered, closes, escaped } = this;
    return {
      ...{ rss, heapUsed, external, arrayBuffers, cpuMicros: user + system, stall },
      ...{ opened, closed, messages, messageBytes, sent, mostBuffered, closes, escaped },
    };
  }
}

/** Twice, and with a turn in between: finalizers free what the first has found. */
async function collectGarbage() {
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 50));
  globalThis.gc();
}
