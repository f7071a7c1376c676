import type { Connection, ConnectionStats } from '../connection/connection.js';

/**
 * Counts since a server was created, and what is open now. They are updated at the start and the end of a connection and summed up when
 * they are read, so messages cost nothing.
 */
export interface ServerStats {
  /** Connections that are not closed yet, including closing ones. */
  readonly connections: number;
  /** Handshakes that were answered with 101. */
  readonly accepted: number;
  /**
   * Handshakes that were refused, and connections that `maxConnections` and `limitBy` refused before their request, by HTTP status.
   * Incomplete requests (408, 431), and those that a shared server refuses because no `serve` has their path, are not counted.
   */
  readonly refused: Readonly<Record<number, number>>;
  /** Connections that have ended, by the code of `close$`. */
  readonly closed: Readonly<Record<number, number>>;
  /** Whole messages received. With `clientTracking: false`, this and all that follow cover only connections that have ended. */
  readonly messagesReceived: number;
  /** Messages accepted for sending. */
  readonly messagesSent: number;
  /** Messages that were not sent: see `ConnectionStats`. */
  readonly messagesDropped: number;
  /** Bytes received after the opening handshakes, including frame headers. */
  readonly bytesReceived: number;
  /** Bytes written after the opening handshakes, including frame headers. */
  readonly bytesSent: number;
  /** Bytes that wait for subscribers, over all open connections. */
  readonly inboxBytes: number;
  /** Bytes that wait to be sent, over all open connections. */
  readonly bufferedAmount: number;
}

/** Sums over connections. */
const SUMS = ['messagesReceived', 'messagesSent', 'messagesDropped', 'bytesReceived', 'bytesSent'] as const;

type Sums = Record<(typeof SUMS)[number], number>;

/** The counters of a server, for its {@link ServerStats}. */
export class ServerTally {
  #accepted = 0;
  #ended = 0;
  readonly #refused = new Map<number, number>();
  readonly #closed = new Map<number, number>();
  /** Sums over the connections that have ended. */
  readonly #sums: Sums = { messagesReceived: 0, messagesSent: 0, messagesDropped: 0, bytesReceived: 0, bytesSent: 0 };

  accepted(): void {
    this.#accepted++;
  }

  /** @param status the HTTP status. */
  refused(status: number): void {
    increment(this.#refused, status);
  }

  /** @param code the code of `close$`. @param counts what the connection has counted. Each connection pays for this: no loop over names. */
  closed(code: number, counts: Pick<ConnectionStats, keyof Sums>): void {
    this.#ended++;
    increment(this.#closed, code);
    const sums = this.#sums;
    sums.messagesReceived += counts.messagesReceived;
    sums.messagesSent += counts.messagesSent;
    sums.messagesDropped += counts.messagesDropped;
    sums.bytesReceived += counts.bytesReceived;
    sums.bytesSent += counts.bytesSent;
  }

  /** @param open the connections that have not ended, if they are tracked. */
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
