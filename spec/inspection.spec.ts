import { inspect } from 'node:util';
import { firstValueFrom, NEVER, Observable } from 'rxjs';
import { type Codec, type Connection, connect, json, persistent, reject, serve, withCodec } from 'sluice';
import { connectionPair, testConnection, testServer } from 'sluice/testing';
import { inspectSymbol, plainUrl } from '../src/base/inspect.js';
import { until } from './support/until.js';

/** What `console.log` shows of `value`, as a record of what stands behind each name. */
function shown(value: unknown): { readonly name: string; readonly fields: Readonly<Record<string, string>> } {
  const [first, ...lines] = inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: false }).split('\n');
  const fields = lines.flatMap((line) => {
    const found = /^ {2}(\w+): (.*?),?$/.exec(line);
    return found === null ? [] : [[found[1], found[2]]];
  });
  return { name: first!.replace(' {', ''), fields: Object.fromEntries(fields) };
}

describe('a connection prints', () => {
  it('where it stands, what has passed and what waits', () => {
    const { client, server } = connectionPair({ url: '/chat', protocol: 'v1', client: { perMessageDeflate: false } });
    client.send.next('hello');
    server.hold();
    expect(shown(server)).toEqual({
      name: 'Connection',
      fields: {
        url: "'/chat'",
        state: "'OPEN'",
        role: "'server'",
        protocol: "'v1'",
        messagesReceived: '1',
        messagesSent: '0',
        messagesDropped: '0',
        bytesReceived: '11',
        bytesSent: '0',
        inboxBytes: '133',
        bufferedAmount: '0',
        subscribers: '0',
        holds: '1',
        isPaused: 'false',
      },
    });
    expect(shown(client).fields).toMatchObject({ role: "'client'", messagesSent: '1', bytesSent: '11' });
  });

  it('how many subscribe, and whether it is paused', () => {
    const { client, server } = connectionPair({
      server: { highWaterMark: 1024 },
      client: { perMessageDeflate: false },
    });
    client.send.next(new Uint8Array(4096));
    expect(shown(server).fields).toMatchObject({ subscribers: '0', holds: '0', isPaused: 'true' });
    server.messages$.subscribe();
    expect(shown(server).fields).toMatchObject({ subscribers: '1', holds: '0', isPaused: 'false' });
  });

  it('how it has ended', async () => {
    const { client, server } = connectionPair();
    expect(shown(client).fields).not.toHaveProperty('close');
    client.close(4000, 'enough');
    server.ignoreMessages();
    await firstValueFrom(server.close$);
    expect(inspect(server)).toContain("close: { code: 4000, reason: 'enough', wasClean: true, initiator: 'peer' }");
    expect(shown(server).fields).toMatchObject({ state: "'CLOSED'" });
    expect(shown(server).fields).not.toHaveProperty('isPaused');
  });

  it('nothing of how it works', () => {
    const { client } = connectionPair();
    expect(Object.keys(client)).toEqual([]);
    expect(inspect(client)).not.toMatch(/tracker|rank/);
  });

  it('its name alone where it lies deep', () => {
    const { client } = connectionPair();
    expect(inspect({ client }, { depth: 0 })).toBe('{ client: [Connection] }');
    expect(inspect([[[[client]]]])).toBe('[ [ [ [Array] ] ] ]');
  });

  it('itself as it is where it cannot be read', () => {
    const { client } = connectionPair();
    expect(() => inspect(new Proxy(client, {}))).not.toThrow();
    expect(() => inspect(Object.create(Object.getPrototypeOf(client)))).not.toThrow();
  });
});

