import { asyncScheduler } from 'rxjs';
import { type ConnectOptions, type ConnectTarget, connect } from 'sluice';
import { deflateSettings } from '../../src/channel/deflate-options.js';
import { connectSettings } from '../../src/client/connect-options.js';

const url = 'ws://localhost:8080';

type Wrong = [what: string, options: Record<string, unknown>, type: new () => Error, message: RegExp];

const wrong: Wrong[] = [
  [
    'an unknown name',
    { heartbeet: false },
    TypeError,
    /unknown option "heartbeet": did you mean "heartbeat"\? expected one of /,
  ],
  ['a name of the server', { path: '/chat' }, TypeError, /unknown option "?path"?/],
  ['CR and LF in a header', { headers: { 'X-A': 'a\r\nB: c' } }, TypeError, /X-A must be text .*, got .*/],
  ['CR and LF in one of several values', { headers: { 'X-A': ['a', 'b\n'] } }, TypeError, /X-A must be /],
  ['a header name that is no token', { headers: { 'X A': 'a' } }, TypeError, /header name must be a token .*, got .*/],
  ['a header name with CR and LF', { headers: { 'X\r\nA': 'a' } }, TypeError, /header name must be /],
  ['a header that is a number', { headers: { 'X-A': 1 } }, TypeError, /X-A must be /],
  ['a header of the handshake', { headers: { 'sec-websocket-key': 'a' } }, TypeError, /cannot be set/],
  ['Connection', { headers: { connection: 'close' } }, TypeError, /cannot be set/],
  ['Content-Length', { headers: { 'Content-Length': '5' } }, TypeError, /cannot be set/],
  ['headers in a Map', { headers: new Map([['X-A', 'a']]) }, TypeError, /headers must be an object/],
  ['headers in a list', { headers: ['X-A', 'a'] }, TypeError, /headers must be /],
  ['headers in a string', { headers: 'X-A: a' }, TypeError, /headers must be /],
  ['headers that are null', { headers: null }, TypeError, /headers must be /],
  ['CR and LF in origin', { origin: 'http://a\r\nB: c' }, TypeError, /origin must be /],
  ['an origin that is a URL', { origin: new URL('http://a.example') }, TypeError, /origin must be /],
  ['two origins', { origin: 'http://a', headers: { Origin: 'http://b' } }, TypeError, /Origin/],
  ['CR and LF in host', { host: 'a\r\nB: c' }, TypeError, /Host must be /],
  ['a protocolVersion', { protocolVersion: 7 }, RangeError, /protocolVersion must be one of 8, 13, got 7/],
  ['followRedirects', { followRedirects: 5 }, TypeError, /followRedirects must be true or false, got .*/],
  ['maxRedirects of 0', { maxRedirects: 0 }, RangeError, /maxRedirects must be an integer from 1 to 100, got 0/],
  ['verifyResponse', { verifyResponse: true }, TypeError, /verifyResponse must be a function, got .*/],
  ['a signal', { signal: {} }, TypeError, /signal must be an AbortSignal, got .*/],
  ['an agent', { agent: {} }, TypeError, /agent must be an Agent .*, got .*/],
  ['no agent', { agent: false }, TypeError, /agent must be an Agent .*, got false/],
  ['a localAddress', { localAddress: 1 }, TypeError, /localAddress must be an IP address, got 1/],
  [
    'a protocolVersion that is not a number',
    { protocolVersion: '13' },
    TypeError,
    /protocolVersion must be one of 8, 13, got "13"/,
  ],
  ['a family', { family: 5 }, RangeError, /family must be one of 0, 4, 6, got 5/],
  ['a lookup', { lookup: 'dns' }, TypeError, /lookup must be a function, got .*/],
  ['rejectUnauthorized in words', { rejectUnauthorized: 'false' }, TypeError, /rejectUnauthorized must be /],
  ['checkServerIdentity', { checkServerIdentity: false }, TypeError, /checkServerIdentity must be /],
  ['handshakeTimeout of 0', { handshakeTimeout: 0 }, RangeError, /handshakeTimeout must be an integer .*, got 0/],
  ['handshakeTimeout in words', { handshakeTimeout: '10s' }, TypeError, /handshakeTimeout must be /],
  [
    'maxPayload without end',
    { maxPayload: Number.POSITIVE_INFINITY },
    RangeError,
    /maxPayload must be .*, got Infinity/,
  ],
  ['a scheduler', { scheduler: {} }, TypeError, /scheduler must be an RxJS scheduler, got .*/],
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
    expect(() => connect(url, { maxPayload: 1 } as unknown as string[], {})).toThrow(/protocols must be /);
    expect(() => connect(url, null as unknown as string[])).toThrow(TypeError);
  });

  it('throws at the call for options that are no object', () => {
    expect(() => connect(url, [], null as unknown as ConnectOptions)).toThrow(TypeError);
    expect(() => connect(url, [], 5 as unknown as ConnectOptions)).toThrow(/options must be an object, got 5/);
  });

  it.each([
    ['another scheme', 'ftp://localhost', /scheme of the URL must be one of .*, got .*/],
    ['a fragment', 'ws://localhost/#top', /fragment/],
    ['no scheme', 'localhost:8080/path', /scheme|URL/],
    ['a space in the host', 'ws://local host', /URL must be /],
    ['CR and LF', 'ws://localhost/\r\nX: a', /control character/],
    ['port 0', 'ws://localhost:0', /port of the URL must be .*, got 0/],
    ['a URL of the wrong scheme', new URL('file:///tmp'), /scheme of the URL must be /],
  ])('throws a SyntaxError at the call for a URL with %s', (_what, target, message) => {
    expect(() => connect(target)).toThrow(SyntaxError);
    expect(() => connect(target)).toThrow(message);
    expect(() => connect({ url: target })).toThrow(message);
  });

  it.each([[undefined], [null], [42], [{}], [['ws://localhost']], [Promise.resolve(url)]])(
    'throws a TypeError at the call for the target %p',
    (target) => {
      expect(() => connect(target as unknown as ConnectTarget)).toThrow(TypeError);
      expect(() => connect(target as unknown as ConnectTarget)).toThrow(/target must be .*, got .*/);
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
      maxFragments: 262_145,
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
