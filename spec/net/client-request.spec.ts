import { Agent, type AgentOptions, globalAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { type ConnectOptions, connect, serve } from 'sluice';
import { deferred, recordDial } from '../support/dial-record.js';
import { close, text } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawPeer, type RawServer, rawServer } from '../support/raw-server.js';
import { ca, clientPair, expiredPair, otherHostPair, serverPair } from '../support/tls.js';

guardProcess();
afterEach(closeRawServers);

/** Accepts, and answers the end. */
async function polite(peer: RawPeer): Promise<void> {
  await peer.accept();
  await peer.closeCode();
  peer.send(close(1000));
  peer.socket.end();
}

/** Connects and closes again; gives what the server was asked. */
async function once(server: RawServer, url: string, options: ConnectOptions): Promise<RawPeer> {
  const dial = recordDial(connect(url, options));
  (await dial.opened).close();
  expect(await dial.ending).toEqual({ kind: 'completed' });
  return server.peers.at(-1) as RawPeer;
}

describe('the fields of the request', () => {
  it('are what the options say', async () => {
    const server = await rawServer(polite);
    const { head } = await once(server, server.url, {
      headers: { 'X-One': '1', 'X-Many': ['a', 'b'] },
      origin: 'https://page.example',
      host: 'virtual.example',
    });
    expect(Object.fromEntries(head!.headers)).toMatchObject({
      'x-one': '1',
      'x-many': 'a, b',
      origin: 'https://page.example',
      host: 'virtual.example',
    });
    expect(head?.names.filter((name) => name.toLowerCase() === 'host')).toHaveLength(1);
    expect(head?.names).toEqual(expect.arrayContaining(['X-One', 'X-Many', 'Origin', 'Host']));
  });

  it('may name Host among the headers; the option host counts before it', async () => {
    const server = await rawServer(polite);
    const named = await once(server, server.url, { headers: { hOST: 'named.example' } });
    expect(named.head?.headers.get('host')).toBe('named.example');
    const both = await once(server, server.url, { headers: { hOST: 'named.example' }, host: 'option.example' });
    expect(both.head?.headers.get('host')).toBe('option.example');
  });

  it('leave out the port of the scheme in Host', async () => {
    const server = await rawServer(polite);
    const toServer: LookupFunction = (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    const agent = new Agent();
    // The agent dials the port of the server, whatever the URL says.
    Object.assign(agent, { createConnection: () => connectTcp(server.port, '127.0.0.1') });
    const { head } = await once(server, 'ws://named.example/', { agent, lookup: toServer });
    expect(head?.headers.get('host')).toBe('named.example');
  });

  it('carry the user and password of the URL', async () => {
    const server = await rawServer(polite);
    const url = server.url.replace('//', '//us%C3%A9r:p%40ss@');
    const { head } = await once(server, url, {});
    expect(head?.headers.get('authorization')).toBe(`Basic ${Buffer.from('usér:p@ss').toString('base64')}`);
    expect(head?.headers.get('host')).toBe(`127.0.0.1:${server.port}`);
  });

  it('carry the Authorization of the headers, where there is one, instead', async () => {
    const server = await rawServer(polite);
    const url = server.url.replace('//', '//user:pass@');
    const { head } = await once(server, url, { headers: { authorization: 'Bearer token' } });
    expect(head?.headers.get('authorization')).toBe('Bearer token');
  });

  it('are those of version 8 when it is asked for', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const dial = recordDial(connect(server.url, { protocolVersion: 8, origin: 'http://page.example' }));
    expect((await dial.opened).protocolVersion).toBe(8);
    const { headers } = server.peers[0]!.head!;
    expect(headers.get('sec-websocket-version')).toBe('8');
    expect(headers.get('sec-websocket-origin')).toBe('http://page.example');
    expect(headers.has('origin')).toBe(false);
    dial.subscription.unsubscribe();
  });
});

