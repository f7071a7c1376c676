/** A peer of a server that knows no WebSocket: it writes what it is told, and keeps what comes. */
import { connect as connectTcp, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Gathered } from './gathered.js';
import { ca } from './tls.js';

/** An HTTP response as it came. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** By lower-case name the values, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** A frame of a server, header taken apart. */
export interface RawFrame {
  /** The first byte: FIN, RSV1 to RSV3, opcode. */
  readonly first: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** How the transport ended: by the peer's FIN, or by its reset. */
export type Ending = 'end' | 'reset';

/** The key of RFC 6455 §1.3, and what a server must make of it. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** What an opening handshake may have unlike an ordinary one. */
export interface HandshakeParts {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  /** In place of the ordinary fields of these names; `undefined` leaves one out, an array sends it several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The bytes of an opening handshake, as latin1. RFC 6455 §4.1. */
export function handshake({ method = 'GET', path = '/', version = '1.1', headers = {} }: HandshakeParts = {}): string {
  const fields = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...headers,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((item) => `${name}: ${item}\r\n`),
  );
  return `${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`;
}

/** Where to connect to: a TCP port of this machine, or the path of a Unix socket. */
export type Place = number | { readonly path: string };

/** One connection, over TCP, a Unix socket or TLS. */
export class RawClient {
  readonly socket: Socket;
  /** How it ended; `undefined` while it has not. */
  ending: Ending | undefined;
  readonly #received = new Gathered();
  #isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#wake();
    });
    socket.on('end', () => this.#ended('end'));
    socket.on('error', () => this.#ended('reset'));
    socket.on('close', () => {
      this.#isClosed = true;
      this.#ended('reset');
    });
  }

  /** Connects. Half-open is allowed: the peer's FIN does not end our side. */
  static async connect(place: Place): Promise<RawClient> {
    const to: NetConnectOpts = typeof place === 'number' ? { port: place, host: '127.0.0.1' } : { path: place.path };
    return RawClient.#opened(connectTcp({ ...to, allowHalfOpen: true }), 'connect');
  }

  /** Connects over TLS. */
  static async connectTls(place: Place, options: ConnectionOptions = {}): Promise<RawClient> {
    const to = typeof place === 'number' ? { port: place, host: '127.0.0.1' } : { path: place.path };
    return RawClient.#opened(connectTls({ ca, servername: 'localhost', ...to, ...options }), 'secureConnect');
  }

  /** Puts TLS on a TCP connection. */
  static async secure(socket: Socket): Promise<RawClient> {
    return RawClient.#opened(connectTls({ ca, servername: 'localhost', socket }), 'secureConnect');
  }

  static #opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once(event, () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** What came and was not taken yet. */
  get received(): Buffer {
    return this.#received.bytes;
  }

  /** Writes; a string as latin1. Harmless after the end. */
  write(data: string | Uint8Array): void {
    if (!this.socket.writable) return;
    if (typeof data === 'string') this.socket.write(data, 'latin1');
    else this.socket.write(data);
  }

  /** Writes, and resolves once the bytes have left, so that the next ones are a packet of their own. */
  send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** The head of a response. @throws when the connection ends before it. */
  async response(): Promise<RawResponse> {
    await this.#until(() => this.received.includes('\r\n\r\n'), 'a response');
    const end = this.received.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = this.#received
      .take(end + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n');
    const [, status, reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
    if (status === undefined) throw new Error(`found ${JSON.stringify(statusLine)}, expected a status line`);
    return { status: Number(status), reason, headers: fieldsOf(lines) };
  }

  /** As many bytes as Content-Length of `response` says. */
  async body(response: RawResponse): Promise<string> {
    const size = Number(response.headers.get('content-length')?.[0] ?? 0);
    return (await this.bytes(size)).toString();
  }

  /** The next `size` bytes. */
  async bytes(size: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= size, `${size} bytes`);
    return this.#received.take(size);
  }

  /** The next frame. */
  async frame(): Promise<RawFrame> {
    const [first, second] = (await this.bytes(2)) as unknown as [number, number];
    const short = second & 0x7f;
    const length =
      short < 126
        ? short
        : short === 126
          ? (await this.bytes(2)).readUInt16BE()
          : Number((await this.bytes(8)).readBigUInt64BE());
    return { first, opcode: first & 0xf, masked: (second & 0x80) !== 0, payload: await this.bytes(length) };
  }

  /** Waits until the peer has sent FIN or a reset. */
  async ended(): Promise<Ending> {
    await this.#until(() => this.ending !== undefined, 'the end');
    return this.ending!;
  }

  /** Ends our side. */
  end(): void {
    this.socket.end();
  }

  /** Resets the connection. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Ends at once; resolves when it is gone. */
  async close(): Promise<void> {
    this.socket.destroy();
    await this.#until(() => this.#isClosed, 'the close');
  }

  #ended(how: Ending): void {
    this.ending ??= how;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    while (!isThere()) {
      if (this.#isClosed || (this.ending !== undefined && what !== 'the close')) {
        throw new Error(`the connection ended (${this.ending}) before ${what}, after ${this.received.toString('hex')}`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

function fieldsOf(lines: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    fields.set(name.toLowerCase(), [...(fields.get(name.toLowerCase()) ?? []), value]);
  }
  return fields;
}
