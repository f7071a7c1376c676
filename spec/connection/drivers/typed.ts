import type { Subscription } from 'rxjs';
import { json, withCodec } from 'sluice';
import type { Driver, Peer } from '../driver.js';

/** The connection of another driver under `withCodec(json())`. */
export function typed(driver: Driver): Driver {
  return {
    ...driver,
    name: `withCodec(json()) over ${driver.name}`,
    takesBytes: false,
    unsendable: { value: () => {}, code: 'ENCODE_FAILED' },
    open: async (options) => {
      const subject = await driver.open(options);
      return {
        conn: withCodec(json())(subject.conn),
        peer: new JsonPeer(subject.peer),
        source: subject.source,
        get arrived() {
          return subject.arrived;
        },
        get inboxBytes() {
          return subject.inboxBytes;
        },
        end: () => subject.end(),
      };
    },
  };
}

/** A peer that speaks JSON. */
class JsonPeer implements Peer {
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get received(): readonly unknown[] {
    return this.#peer.received.map((text) => JSON.parse(text as string) as unknown);
  }

  get pongs(): readonly string[] {
    return this.#peer.pongs;
  }

  get closed(): Peer['closed'] {
    return this.#peer.closed;
  }

  send(...messages: readonly unknown[]): void {
    this.#peer.send(...messages.map((message) => JSON.stringify(message)));
  }

  ping(data: string): void {
    this.#peer.ping(data);
  }

  pong(data: string): void {
    this.#peer.pong(data);
  }

  answerPings(): void {
    this.#peer.answerPings();
  }

  close(code?: number, reason?: string): void {
    this.#peer.close(code, reason);
  }

  lose(): void {
    this.#peer.lose();
  }

  stall(): Subscription {
    return this.#peer.stall();
  }
}
