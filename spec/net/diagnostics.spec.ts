import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { firstValueFrom } from 'rxjs';
import { type Connection, type ServeOptions, serve, type WebSocketServer } from 'sluice';
import { report } from '../../src/base/report.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import type { RawClient } from '../support/raw-client.js';
import { rawPeers } from '../support/raw-peers.js';
import { run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();
const peers = rawPeers(atEnd);

/** What is published on `sluice:<name>` from now on. */
function listenTo(name: string): Record<string, unknown>[] {
  const messages: Record<string, unknown>[] = [];
  const onMessage = (message: unknown): void => {
    messages.push(message as Record<string, unknown>);
  };
  subscribe(`sluice:${name}`, onMessage);
  atEnd(() => unsubscribe(`sluice:${name}`, onMessage));
  return messages;
}

interface Started {
  readonly server: WebSocketServer<unknown>;
  readonly raw: RawClient;
  readonly status: number;
  readonly connections: readonly Connection<unknown>[];
}

async function ask(options: ServeOptions<unknown> = {}): Promise<Started> {
  const server = serve({ port: 0, host: '127.0.0.1', ...options });
  const { port, subscription, connections } = await run(server);
  atEnd(() => subscription.unsubscribe());
  const raw = await peers.ask(port);
  const { status } = await raw.response();
  return { server, raw, status, connections };
}

describe('the diagnostics channels', () => {
  it('tell of each connection that opens', async () => {
    const messages = listenTo('open');
    const { connections } = await ask();
    expect(messages).toHaveLength(1);
    expect(messages[0]?.connection).toBe(connections[0]);
  });

  it('tell of each connection that closes, and how', async () => {
    const messages = listenTo('close');
    const { raw, connections } = await ask();
    raw.reset();
    const info = await firstValueFrom(connections[0]!.close$);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.connection).toBe(connections[0]);
    expect(messages[0]?.info).toEqual(info);
  });

  it('tell of each handshake that is refused', async () => {
    const messages = listenTo('refuse');
    const { status } = await ask({ verifyClient: () => false });
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ status, body: 'Unauthorized', request: { url: '/' } });
  });

  it.each<[string, ServeOptions<unknown>]>([
    [
      'verifyClient',
      {
        verifyClient: () => {
          throw new Error('mine');
        },
      },
    ],
    ['authenticate', { authenticate: () => Promise.reject(new Error('mine')) }],
    [
      'headers',
      {
        headers: () => {
          throw new Error('mine');
        },
      },
    ],
    [
      'origins',
      {
        origins: () => {
          throw new Error('mine');
        },
      },
    ],
    [
      'path',
      {
        path: () => {
          throw new Error('mine');
        },
      },
    ],
  ])('tell of the error of a hook: %s', async (_, options) => {
    const messages = listenTo('server-error');
    await ask(options);
    expect(messages.map(({ error }) => (error as Error).message)).toEqual(['mine']);
  });

  it('tell of what could not be sent', async () => {
    const messages = listenTo('connection-error');
    const { raw, connections } = await ask();
    connections[0]!.send.next({} as unknown as string);
    expect((await raw.frame()).payload.readUInt16BE()).toBe(1011);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ connection: connections[0], error: { name: 'UsageError' } });
  });

  it('cost nothing, and tell nothing, while nobody listens', () => {
    const untouched = new Proxy({}, { get: () => expect('it').toBe('untouched') });
    report('open', untouched);
    expect(listenTo('open')).toEqual([]);
  });
});