describe('a connection with a codec prints', () => {
  const nameIn = (codec: Codec<unknown>, conn: Connection = connectionPair().client): string | undefined =>
    shown(withCodec(codec)(conn)).fields.codec;

  it('the connection below, and the codec', () => {
    const { client } = connectionPair({ protocol: 'v1' });
    const below = shown(client);
    expect(shown(withCodec(json())(client))).toEqual({
      name: 'Connection',
      fields: { ...below.fields, codec: "'json'" },
    });
  });

  it('the name of the class of a codec', () => {
    class Doubling {
      decode = Number;
      encode = String;
    }
    expect(nameIn(new Doubling())).toBe("'Doubling'");
    expect(nameIn({ decode: String, encode: String })).toBe("'custom'");
    expect(nameIn(Object.assign(Object.create(null), { decode: String, encode: String }))).toBe("'custom'");
  });

  it('the public members of one that is not of sluice', () => {
    const { client } = connectionPair({ protocol: 'v1' });
    const foreign = new Proxy(client, {
      get: (target, key) => {
        const member: unknown = key === inspectSymbol ? undefined : Reflect.get(target, key, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const { fields } = shown(withCodec(json())(foreign));
    expect(fields).toMatchObject({ state: "'OPEN'", protocol: "'v1'", bufferedAmount: '0', codec: "'json'" });
    expect(fields).not.toHaveProperty('holds');
  });
});

describe('a server prints', () => {
  it('whether it listens, where, and how many it has let in', async () => {
    const server = serve({
      port: 0,
      host: '127.0.0.1',
      authenticate: ({ url }) => (url === '/in' ? 'somebody' : reject(403)),
    });
    expect(shown(server)).toEqual({
      name: 'WebSocketServer',
      fields: {
        state: "'idle'",
        address: 'null',
        connections: '0',
        accepted: '0',
        refused: '{}',
        closed: '{}',
        messagesReceived: '0',
        messagesSent: '0',
        messagesDropped: '0',
        bytesReceived: '0',
        bytesSent: '0',
        inboxBytes: '0',
        bufferedAmount: '0',
      },
    });
    const subscription = server.subscribe();
    expect(shown(server).fields).toMatchObject({ state: "'starting'" });
    const address = await firstValueFrom(server.listening$);
    const { port } = address as { port: number };
    await expect(firstValueFrom(connect(`ws://127.0.0.1:${port}/out`))).rejects.toMatchObject({ status: 403 });
    const client = connect(`ws://127.0.0.1:${port}/in`).subscribe();
    await until(() => server.connections.size === 1);
    expect(shown(server).fields).toMatchObject({ state: "'listening'", connections: '1', accepted: '1' });
    expect(server.stats.refused).toEqual({ 403: 1 });
    expect(inspect(server)).toContain(`address: { address: '127.0.0.1', family: 'IPv4', port: ${port} }`);
    subscription.unsubscribe();
    expect(shown(server).fields).toMatchObject({ state: "'closing'", address: 'null', connections: '1' });
    client.unsubscribe();
    await until(() => server.connections.size === 0);
    expect(shown(server).fields).toMatchObject({ state: "'idle'" });
  });

  it('that requests are passed to it', () => {
    const server = serve({ noServer: true, clientTracking: false });
    const subscription = server.subscribe();
    expect(shown(server).fields).toMatchObject({ state: "'accepting'", address: 'null', connections: '0' });
    subscription.unsubscribe();
  });
});

describe('a persistent client prints', () => {
  const random = (): number => 0.5;

  it('where it dials to, before it does', () => {
    expect(shown(persistent('ws://me:secret@localhost/x?token=1'))).toEqual({
      name: 'PersistentConnection',
      fields: { url: "'ws://localhost/x?...'", state: "'closed'", queuedMessages: '0', queuedBytes: '0' },
    });
    expect(shown(persistent(new URL('ws://localhost/y'))).fields).toMatchObject({ url: "'ws://localhost/y'" });
    expect(shown(persistent({ url: 'ws://localhost/z' })).fields).toMatchObject({ url: "'ws://localhost/z'" });
    expect(shown(persistent(() => 'ws://localhost')).fields).not.toHaveProperty('url');
    expect(shown(persistent(NEVER)).fields).not.toHaveProperty('url');
  });

  it('what waits for a socket, and the connection once there is one', () => {
    const client = persistent<string, string>(
      new Observable((subscriber) =>
        subscriber.next(testConnection<string, string>({ url: 'ws://localhost/q?secret' })),
      ),
    );
    client.send.next('early');
    expect(shown(client).fields).toMatchObject({ state: "'closed'", queuedMessages: '1' });
    const lease = client.open();
    expect(shown(client).fields).toMatchObject({
      url: "'ws://localhost/q?...'",
      state: "'open'",
      connection: expect.stringMatching(/Connection {$/),
      queuedMessages: '0',
      queuedBytes: '0',
    });
    lease.unsubscribe();
  });

  it('how often it has tried, and the last error without what the server has answered', () => {
    const failure = Object.assign(new Error('refused'), { headers: { 'set-cookie': 'secret' } });
    const client = persistent(new Observable<Connection>((subscriber) => subscriber.error(failure)), {
      reconnect: { random, initial: 60_000, shouldRetry: () => true },
    });
    const lease = client.open();
    expect(shown(client).fields).toMatchObject({ state: "'waiting'", attempt: '1', error: expect.any(String) });
    expect(inspect(client)).toMatch(/refused/);
    expect(inspect(client)).not.toMatch(/secret/);
    lease.unsubscribe();
  });
});

describe('a double for tests prints', () => {
  it('what a connection does', () => {
    const conn = testConnection({ url: '/x', protocol: 'v1' });
    conn.send.next('hello');
    expect(shown(conn).fields).toMatchObject({ url: "'/x'", state: "'OPEN'", protocol: "'v1'", messagesSent: '1' });
    conn.terminate();
    expect(shown(conn).fields).toMatchObject({ state: "'CLOSED'", close: '{' });
  });

  it('what a server does', () => {
    const server = testServer(NEVER);
    expect(shown(server)).toEqual({
      name: 'TestServer',
      fields: { state: "'idle'", address: 'null', connections: '0' },
    });
    const subscription = server.subscribe();
    expect(shown(server).fields).toMatchObject({ state: "'listening'" });
    subscription.unsubscribe();
  });
});

describe('a URL is printed', () => {
  it.each([
    ['ws://localhost/x', 'ws://localhost/x'],
    ['ws://me:secret@localhost/x', 'ws://localhost/x'],
    ['WSS://me@localhost', 'WSS://localhost'],
    ['ws://me:p@ss@localhost/@x', 'ws://localhost/@x'],
    ['ws://localhost?a@b', 'ws://localhost?...'],
    ['ws+unix:/run/app.sock:/x?token=1', 'ws+unix:/run/app.sock:/x?...'],
    ['/chat?token=1', '/chat?...'],
    ['/chat', '/chat'],
    ['//me:secret@host/x', '//host/x'],
    ['/chat?', '/chat?...'],
    ['', ''],
  ])('%s as %s', (url, plain) => {
    expect(plainUrl(url)).toBe(plain);
  });
});
