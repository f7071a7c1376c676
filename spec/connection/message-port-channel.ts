/** A third channel, that proves the seam: two connections over a MessageChannel, that knows neither frames nor bytes. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { asyncScheduler, type Observable } from 'rxjs';
import { ReadySignal } from '../../src/base/ready-signal.js';
import type { Channel, ChannelEvents, ChannelInbox } from '../../src/connection/channel.js';
import { type CloseInfo, ReadyState } from '../../src/connection/connection.js';
import { LiveConnection } from '../../src/connection/live-connection.js';
import type { SendResult } from '../../src/connection/send-result.js';
import { UsageError } from '../../src/protocol/errors.js';

/** How much is read ahead, and how much may be on its way before a sender is told to rest. In bytes. */
export const MARK = 300;

/** What one end posts to the other. `taken`: so much was taken in. */
type Posted =
  | { message: string }
  | { taken: number }
  | { ping: Uint8Array }
  | { pong: Uint8Array }
  | { close: Closing };

interface Closing {
  readonly code: number;
  readonly reason: string;
}

class MessagePortChannel implements Channel<string, string> {
  readonly settings = { highWaterMark: MARK, closeTimeout: 1_000, scheduler: asyncScheduler };
  readonly supports = { binary: false, ping: true, fragments: false, backpressure: true, compression: false };
  readonly latency = undefined;
  readyState: ReadyState = ReadyState.OPEN;
  bufferedAmount = 0;
  readonly #port: MessagePort;
  readonly #signal = new ReadySignal(MARK);
  #inbox!: ChannelInbox<string>;
  #events!: ChannelEvents;
  #unread: string[] = [];
  #untaken: (() => void)[] = [];
  #asked: { answered: (roundTrip: number) => void; lost: () => void }[] = [];
  #ours: (Closing & { readonly error?: Error }) | undefined;
  #isPumping = false;
  #isSettled = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  attach(inbox: ChannelInbox<string>, events: ChannelEvents): void {
    this.#inbox = inbox;
    this.#events = events;
  }

  start(): void {
    this.#port.on('message', (posted: Posted) => this.#receive(posted));
    this.#port.on('close', () => this.#end({ code: 1006, reason: '', wasClean: false, initiator: 'peer' }));
  }

  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#inbox.deliverNext() || this.#takeNext());
    this.#isPumping = false;
    if (this.readyState !== ReadyState.CLOSED || this.#isSettled) return;
    this.#isSettled = true;
    for (const { lost } of this.#asked) lost();
    this.#events.settled();
  }

  get counts() {
    const [none, unread] = [0, this.#unread.join('').length];
    const messages = { messagesReceived: none, messagesSent: none, messagesDropped: none };
    return { ...messages, pingsReceived: none, pongsReceived: none, bytesReceived: none, bytesSent: none, unread };
  }

  get ready$(): Observable<boolean> {
    return this.#signal.ready$;
  }

  get isReady(): boolean {
    return this.#signal.isReady;
  }

  trySend(message: string, onHanded: () => void = () => {}): SendResult {
    if (typeof message !== 'string') throw new UsageError('UNSUPPORTED_DATA', 'cannot send that: send a string');
    if (this.readyState !== ReadyState.OPEN) return 'closed';
    this.#port.postMessage({ message });
    this.#untaken.push(onHanded);
    this.#count(message.length);
    return 'sent';
  }

  whenHanded(done: () => void): void {
    const last = this.#untaken.pop();
    if (last === undefined) done();
    else this.#untaken.push(() => [last(), done()]);
  }

  isTurnOver(): boolean {
    return false;
  }

  defer(task: () => void): void {
    setImmediate(task);
  }

  ping(ping: Uint8Array, answered: (roundTrip: number) => void, lost: () => void): () => void {
    const at = performance.now();
    const asked = { answered: () => answered(performance.now() - at), lost };
    this.#asked.push(asked);
    this.#port.postMessage({ ping });
    return () => {
      this.#asked = this.#asked.filter((other) => other !== asked);
    };
  }

  pong(pong: Uint8Array): void {
    this.#port.postMessage({ pong });
  }

  close(code: number, reason: string, error?: unknown): void {
    if (!(code >= 1000 && code < 5000)) throw new RangeError(`close code must be from 1000 to 4999, got ${code}`);
    if (this.readyState !== ReadyState.OPEN) return;
    this.#ours = { code, reason, ...(error instanceof Error && { error }) };
    this.readyState = ReadyState.CLOSING;
    this.#signal.shut();
    this.#port.postMessage({ close: { code, reason } });
    this.pump();
  }

  discard(): void {
    this.#unread = [];
  }

  abort(): void {
    this.#end({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
    this.#port.close();
  }

  #receive(posted: Posted): void {
    if (this.readyState === ReadyState.CLOSED) return;
    if ('message' in posted) this.#unread.push(posted.message);
    else if ('taken' in posted) this.#taken(posted.taken);
    else if ('ping' in posted) {
      this.#port.postMessage({ pong: posted.ping });
      this.#events.ping(posted.ping);
    } else if ('pong' in posted) {
      this.#asked.shift()?.answered(0);
      this.#events.pong(posted.pong);
    } else this.#closed(posted.close);
    this.pump();
  }

  /** Puts in one message, or the end. While it closes nobody pauses the peer. */
  #takeNext(): boolean {
    const { hasRoom, hasDemand } = this.#inbox;
    const isClosing = this.readyState === ReadyState.CLOSING;
    if (!hasRoom && !isClosing) return false;
    const message = this.#unread.shift();
    if (message !== undefined) {
      if (this.readyState !== ReadyState.CLOSED) this.#port.postMessage({ taken: message.length });
      this.#inbox.put(message, message.length, !isClosing || hasDemand);
      return true;
    }
    if (this.readyState !== ReadyState.CLOSED) return false;
    this.#inbox.end();
    return this.#inbox.deliverNext();
  }

  #taken(size: number): void {
    this.#untaken.shift()?.();
    this.#count(-size);
  }

  #count(change: number): void {
    this.bufferedAmount += change;
    this.#signal.update(this.bufferedAmount);
  }

  #closed(theirs: Closing): void {
    if (this.#ours === undefined) this.#port.postMessage({ close: theirs });
    else this.#port.close();
    const initiator = this.#ours === undefined ? 'peer' : 'local';
    this.#end({ ...theirs, ...this.#ours, wasClean: true, initiator });
  }

  #end(info: CloseInfo): void {
    if (this.readyState === ReadyState.CLOSED) return;
    this.readyState = ReadyState.CLOSED;
    this.#signal.end();
    this.#events.ended(info);
    this.pump();
  }
}

/** A connection over one end of a MessageChannel. */
export type PortedConnection = LiveConnection<undefined, string, string>;

/** Two connections that talk to each other. */
export function portedPair(): [PortedConnection, PortedConnection] {
  const { port1, port2 } = new MessageChannel();
  return [connectionOver(port1), connectionOver(port2)];
}

function connectionOver(port: MessagePort): PortedConnection {
  const facts = {
    data: undefined,
    url: '/',
    protocol: '',
    extensions: [],
    protocolVersion: 13,
    remoteAddress: undefined,
  };
  const connection = new LiveConnection<undefined, string, string>(new MessagePortChannel(port), facts);
  connection.start();
  return connection;
}