describe('TLS', () => {
  const secure = (tls: object, script = polite): Promise<RawServer> => rawServer(script, { tls });

  it('is spoken for wss: and https:, and checks the certificate', async () => {
    const server = await secure(serverPair);
    await once(server, server.url, { ca });
    await once(server, server.url.replace('wss:', 'https:'), { ca });
    expect(server.peers).toHaveLength(2);
  });

  it('delivers frames of the same record as the 101', async () => {
    const server = await secure(serverPair, async (peer) => {
      await peer.accept({}, text('at once'), close(1000));
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url, { ca }));
    expect(await dial.ending).toEqual({ kind: 'completed' });
    expect(dial.messages).toEqual(['at once']);
  });

  it.each([
    ['that nobody known signed', serverPair, {}, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/],
    ['for another host', otherHostPair, { ca }, /ERR_TLS_CERT_ALTNAME_INVALID/],
    ['that has expired', expiredPair, { ca }, /CERT_HAS_EXPIRED/],
  ])('refuses a certificate %s, and frees the socket', async (_what, pair, options, code) => {
    const freed = deferred();
    const server = await rawServer(() => {}, { tls: pair, onSocket: (socket) => socket.once('close', freed.resolve) });
    const error = await recordDial(connect(server.url, options)).failure;
    expect(error).toMatchObject({ code: expect.stringMatching(code), uptime: 0 });
    await freed.promise;
  });

  it('takes any certificate with rejectUnauthorized: false', async () => {
    const server = await secure(expiredPair);
    await once(server, server.url, { rejectUnauthorized: false });
  });

  it('asks checkServerIdentity, which may refuse', async () => {
    const server = await secure(otherHostPair);
    const asked: string[] = [];
    const checkServerIdentity = (_host: string, { subject }: PeerCertificate): undefined => {
      asked.push(String(subject.CN));
      return undefined;
    };
    await once(server, server.url, { ca, checkServerIdentity });
    expect(asked).toEqual(['other.example']);
    const refuse = (): Error => new Error('not this one');
    const error = await recordDial(connect(server.url, { ca, checkServerIdentity: refuse })).failure;
    expect(error).toMatchObject({ message: 'not this one', uptime: 0 });
  });

  it('names the host of the URL, or servername, to the server', async () => {
    const names: unknown[] = [];
    const server = await secure(otherHostPair, async (peer) => {
      names.push((peer.socket as TLSSocket & { servername?: unknown }).servername);
      await polite(peer);
    });
    const lookup: LookupFunction = (_name, { all }, done) =>
      all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
    await once(server, `wss://other.example:${server.port}`, { ca, lookup });
    await once(server, server.url, { ca, servername: 'other.example' });
    await once(server, server.url, { ca, checkServerIdentity: () => undefined });
    expect(names).toEqual(['other.example', 'other.example', false]);
  });

  it('shows a certificate of its own', async () => {
    const subjects: unknown[] = [];
    const server = await secure({ ...serverPair, ca, requestCert: true }, async (peer) => {
      subjects.push((peer.socket as TLSSocket).getPeerCertificate().subject?.CN);
      await polite(peer);
    });
    await once(server, server.url, { ca, ...clientPair });
    expect(subjects).toEqual(['sluice test client']);
  });

  it('fails when the server demands a certificate and there is none', async () => {
    const server = await secure({ ...serverPair, ca, requestCert: true, rejectUnauthorized: true }, () =>
      Promise.resolve(),
    );
    expect(await recordDial(connect(server.url, { ca })).failure).toMatchObject({
      code: expect.stringMatching(/ECONNRESET|ERR_SSL/),
      uptime: 0,
    });
  });

  it('fails against a server without TLS', async () => {
    const server = await rawServer((peer) => void peer.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const error = await recordDial(connect(server.url.replace('ws:', 'wss:'))).failure;
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_SSL|^EPROTO/), uptime: 0 });
  });
});

