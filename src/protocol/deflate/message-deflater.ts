import type { Buffer } from 'node:buffer';
import type { Role } from '../frame/opcode.js';
import { type DeflateSettings, deflate, deflateLater } from './deflate.js';
import type { DeflateParameters } from './deflate-negotiation.js';
import { PlainWindow } from './plain-window.js';

/** What to compress, and how well. */
export interface CompressionSettings {
  /** Shorter messages are sent as they are. In bytes. */
  readonly threshold: number;
  readonly level: number;
  readonly memLevel: number;
  /** Keeps even long messages out of the thread pool, where time is virtual. @default false */
  readonly isSynchronous?: boolean;
}

/** Gets the compressed form of a message; nothing when it did not become smaller. */
export type Done = (output: Uint8Array | undefined) => void;

/** The compressed forms of one message by parameters: `null` if compression did not pay, a list of waiting callbacks while it is in progress. */
type Forms = Map<string, Buffer | null | Done[]>;

/** Those of the messages that may go to several peers. */
const allForms = new WeakMap<object, Forms>();

/** Up to this size a message goes compressed to a peer that keeps context, though it grows: those after it refer to it. In bytes. */
const TEACHES = 1024;

/** Compresses the messages to one peer. Between messages it keeps the window, if context is taken over, and nothing else. */
export class MessageDeflater {
  readonly threshold: number;
  /** Whether {@link compressLater} is not wanted, however long a message is. */
  readonly isSynchronous: boolean;
  /** Those of one group give the same for the same message, unless they keep context. */
  readonly group: string;
  readonly #settings: DeflateSettings;
  readonly #window: PlainWindow | undefined;

  /** @param role which end we are. */
  constructor(parameters: DeflateParameters, role: Role, settings: CompressionSettings) {
    const { threshold, level, memLevel, isSynchronous = false } = settings;
    const isServer = role === 'server';
    const forgets = isServer ? parameters.serverNoContextTakeover : parameters.clientNoContextTakeover;
    const windowBits = isServer ? parameters.serverMaxWindowBits : parameters.clientMaxWindowBits;
    this.threshold = threshold;
    this.isSynchronous = isSynchronous;
    this.#settings = { windowBits, level, memLevel };
    this.#window = forgets ? undefined : new PlainWindow(windowBits);
    this.group = `${windowBits} ${level} ${memLevel}`;
  }

  /** Whether messages refer to those before: then they must be compressed in the order in which they are sent. */
  get keepsContext(): boolean {
    return this.#window !== undefined;
  }

  /**
   * Compresses one message, synchronously.
   *
   * @param shared stands for the message where it goes to several peers: it is compressed once for all of them that have the same
   *   parameters and keep no context.
   * @returns nothing when it would not become smaller: then it is sent as it is.
   */
  compress(data: Uint8Array, shared?: object): Uint8Array | undefined {
    const forms = this.#formsOf(shared);
    const known = forms?.get(this.group);
    if (known !== undefined && !Array.isArray(known)) return known ?? undefined;
    const result = this.#chosen(data, deflate(data, this.#settings, this.#window?.bytes, true));
    if (known === undefined) forms?.set(this.group, result ?? null);
    return result;
  }

  /** {@link compress} in the thread pool. `done` is called once: later, or at once when the compressed form is known. */
  compressLater(data: Uint8Array, done: Done, shared?: object): void {
    const forms = this.#formsOf(shared);
    const known = forms?.get(this.group);
    if (Array.isArray(known)) known.push(done);
    else if (known !== undefined) done(known ?? undefined);
    else {
      const waiting = [done];
      forms?.set(this.group, waiting);
      deflateLater(data, this.#settings, this.#window?.bytes, (error, output) => {
        const result = error === null ? this.#chosen(data, output) : undefined;
        forms?.set(this.group, result ?? null);
        for (const each of waiting) each(result);
      });
    }
  }

  /** Begins a message in parts: all of it is compressed. RFC 7692 §7.2.3.6. */
  beginParts(): PartsDeflater {
    return new PartsDeflater(this.#settings, this.#window ?? new PlainWindow(this.#settings.windowBits));
  }

  #formsOf(shared: object | undefined): Forms | undefined {
    if (shared === undefined || this.keepsContext) return undefined;
    let known = allForms.get(shared);
    if (known === undefined) {
      known = new Map();
      allForms.set(shared, known);
    }
    return known;
  }

  /** What is sent uncompressed does not enter the window. RFC 7692 §7.2.1. */
  #chosen(data: Uint8Array, output: Buffer): Buffer | undefined {
    const isTaught = this.#window !== undefined && data.length <= TEACHES;
    if (output.length >= data.length && !isTaught) return undefined;
    this.#window?.add(data);
    return output;
  }
}

/** Compresses the parts of one message. */
export class PartsDeflater {
  readonly #settings: DeflateSettings;
  readonly #window: PlainWindow;

  constructor(settings: DeflateSettings, window: PlainWindow) {
    this.#settings = settings;
    this.#window = window;
  }

  /** The payload of the next frame. What the last one leaves out, the others keep. */
  part(data: Uint8Array, isLast: boolean): Buffer {
    const output = deflate(data, this.#settings, this.#window.bytes, isLast);
    this.#window.add(data);
    return output;
  }
}
