/** One message that an end has sent, and what became of it. */
export interface SentMessage {
  readonly id: number;
  readonly isBinary: boolean;
  /** As it must come out; of one in open parts it grows. */
  content: string;
  /** Moments in the order of all calls: when sending it began, and when it was accepted. */
  readonly begun: number;
  accepted: number;
}

/**
 * What went one way: each message that was accepted comes out once, whole, behind all that were accepted before it was sent.
 */
export class MessageLog {
  /** Accepted, and not delivered yet. */
  readonly outstanding = new Map<number, SentMessage>();
  /** The messages that came out, in order. */
  readonly delivered: number[] = [];
  /** Messages that others came out before, though they were sent later. Right only where a policy drops them. */
  skipped = 0;
  readonly #positions = new Map<number, number>();
  readonly #note: (violation: string) => void;
  #moment = 0;
  #ids = 0;

  constructor(note: (violation: string) => void) {
    this.#note = note;
  }

  /** A message begins to be sent; its content is given its number. */
  begin(isBinary: boolean, body: (id: number) => string): SentMessage {
    const id = this.#ids++;
    const message = { id, isBinary, content: body(id), begun: this.#moment++, accepted: Number.POSITIVE_INFINITY };
    this.outstanding.set(id, message);
    return message;
  }

  /** It was accepted, or not. */
  settle(message: SentMessage, isAccepted: boolean): void {
    message.accepted = this.#moment++;
    if (!isAccepted) this.outstanding.delete(message.id);
  }

  /**
   * A message was delivered to one of the subscribers. Returns its place in the order of all that were.
   *
   * @param mayMiss whether messages before it may have been discarded.
   */
  deliver(data: string | Uint8Array, mayMiss: boolean): number {
    const text = typeof data === 'string' ? data : Buffer.from(data).toString();
    const id = Number.parseInt(text, 10);
    const known = this.#positions.get(id);
    if (known !== undefined) return known;
    const message = this.outstanding.get(id);
    if (message === undefined) this.#note(`a message that was not sent: ${text.slice(0, 20)}`);
    else this.#check(message, text, typeof data !== 'string', mayMiss);
    const place = this.delivered.length;
    this.#positions.set(id, place);
    this.delivered.push(id);
    this.outstanding.delete(id);
    return place;
  }

  #check(message: SentMessage, text: string, isBinary: boolean, mayMiss: boolean): void {
    if (text !== message.content || isBinary !== message.isBinary) this.#note(`message ${message.id} was changed`);
    for (const other of this.outstanding.values()) {
      if (other.accepted > message.begun) continue;
      this.outstanding.delete(other.id);
      this.skipped++;
      if (!mayMiss) this.#note(`message ${message.id} came, ${other.id} before it did not`);
    }
  }
}
