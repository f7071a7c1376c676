/** A server of TCP or TLS that speaks in bytes: it reads handshakes and frames as they come, and answers right or wrong. */
import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { type Frame, wire } from './frames.js';
import { Gathered } from './gathered.js';

/** The head of a handshake's request. */
export interface RequestHead {
  /** The request line. */
  readonly line: string;
  /** By lower-case name; values of repeated fields are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** The names of the fields as they came, in their order. */
  readonly names: readonly string[];
}

/** A frame as it came from a client, unmasked. */
export interface ReceivedFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  /** The masking key in network order. */
  readonly key: number;
  readonly payload: Buffer;
}

/** What a 101 may have unlike a right one. */
export interface ResponseFault {
  /** `HTTP/1.1 101 Switching Protocols` when left out. */
  readonly statusLine?: string;
  /** Sec-WebSocket-Accept; `null` leaves it out. The right one when left out. */
  readonly accept?: string | null;
  /** Upgrade; `null` leaves it out. */
  readonly upgrade?: string | null;
  /** Connection; `null` leaves it out. */
  readonly connection?: string | null;
  /** Lines that follow. */
  readonly lines?: readonly string[];
}

/** One connection that a {@link RawServer} accepted. */
export class RawPeer {
  readonly socket: Socket;
  /** Resolves when the other side has sent FIN, or the socket is gone. */
  readonly ended: Promise<void>;
  /** Resolves with the error that ended it, if any, once it is gone. */
  readonly closed: Promise<Error | undefined>;
  head: RequestHead | undefined;
  readonly #received = new Gathered();
  #over = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    let failure: Error | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#wake?.();
    });
    const over = (): void => {
      this.#over = true;
      this.#wake?.();
    };
    this.ended = new Promise((resolve) => {
      socket.once('end', () => resolve());
      socket.once('close', () => resolve());
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve(failure));
    });
    socket.once('end', over);
    socket.once('close', over);
  }

  /** What has come and was not taken. */
  get received(): Buffer {
    return this.#received.bytes;
  }

  /** Reads the next request head. */
  async request(): Promise<RequestHead> {
    const end = await this.#until(() => {
      const at = this.received.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at;
    });
    const [line = '', ...fields] = this.#received
      .take(end + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n');
    const headers = new Map<string, string>();
    const names = fields.map((field) => field.slice(0, field.indexOf(':')));
    for (const [index, field] of fields.entries()) {
      const name = (names[index] as string).toLowerCase();
      const value = field.slice(field.indexOf(':') + 1).trim();
      const earlier = headers.get(name);
      headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
    }
    this.head = { line, headers, names };
    return this.head;
  }

  /** Reads the handshake and agrees to it, with `frames` in the same write. */
  async accept(fault: ResponseFault = {}, ...frames: readonly Frame[]): Promise<RequestHead> {
    const head = await this.request();
    this.socket.write(Buffer.concat([responseOf(head, fault), wire('client', frames)]));
    return head;
  }

  /** Sends frames as a server does, unmasked. */
  send(...frames: readonly Frame[]): void {
    this.socket.write(wire('client', frames));
  }

  /** Reads the next frame. */
  async frame(): Promise<ReceivedFrame> {
    const size = await this.#until(() => {
      const needed = this.#received.length < 2 ? undefined : frameSize(this.#received.first(MAX_HEADER));
      return needed !== undefined && needed <= this.#received.length ? needed : undefined;
    });
    return readFrame(this.#received.take(size));
  }

  /** Reads frames until one has this opcode. */
  async frameOf(opcode: number): Promise<ReceivedFrame> {
    for (;;) {
      const frame = await this.frame();
      if (frame.opcode === opcode) return frame;
    }
  }

  /** Reads a Close frame and gives its code; 1005 when it has none. */
  async closeCode(): Promise<number> {
    const { payload } = await this.frameOf(0x8);
    return payload.length < 2 ? 1005 : payload.readUInt16BE(0);
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#over) throw new Error(`the client left after '${this.received.toString('latin1').slice(0, 200)}'`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** What is done with each connection. An error of it is thrown by {@link closeRawServers}. */
export type Script = (peer: RawPeer, index: number) => void | Promise<void>;

/** How a {@link RawServer} listens: over TLS, or on a Unix domain socket. */
export interface RawServerOptions {
  readonly tls?: TlsOptions;
  readonly socketPath?: string;
  /** Called with each socket of TCP, before TLS. */
  readonly onSocket?: (socket: Socket) => void;
}

/** A server that runs a script on each connection. */
export interface RawServer {
  readonly port: number;
  /** `ws:` or `wss:`, with the address 127.0.0.1. */
  readonly url: string;
  /** The connections so far. */
  readonly peers: readonly RawPeer[];
  /** Those sockets of TCP that are not gone yet, TLS or not. */
  readonly sockets: ReadonlySet<Socket>;
  /** Stops listening and destroys every socket. Throws what a script threw. */
  close(): Promise<void>;
}

/** The most bytes that a header has. */
const MAX_HEADER = 14;

const running = new Set<RawServer>();

/** Listens on 127.0.0.1, or on a path, and runs `script` on each connection. */
export async function rawServer(script: Script, options: RawServerOptions = {}): Promise<RawServer> {
  const { tls, socketPath, onSocket } = options;
  const peers: RawPeer[] = [];
  const sockets = new Set<Socket>();
  const failures: unknown[] = [];
  const begin = (socket: Socket): void => {
    const peer = new RawPeer(socket);
    peers.push(peer);
    Promise.resolve(script(peer, peers.length - 1)).catch((error: unknown) => failures.push(error));
  };
  const server = tls === undefined ? createServer({ allowHalfOpen: true }, begin) : createTlsServer(tls, begin);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    onSocket?.(socket);
  });
  await new Promise<void>((resolve) => {
    if (socketPath === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(socketPath, resolve);
  });
  const port = socketPath === undefined ? (server.address() as AddressInfo).port : 0;
  const raw: RawServer = {
    port,
    url: `${tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${port}`,
    peers,
    sockets,
    close: async () => {
      running.delete(raw);
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      if (failures.length > 0) throw failures[0];
    },
  };
  running.add(raw);
  return raw;
}

