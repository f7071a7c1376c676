import { Subscription } from 'rxjs';
import type { WebSocket } from 'ws';
import type { Peer } from '../driver.js';

/** A peer of the library `ws`. */
export class WsPeer implements Peer {
  readonly received: unknown[] = [];
  readonly pongs: string[] = [];
  closed: Peer['closed'];
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => this.received.push(isBinary ? data : data.toString()));
    socket.on('pong', (data) => this.pongs.push(data.toString()));
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    // A reset is no fault of the subject.
    socket.on('error', () => {});
  }

  send(...messages: readonly unknown[]): void {
    for (const message of messages) this.#socket.send(message as string);
  }

  ping(data: string): void {
    this.#socket.ping(data);
  }

  pong(data: string): void {
    this.#socket.pong(data);
  }

  answerPings(): void {}

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  lose(): void {
    this.#socket.terminate();
  }

  stall(): Subscription {
    this.#socket.pause();
    return new Subscription(() => this.#socket.resume());
  }
}
