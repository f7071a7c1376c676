import type { Buffer } from 'node:buffer';
import type { Role } from '../frame/opcode.js';
import { type SizeLimit, sizeLimit } from '../frame/size-limit.js';
import { inflate } from './deflate.js';
import type { DeflateParameters } from './deflate-negotiation.js';
import { PlainWindow } from './plain-window.js';

/** Inflates the messages of one peer. Between messages it keeps the window, if the peer does, and nothing else. */
export class MessageInflater {
  /** Bytes that were inflated so far. */
  inflated = 0;
  readonly #limit: SizeLimit;
  readonly #window: PlainWindow | undefined;
  /** The size of the message before: the next one is often like it. */
  #expected = 0;

  /** @param role which end we are: the window is that of the other. */
  constructor(parameters: DeflateParameters, role: Role, maxPayload: number) {
    this.#limit = sizeLimit(maxPayload, false);
    const isServer = role === 'server';
    const forgets = isServer ? parameters.clientNoContextTakeover : parameters.serverNoContextTakeover;
    const bits = isServer ? parameters.clientMaxWindowBits : parameters.serverMaxWindowBits;
    this.#window = forgets ? undefined : new PlainWindow(bits);
  }

  /**
   * Inflates the payload of one message.
   *
   * @param limit the most that it may inflate to, that of a binary message if it is left out. No more than that is inflated.
   * @throws ProtocolError 1007, 1008 or 1009, as {@link inflate} does. No other message can follow then.
   */
  inflate(body: Buffer, limit: SizeLimit = this.#limit): Buffer {
    const { bytes, name } = limit;
    const settings = { window: this.#window?.bytes, limit: bytes, limitName: name, expected: this.#expected };
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
