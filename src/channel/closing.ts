import type { DeadlineQueue, Due } from '../base/deadline-queue.js';
import { isError } from '../base/thrown.js';
import type { CloseInfo } from '../connection/connection.js';
import { ConnectionClosedError, type InternalError, type ProtocolError } from '../protocol/errors.js';
import type { Role } from '../protocol/frame/opcode.js';
import { checkedClosePayload, encodeClosePayload } from '../protocol/message/close-payload.js';
import { truncateReason } from '../protocol/message/close-reason.js';
import type { BytePort } from './byte-port.js';
import type { Outbox } from './out/outbox.js';

/** How long the peer may take to end its side after a failure, or after it ended without a Close frame. In milliseconds. */
const LINGER_MS = 2_000;

/** The most that is read and discarded meanwhile, in bytes. */
const LINGER_BYTES = 16_777_216;

/**
 * Which end began to close, and whether the connection has ended. `cut`: a write has failed, so that nothing more can be sent; received
 * data is still read while there is demand.
 */
export type ClosingState = 'open' | 'closing-by-us' | 'closing-by-peer' | 'cut' | 'failing' | 'closed';

/** The owner of a connection's end, which is notified of it, and the parts that it acts on. */
export interface ClosingOwner {
  readonly terms: {
    readonly role: Role;
    readonly settings: { readonly closeTimeout: number };
    readonly deadlines: DeadlineQueue;
  };
  readonly port: BytePort;
  readonly outbox: Outbox;
  /** The state has changed. */
  closingChanged(): void;
  /** The connection has ended. Called once. */
  over(info: CloseInfo): void;
}

/** The end of one connection, by closing handshake, failure or loss. RFC 6455 §7. */
export class Closing implements Due {
  dueAt = 0;
  place = -1;
  state: ClosingState = 'open';
  readonly #owner: ClosingOwner;
  #info: CloseInfo | undefined;
  #error: Error | undefined;
  #discarded = 0;
  /** Whether a write has failed. */
  #isCut = false;

  constructor(owner: ClosingOwner) {
    this.#owner = owner;
  }

  /**
   * Begins the closing handshake. §7.1.2.
   *
   * @param error the cause: `close$` includes it if it is an Error.
   * @throws TypeError or RangeError for a code or reason that an application may not send.
   */
  close(code: number, reason: string, error?: unknown): void {
    const payload = checkedClosePayload(code, reason);
    if (this.state !== 'open' && this.state !== 'cut') return;
    this.#terminateAfter(this.#owner.terms.settings.closeTimeout);
    if (this.#isCut) {
      this.#enter('closing-by-us');
      return;
    }
    this.#error = isError(error) ? error : undefined;
    this.state = 'closing-by-us';
    // Before the new state is reported, because unparsed bytes may contain the peer's Close frame, and with it the end of the transport.
    this.#owner.outbox.close(payload, () => {});
    this.#owner.closingChanged();
  }

