import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { fromEvent, NEVER, of, Subject } from 'rxjs';
import { type AcceptOptions, accept, type Connection, type ServeOptions, serve, type WebSocketServer } from 'sluice';
import { Admission, admissionLimits, type LimitByOptions } from '../../src/server/admission.js';
import { endAfterEach } from '../support/end-after-each.js';
import { close, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { type HandshakeParts, handshake, RawClient } from '../support/raw-client.js';
import { httpServer, portOf, rawPeers } from '../support/raw-peers.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();
/** What hooks must not return is printed: see fails-closed.spec.ts. */
jest.spyOn(console, 'error').mockImplementation(() => {});

/** What takes in connections, and how many are open. */
interface Place {
  readonly port: number;
  readonly connections: readonly Connection<unknown>[];
  readonly stop: () => void;
}

async function place<D>(server: WebSocketServer<D>, portOf: () => number): Promise<Place> {
  const connections: Connection<unknown>[] = [];
  const { subscription } = await run(server, (connection) => {
    connections.push(connection as Connection<unknown>);
    connection.ignoreMessages();
  });
  atEnd(() => subscription.unsubscribe());
  return { port: portOf(), connections, stop: () => subscription.unsubscribe() };
}

async function own(options: ServeOptions<unknown>): Promise<Place> {
  const server = serve({ port: 0, host: '127.0.0.1', ...options });
  return place(server, () => portOf(server.address()));
}

async function shared(options: ServeOptions<unknown>): Promise<Place> {
  const http = await httpServer(atEnd);
  return place(serve({ server: http, ...options }), () => portOf(http.address()));
}

async function accepting(options: AcceptOptions<unknown>): Promise<Place> {
  const http = await httpServer(atEnd);
  const connections: Connection<unknown>[] = [];
  const subscription = fromEvent(http, 'upgrade')
    .pipe(accept(options))
    .subscribe((connection) => {
      connections.push(connection);
      connection.ignoreMessages();
    });
  atEnd(() => subscription.unsubscribe());
  return { port: portOf(http.address()), connections, stop: () => subscription.unsubscribe() };
}

const places = [
  ['a server of its own', own],
  ['a shared http server', shared],
  ['accept', accepting],
] as const;

const peers = rawPeers(atEnd);
const ask = ({ port }: { port: number }, parts?: HandshakeParts): Promise<RawClient> => peers.ask(port, parts);
const open = ({ port }: Place, parts?: HandshakeParts): Promise<RawClient> => peers.open(port, parts);

/** Status and Retry-After of a refusal, and how the socket ended. */
async function refusal(to: Place, parts: HandshakeParts = {}): Promise<[number, string | undefined, string]> {
  const raw = await ask(to, parts);
  const { status, headers } = await raw.response();
  raw.end();
  return [status, headers.get('retry-after')?.[0], await raw.ended()];
}

/** Opens a connection as soon as there is a place for it. */
async function openSoon(to: Place, parts: HandshakeParts = {}): Promise<void> {
  for (;;) {
    const raw = await ask(to, parts);
    if ((await raw.response()).status === 101) return;
    await raw.close();
  }
}

describe.each(places)('maxConnections on %s', (_, start) => {
  it('refuses one more with 503 and Retry-After, and leaves those that are open alone', async () => {
    const to = await start({ maxConnections: 2 });
    const first = await open(to);
    await open(to);
    expect(await refusal(to)).toEqual([503, '5', 'end']);
    expect(await refusal(to)).toEqual([503, '5', 'end']);
    expect(to.connections).toHaveLength(2);
    first.write(wire('server', [close(1000)]));
    expect((await first.frame()).opcode).toBe(8);
  });

  it('has a place again at once when a connection has closed', async () => {
    const to = await start({ maxConnections: 1 });
    for (let round = 0; round < 20; round++) {
      const raw = await open(to);
      raw.write(wire('server', [close(1000)]));
      expect((await raw.frame()).opcode).toBe(8);
      await raw.ended();
      await raw.close();
    }
    expect(to.connections).toHaveLength(20);
  });

  it('has a place again at once when a connection was reset, or terminated here', async () => {
    const to = await start({ maxConnections: 1 });
    for (let round = 0; round < 20; round++) {
      const raw = await open(to);
      const connection = to.connections.at(-1)!;
      if (round % 2 === 0) {
        raw.reset();
        await until(() => connection.readyState === 3);
      } else {
        connection.terminate();
        await raw.ended();
      }
    }
    expect(to.connections).toHaveLength(20);
  });

  it('counts handshakes that a hook has not decided, and frees them when the client leaves', async () => {
    const answer = new Subject<boolean>();
    const to = await start({ maxConnections: 1, verifyClient: () => answer });
    const raw = await ask(to);
    await until(() => answer.observed);
    expect(await refusal(to)).toEqual([503, '5', 'end']);
    raw.reset();
    await until(() => !answer.observed);
    const next = await ask(to);
    await until(() => answer.observed);
    answer.next(true);
    expect((await next.response()).status).toBe(101);
  });

  it.each<[string, number, AcceptOptions<unknown>, HandshakeParts]>([
    ['its form', 400, {}, { headers: { 'Sec-WebSocket-Key': 'short' } }],
    ['its origin', 403, { origins: 'same-origin' }, { headers: { Origin: 'http://example.com' } }],
    ['a hook', 401, { verifyClient: ({ request }) => request.url !== '/bad' }, { path: '/bad' }],
    [
      'a hook that fails',
      500,
      { headers: (_lines, { url }) => JSON.parse(url === '/bad' ? '' : '0') },
      { path: '/bad' },
    ],
    [
      'its time',
      503,
      { authenticate: ({ url }) => (url === '/bad' ? NEVER : of({})), handshakeTimeout: 100 },
      { path: '/bad' },
    ],
  ])('frees the place of a handshake that was refused for %s', async (__, status, options, parts) => {
    const to = await start({ ...options, maxConnections: 1 });
    for (let round = 0; round < 5; round++) {
      const [found, retryAfter, ending] = await refusal(to, parts);
      expect({ found, retryAfter, ending }).toEqual({ found: status, retryAfter: undefined, ending: 'end' });
    }
    await openSoon(to);
  });
});

describe.each(places)('limitBy on %s', (_, start) => {
  const user = (name: string): HandshakeParts => ({ headers: { 'X-User': name } });
  const byUser: LimitByOptions = { max: 1, key: ({ headers }) => headers['x-user'] as string | undefined };

  it('refuses one more of the same address with 429 and Retry-After', async () => {
    const to = await start({ limitBy: { max: 2 } });
    await open(to);
    await open(to);
    expect(await refusal(to)).toEqual([429, '5', 'end']);
    expect(to.connections).toHaveLength(2);
  });

  it('has a place again at once when a connection of that address has closed', async () => {
    const to = await start({ limitBy: { max: 1 } });
    for (let round = 0; round < 10; round++) {
      const raw = await open(to);
      raw.write(wire('server', [close(1000)]));
      await raw.frame();
      await raw.ended();
      await raw.close();
    }
    expect(to.connections).toHaveLength(10);
  });

  it('counts by a key of the application, and does not count what has none', async () => {
    const to = await start({ limitBy: byUser });
    const ann = await open(to, user('ann'));
    await open(to, user('bob'));
    await open(to);
    await open(to);
    expect(await refusal(to, user('ann'))).toEqual([429, '5', 'end']);
    ann.reset();
    await until(() => to.connections[0]?.readyState === 3);
    await openSoon(to, user('ann'));
  });

  it.each<[string, NonNullable<LimitByOptions['key']>]>([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['gives a number', () => 5 as unknown as string],
    ['gives null', () => null as unknown as string],
    ['gives a Promise', () => Promise.resolve('a') as unknown as string],
  ])('answers with 500 when the key function %s', async (__, key) => {
    const errors: unknown[] = [];
    const note = (message: unknown): number => errors.push((message as { error: unknown }).error);
    subscribe('sluice:server-error', note);
    atEnd(() => unsubscribe('sluice:server-error', note));
    const to = await start({ limitBy: { max: 1, key } });
    const raw = await ask(to);
    const response = await raw.response();
    expect([response.status, await raw.body(response)]).toEqual([500, 'Internal Server Error']);
    expect(errors).toEqual([expect.any(Error)]);
    expect(to.connections).toEqual([]);
  });

  it('goes with maxConnections: the first that is reached refuses', async () => {
    const to = await start({ limitBy: byUser, maxConnections: 2 });
    await open(to, user('ann'));
    expect((await refusal(to, user('ann')))[0]).toBe(429);
    await open(to, user('bob'));
    expect((await refusal(to, user('eve')))[0]).toBe(503);
  });
});

describe.each(places)('limitBy of the result of authenticate on %s', (_, start) => {
  const as = (name: string): HandshakeParts => ({ headers: { 'X-User': name } });
  const authenticate = async ({ headers }: IncomingMessage): Promise<{ name: string }> => ({
    name: String(headers['x-user']),
  });
  const nameOf = (data: unknown): string | undefined => {
    const { name } = data as { name: string };
    return name === 'guest' ? undefined : name;
  };

  it('refuses one more of the same user with 429 and Retry-After, and counts nobody without a key', async () => {
    const to = await start({ authenticate, limitBy: { max: 2, dataKey: nameOf } });
    await open(to, as('ann'));
    await open(to, as('ann'));
    await open(to, as('bob'));
    for (let count = 0; count < 3; count++) await open(to, as('guest'));
    expect(await refusal(to, as('ann'))).toEqual([429, '5', 'end']);
    expect(to.connections).toHaveLength(6);
  });

  it('has a place again at once when a connection has ended, and when a later hook has refused', async () => {
    const to = await start({
      authenticate,
      limitBy: { max: 1, dataKey: nameOf },
      headers: (_lines, { url }) => JSON.parse(url === '/bad' ? '' : '0'),
    });
    for (let round = 0; round < 10; round++) {
      expect((await refusal(to, { ...as('ann'), path: '/bad' }))[0]).toBe(500);
      await openSoon(to, as('ann'));
      to.connections.at(-1)!.terminate();
    }
  });

  it('goes with limits that cost less: of all, of an address, of the request', async () => {
    const to = await start({
      authenticate,
      maxConnections: 4,
      limitBy: [
        { max: 3 },
        { max: 2, key: ({ url }) => (url === '/few' ? url : undefined) },
        { max: 1, dataKey: nameOf },
      ],
    });
    await open(to, { ...as('ann'), path: '/few' });
    await open(to, { ...as('guest'), path: '/few' });
    expect((await refusal(to, { ...as('bob'), path: '/few' }))[0]).toBe(429);
    expect((await refusal(to, as('ann')))[0]).toBe(429);
    await open(to, as('bob'));
    expect((await refusal(to, as('guest')))[0]).toBe(429);
    expect(to.connections).toHaveLength(3);
  });

  it('does not ask authenticate where a limit before it refuses', async () => {
    let asked = 0;
    const to = await start({
      authenticate: (request) => {
        asked++;
        return authenticate(request);
      },
      limitBy: [{ max: 1 }, { max: 1, dataKey: nameOf }],
    });
    await open(to, as('ann'));
    expect((await refusal(to, as('bob')))[0]).toBe(429);
    expect(asked).toBe(1);
  });
});

describe('what counts', () => {
  it('is told apart for each subscription of accept', async () => {
    const http = await httpServer(atEnd);
    const to = { port: portOf(http.address()), connections: [], stop: () => {} };
    const operator = accept({ maxConnections: 1 });
    for (let round = 0; round < 3; round++) {
      const subscription = fromEvent(http, 'upgrade').pipe(operator).subscribe();
      await open(to);
      subscription.unsubscribe();
    }
  });

  it('goes on when a server stops and listens anew, until the old connections are gone', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ server: http, maxConnections: 1 });
    const to = { port: portOf(http.address()), connections: [], stop: () => {} };
    const first = server.subscribe();
    const raw = await open(to);
    first.unsubscribe();
    const second = server.subscribe();
    atEnd(() => second.unsubscribe());
    expect((await refusal(to))[0]).toBe(503);
    await raw.close();
    await openSoon(to);
  });

  it('is freed when a server stops while hooks decide', async () => {
    const answer = new Subject<boolean>();
    const http = await httpServer(atEnd);
    const server = serve({ server: http, maxConnections: 1, verifyClient: () => answer });
    const to = { port: portOf(http.address()), connections: [], stop: () => {} };
    for (let round = 0; round < 3; round++) {
      const subscription = server.subscribe();
      const raw = await ask(to);
      await until(() => answer.observed);
      subscription.unsubscribe();
      expect((await raw.response()).status).toBe(503);
      raw.end();
      await raw.ended();
      await raw.close();
      await until(() => !answer.observed);
    }
  });

  it('is the same for handleUpgrade of a server that listens by itself', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ port: 0, host: '127.0.0.1', maxConnections: 2 });
    http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    const to = await place(server, () => portOf(server.address()));
    const other = { ...to, port: portOf(http.address()) };
    await open(to);
    await open(other);
    expect([(await refusal(to))[0], (await refusal(other))[0]]).toEqual([503, 503]);
  });
});

