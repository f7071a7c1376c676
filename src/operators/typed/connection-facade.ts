import type { Observable, Subscription } from 'rxjs';
import type { CloseInfo, Connection, ConnectionStats, ReadyState, Supports } from '../../connection/connection.js';

// biome-ignore lint/suspicious/noExplicitAny: the type of messages does not matter here
type Behind<Data> = Connection<Data, any, any>;

/** All members of a connection except its messages, delegated to an underlying connection. */
export class ConnectionFacade<Data> {
  readonly #behind: Behind<Data>;

  constructor(behind: Behind<Data>) {
    this.#behind = behind;
  }

  get pings$(): Observable<Uint8Array> {
    return this.#behind.pings$;
  }

  get pongs$(): Observable<Uint8Array> {
    return this.#behind.pongs$;
  }

  get close$(): Observable<CloseInfo> {
    return this.#behind.close$;
  }

  hold(): Subscription {
    return this.#behind.hold();
  }

  pause(): void {
    this.#behind.pause();
  }

  resume(): void {
    this.#behind.resume();
  }

  ping(data?: string | ArrayBufferView | ArrayBuffer): Observable<number> {
    return this.#behind.ping(data);
  }

  pong(data?: string | ArrayBufferView | ArrayBuffer): void {
    this.#behind.pong(data);
  }

  close(code?: number, reason?: string): void {
    this.#behind.close(code, reason);
  }

  terminate(): void {
    this.#behind.terminate();
  }

  flush(): Observable<void> {
    return this.#behind.flush();
  }

  ignoreMessages(): Subscription {
    return this.#behind.ignoreMessages();
  }

  get data(): Data {
    return this.#behind.data;
  }

  get request(): Connection['request'] {
    return this.#behind.request;
  }

  get response(): Connection['response'] {
    return this.#behind.response;
  }

  get url(): string {
    return this.#behind.url;
  }

  get protocol(): string {
    return this.#behind.protocol;
  }

  get extensions(): Connection['extensions'] {
    return this.#behind.extensions;
  }

  get protocolVersion(): number {
    return this.#behind.protocolVersion;
  }

  get supports(): Supports {
    return this.#behind.supports;
  }

  get remoteAddress(): string | undefined {
    return this.#behind.remoteAddress;
  }

  get readyState(): ReadyState {
    return this.#behind.readyState;
  }

  get bufferedAmount(): number {
    return this.#behind.bufferedAmount;
  }

  get bytesReceived(): number {
    return this.#behind.bytesReceived;
  }

  get bytesSent(): number {
    return this.#behind.bytesSent;
  }

  get latency(): number | undefined {
    return this.#behind.latency;
  }

  get stats(): ConnectionStats {
    return this.#behind.stats;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#behind[Symbol.asyncDispose]();
  }
}
