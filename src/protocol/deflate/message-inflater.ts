import type { Buffer } from 'node:buffer';
import type { Role } from '../frame/opcode.js';
import { type SizeLimit, sizeLimit } from '../frame/size-limit.js';
import { inflate } from './deflate.js';
import type { DeflateParameters } from './deflate-negotiation.js';
import { PlainWindow } from './plain-window.js';

/** Inflates the messages of one peer. Between messages it only keeps the window, if the peer does. */
export class MessageInflater {
  /** Bytes inflated so far. */
  inflated = 0;
  readonly #limit: SizeLimit;
  readonly #window: PlainWindow | undefined;
  /** The size of the previous message: the next one is often similar. */
  #expected = 0;

  /** @param role our end of the connection: the window is that of the other end. */
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
   * @param limit the maximum inflated size, by default the limit of a binary message. No more than that is inflated.
   * @throws ProtocolError 1007, 1008 or 1009, like {@link inflate}. No further message can follow.
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

  /** Drops the window. No message must follow. */
  clear(): void {
    this.#window?.clear();
  }
}