describe('churn at the limit', () => {
  it.each<[string, typeof own, ServeOptions, number]>([
    ['own', own, { maxConnections: 5 }, 503],
    ['own', own, { limitBy: { max: 5 } }, 429],
    ['shared', shared, { maxConnections: 5 }, 503],
    ['shared', shared, { limitBy: { max: 5 } }, 429],
  ])('refuses a thousand on a server of kind %s, and loses no place by it', async (_, start, options, status) => {
    const to = await start(options);
    const kept = await Promise.all(Array.from({ length: 5 }, () => open(to)));
    const found = new Map<number, number>();
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const raw = await RawClient.connect(to.port);
          raw.write(handshake());
          const response = await raw.response();
          found.set(response.status, (found.get(response.status) ?? 0) + 1);
          await raw.close();
        }),
      );
    }
    expect(found).toEqual(new Map([[status, 1_000]]));
    expect(to.connections).toHaveLength(5);
    for (const raw of kept) raw.reset();
    await until(() => to.connections.every((connection) => connection.readyState === 3));
    for (let count = 0; count < 5; count++) await openSoon(to);
    expect((await refusal(to))[0]).toBe(status);
  });
});

describe('an admission', () => {
  it('takes nothing of limits before, when a later one is reached', () => {
    const admission = new Admission(admissionLimits(2, [{ max: 2, prefix6: 48 }, { max: 1 }]));
    const [a, b, c] = ['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:1::1'] as const;
    expect(typeof admission.admitAddress(a)).toBe('function');
    for (let count = 0; count < 3; count++) expect(admission.admitAddress(a)).toMatchObject({ status: 429 });
    expect(typeof admission.admitAddress(b)).toBe('function');
    expect(admission.admitAddress(c)).toMatchObject({ status: 503 });
  });

  it('gives each place back once, however often that is asked for', () => {
    const admission = new Admission(admissionLimits(1, { max: 1 }));
    const leave = admission.admitAddress('192.0.2.1') as () => void;
    leave();
    expect(typeof admission.admitAddress('192.0.2.1')).toBe('function');
    leave();
    expect(admission.admitAddress('192.0.2.1')).toMatchObject({ status: 503 });
  });

  const limitsOf = (limitBy: LimitByOptions): Admission => new Admission(admissionLimits(undefined, limitBy));

  it('counts an address of IPv4 and the same in IPv6 as one', () => {
    const admission = limitsOf({ max: 1 });
    expect(typeof admission.admitAddress('::ffff:192.0.2.1')).toBe('function');
    expect(admission.admitAddress('192.0.2.1')).toMatchObject({ status: 429 });
    expect(typeof admission.admitAddress('192.0.2.2')).toBe('function');
  });

  it('counts a network of IPv6 as one, of the size that was said', () => {
    const [a, b] = ['2001:db8::1', '2001:db8::2'] as const;
    const networks = limitsOf({ max: 1 });
    networks.admitAddress(a);
    expect(networks.admitAddress(b)).toMatchObject({ status: 429 });
    const addresses = limitsOf({ max: 1, prefix6: 128 });
    addresses.admitAddress(a);
    expect(typeof addresses.admitAddress(b)).toBe('function');
  });

  it('does not count who has no address', () => {
    const admission = limitsOf({ max: 1 });
    for (let count = 0; count < 3; count++) expect(typeof admission.admitAddress(undefined)).toBe('function');
  });

  it('takes no place in all for one that has none under its key', () => {
    const admission = new Admission(admissionLimits(3, { max: 1 }));
    const leave = admission.admitAddress('192.0.2.1') as () => void;
    for (let count = 0; count < 5; count++) expect(admission.admitAddress('192.0.2.1')).toMatchObject({ status: 429 });
    expect(typeof admission.admitAddress('192.0.2.2')).toBe('function');
    expect(typeof admission.admitAddress('192.0.2.3')).toBe('function');
    expect(admission.admitAddress('192.0.2.4')).toMatchObject({ status: 503 });
    leave();
    leave();
    expect(typeof admission.admitAddress('192.0.2.1')).toBe('function');
    expect(admission.admitAddress('192.0.2.5')).toMatchObject({ status: 503 });
  });
});