describe('an agent', () => {
  it('makes the socket', async () => {
    const server = await rawServer(polite);
    const made: Socket[] = [];
    class Tunnel extends Agent {
      override createConnection(): Socket {
        const socket = connectTcp(server.port, '127.0.0.1');
        made.push(socket);
        return socket;
      }
    }
    const { head } = await once(server, 'ws://behind-the-proxy.example/path', { agent: new Tunnel() });
    expect(made).toHaveLength(1);
    expect(head?.line).toBe('GET /path HTTP/1.1');
    expect(head?.headers.get('host')).toBe('behind-the-proxy.example');
  });

  const agents: { kind: string; tls?: object; make: (options: AgentOptions) => Agent }[] = [
    { kind: 'of http', make: (options) => new Agent(options) },
    { kind: 'of https', tls: serverPair, make: (options) => new SecureAgent({ ...options, ca }) },
  ];
  it.each(agents)('$kind that keeps sockets alive never gets an upgraded one back', async ({ tls, make }) => {
    const server = await rawServer(polite, tls === undefined ? {} : { tls });
    const agent = make({ keepAlive: true, maxSockets: 1 });
    const dial = recordDial(connect(server.url, { agent }));
    const connection = await dial.opened;
    const held = (): number[] => [agent.sockets, agent.freeSockets].map((each) => Object.values(each).flat().length);
    expect(held()).toEqual([0, 0]);
    // Its one socket is not in use any more: the next dial does not wait for the first.
    await once(server, server.url, { agent });
    connection.close();
    await dial.ending;
    await Promise.all(server.peers.map((peer) => peer.ended));
    expect(held()).toEqual([0, 0]);
    expect(server.peers).toHaveLength(2);
    agent.destroy();
  });

  it('that keeps sockets alive loses the one of a refusal, and dials again', async () => {
    const server = await rawServer(async (peer, index) => {
      if (index > 0) return polite(peer);
      await peer.request();
      peer.socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await recordDial(connect(server.url, { agent })).failure).toMatchObject({ status: 401, body: 'no' });
    await once(server, server.url, { agent });
    expect(Object.values(agent.freeSockets).flat()).toEqual([]);
    agent.destroy();
  });

  it('that has no socket left is left without a word', async () => {
    const server = await rawServer((peer) => peer.ended);
    const agent = new Agent({ maxSockets: 1 });
    const first = recordDial(connect(server.url, { agent, handshakeTimeout: 60_000 }));
    const second = recordDial(connect(server.url, { agent, handshakeTimeout: 20 }));
    expect(await second.failure).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' });
    first.subscription.unsubscribe();
    await Promise.all(server.peers.map((peer) => peer.ended));
    agent.destroy();
  });

  it('of the other protocol fails the dial', async () => {
    const error = await recordDial(connect('wss://127.0.0.1:1', { agent: new Agent() })).failure;
    expect(error).toMatchObject({ code: 'ERR_INVALID_PROTOCOL', uptime: 0 });
  });

  it('is not used unless it is given', async () => {
    const server = await rawServer(polite);
    const before = Object.keys(globalAgent.sockets).length;
    const dial = recordDial(connect(server.url));
    expect(Object.keys(globalAgent.sockets)).toHaveLength(before);
    (await dial.opened).close();
    await dial.ending;
  });
});

describe('the network', () => {
  it('connects from localAddress', async () => {
    const from: unknown[] = [];
    const server = await rawServer((peer) => {
      from.push(peer.socket.remoteAddress);
      return polite(peer);
    });
    // Only Linux has all of 127.0.0.0/8.
    const localAddress = process.platform === 'linux' ? '127.0.0.5' : '127.0.0.1';
    await once(server, server.url, { localAddress });
    expect(from).toEqual([localAddress]);
  });

  it('fails the dial when localAddress is none', async () => {
    expect(await recordDial(connect('ws://127.0.0.1:1', { localAddress: 'here' })).failure).toMatchObject({
      code: 'ERR_INVALID_IP_ADDRESS',
      uptime: 0,
    });
  });

  it.each([4, 6] as const)('asks for addresses of family %d only', async (family) => {
    const asked: unknown[] = [];
    const lookup: LookupFunction = (name, options, done) => {
      asked.push(name, options.family);
      done(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), '', 4);
    };
    await recordDial(connect('ws://some.example', { family, lookup })).failure;
    expect(asked).toEqual(['some.example', family]);
  });

  it('reaches a Unix domain socket', async () => {
    const socketPath = join(tmpdir(), `sluice-${process.pid}-client.sock`);
    const server = await rawServer(polite, { socketPath });
    const dial = recordDial(connect(`ws+unix:${socketPath}:/chat?room=1`));
    const connection = await dial.opened;
    expect(connection.url).toBe(`ws+unix:${socketPath}:/chat?room=1`);
    expect(connection.remoteAddress).toBeUndefined();
    connection.close();
    expect(await dial.ending).toEqual({ kind: 'completed' });
    expect(server.peers[0]?.head?.line).toBe('GET /chat?room=1 HTTP/1.1');
    expect(server.peers[0]?.head?.headers.get('host')).toBe('localhost');
  });

  it.each([
    ['ws+unix', {}],
    ['wss+unix', serverPair],
  ])('reaches a server of sluice on a Unix domain socket by %s:', async (scheme, tls) => {
    const socketPath = join(tmpdir(), `sluice-${process.pid}-${scheme}.sock`);
    const server = serve({ socketPath, ...tls });
    const serving = server.subscribe((connection) => connection.messages$.subscribe(connection.send));
    await new Promise((resolve) => server.listening$.subscribe(resolve));
    const dial = recordDial(connect(`${scheme}:${socketPath}`, { ca }));
    const connection = await dial.opened;
    const echoed = new Promise((resolve) => connection.messages$.subscribe(resolve));
    connection.send.next('over a path');
    expect(await echoed).toBe('over a path');
    connection.close();
    expect(await dial.ending).toEqual({ kind: 'completed' });
    serving.unsubscribe();
  });

  it('fails the dial when there is no such path', async () => {
    const error = await recordDial(connect(`ws+unix:${join(tmpdir(), 'sluice-no-such.sock')}:/`)).failure;
    expect(error).toMatchObject({ code: 'ENOENT', uptime: 0 });
  });
});
