import type { AddressInfo } from 'node:net';
import { firstValueFrom, type Subscription } from 'rxjs';
import type { Connection, WebSocketServer } from 'sluice';

/** A server that listens on a TCP port. */
export interface RunningServer<Data, In> {
  readonly port: number;
  readonly subscription: Subscription;
  /** Every connection that it emitted, in order. */
  readonly connections: readonly Connection<Data, In>[];
}

/**
 * Subscribes to a server with a `next` callback only, as most applications do, and waits until it listens.
 *
 * @param next gets each connection.
 */
export async function run<Data, In>(
  server: WebSocketServer<Data, In>,
  next: (connection: Connection<Data, In>) => void = () => {},
): Promise<RunningServer<Data, In>> {
  const connections: Connection<Data, In>[] = [];
  const listening = firstValueFrom(server.listening$);
  const subscription = server.subscribe((connection) => {
    connections.push(connection);
    next(connection);
  });
  const { port } = (await listening) as AddressInfo;
  return { port, subscription, connections };
}

/** Sends every message back. */
export function echo<In>(connection: Connection<unknown, In>): void {
  connection.messages$.subscribe((message) => connection.trySend(message as string));
}