  /** The peer's Close frame arrived. It is answered unless ours was sent before. §5.5.1 */
  peerClosed(code: number, reason: string): void {
    // Bytes that arrived before the transport was lost may be parsed later, when there is demand.
    if (this.state === 'closed') return;
    const { outbox, terms } = this.#owner;
    if (this.#isCut) {
      this.#info = { code, reason, wasClean: true, initiator: 'peer' };
      this.abort();
      return;
    }
    if (this.state === 'closing-by-us') {
      this.#info = this.#record({ code, reason, wasClean: true, initiator: 'local' });
      // Our Close frame may wait after a message whose end is unknown.
      outbox.giveUpEndless();
      outbox.whenHanded(() => this.#endTransport());
      return;
    }
    this.#info = { code, reason, wasClean: true, initiator: 'peer' };
    this.#terminateAfter(terms.settings.closeTimeout);
    this.#enter('closing-by-peer');
    outbox.giveUpEndless();
    // §5.5.1: "When sending a Close frame in response, the endpoint typically echos the status code it received"
    outbox.close(encodeClosePayload(code, ''), () => this.#endTransport());
  }

  /** The peer has ended its side of the transport. */
  peerEnded(): void {
    const { port, outbox } = this.#owner;
    if (this.#info !== undefined) {
      // A Close frame and the end may be parsed together: our Close frame is written first.
      outbox.whenHanded(() => port.end());
      return;
    }
    const initiator = this.#initiator();
    // §7.1.5: without a Close frame "_The WebSocket Connection Close Code_ is considered to be 1006"
    if (initiator === 'peer') this.#error ??= lostPeer();
    this.#info = this.#record({ code: 1006, reason: '', wasClean: false, initiator });
    this.#terminateAfter(LINGER_MS);
    if (this.state === 'open') this.#enter('closing-by-peer');
    outbox.finish();
    port.end();
  }

  /**
   * A write has failed: nothing more can be sent. The peer may have sent messages and its Close frame before it left, so received data
   * is still read, whenever there is demand.
   */
  cut(error: Error): void {
    if (this.state === 'closed' || this.#isCut) return;
    this.#isCut = true;
    this.#error ??= error;
    this.#owner.outbox.stop();
    if (this.#info !== undefined) {
      this.abort();
      return;
    }
    if (this.state === 'open') this.#enter('cut');
  }

  /** Reading has stopped or resumed. Once a cut transport is read again, its end is expected soon. */
  readingChanged(isReading: boolean): void {
    if (this.state !== 'cut') return;
    if (isReading) this.#terminateAfter(LINGER_MS);
    else this.#owner.terms.deadlines.remove(this);
  }

  /** _Fail the WebSocket Connection_, §7.1.7: sends the reason, then reads and discards until the peer ends, so that the peer can read it. */
  fail(error: ProtocolError | InternalError): void {
    if (this.state === 'failing' || this.state === 'closed') return;
    const { outbox, port } = this.#owner;
    const reason = truncateReason(error.message);
    this.#info = { code: error.closeCode, reason, wasClean: false, initiator: 'local', error };
    const mayTell = this.state === 'open';
    this.#terminateAfter(LINGER_MS);
    this.#enter('failing');
    if (mayTell) outbox.fail(encodeClosePayload(error.closeCode, reason), () => port.end());
    else outbox.whenHanded(() => port.end());
  }

  /** Bytes arrived after a failure. */
  discard(size: number): void {
    this.#discarded += size;
    if (this.#discarded > LINGER_BYTES) this.#owner.port.terminate();
  }

  /** Ends the connection immediately. Received data stays deliverable. */
  abort(error?: Error): void {
    if (this.state === 'closed') return;
    this.#error = error ?? this.#error;
    this.#info ??= this.#record({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
    this.#owner.port.terminate();
    this.#end();
  }

  /** The transport has closed. */
  transportClosed(error: Error | undefined): void {
    if (this.state === 'closed') return;
    this.#info ??= this.#record({
      code: 1006,
      reason: '',
      wasClean: false,
      initiator: this.#initiator(),
      ...(error !== undefined && { error }),
    });
    this.#end();
  }

  /** The end took too long. */
  due(): void {
    this.abort();
  }

  #end(): void {
    this.#owner.terms.deadlines.remove(this);
    this.#enter('closed');
    this.#owner.over(this.#info as CloseInfo);
  }

  /** Both Close frames were exchanged. §7.1.1: the server ends the transport first, so that the client's port is free immediately. */
  #endTransport(): void {
    if (this.#owner.terms.role === 'server') this.#owner.port.end();
  }

  #initiator(): 'local' | 'peer' {
    return this.state === 'closing-by-us' ? 'local' : 'peer';
  }

  #record(info: CloseInfo): CloseInfo {
    return this.#error === undefined ? info : { ...info, error: this.#error };
  }

  #enter(state: ClosingState): void {
    this.state = state;
    this.#owner.closingChanged();
  }

  #terminateAfter(delay: number): void {
    const { deadlines } = this.#owner.terms;
    deadlines.remove(this);
    deadlines.add(this, delay);
  }
}

/** The error is never thrown, so it has no stack: that would be useless, and the main cost when thousands of peers are lost at once. */
function lostPeer(): ConnectionClosedError {
  const { stackTraceLimit } = Error;
  // If the intrinsics are frozen, the limit cannot be set and the error has a stack.
  Reflect.set(Error, 'stackTraceLimit', 0);
  const error = new ConnectionClosedError({ code: 1006, reason: '', wasClean: false });
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return error;
}