/** Closes all servers of {@link rawServer}: for `afterEach`. */
export async function closeRawServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.close()));
}

/** Sec-WebSocket-Accept for a key. RFC 6455 §4.2.2 (5.4). */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The bytes of a 101 that answers `head`. */
export function responseOf(head: RequestHead, fault: ResponseFault = {}): Buffer {
  const { statusLine = 'HTTP/1.1 101 Switching Protocols', upgrade = 'websocket', connection = 'Upgrade' } = fault;
  const { accept = acceptFor(head.headers.get('sec-websocket-key') ?? ''), lines = [] } = fault;
  const fields = [
    ...(upgrade === null ? [] : [`Upgrade: ${upgrade}`]),
    ...(connection === null ? [] : [`Connection: ${connection}`]),
    ...(accept === null ? [] : [`Sec-WebSocket-Accept: ${accept}`]),
    ...lines,
  ];
  return Buffer.from(`${[statusLine, ...fields].join('\r\n')}\r\n\r\n`, 'latin1');
}

/** How long the frame is that begins with `bytes`; undefined while its header is not whole. */
function frameSize(bytes: Buffer): number | undefined {
  const { start, lengthSize, short } = headerOf(bytes);
  if (bytes.length < start) return undefined;
  const length = lengthSize === 0 ? short : bytes.readUIntBE(lengthSize === 8 ? 4 : 2, lengthSize === 8 ? 6 : 2);
  return start + length;
}

function readFrame(bytes: Buffer): ReceivedFrame {
  const { masked, start } = headerOf(bytes);
  const key = masked ? bytes.readUInt32BE(start - 4) : 0;
  const payload = Buffer.from(bytes.subarray(start));
  if (masked) for (let i = 0; i < payload.length; i++) payload[i]! ^= bytes[start - 4 + (i % 4)]!;
  return { fin: bytes[0]! >= 0x80, opcode: bytes[0]! & 0xf, masked, key, payload };
}

function headerOf(bytes: Buffer): { masked: boolean; short: number; lengthSize: number; start: number } {
  const second = bytes[1]!;
  const short = second & 0x7f;
  const masked = second >= 0x80;
  const lengthSize = short === 126 ? 2 : short === 127 ? 8 : 0;
  return { masked, short, lengthSize, start: 2 + lengthSize + (masked ? 4 : 0) };
}
