/** Peers that are not sluice: other libraries, and bytes. One face for all, so that one suite can talk to each. */
import type { WebSocket as UndiciWebSocket } from 'undici';
import type { WebSocket } from 'ws';
import { binary, close, continuation, type Frame, ping, pong, text, wire } from './frames.js';

/** How a connection ended, as a peer saw it. */
export interface ForeignEnd {
  readonly code: number;
  readonly reason: string;
}

/** One end of a connection that is not ours. */
export interface Foreign {
  send(data: string | Buffer): void;
  /** Sends one message in as many frames, with a ping behind each but the last. */
  sendParts?(parts: readonly (string | Buffer)[]): void;
  /** Sends a ping, and resolves with the payload of the next pong. */
  ping?(payload: string): Promise<string>;
  close(code?: number, reason?: string): void;
  /** The next message. */
  next(): Promise<string | Buffer>;
  readonly ended: Promise<ForeignEnd>;
}

/** Values that are waited for, in order. */
export class Arrivals<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  put(value: T): void {
    const wake = this.#waiting.shift();
    if (wake === undefined) this.#values.push(value);
    else wake(value);
  }

  next(): Promise<T> {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift() as T);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** An end of the library `ws`, client or server. */
export function foreignWs(socket: WebSocket): Foreign {
  const messages = new Arrivals<string | Buffer>();
  const pongs = new Arrivals<string>();
  socket.on('message', (data: Buffer, isBinary) => messages.put(isBinary ? data : data.toString()));
  socket.on('pong', (data) => pongs.put(data.toString()));
  return {
    send: (data) => socket.send(data),
    sendParts: (parts) => {
      const binary = typeof parts[0] !== 'string';
      for (const [index, part] of parts.entries()) {
        const fin = index === parts.length - 1;
        socket.send(part, { binary, fin });
        if (!fin) socket.ping(`${index}`);
      }
    },
    ping: (payload) => {
      socket.ping(payload);
      return pongs.next();
    },
    close: (code, reason) => socket.close(code, reason),
    next: () => messages.next(),
    ended: new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: `${reason}` }))),
  };
}

/** The WebSocket of undici, which is that of browsers: it can neither ping nor send in parts. */
export function foreignUndici(socket: UndiciWebSocket): Foreign {
  const messages = new Arrivals<string | Buffer>();
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => {
    messages.put(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer));
  });
  return {
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
    next: () => messages.next(),
    ended: new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    }),
  };
}

/** What {@link foreignBytes} reads and writes: a raw client or server. */
export interface ByteEnd {
  frame(): Promise<{ readonly first: number; readonly payload: Buffer }>;
  write(bytes: Buffer): void;
  end(): void;
  /** The role of the end that is ours. */
  readonly to: 'server' | 'client';
}

/** Frames written by hand over a socket, with the least that RFC 6455 demands of a peer. */
export function foreignBytes({ frame, write, end, to }: ByteEnd): Foreign {
  const messages = new Arrivals<string | Buffer>();
  const pongs = new Arrivals<string>();
  let closing = false;
  const send = (...frames: Frame[]): void => write(wire(to, frames));
  const run = async (): Promise<ForeignEnd> => {
    let parts: Buffer[] = [];
    let opcode = 0;
    for (;;) {
      const { first, payload } = await frame();
      const kind = first & 0xf;
      if (kind === 0x8) {
        if (!closing) send(close(payload.length < 2 ? 1000 : payload.readUInt16BE(0)));
        end();
        return payload.length < 2
          ? { code: 1005, reason: '' }
          : { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
      }
      if (kind === 0x9) send(pong(payload));
      if (kind === 0xa) pongs.put(payload.toString());
      if (kind >= 0x8) continue;
      opcode ||= kind;
      parts.push(payload);
      if ((first & 0x80) === 0) continue;
      const whole = Buffer.concat(parts);
      messages.put(opcode === 0x1 ? whole.toString() : whole);
      parts = [];
      opcode = 0;
    }
  };
  return {
    send: (data) => send(typeof data === 'string' ? text(data) : binary(data)),
    sendParts: (parts) => {
      for (const [index, part] of parts.entries()) {
        const fin = index === parts.length - 1;
        const begin = typeof part === 'string' ? text : binary;
        send((index === 0 ? begin : continuation)(part, { fin }), ...(fin ? [] : [ping(`${index}`)]));
      }
    },
    ping: (payload) => {
      send(ping(payload));
      return pongs.next();
    },
    close: (code, reason) => {
      closing = true;
      send(code === undefined ? { ...close(1000), payload: Buffer.alloc(0) } : close(code, reason));
    },
    next: () => messages.next(),
    ended: run(),
  };
}
