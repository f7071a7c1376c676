import type { AddressInfo } from 'node:net';
import { filter, firstValueFrom, type Observable, Subscription } from 'rxjs';
import { type Connection, openConnection, type WebSocketServer } from 'sluice';

/** What is open over the loopback interface in one test: servers, and clients of them. `end` closes all of it. */
export class Loopback {
  readonly #subscription = new Subscription();
  readonly #clients: Connection[] = [];

  /** Subscribes to `use(server)`, and gives the URL once `server` listens. */
  async serve<Data, In, Out>(
    server: WebSocketServer<Data, In, Out>,
    use: (server: WebSocketServer<Data, In, Out>) => Observable<unknown>,
  ): Promise<string> {
    const listening = firstValueFrom(server.listening$.pipe(filter((address) => address !== null)));
    this.#subscription.add(use(server).subscribe());
    const { port } = (await listening) as AddressInfo;
    return `ws://127.0.0.1:${port}`;
  }

  /** An open client. */
  async connect(...args: Parameters<typeof openConnection>): Promise<Connection> {
    const client = (await openConnection(...args)) as Connection;
    this.#clients.push(client);
    return client;
  }

  /** Ends the clients and the servers, and waits until the clients are gone. */
  async end(): Promise<void> {
    this.#subscription.unsubscribe();
    for (const client of this.#clients) client.terminate();
    await Promise.all(this.#clients.map((client) => firstValueFrom(client.close$)));
  }
}
