/** What the application does wrong is printed: once for each kind and server, with what came of it. */
import { firstValueFrom, NEVER, of, throwError } from 'rxjs';
import {
  type Connection,
  handleConnections,
  json,
  type Mistake,
  openConnection,
  redirectMistakes,
  type ServeOptions,
  serve,
  type WebSocketServer,
  withCodec,
} from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

let mistakes: Mistake[] = [];
beforeEach(() => {
  mistakes = [];
  redirectMistakes((mistake) => mistakes.push(mistake));
  atEnd(() => redirectMistakes(undefined));
});

const messages = (): string[] => mistakes.map(({ message }) => message);

async function start(
  options: ServeOptions<unknown>,
  use?: (server: WebSocketServer<unknown>) => void,
): Promise<{ port: number; connections: readonly Connection<unknown, unknown>[] }> {
  const server = serve({ port: 0, host: '127.0.0.1', ...options } as ServeOptions<unknown>);
  const { port, connections, subscription } = await run(server);
  use?.(server as WebSocketServer<unknown>);
  atEnd(() => subscription.unsubscribe());
  return { port, connections };
}

async function status(port: number, fields: Readonly<Record<string, string>> = {}): Promise<number> {
  const raw = await RawClient.connect(port);
  atEnd(() => raw.close());
  raw.write(handshake({ headers: { Origin: 'http://127.0.0.1', 'Sec-WebSocket-Protocol': 'a', ...fields } }));
  return (await raw.response()).status;
}

function boom(): never {
  throw new Error('boom');
}

describe('a hook that fails', () => {
  it.each<[string, ServeOptions<unknown>]>([
    ['verifyClient', { verifyClient: boom }],
    ['verifyClient', { verifyClient: async () => boom() }],
    ['authenticate', { authenticate: boom }],
    ['authenticate', { authenticate: () => throwError(() => new Error('boom')) }],
    ['limitBy.dataKey', { authenticate: () => 1, limitBy: { max: 1, dataKey: boom } }],
    ['limitBy.key', { limitBy: { max: 1, key: boom } }],
    ['handleProtocols', { handleProtocols: boom }],
    ['headers', { headers: boom }],
    ['origins', { origins: boom }],
  ])('is printed with its stack: %s', async (hook, options) => {
    const { port } = await start(options);
    expect([await status(port), await status(port)]).toEqual([500, 500]);
    expect(mistakes).toEqual([
      { kind: 'hook', message: `${hook} failed, and the handshake was refused with 500`, cause: expect.any(Error) },
    ]);
    expect((mistakes[0] as Mistake & { cause: Error }).cause.stack).toContain('mistakes.spec.ts');
  });

  it('is printed again where it fails for another reason, and by another server', async () => {
    let count = 0;
    const options: ServeOptions<unknown> = {
      verifyClient: () => {
        if (count++ % 2 === 0) throw new Error('even');
        throw new Error('odd');
      },
    };
    for (const { port } of [await start(options), await start(options)]) {
      for (let i = 0; i < 4; i++) await status(port);
    }
    expect(mistakes.map(({ cause }) => (cause as Error).message)).toEqual(['even', 'odd', 'even', 'odd']);
  });

  it('is not printed for a rejection that it throws', async () => {
    const { port } = await start({ verifyClient: () => false, handleProtocols: boom });
    expect([await status(port), messages()]).toEqual([401, []]);
  });

  it('says that a path or a predicate did not take the request', async () => {
    const { port } = await start({ path: boom });
    expect([await status(port), messages()]).toEqual([404, ['path failed, and the request was not taken']]);
  });

  it('says what is different from ws', async () => {
    type WsInfo = { req: { headers: object } };
    const verifyClient = (info: unknown): boolean => (info as WsInfo).req.headers !== undefined;
    const handleProtocols = (protocols: unknown): string => ((protocols as Set<string>).has('a') ? 'a' : 'b');
    await status((await start({ verifyClient })).port);
    await status((await start({ handleProtocols })).port);
    expect(messages()).toEqual([
      expect.stringMatching(/^verifyClient failed, .*; what ws calls info\.req is info\.request here$/),
      expect.stringMatching(/^handleProtocols failed, .*; it is given an array of subprotocols, where ws gives a Set$/),
    ]);
  });

  it('says that a hook emits no value', async () => {
    const { port } = await start({ verifyClient: () => of<boolean[]>() as never });
    expect([await status(port), messages()]).toEqual([
      500,
      [
        'verifyClient returned an Observable without a value: refused with 500; let it emit a value before it completes',
      ],
    ]);
  });

  it('says which hook never answers', async () => {
    const { port } = await start({ verifyClient: () => true, authenticate: () => NEVER, handshakeTimeout: 40 });
    expect([await status(port), messages()]).toEqual([
      503,
      ['authenticate had not answered when handshakeTimeout (40 ms) was over, and the handshake was refused with 503'],
    ]);
  });
});

describe('a page that origins refuses', () => {
  it("is printed for the first one, where nothing was chosen: 'auto'", async () => {
    const { port } = await start({});
    const Origin = 'https://shop.example';
    expect([await status(port, { Origin }), await status(port, { Origin: 'https://b.example' })]).toEqual([403, 403]);
    expect(mistakes).toEqual([
      { kind: 'origin', message: expect.stringContaining(`list it: origins: ["https://shop.example"].`) },
    ]);
  });

  it('is not printed where it is refused as the application says', async () => {
    const { port } = await start({ origins: ['https://a.example'] });
    expect([await status(port, { Origin: 'https://b.example' }), mistakes]).toEqual([403, []]);
  });
});

