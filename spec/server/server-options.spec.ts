import { createServer, type IncomingMessage } from 'node:http';
import { type AcceptOptions, accept, type PathOption, type ServeOptions, serve } from 'sluice';
import { matchesPath } from '../../src/server/server-options.js';

const server = createServer();

describe('where a server listens', () => {
  it.each<[string, ServeOptions]>([
    ['none', {}],
    ['none', { noServer: false }],
    ['port and server', { port: 0, server }],
    ['port and noServer', { port: 0, noServer: true }],
    ['port and socketPath', { port: 0, socketPath: '/run/s' }],
    ['socketPath and server', { socketPath: '/run/s', server }],
    ['server and noServer', { server, noServer: true }],
  ])('is said exactly once: got %s', (found, options) => {
    expect(() => serve(options)).toThrow(TypeError);
    expect(() => serve(options)).toThrow(found);
  });

  it.each<[string, number | ServeOptions]>([
    ['a port alone', 8080],
    ['a port', { port: 65_535, host: 'localhost', backlog: 1 }],
    ['a Unix socket', { socketPath: '/run/s' }],
    ['a server', { server }],
    ['no server', { noServer: true }],
    ['a port beside a noServer that is false', { port: 0, noServer: false }],
  ])('may be %s, and nothing happens before it is subscribed to', (_, options) => {
    expect(serve(options).address()).toBeNull();
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});

/** The options that `serve` and `accept` share, with values that are not allowed. */
const shared: [string, unknown, typeof RangeError | typeof TypeError][] = [
  ['maxConnections', 0, RangeError],
  ['maxConnections', -1, RangeError],
  ['maxConnections', 1.5, RangeError],
  ['maxConnections', Number.POSITIVE_INFINITY, RangeError],
  ['maxConnections', '100', TypeError],
  ['maxConnections', null, TypeError],
  ['limitBy', 20, TypeError],
  ['limitBy', null, TypeError],
  ['limitBy', {}, TypeError],
  ['limitBy', { max: 0 }, RangeError],
  ['limitBy', { max: '20' }, TypeError],
  ['limitBy', { max: 20, key: 'x-real-ip' }, TypeError],
  ['limitBy', { max: 20, prefix6: 0 }, RangeError],
  ['limitBy', { max: 20, prefix6: 129 }, RangeError],
  ['limitBy', { max: 20, prefix6: '64' }, TypeError],
  ['limitBy', { max: 20, prefix6: 64, key: () => 'a' }, TypeError],
  ['limitBy', { max: 20, perMs: 1_000 }, TypeError],
  ['limitBy', [], TypeError],
  ['limitBy', [{ max: 20 }, 5], TypeError],
  ['limitBy', [{ max: 20 }, { max: 0 }], RangeError],
  ['limitBy', { max: 20, dataKey: 'id' }, TypeError],
  ['limitBy', { max: 20, key: () => 'a', dataKey: () => 'a' }, TypeError],
  ['limitBy', { max: 20, prefix6: 64, dataKey: () => 'a' }, TypeError],
  ['limitBy', { max: 20, dataKey: () => 'a' }, TypeError],
  ['verifyClient', true, TypeError],
  ['authenticate', {}, TypeError],
  ['handleProtocols', ['chat'], TypeError],
  ['headers', { a: 'b' }, TypeError],
  ['headers', null, TypeError],
  ['origins', 'none', TypeError],
  ['origins', null, TypeError],
  ['origins', ['example.com'], TypeError],
  ['origins', ['https://*.example.com'], TypeError],
  ['origins', ['https://example.com/path'], TypeError],
  ['maxPayload', 0, RangeError],
  ['maxPayload', -1, RangeError],
  ['maxPayload', Number.NaN, RangeError],
  ['maxPayload', Number.POSITIVE_INFINITY, RangeError],
  ['maxPayload', '1mb', TypeError],
  ['maxFragments', 0, RangeError],
  ['highWaterMark', 1.5, RangeError],
  ['maxBufferedAmount', '16', TypeError],
  ['overflow', 'drop', TypeError],
  ['handshakeTimeout', 0, RangeError],
  ['handshakeTimeout', 2 ** 31, RangeError],
  ['handshakeTimeout', '10', TypeError],
  ['closeTimeout', -1, RangeError],
  ['messageTimeout', Number.POSITIVE_INFINITY, RangeError],
  ['heartbeat', true, TypeError],
  ['heartbeat', { interval: 0 }, RangeError],
  ['pausedTimeout', 0, RangeError],
  ['autoPong', 1, TypeError],
  ['binaryType', 'buffer', TypeError],
  ['skipUTF8Validation', 'yes', TypeError],
  ['scheduler', {}, TypeError],
];

/** Those that only `serve` has. */
const own: typeof shared = [
  ['port', 65_536, RangeError],
  ['port', -1, RangeError],
  ['port', 80.5, RangeError],
  ['port', '8080', TypeError],
  ['port', null, TypeError],
  ['host', 5, TypeError],
  ['host', '', TypeError],
  ['backlog', 0, RangeError],
  ['backlog', '511', TypeError],
  ['path', 5, TypeError],
  ['path', 'chat', TypeError],
  ['path', '/chat?room=1', TypeError],
  ['path', '/chat#room', TypeError],
  ['path', null, TypeError],
  ['clientTracking', 1, TypeError],
  ['noServer', 'yes', TypeError],
  ['signal', {}, TypeError],
  ['signal', null, TypeError],
];

describe('an option that is not allowed', () => {
  it.each([...shared, ...own])('throws at the call of serve, and names itself: %s %p', (name, value, type) => {
    const options = { port: 0, [name]: value } as ServeOptions;
    expect(() => serve(options)).toThrow(type);
    expect(() => serve(options)).toThrow(name);
  });

  it.each(shared)('throws at the call of accept, and names itself: %s %p', (name, value, type) => {
    const options = { [name]: value } as AcceptOptions;
    expect(() => accept(options)).toThrow(type);
    expect(() => accept(options)).toThrow(name);
  });

  it('says what limitBy.dataKey needs, and how several limits are given', () => {
    expect(() => accept({ limitBy: { max: 1, dataKey: () => 'a' } })).toThrow(
      'limitBy.dataKey requires authenticate: it is called with what authenticate returned',
    );
    expect(() => accept({ limitBy: { max: 1, prefix6: 64, key: () => 'a' } })).toThrow(
      'limitBy.key cannot be combined with limitBy.prefix6: give limitBy a list for several limits',
    );
    expect(() => accept({ limitBy: [] })).toThrow('limitBy must have at least one limit, got an empty list');
  });

  it.each([
    ['socketPath', 5],
    ['socketPath', ''],
    ['server', {}],
    ['server', null],
    ['server', 'http'],
  ])('throws for %s: %p', (name, value) => {
    expect(() => serve({ [name]: value } as ServeOptions)).toThrow(TypeError);
    expect(() => serve({ [name]: value } as ServeOptions)).toThrow(name);
  });

  it.each<[string, string, ServeOptions]>([
    ['key', 'server', { server, key: 'k' }],
    ['cert', 'noServer', { noServer: true, cert: 'c' }],
    ['host', 'server', { server, host: 'localhost' }],
    ['backlog', 'noServer', { noServer: true, backlog: 5 }],
    ['host', 'socketPath', { socketPath: '/run/s', host: 'localhost' }],
  ])('throws for %s beside %s, where it would have no effect', (name, place, options) => {
    expect(() => serve(options)).toThrow(TypeError);
    expect(() => serve(options)).toThrow(new RegExp(`${name} cannot be combined with .*${place}`));
  });

  it.each(['maxpayload', 'tls', 'toString', 'perMessageDeflat'])('throws for an unknown name: %s', (name) => {
    expect(() => serve({ port: 0, [name]: 1 } as ServeOptions)).toThrow(`"${name}"`);
    expect(() => accept({ [name]: 1 } as AcceptOptions)).toThrow(`"${name}"`);
  });

  it.each(['port', 'path', 'server', 'key', 'clientTracking'])('throws for %s on accept', (name) => {
    expect(() => accept({ [name]: 1 } as AcceptOptions)).toThrow(`"${name}"`);
  });

  it.each([null, undefined, '8080', true, () => 1])('throws for %p in place of options', (options) => {
    expect(() => serve(options as unknown as ServeOptions)).toThrow(TypeError);
  });

  it.each([65_536, -1, 0.5, Number.NaN])('throws for the port %p alone', (port) => {
    expect(() => serve(port)).toThrow(RangeError);
  });
});

/** Whether `path` takes a request for `url`. */
function takes(path: PathOption | undefined, url: string): unknown {
  return matchesPath(path, url, () => ({ url }) as IncomingMessage);
}

describe('a path', () => {
  it.each([
    ['/ws', '/ws'],
    ['/ws', '/ws?x=1'],
    ['/ws', '/ws?'],
    ['/', '/?/ws'],
    ['/%77s', '/%77s'],
    [/^\/room\/\d+$/, '/room/7?x'],
    [/room/g, '/room'],
    ['/ws', 'http://example.com:80/ws?x'],
    ['/ws', 'HTTPS://example.com/ws'],
    [undefined, '/anything'],
    [undefined, '*'],
  ])('%p takes %s', (path, url) => {
    expect(takes(path, url)).toBe(true);
    expect(takes(path, url)).toBe(true);
  });

  it.each([
    ['/ws', '/ws/'],
    ['/ws', '//ws'],
    ['/ws', '/WS'],
    ['/ws', '/%77s'],
    ['/ws', '/ws%00'],
    ['/ws', '/ws#a'],
    ['/ws', '/a/../ws'],
    ['/ws', 'http://a/other'],
    ['/ws', 'http://a/b/ws'],
    ['/ws', ''],
    ['/ws', '/?/ws'],
    [/^\/room\/\d+$/, '/room/x?/room/7'],
  ])('%p does not take %s', (path, url) => {
    expect(takes(path, url)).toBe(false);
  });

  it('may be a predicate of the path without its query, and of the request', () => {
    const asked: unknown[] = [];
    const predicate = (path: string, of: IncomingMessage): boolean => asked.push([path, of.url]) > 0;
    expect(takes(predicate, '/a?b')).toBe(true);
    expect(asked).toEqual([['/a', '/a?b']]);
  });

  it('asks for the request only to show it to a predicate', () => {
    const request = jest.fn();
    for (const path of ['/a', /a/, undefined]) expect(matchesPath(path, '/a', request)).toBe(true);
    expect(request).not.toHaveBeenCalled();
  });
});
