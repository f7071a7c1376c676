import { asyncScheduler } from 'rxjs';
import { type ConnectOptions, type ConnectTarget, connect } from 'sluice';
import { deflateSettings } from '../../src/channel/deflate-options.js';
import { connectSettings } from '../../src/client/connect-options.js';

const url = 'ws://localhost:8080';

type Wrong = [what: string, options: Record<string, unknown>, type: new () => Error, message: RegExp];

const wrong: Wrong[] = [
  ['an unknown name', { heartbeet: false }, TypeError, /unknown option "?heartbeet"?, allowed are /],
  ['a name of the server', { path: '/chat' }, TypeError, /unknown option "?path"?/],
  ['CR and LF in a header', { headers: { 'X-A': 'a\r\nB: c' } }, TypeError, /X-A is .*, allowed is /],
  ['CR and LF in one of several values', { headers: { 'X-A': ['a', 'b\n'] } }, TypeError, /X-A is /],
  ['a header name that is no token', { headers: { 'X A': 'a' } }, TypeError, /header name is .*, allowed is a token/],
  ['a header name with CR and LF', { headers: { 'X\r\nA': 'a' } }, TypeError, /header name is /],
  ['a header that is a number', { headers: { 'X-A': 1 } }, TypeError, /X-A is /],
  ['a header of the handshake', { headers: { 'sec-websocket-key': 'a' } }, TypeError, /cannot be set/],
  ['Connection', { headers: { connection: 'close' } }, TypeError, /cannot be set/],
  ['Content-Length', { headers: { 'Content-Length': '5' } }, TypeError, /cannot be set/],
  ['headers in a Map', { headers: new Map([['X-A', 'a']]) }, TypeError, /headers are .*, allowed is an object/],
  ['headers in a list', { headers: ['X-A', 'a'] }, TypeError, /headers are /],
  ['headers in a string', { headers: 'X-A: a' }, TypeError, /headers are /],
  ['headers that are null', { headers: null }, TypeError, /headers are /],
  ['CR and LF in origin', { origin: 'http://a\r\nB: c' }, TypeError, /origin is /],
  ['an origin that is a URL', { origin: new URL('http://a.example') }, TypeError, /origin is /],
  ['two origins', { origin: 'http://a', headers: { Origin: 'http://b' } }, TypeError, /Origin/],
  ['CR and LF in host', { host: 'a\r\nB: c' }, TypeError, /Host is /],
  ['a protocolVersion', { protocolVersion: 7 }, TypeError, /protocolVersion is 7, allowed are 8, 13/],
  ['followRedirects', { followRedirects: 5 }, TypeError, /followRedirects is .*, allowed are true and false/],
  ['maxRedirects of 0', { maxRedirects: 0 }, RangeError, /maxRedirects is 0, allowed are integers from 1 to 100/],
  ['verifyResponse', { verifyResponse: true }, TypeError, /verifyResponse is .*, allowed is a function/],
  ['a signal', { signal: {} }, TypeError, /signal is .*, allowed is an AbortSignal/],
  ['an agent', { agent: {} }, TypeError, /agent is .*, allowed is an Agent/],
  ['no agent', { agent: false }, TypeError, /agent is false, allowed is an Agent/],
  ['a localAddress', { localAddress: 1 }, TypeError, /localAddress is 1, allowed is an address/],
  ['a family', { family: 5 }, TypeError, /family is 5, allowed are 0, 4, 6/],
  ['a lookup', { lookup: 'dns' }, TypeError, /lookup is .*, allowed is a function/],
  ['rejectUnauthorized in words', { rejectUnauthorized: 'false' }, TypeError, /rejectUnauthorized is /],
  ['checkServerIdentity', { checkServerIdentity: false }, TypeError, /checkServerIdentity is /],
  ['handshakeTimeout of 0', { handshakeTimeout: 0 }, RangeError, /handshakeTimeout is 0, allowed are /],
  ['handshakeTimeout in words', { handshakeTimeout: '10s' }, TypeError, /handshakeTimeout is /],
  ['maxPayload without end', { maxPayload: Number.POSITIVE_INFINITY }, RangeError, /maxPayload is Infinity/],
  ['a scheduler', { scheduler: {} }, TypeError, /scheduler is .*, allowed is a scheduler/],
];

