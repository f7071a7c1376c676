import type { ChannelInbox } from '../../connection/channel.js';
import type { Outcome, Session } from '../../protocol/message/session.js';
import type { BytePort } from '../byte-port.js';

/** The longest that one connection keeps the event loop in one turn, in milliseconds. Then the others come first. */
const TURN_MS = 10;

/** The most that one connection inflates in one turn, in bytes. */
const TURN_INFLATED = 4_194_304;

/** The most that is read between two looks, with {@link READ_COST}, from a transport that may bring many small reads in one turn. In bytes. */
const READ_PER_LOOK = 1_048_576;

/** What such a read counts beside its bytes: it can bring a message that takes its subscribers long. */
const READ_COST = 16_384;

/** Outputs before the first look at the clock: a connection with fewer in one read never waits for a turn. */
const FIRST_LOOK = 8;

/** The most outputs between two looks at the clock. */
const OUTPUTS_PER_LOOK = 64;

/** The most that is inflated between two looks, in bytes. */
const INFLATED_PER_LOOK = 262_144;

/** Whose bytes a receiver parses, and whom it hands what they mean. */
export interface ReceiverOwner {
  readonly session: Session;
  /** Whatever it holds. */
  readonly inbox: Pick<ChannelInbox<unknown>, 'hasRoom' | 'deliverNext' | 'end'>;
  readonly port: BytePort;
  /** Acts on one output. */
  output(output: Outcome): void;
  /** Whether the peer's bytes are read whatever the demand: while the connection closes. */
  readonly readsAlways: boolean;
  /** Reading was stopped, or started again. */
  readingChanged(isReading: boolean): void;
  /** After the end of the transport: everything that can be delivered now was delivered. Once. */
  settled(): void;
}

/**
 * Pulls outputs from the session while there is demand or room for them, and stops the transport while there is neither: the one
 * loop through which everything comes in.
 */
export class Receiver {
  isReading = true;
  readonly #owner: ReceiverOwner;
  #pumping = false;
  #deferred = false;
  /** Whether what comes next may take its time, so that others may have to come first. */
  #isCostly = false;
  /** Bytes that came since the last look, in reads that may come many times in one turn. */
  #unseen = 0;
  /** Whether it has waited for its turn, and done nothing expensive since. */
  #isTurn = false;
  #isOver = false;
  #isSettled = false;

  constructor(owner: ReceiverOwner) {
    this.#owner = owner;
  }

  /**
   * Bytes came, and are with the session; what it has not parsed then is kept. What takes long within a read, the parser says. The number of
   * reads matters only for TLS, which gives each of its records alone; a plain socket gives at most 32 in one turn.
   */
  received(length: number): void {
    try {
      this.pump();
    } finally {
      // Whatever happened: the memory is used for the next read.
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

  /** Delivers and parses as far as is wanted. Called whenever bytes come or demand changes; harmless when it runs already. */
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

  /** The transport is gone: what is here already can still be delivered. */
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
      // Most turns have one output, and need no clock.
      if (outputs === 2) began = performance.now();
      const inflated = session.inflated - inflatedBefore;
      if (outputs < nextLook && inflated < nextInflated) continue;
      const now = performance.now();
      if (now - began > TURN_MS || inflated > TURN_INFLATED || port.isTurnOver(now)) {
        this.#goOnLater();
        return;
      }
      // Subscribers may be slow: the first looks come early.
      nextLook = outputs + Math.min(outputs, OUTPUTS_PER_LOOK);
      nextInflated = inflated + INFLATED_PER_LOOK;
    }
  }

  /** Delivers or parses one thing. `false` when there is nothing to do. */
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

  /** Whether something expensive may begin in this turn; otherwise it begins in a later one, however busy other connections are then. */
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
