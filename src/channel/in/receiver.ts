import type { ChannelInbox } from '../../connection/channel.js';
import type { Outcome, Session } from '../../protocol/message/session.js';
import type { BytePort } from '../byte-port.js';

/** The longest that one connection occupies the event loop in one turn, in milliseconds. After it the others come first. */
const TURN_MS = 10;

/** The most that one connection inflates in one turn, in bytes. */
const TURN_INFLATED = 4_194_304;

/** For transports with many small reads in one turn: the most that is read between two checks, {@link READ_COST} included. In bytes. */
const READ_PER_LOOK = 1_048_576;

/** Bytes charged for such a read in addition to its size, because it can bring a message that takes subscribers a long time. */
const READ_COST = 16_384;

/** Outputs before the first check of the clock: a connection with fewer in one read never waits for a turn. */
const FIRST_LOOK = 8;

/** The most outputs between two checks of the clock. */
const OUTPUTS_PER_LOOK = 64;

/** The most that is inflated between two checks, in bytes. */
const INFLATED_PER_LOOK = 262_144;

/** The owner of a receiver, which provides the bytes and receives the parsed outputs. */
export interface ReceiverOwner {
  readonly session: Session;
  /** An inbox for messages of any type. */
  readonly inbox: Pick<ChannelInbox<unknown>, 'hasRoom' | 'deliverNext' | 'end'>;
  readonly port: BytePort;
  /** Acts on one output. */
  output(output: Outcome): void;
  /** Whether the peer's bytes are read regardless of demand: true while the connection closes. */
  readonly readsAlways: boolean;
  /** Reading has stopped or resumed. */
  readingChanged(isReading: boolean): void;
  /** Everything deliverable after the end of the transport was delivered. Called once. */
  settled(): void;
}

/**
 * Pulls outputs from the session while there is demand or room for them, and pauses the transport while there is neither. All input
 * passes through this one loop.
 */
export class Receiver {
  isReading = true;
  readonly #owner: ReceiverOwner;
  #pumping = false;
  #deferred = false;
  /** Whether the next step may take long, so that other connections may have to come first. */
  #isCostly = false;
  /** Bytes since the last check, from a transport that may have many reads in one turn. */
  #unseen = 0;
  /** Whether it has waited for its turn and done nothing expensive since. */
  #isTurn = false;
  #isOver = false;
  #isSettled = false;

  constructor(owner: ReceiverOwner) {
    this.#owner = owner;
  }

  /**
   * Bytes were pushed to the session. What it does not parse now is copied and kept. The parser reports expensive work within a read. The
   * number of reads matters only for TLS, which delivers each record separately; a plain socket delivers at most 32 in one turn.
   */
  received(length: number): void {
    try {
      this.pump();
    } finally {
      // Even after an error, because the memory is reused for the next read.
      this.#owner.session.keep();
    }
    if (!this.#owner.port.synchronous) this.#count(length);
  }

  #count(length: number): void {
    this.#unseen += length + READ_COST;
    if (this.#unseen < READ_PER_LOOK) return;
    this.#unseen = 0;
    const { port } = this.#owner;
    if (this.#deferred || !port.isTurnOver(performance.now())) return;
    this.#goOnLater();
    this.#steer();
  }

  /** Delivers and parses while there is demand or room. Called whenever bytes arrive or demand changes; does nothing if already running. */
  pump(): void {
    if (this.#pumping || this.#deferred) return;
    this.#pumping = true;
    try {
      this.#run();
    } finally {
      this.#pumping = false;
    }
    this.#steer();
    if (this.#isOver && !this.#deferred && !this.#isSettled) {
      this.#isSettled = true;
      this.#owner.settled();
    }
  }

  /** The transport has closed. Received data can still be delivered. */
  finish(): void {
    this.#isOver = true;
    this.#owner.session.finish();
    this.pump();
  }

  #run(): void {
    const { session, port } = this.#owner;
    let began = Number.POSITIVE_INFINITY;
    const inflatedBefore = session.inflated;
    let outputs = 0;
    let nextLook = FIRST_LOOK;
    let nextInflated = INFLATED_PER_LOOK;
    while (this.#step()) {
      outputs++;
      // Most turns have one output and need no clock.
      if (outputs === 2) began = performance.now();
      const inflated = session.inflated - inflatedBefore;
      if (outputs < nextLook && inflated < nextInflated) continue;
      const now = performance.now();
      if (now - began > TURN_MS || inflated > TURN_INFLATED || port.isTurnOver(now)) {
        this.#goOnLater();
        return;
      }
      // Subscribers may be slow, so the first checks come early.
      nextLook = outputs + Math.min(outputs, OUTPUTS_PER_LOOK);
      nextInflated = inflated + INFLATED_PER_LOOK;
    }
  }

  /** Delivers a message or parses an output. Returns `false` if there is nothing to do. */
  #step(): boolean {
    const { inbox, session } = this.#owner;
    if (inbox.deliverNext()) return true;
    if (!inbox.hasRoom && !this.#owner.readsAlways) return false;
    if ((this.#isCostly || session.mayInflate) && !this.#mayBegin()) return false;
    const output = session.next();
    if (output !== undefined) {
      if (output.type === 'more') this.#isCostly = true;
      else this.#owner.output(output);
      return true;
    }
    if (!this.#isOver) return false;
    inbox.end();
    return inbox.deliverNext();
  }

  /** Whether expensive work may begin in this turn. If not, it begins in a later one, regardless of how busy other connections are then. */
  #mayBegin(): boolean {
    if (this.#isTurn || !this.#owner.port.isTurnOver(performance.now())) {
      this.#isTurn = false;
      this.#isCostly = false;
      return true;
    }
    this.#goOnLater();
    return false;
  }

  #goOnLater(): void {
    this.#deferred = true;
    this.#owner.port.defer(() => {
      this.#deferred = false;
      this.#isTurn = true;
      this.pump();
    });
  }

  #steer(): void {
    const owner = this.#owner;
    const wanted = !this.#deferred && (owner.inbox.hasRoom || owner.readsAlways);
    if (wanted === this.isReading) return;
    this.isReading = wanted;
    if (wanted) owner.port.resume();
    else owner.port.pause();
    owner.readingChanged(wanted);
  }
}
