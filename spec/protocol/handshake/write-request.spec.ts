import fc from 'fast-check';
import { encodeRequestHeaders, type RequestedUpgrade } from '../../../src/protocol/handshake/write-request.js';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

const deflate = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

const encode = (request: Partial<RequestedUpgrade> = {}): Record<string, string | string[]> =>
  encodeRequestHeaders({ key, version: 13, protocols: [], ...request });

describe("the fields of the client's handshake (RFC 6455 §4.1)", () => {
  it('are the required ones', () => {
    expect(encode()).toEqual({
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
    });
  });

  it('stand in about the order of browsers', () => {
    const fields = encode({
      protocols: ['chat', 'superchat'],
      deflate,
      origin: 'http://example.com',
      headers: { Host: 'a', Cookie: ['b=1', 'c=2'], 'User-Agent': 'sluice' },
    });
    expect(Object.entries(fields)).toEqual([
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Origin', 'http://example.com'],
      ['Sec-WebSocket-Version', '13'],
      ['Host', 'a'],
      ['Cookie', ['b=1', 'c=2']],
      ['User-Agent', 'sluice'],
      ['Sec-WebSocket-Key', key],
      ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
      ['Sec-WebSocket-Protocol', 'chat, superchat'],
    ]);
  });

  it('name the origin as version 8 does', () => {
    const fields = encode({ version: 8, origin: 'http://example.com' });
    expect(fields).toMatchObject({ 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Origin': 'http://example.com' });
    expect(fields).not.toHaveProperty('Origin');
  });

  it('may name the origin by itself where the option does not', () => {
    expect(encode({ headers: { origin: 'http://a' } })).toMatchObject({ origin: 'http://a' });
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('have a field named %s as their own', (name) => {
    const fields = encode({ headers: JSON.parse(`{"${name}": "x"}`), protocols: [name] });
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect(Object.entries(fields)).toContainEqual([name, 'x']);
    expect(fields['Sec-WebSocket-Protocol']).toBe(name);
  });
});

describe('fields that are not sent', () => {
  it.each([
    ['Upgrade', 'it is always "websocket"'],
    ['connection', 'it is always "Upgrade"'],
    ['SEC-WEBSOCKET-KEY', 'it is generated for every attempt'],
    ['Sec-WebSocket-Version', 'use the option protocolVersion'],
    ['Sec-WebSocket-Accept', 'only a server sends it'],
    ['sec-websocket-protocol', 'use the argument protocols'],
    ['Sec-WebSocket-Extensions', 'use the option perMessageDeflate'],
    ['Sec-WebSocket-Origin', 'use the option origin'],
    ['Content-Length', 'a handshake has no body'],
    ['Transfer-Encoding', 'a handshake has no body'],
  ])('are those of the handshake itself: %s', (name, instead) => {
    const write = () => encode({ headers: { [name]: 'x' } });
    expect(write).toThrow(TypeError);
    expect(write).toThrow(`header "${name}" cannot be set: ${instead}`);
  });

  it('are a second Origin', () => {
    const write = () => encode({ origin: 'http://a', headers: { ORIGIN: 'http://b' } });
    expect(write).toThrow('header "ORIGIN" cannot be set: the option origin is also given');
  });

  it.each<[string, Partial<RequestedUpgrade>]>([
    ['header name', { headers: { 'X-A\r\nX': 'y' } }],
    ['header name', { headers: { '': 'y' } }],
    ['header name', { headers: { 'X A': 'y' } }],
    ['X-A', { headers: { 'X-A': 'b\r\nX: y' } }],
    ['X-A', { headers: { 'X-A': ['b', 'c\n'] } }],
    ['X-A', { headers: { 'X-A': '\u560a' } }],
    ['X-A', { headers: { 'X-A': undefined as unknown as string } }],
    ['X-A', { headers: { 'X-A': [13 as unknown as string] } }],
    ['Host', { headers: { Host: 'a\r\nX: y' } }],
    ['origin', { origin: 'http://a\r\nX: y' }],
    ['key', { key: 'a\r\nX: y' }],
  ])('have no line of one field: %s', (what, request) => {
    const write = () => encode(request);
    expect(write).toThrow(TypeError);
    expect(write).toThrow(`${what} must be `);
  });

  it.each<[readonly string[], string]>([
    [['a', 'a'], 'got "a" twice'],
    [['a\r\nX: y'], 'got "a\\r\\nX: y"'],
    [[''], 'got ""'],
  ])('ask for the subprotocols %j', (protocols, message) => {
    expect(() => encode({ protocols })).toThrow(SyntaxError);
    expect(() => encode({ protocols })).toThrow(message);
  });

  it('never end a line, whatever the caller gives', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a', 'Host', 'Upgrade'));
    const request = fc.record({
      origin: fc.option(text, { nil: undefined }),
      deflate: fc.constantFrom(deflate, undefined),
      protocols: fc.array(text),
      headers: fc.dictionary(text, fc.oneof(text, fc.array(text))),
    });
    fc.assert(
      fc.property(request, (given) => {
        try {
          expect(Object.entries(encode(given)).flat(2).join('')).not.toMatch(/[\r\n]/);
        } catch (error) {
          expect(error instanceof TypeError || error instanceof SyntaxError).toBe(true);
        }
      }),
    );
  });
});
