import type { AddressInfo } from 'node:net';
import { concat, firstValueFrom, of, ReplaySubject, take, tap, toArray } from 'rxjs';
import {
  type Connection,
  connect,
  type HandshakeError,
  handleConnections,
  openConnection,
  sendTo,
  serve,
} from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('the gateway', () => {
  const onEnd = endAfterEach();

  interface Service {
    readonly url: string;
    readonly connections$: ReplaySubject<Connection>;
    readonly stop: () => void;
  }

  /** A service that sends its name, and echoes. */
  async function startService(name: string): Promise<Service> {
    const connections$ = new ReplaySubject<Connection>();
    const server = serve({ port: 0, host: '127.0.0.1' });
    const running = server
      .pipe(
        tap((conn) => connections$.next(conn)),
        handleConnections((conn) => concat(of(name), conn.messages$).pipe(sendTo(conn))),
      )
      .subscribe();
    onEnd(() => running.unsubscribe());
    const { port } = (await firstValueFrom(server.listening$)) as AddressInfo;
    return { url: `ws://127.0.0.1:${port}`, connections$, stop: () => running.unsubscribe() };
  }

  async function start(): Promise<{ gateway: Example; chat: Service; orders: Service; url: string }> {
    const [chat, orders] = await Promise.all([startService('chat'), startService('orders')]);
    const gateway = new Example('gateway/main', { env: { CHAT: chat.url, ORDERS: orders.url } });
    onEnd(() => gateway.kill());
    return { gateway, chat, orders, url: await gateway.url() };
  }

  const credentials = (key: string): { Authorization: string } => ({
    Authorization: `Basic ${Buffer.from(`:${key}`).toString('base64')}`,
  });

  async function open(url: string, key: string, headers = {}): Promise<Connection> {
    const conn = await openConnection(url, { headers: { ...headers, ...credentials(key) } });
    onEnd(() => conn.terminate());
    return conn;
  }

  async function statusOf(url: string, headers = {}): Promise<number | undefined> {
    const thrown = await firstValueFrom(connect(url, { headers })).catch((error: unknown) => error);
    return (thrown as HandshakeError).status;
  }

  it('passes each path on to its service, with the identity that it has found out itself', async () => {
    const { gateway, chat, orders, url } = await start();
    const client = await open(`${url}/chat`, 'key-of-ann', { 'X-Tenant': 'initech', 'X-User': 'root' });
    client.send.next('through');
    expect(await firstValueFrom(client.messages$.pipe(take(2), toArray()))).toEqual(['chat', 'through']);
    const behind = await firstValueFrom(chat.connections$);
    const { 'x-user': user, 'x-tenant': tenant, authorization } = behind.request?.headers ?? {};
    expect({ user, tenant, authorization }).toEqual({ user: 'ann', tenant: 'acme', authorization: undefined });
    const other = await open(`${url}/orders`, 'key-of-eve');
    expect(await firstValueFrom(other.messages$)).toBe('orders');
    expect((await firstValueFrom(orders.connections$)).request?.headers['x-tenant']).toBe('initech');
    expect(gateway.errors).toBe('');
  });

  it('refuses what has no key, what no service takes, and more connections of a tenant than its plan has', async () => {
    const { gateway, url } = await start();
    const [ann] = [await open(`${url}/chat`, 'key-of-ann'), await open(`${url}/orders`, 'key-of-bob')];
    expect({
      none: await statusOf(`${url}/chat`),
      wrong: await statusOf(`${url}/chat`, credentials('guessed')),
      nowhere: await statusOf(`${url}/admin`, credentials('key-of-ann')),
      third: await statusOf(`${url}/chat`, credentials('key-of-bob')),
    }).toEqual({ none: 401, wrong: 401, nowhere: 404, third: 429 });
    // Another tenant is not affected, and a place is free when its connection is gone.
    await open(`${url}/chat`, 'key-of-eve');
    ann?.close();
    await firstValueFrom((ann as Connection).close$);
    let freed: Connection | undefined;
    while (freed === undefined) freed = await open(`${url}/chat`, 'key-of-bob').catch(() => undefined);
    expect({ open: freed.readyState, errors: gateway.errors }).toEqual({ open: 1, errors: '' });
  });

  it('slows a client down that sends more than its plan has, and loses nothing', async () => {
    const { gateway, url } = await start();
    const client = await open(`${url}/chat`, 'key-of-ann');
    const sent = Array.from({ length: 25 }, (_, index) => `${index}`);
    for (const message of sent) client.send.next(message);
    const heard = await firstValueFrom(client.messages$.pipe(take(26), toArray()));
    expect(heard).toEqual(['chat', ...sent]);
    expect(gateway.errors).toBe('');
  });

  it('prints nothing when a client or a service is lost, and closes with 1014', async () => {
    const { gateway, chat, url } = await start();
    const leaving = await open(`${url}/chat`, 'key-of-ann');
    await firstValueFrom(leaving.messages$);
    const behind = await firstValueFrom(chat.connections$);
    leaving.terminate();
    expect(await firstValueFrom(behind.close$)).toMatchObject({ code: 1014 });
    const staying = await open(`${url}/orders`, 'key-of-eve');
    await firstValueFrom(staying.messages$);
    const waiting = await open(`${url}/chat`, 'key-of-eve');
    await firstValueFrom(waiting.messages$);
    const [, second] = await firstValueFrom(chat.connections$.pipe(take(2), toArray()));
    second?.terminate();
    expect(await firstValueFrom(waiting.close$)).toMatchObject({ code: 1014, reason: '', wasClean: true });
    chat.stop();
    const late = await open(`${url}/chat`, 'key-of-eve');
    expect(await firstValueFrom(late.close$)).toMatchObject({
      code: 1014,
      reason: 'the upstream cannot be reached',
      wasClean: true,
    });
    expect({ staying: staying.readyState, errors: gateway.errors }).toEqual({ staying: 1, errors: '' });
  });

  it('says goodbye to both sides on SIGTERM, and ends', async () => {
    const { gateway, chat, url } = await start();
    const client = await open(`${url}/chat`, 'key-of-ann');
    await firstValueFrom(client.messages$);
    const behind = await firstValueFrom(chat.connections$);
    gateway.signal('SIGTERM');
    expect(await firstValueFrom(client.close$)).toMatchObject({ code: 1001, reason: 'restart', wasClean: true });
    expect(await firstValueFrom(behind.close$)).toMatchObject({ code: 1001, wasClean: true });
    expect(await gateway.ended()).toBe(0);
    expect({ lines: gateway.lines.slice(1), errors: gateway.errors }).toEqual({
      lines: ['all clients are gone'],
      errors: '',
    });
  });

  it('is in front of the service of the example', async () => {
    const service = new Example('gateway/service', { args: ['orders'] });
    onEnd(() => service.kill());
    const orders = await service.url();
    expect(await statusOf(orders)).toBe(401);
    const gateway = new Example('gateway/main', { env: { ORDERS: orders } });
    onEnd(() => gateway.kill());
    const client = await open(`${await gateway.url()}/orders`, 'key-of-bob');
    expect(await firstValueFrom(client.messages$)).toBe('orders: hello bob of acme');
    expect({ gateway: gateway.errors, service: service.errors }).toEqual({ gateway: '', service: '' });
  });
});
