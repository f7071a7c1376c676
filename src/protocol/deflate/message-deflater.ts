import type { Buffer } from 'node:buffer';
import type { Role } from '../frame/opcode.js';
import { type DeflateSettings, deflate, deflateLater } from './deflate.js';
import type { DeflateParameters } from './deflate-negotiation.js';
import { PlainWindow } from './plain-window.js';

/** Settings of the compression. */
export interface CompressionSettings {
  /** The size below which messages are not compressed, in bytes. */
  readonly threshold: number;
  readonly level: number;
  readonly memLevel: number;
  /** Whether to keep even long messages out of the thread pool, for virtual time. @default false */
  readonly isSynchronous?: boolean;
}

/** A callback that gets the compressed form of a message; undefined if it did not become smaller. */
export type Done = (output: Uint8Array | undefined) => void;

/** The compressed forms of a message by parameters: `null` if compression did not pay, a list of callbacks while it is in progress. */
type Forms = Map<string, Buffer | null | Done[]>;

/** The forms of messages that may be sent to several peers. */
const allForms = new WeakMap<object, Forms>();

/** The size up to which a message is compressed for a peer that keeps context, even if it grows: later ones refer to it. In bytes. */
const TEACHES = 1024;

/** Compresses the messages to one peer. Between messages it only keeps the window, if context is taken over. */
export class MessageDeflater {
  readonly threshold: number;
  /** Whether {@link compressLater} must not be used, however long a message is. */
  readonly isSynchronous: boolean;
  /** Deflaters of one group have the same result for the same message, unless they keep context. */
  readonly group: string;
  readonly #settings: DeflateSettings;
  readonly #window: PlainWindow | undefined;

  /** @param role our end of the connection. */
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

  /** Whether messages refer to earlier ones. Then they must be compressed in the order in which they are sent. */
  get keepsContext(): boolean {
    return this.#window !== undefined;
  }

  /**
   * Compresses one message, synchronously.
   *
   * @param shared identifies a message that is sent to several peers. It is compressed once for all peers that have the same
   *   parameters and keep no context.
   * @returns undefined if it would not become smaller. Then it is sent uncompressed.
   */
  compress(data: Uint8Array, shared?: object): Uint8Array | undefined {
    const forms = this.#formsOf(shared);
    const known = forms?.get(this.group);
    if (known !== undefined && !Array.isArray(known)) return known ?? undefined;
    const result = this.#chosen(data, deflate(data, this.#settings, this.#window?.bytes, true));
    if (known === undefined) forms?.set(this.group, result ?? null);
    return result;
  }

  /** Runs {@link compress} in the thread pool. `done` is called once: later, or immediately if the compressed form is known. */
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

  /** Starts a message in parts, which is always compressed. RFC 7692 §7.2.3.6. */
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

  /** Uncompressed messages do not enter the window. RFC 7692 §7.2.1. */
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

  /** Returns the payload of the next frame. Only the last frame omits the tail. */
  part(data: Uint8Array, isLast: boolean): Buffer {
    const output = deflate(data, this.#settings, this.#window.bytes, isLast);
    this.#window.add(data);
    return output;
  }
}