describe('a value that cannot be sent', () => {
  it('is printed for the application, and none of it goes to the peer', async () => {
    const { port, connections } = await start({ origins: '*' });
    for (let i = 0; i < 2; i++) {
      const conn = await openConnection(`ws://127.0.0.1:${port}/`);
      await until(() => connections.length === i + 1);
      const server = connections[i] as Connection<unknown, unknown, unknown>;
      server.send.next({ secret: 1 });
      conn.ignoreMessages();
      expect(await firstValueFrom(conn.close$)).toMatchObject({ code: 1011, reason: 'a message could not be sent' });
      expect(await firstValueFrom(server.close$)).toMatchObject({
        error: expect.objectContaining({ message: expect.stringContaining('an object') }),
      });
    }
    expect(messages()).toEqual([
      expect.stringMatching(/^cannot send an object.*; the connection was closed with 1011$/),
    ]);
  });

  it('is printed for a codec too', async () => {
    const { port, connections } = await start({});
    const conn = await openConnection(`ws://127.0.0.1:${port}/`);
    await until(() => connections.length === 1);
    const typed = withCodec(json())(connections[0] as Connection);
    typed.send.next(1n as never);
    conn.ignoreMessages();
    expect(await firstValueFrom(conn.close$)).toMatchObject({ code: 1011, reason: '' });
    expect(messages()).toEqual([
      expect.stringMatching(/^cannot encode a value to send: .*; the connection was closed/),
    ]);
  });
});

describe('a handler of handleConnections', () => {
  /** What is printed when two clients have come to a server with this handler, and how the second ended. */
  async function told(handler: (conn: Connection<unknown>) => unknown): Promise<unknown> {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const running = await run(server);
    running.subscription.add(server.pipe(handleConnections(handler as never)).subscribe());
    atEnd(() => running.subscription.unsubscribe());
    const ends: (number | undefined)[] = [];
    for (const text of ['first', 'second']) {
      const conn = await openConnection(`ws://127.0.0.1:${running.port}/`);
      conn.ignoreMessages();
      conn.send.next(text);
      ends.push((await firstValueFrom(conn.close$)).code);
    }
    return { ends, kinds: mistakes.map(({ kind }) => kind) };
  }

  it('is printed where it fails', async () => {
    expect(await told(boom)).toEqual({ ends: [1011, 1011], kinds: ['handler'] });
    expect(mistakes[0]).toMatchObject({
      message: 'a handler of a connection failed, and the connection was closed with 1011',
      cause: { message: 'boom' },
    });
  });

  it.each<[string, (conn: Connection<unknown>) => unknown]>([
    ['undefined', (conn) => void conn.messages$.subscribe()],
    ['a Subscription', (conn) => conn.messages$.subscribe()],
    ['an object', () => ({})],
  ])('is told what to return where it returns %s', async (found, handler) => {
    expect(await told(handler)).toEqual({ ends: [1011, 1011], kinds: ['handler'] });
    expect(String(mistakes[0]?.cause)).toContain(
      `must return an Observable, a Promise or an iterable, got ${found}; it lasts`,
    );
  });

  it('is told what an async function that subscribes and returns does', async () => {
    const handler = async (conn: Connection<unknown>): Promise<void> => void conn.messages$.subscribe();
    expect(await told(handler)).toEqual({ ends: [1000, 1000], kinds: ['handler'] });
    expect(messages()).toEqual([expect.stringMatching(/^an async handler was done while it still subscribed/)]);
  });

  it('may be async, and wait for its connection', async () => {
    const handler = async (conn: Connection<unknown>): Promise<void> => {
      for await (const _ of conn) break;
    };
    expect(await told(handler)).toEqual({ ends: [1000, 1000], kinds: [] });
  });

  it('may be async with typed messages', async () => {
    const handler = async (conn: Connection<unknown>): Promise<void> => {
      const typed = withCodec({ decode: String, encode: String })(conn as Connection);
      typed.messages$.subscribe();
    };
    expect(await told(handler)).toEqual({ ends: [1000, 1000], kinds: ['handler'] });
  });
});

describe('an upgrade that is passed on twice', () => {
  it('is printed', async () => {
    const noServer = serve({ noServer: true, verifyClient: () => NEVER });
    const subscription = noServer.subscribe();
    atEnd(() => subscription.unsubscribe());
    const { port: shared } = await start({ verifyClient: ({ request }) => twice(noServer, request) });
    await RawClient.connect(shared).then((raw) => {
      atEnd(() => raw.close());
      raw.write(handshake({ headers: {} }));
    });
    await until(() => mistakes.length > 0);
    expect(mistakes).toEqual([
      {
        kind: 'upgrade',
        message: 'an upgrade was passed on twice',
        cause: expect.objectContaining({ code: 'ALREADY_UPGRADED' }),
      },
    ]);
  });
});

type Request = Parameters<WebSocketServer['handleUpgrade']>[0];

function twice(server: WebSocketServer<undefined>, request: Request): Promise<boolean> {
  server.handleUpgrade(request, request.socket, Buffer.alloc(0));
  server.handleUpgrade(request, request.socket, Buffer.alloc(0));
  return new Promise(() => {});
}
