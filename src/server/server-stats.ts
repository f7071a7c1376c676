import type { Connection } from '../connection/connection.js';

/**
 * What a server has done since it was made, and what is open now. Counted at the start and the end of a connection, and summed up when it is
 * read: nothing is done per message.
 */
export interface ServerStats {
  /** Connections that are not closed yet, closing ones included. */
  readonly connections: number;
  /** Handshakes that were answered with 101. */
  readonly accepted: number;
  /**
   * Handshakes that were refused, and connections that `maxConnections` and `limitBy` refused before their request, by HTTP status. What
   * had no complete request (408, 431), and what a shared server answers for a path of no `serve`, is not counted.
   */
  readonly refused: Readonly<Record<number, number>>;
  /** Connections that have ended, by the code of `close$`. */
  readonly closed: Readonly<Record<number, number>>;
  /** Whole messages that came. With `clientTracking: false` those of connections that have ended; so for all that follow. */
  readonly messagesReceived: number;
  /** Messages that were accepted for sending. */
  readonly messagesSent: number;
  /** Messages that were not sent: see `ConnectionStats`. */
  readonly messagesDropped: number;
  /** Bytes that came behind the opening handshakes, frame headers included. */
  readonly bytesReceived: number;
  /** Bytes that were written behind the opening handshakes, frame headers included. */
  readonly bytesSent: number;
  /** What waits for subscribers on all open connections, in bytes. */
  readonly inboxBytes: number;
  /** What waits to be sent on all open connections, in bytes. */
  readonly bufferedAmount: number;
}

/** Sums over connections. */
const SUMS = ['messagesReceived', 'messagesSent', 'messagesDropped', 'bytesReceived', 'bytesSent'] as const;

/** What a server counts for its {@link ServerStats}. */
export class ServerTally {
  #accepted = 0;
  #ended = 0;
  readonly #refused = new Map<number, number>();
  readonly #closed = new Map<number, number>();
  /** Of those that have ended. */
  readonly #sums = { messagesReceived: 0, messagesSent: 0, messagesDropped: 0, bytesReceived: 0, bytesSent: 0 };

  accepted(): void {
    this.#accepted++;
  }

  /** @param status of HTTP. */
  refused(status: number): void {
    increment(this.#refused, status);
  }

  /** @param code of `close$`. */
  closed(connection: Pick<Connection, 'stats'>, code: number): void {
    this.#ended++;
    increment(this.#closed, code);
    const { stats } = connection;
    for (const name of SUMS) this.#sums[name] += stats[name];
  }

  /** @param open those of them that have not ended, as far as they are tracked. */
  stats(open: Iterable<Pick<Connection, 'stats' | 'bufferedAmount'>>): ServerStats {
    const sums = { ...this.#sums, inboxBytes: 0, bufferedAmount: 0 };
    for (const { stats, bufferedAmount } of open) {
      for (const name of SUMS) sums[name] += stats[name];
      sums.inboxBytes += stats.inboxBytes;
      sums.bufferedAmount += bufferedAmount;
    }
    return {
      connections: this.#accepted - this.#ended,
      accepted: this.#accepted,
      refused: Object.fromEntries(this.#refused),
      closed: Object.fromEntries(this.#closed),
      ...sums,
    };
  }
}

function increment(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
