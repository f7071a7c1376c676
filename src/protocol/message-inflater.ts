import type { Buffer } from 'node:buffer';
import { inflate } from './deflate.js';
import type { DeflateParameters } from './deflate-negotiation.js';
import { PlainWindow } from './plain-window.js';
import type { Role } from './role.js';

/** Inflates the messages of one peer. Between messages it keeps the window, if the peer does, and nothing else. */
export class MessageInflater {
  /** Bytes that were inflated so far. */
  inflated = 0;
  readonly #maxPayload: number;
  readonly #window: PlainWindow | undefined;
  /** The size of the message before: the next one is often like it. */
  #expected = 0;

  /** @param role which end we are: the window is that of the other. */
  constructor(parameters: DeflateParameters, role: Role, maxPayload: number) {
    this.#maxPayload = maxPayload;
    const isServer = role === 'server';
    const forgets = isServer ? parameters.clientNoContextTakeover : parameters.serverNoContextTakeover;
    const bits = isServer ? parameters.clientMaxWindowBits : parameters.serverMaxWindowBits;
    this.#window = forgets ? undefined : new PlainWindow(bits);
  }

  /** The most that a message may have on the wire, in bytes: what cannot be compressed grows a little. */
  get wireLimit(): number {
    return this.#maxPayload + Math.floor(this.#maxPayload / 16) + 1024;
  }

  /**
   * Inflates the payload of one message.
   *
   * @throws ProtocolError 1007, 1008 or 1009, as {@link inflate} does. No other message can follow then.
   */
  inflate(body: Buffer): Buffer {
    const settings = { window: this.#window?.bytes, limit: this.#maxPayload, expected: this.#expected };
    const text = inflate(body, settings);
    this.inflated += text.length;
    this.#expected = text.length;
    this.#window?.add(text);
    return text;
  }

  /** Forgets the window: no message follows. */
  clear(): void {
    this.#window?.clear();
  }
}
