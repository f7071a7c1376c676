import type { AnyConnection, Peer, Source, Subject } from '../driver.js';

/** A subject that counts with the connection's own `stats`. */
export function subjectOf(conn: AnyConnection, peer: Peer, source: Source | undefined, end: () => unknown): Subject {
  return {
    conn,
    peer,
    source,
    get arrived() {
      return conn.stats.messagesReceived;
    },
    get inboxBytes() {
      return conn.stats.inboxBytes;
    },
    end: () => {
      conn.terminate();
      source?.leave();
      return end();
    },
  };
}