describe('options of connect', () => {
  it.each(wrong)('throws at the call for %s', (_what, options, type, message) => {
    const given = options as ConnectOptions;
    const calls = [
      () => connect(url, given),
      () => connect(url, [], given),
      () => connect({ url, ...given }),
      () => connect(() => url, given),
    ];
    for (const call of calls) {
      expect(call).toThrow(type);
      expect(call).toThrow(message);
    }
  });

  it.each([
    ['a name with a space', 'a b'],
    ['CR and LF', 'a\r\nB: c'],
    ['an empty name', ''],
    ['one name twice', ['a', 'b', 'a']],
    ['two names in one', ['a, b']],
  ])('throws a SyntaxError at the call for a subprotocol with %s', (_what, protocols) => {
    expect(() => connect(url, protocols)).toThrow(SyntaxError);
    expect(() => connect({ url, protocols })).toThrow(SyntaxError);
    expect(() => connect(() => url, protocols)).toThrow(SyntaxError);
  });

  it('throws at the call for subprotocols that are no list of strings', () => {
    expect(() => connect(url, [1] as unknown as string[])).toThrow(TypeError);
    expect(() => connect(url, { maxPayload: 1 } as unknown as string[], {})).toThrow(/protocols is /);
    expect(() => connect(url, null as unknown as string[])).toThrow(TypeError);
  });

  it('throws at the call for options that are no object', () => {
    expect(() => connect(url, [], null as unknown as ConnectOptions)).toThrow(TypeError);
    expect(() => connect(url, [], 5 as unknown as ConnectOptions)).toThrow(/options are 5, allowed is an object/);
  });

  it.each([
    ['another scheme', 'ftp://localhost', /scheme is .*, allowed are /],
    ['a fragment', 'ws://localhost/#top', /fragment/],
    ['no scheme', 'localhost:8080/path', /scheme|URL/],
    ['a space in the host', 'ws://local host', /URL is /],
    ['CR and LF', 'ws://localhost/\r\nX: a', /control character/],
    ['port 0', 'ws://localhost:0', /port is 0/],
    ['a URL of the wrong scheme', new URL('file:///tmp'), /scheme is /],
  ])('throws a SyntaxError at the call for a URL with %s', (_what, target, message) => {
    expect(() => connect(target)).toThrow(SyntaxError);
    expect(() => connect(target)).toThrow(message);
    expect(() => connect({ url: target })).toThrow(message);
  });

  it.each([[undefined], [null], [42], [{}], [['ws://localhost']], [Promise.resolve(url)]])(
    'throws a TypeError at the call for the target %p',
    (target) => {
      expect(() => connect(target as unknown as ConnectTarget)).toThrow(TypeError);
      expect(() => connect(target as unknown as ConnectTarget)).toThrow(/target is .*, allowed are /);
    },
  );

  it('takes an option that is undefined for none', () => {
    expect(() => connect(url, { headers: undefined, agent: undefined, nonsense: undefined } as object)).not.toThrow();
  });
});

describe('the settings of one dial', () => {
  it('have the defaults of a client', () => {
    const { target, network, ...settings } = connectSettings(url, undefined, {});
    expect(target.href).toBe('ws://localhost:8080/');
    expect(network).toEqual({});
    expect(settings).toEqual({
      autoPong: true,
      binaryType: 'nodebuffer',
      closeTimeout: 10_000,
      deflate: deflateSettings(true),
      handshakeTimeout: 10_000,
      headers: {},
      heartbeat: { interval: 30_000, timeout: 30_000, stalledTimeout: 120_000 },
      highWaterMark: 65_536,
      maxBufferedAmount: 16_777_216,
      maxFragments: 4096,
      maxPayload: 16_777_216,
      maxRedirects: 0,
      messageTimeout: 60_000,
      origin: undefined,
      overflow: 'terminate',
      pausedTimeout: undefined,
      protocols: [],
      random: Math.random,
      scheduler: asyncScheduler,
      signal: undefined,
      skipUTF8Validation: false,
      verifyResponse: undefined,
      version: 13,
    });
  });

  it('follow 10 redirects when any', () => {
    expect(connectSettings(url, undefined, { followRedirects: true }).maxRedirects).toBe(10);
    expect(connectSettings(url, undefined, { followRedirects: true, maxRedirects: 3 }).maxRedirects).toBe(3);
    expect(connectSettings(url, undefined, { maxRedirects: 3 }).maxRedirects).toBe(0);
  });

  it('hand on what Node is told, and only that', () => {
    const { network } = connectSettings(url, undefined, { family: 4, ca: 'pem', headers: { a: 'b' }, maxPayload: 5 });
    expect(network).toEqual({ family: 4, ca: 'pem' });
  });

  it('keep their own list of subprotocols', () => {
    const protocols = ['a'];
    const settings = connectSettings(url, protocols, {});
    protocols.push('b');
    expect(settings.protocols).toEqual(['a']);
  });
});
