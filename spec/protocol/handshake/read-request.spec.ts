import fc from 'fast-check';
import {
  isWebSocketUpgrade,
  type RequestHead,
  readUpgradeRequest,
  type UpgradeOffer,
  type UpgradeRules,
} from '../../../src/protocol/handshake/read-request.js';
import { isRejection, type Rejection } from '../../../src/protocol/handshake/rejection.js';
import { anyText } from '../../support/any-text.js';
import { runs } from '../../support/long.js';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

type Fields = Record<string, string | readonly string[] | undefined>;

const handshake: Fields = {
  Host: 'server.example.com',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': key,
  'Sec-WebSocket-Version': '13',
};

/** A valid handshake with some fields replaced, repeated (a list) or left out (`undefined`). */
function headWith(fields: Fields = {}, head: Partial<RequestHead> = {}): RequestHead {
  const rawHeaders = Object.entries({ ...handshake, ...fields }).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().flatMap((item) => [name, item]),
  );
  return { method: 'GET', path: '/', httpVersion: '1.1', rawHeaders, ...head };
}

function accepted(fields?: Fields, rules?: UpgradeRules): UpgradeOffer {
  const offer = readUpgradeRequest(headWith(fields), rules);
  if (isRejection(offer)) throw new Error(offer.body);
  return offer;
}

function refused(fields?: Fields, head?: Partial<RequestHead>, rules?: UpgradeRules): Rejection {
  const refusal = readUpgradeRequest(headWith(fields, head), rules);
  if (!isRejection(refusal)) throw new Error('accepted');
  return refusal;
}

describe("the client's opening handshake (RFC 6455 §4.2.1)", () => {
  it('is read from its fields', () => {
    const fields = {
      Origin: 'http://example.com',
      'Sec-WebSocket-Protocol': 'chat, superchat',
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
    };
    expect(accepted(fields)).toEqual({
      key,
      version: 13,
      host: 'server.example.com',
      origin: 'http://example.com',
      protocols: ['chat', 'superchat'],
      extensions: [{ name: 'permessage-deflate', params: new Map([['client_max_window_bits', [true]]]) }],
    });
  });

  it('needs no Origin, no subprotocols and no extensions', () => {
    expect(accepted()).toMatchObject({ origin: undefined, protocols: [], extensions: [] });
  });

  it.each<[string, Fields]>([
    ['names in any case', { Host: undefined, hOST: 'a', Upgrade: undefined, UPGRADE: 'websocket' }],
    ['a list in Connection', { Connection: 'keep-alive, Upgrade' }],
    ['Connection in any case', { Connection: 'UPGRADE' }],
    ['two Connection fields', { Connection: ['keep-alive', 'upgrade'] }],
    ['Upgrade in any case', { Upgrade: 'WebSocket' }],
    ['websocket after another protocol', { Upgrade: 'h2c, websocket' }],
    ['two Upgrade fields', { Upgrade: ['h2c', 'websocket'] }],
    ['an announced body of no bytes', { 'Content-Length': '0' }],
    ['Host with a port', { Host: 'server.example.com:8080' }],
    ['Host with an IPv6 address', { Host: '[::1]:8080' }],
    ['Host with an underscore', { Host: 'my_service' }],
    ['Host with an empty port', { Host: 'a:' }],
    ['a malformed Origin, which the policy judges', { Origin: 'http://[' }],
    ['subprotocols over two fields', { 'Sec-WebSocket-Protocol': ['a', 'b'] }],
    ['extensions over two fields', { 'Sec-WebSocket-Extensions': ['a', 'b; c'] }],
    ['unknown extensions', { 'Sec-WebSocket-Extensions': 'constructor, toString; valueOf=1, __proto__; __proto__=1' }],
    ['fields with the names of prototypes', { constructor: 'x', hasOwnProperty: 'x', ['__proto__']: 'x' }],
    ['2 000 other fields', { 'X-A': Array.from({ length: 2_000 }, () => 'x') }],
  ])('may have %s', (_, fields) => {
    expect(accepted(fields).key).toBe(key);
  });

  it('leaves prototypes alone', () => {
    accepted({ ['__proto__']: 'x', 'Sec-WebSocket-Extensions': '__proto__; __proto__=1' });
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('the request line (RFC 6455 §4.2.1 (1))', () => {
  it.each(['POST', 'PUT', 'OPTIONS', 'DELETE', 'get', ''])('with %j gets 405', (method) => {
    expect(refused({}, { method })).toMatchObject({
      status: 405,
      headers: { Allow: 'GET' },
      body: `expected the method GET, got "${method}"\n`,
    });
  });

  it('with the target "*" gets 400 (RFC 9112 §3.2.4)', () => {
    expect(refused({}, { path: '*' })).toMatchObject({
      status: 400,
      body: 'the request target must be a path, got "*"\n',
    });
  });

  it('with HEAD gets 405 without content (RFC 9110 §9.3.2)', () => {
    expect(refused({}, { method: 'HEAD' })).toMatchObject({ status: 405, headers: { Allow: 'GET' }, body: '' });
  });

  it.each(['1.0', '0.9', '2.0', ''])('with HTTP/%s gets 505', (httpVersion) => {
    expect(refused({}, { httpVersion })).toMatchObject({ status: 505 });
  });
});

describe('the fields of the handshake (RFC 6455 §4.2.1)', () => {
  it.each<[string, Fields, number, string]>([
    ['no Host', { Host: undefined }, 400, 'expected one Host field, got 0'],
    ['two Hosts', { Host: ['a', 'a'] }, 400, 'expected one Host field, got 2'],
    ['an empty Host', { Host: '' }, 400, 'expected a host and an optional port in Host, got ""'],
    ['a Host with a space', { Host: 'a b' }, 400, 'expected a host and an optional port in Host, got "a b"'],
    ['a Host with a path', { Host: 'a/b' }, 400, 'expected a host and an optional port in Host, got "a/b"'],
    ['a Host with a user', { Host: 'a@b' }, 400, 'expected a host and an optional port in Host, got "a@b"'],
    ['a Host list', { Host: 'a,[b' }, 400, 'expected a host and an optional port in Host, got'],
    [
      'a Host with a port that is no number',
      { Host: 'a:b' },
      400,
      'expected a host and an optional port in Host, got "a:b"',
    ],
    ['no Upgrade', { Upgrade: undefined }, 426, 'expected "Upgrade: websocket", got no Upgrade field'],
    ['another Upgrade', { Upgrade: 'h2c' }, 400, 'expected "Upgrade: websocket", got "h2c"'],
    ['an empty Upgrade', { Upgrade: '' }, 400, 'expected "Upgrade: websocket", got ""'],
    ['a version in Upgrade', { Upgrade: 'websocket/13' }, 400, 'expected "Upgrade: websocket", got "websocket/13"'],
    ['a similar Upgrade', { Upgrade: 'websockets' }, 400, 'expected "Upgrade: websocket", got "websockets"'],
    ['two words in Upgrade', { Upgrade: 'h2c websocket' }, 400, 'expected "Upgrade: websocket", got "h2c websocket"'],
    ['no Connection', { Connection: undefined }, 400, 'expected "Connection: Upgrade", got ""'],
    ['another Connection', { Connection: 'close' }, 400, 'expected "Connection: Upgrade", got "close"'],
    ['a similar Connection', { Connection: 'notupgrade' }, 400, 'expected "Connection: Upgrade", got "notupgrade"'],
    ['a body', { 'Content-Length': '5' }, 400, 'expected no body, got Content-Length "5"'],
    ['two lengths of a body', { 'Content-Length': ['0', '5'] }, 400, 'expected no body, got Content-Length "0, 5"'],
    ['a strange length of a body', { 'Content-Length': '+0' }, 400, 'expected no body, got Content-Length "+0"'],
    ['a chunked body', { 'Transfer-Encoding': 'chunked' }, 400, 'expected no body, got Transfer-Encoding "chunked"'],
    ['an empty transfer coding', { 'Transfer-Encoding': '' }, 400, 'expected no body, got Transfer-Encoding ""'],
    ['no key', { 'Sec-WebSocket-Key': undefined }, 400, 'expected one Sec-WebSocket-Key field, got 0'],
    ['two keys', { 'Sec-WebSocket-Key': [key, key] }, 400, 'expected one Sec-WebSocket-Key field, got 2'],
    [
      'a short key',
      { 'Sec-WebSocket-Key': 'abc' },
      400,
      'expected the base64 of 16 bytes in Sec-WebSocket-Key, got "abc"',
    ],
    ['two versions', { 'Sec-WebSocket-Version': ['13', '13'] }, 400, 'expected one Sec-WebSocket-Version field, got 2'],
    ['two Origins', { Origin: ['http://a', 'http://a'] }, 400, 'expected one Origin field, got 2'],
    ['repeated subprotocols', { 'Sec-WebSocket-Protocol': 'a, a' }, 400, 'got "a" twice'],
    [
      'an empty subprotocol',
      { 'Sec-WebSocket-Protocol': '' },
      400,
      'Sec-WebSocket-Protocol: subprotocols must be tokens',
    ],
    ['a malformed subprotocol', { 'Sec-WebSocket-Protocol': 'caf\u00e9' }, 400, 'got "caf\u00e9"'],
    ['malformed extensions', { 'Sec-WebSocket-Extensions': ',;a' }, 400, 'at 1, got ";a"'],
  ])('with %s are refused', (_, fields, status, body) => {
    const refusal = refused(fields);
    expect(refusal.status).toBe(status);
    expect(refusal.body).toContain(body);
    expect(refusal.body).toMatch(/^[^\n]*\n$/);
  });

  it('say which Upgrade is required (RFC 9110 §15.5.22)', () => {
    expect(refused({ Upgrade: undefined }).headers).toEqual({ Upgrade: 'websocket' });
  });

  it.each(['Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Origin'])(
    'with 16 KB in %s never throw and never fill the answer',
    (name) => {
      for (const value of ['a'.repeat(16_000), ','.repeat(16_000), `b${' '.repeat(16_000)}x`, '['.repeat(16_000)]) {
        const answer = readUpgradeRequest(headWith({ [name]: value }));
        if (isRejection(answer)) expect(answer.body.length).toBeLessThan(256);
      }
    },
  );
});

describe('the version (RFC 6455 §4.4)', () => {
  it.each<[string, string | undefined, string]>([
    ['none', undefined, 'expected Sec-WebSocket-Version 13, got none'],
    ['an old one', '7', 'expected Sec-WebSocket-Version 13, got "7"'],
    ['one that is off', '8', 'expected Sec-WebSocket-Version 13, got "8"'],
    ['a later one', '14', 'expected Sec-WebSocket-Version 13, got "14"'],
    ['one with a leading zero', '013', 'expected Sec-WebSocket-Version 13, got "013"'],
    ['a list', '13, 8', 'expected Sec-WebSocket-Version 13, got "13, 8"'],
    ['none in a field', '', 'expected Sec-WebSocket-Version 13, got ""'],
  ])('gets 426 and the supported versions when it is %s', (_, version, body) => {
    const refusal = refused({ 'Sec-WebSocket-Version': version });
    expect(refusal).toMatchObject({ status: 426, headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' } });
    expect(refusal.body).toContain(body);
  });

  it('of drafts before 04 is 426 or 400, never accepted', () => {
    const draft76 = {
      'Sec-WebSocket-Key': undefined,
      'Sec-WebSocket-Version': undefined,
      'Sec-WebSocket-Key1': '4 @1  46546xW%0l 1 5',
      'Sec-WebSocket-Key2': '12998 5 Y3 1  .P00',
    };
    expect(refused(draft76).status).toBe(426);
    expect(refused({ ...draft76, 'Sec-WebSocket-Version': '0' }).status).toBe(426);
    expect(refused({ ...draft76, 'Sec-WebSocket-Version': '13' }).status).toBe(400);
  });

  it('8 is accepted where it is on, with the origin of its own field', () => {
    const fields = { 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Origin': 'http://a', Origin: 'http://b' };
    expect(accepted(fields, { versions: [13, 8] })).toMatchObject({ version: 8, origin: 'http://a' });
    expect(accepted({}, { versions: [13, 8] })).toMatchObject({ version: 13, origin: undefined });
  });

  it('8 has one origin at most', () => {
    const fields = { 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Origin': ['http://a', 'http://b'] };
    expect(refused(fields, {}, { versions: [8] }).body).toContain('expected one Sec-WebSocket-Origin field, got 2');
  });

  it('is answered with all that are on', () => {
    const refusal = refused({ 'Sec-WebSocket-Version': '9' }, {}, { versions: [13, 8] });
    expect(refusal.headers['Sec-WebSocket-Version']).toBe('13, 8');
  });
});

describe('a request for a WebSocket', () => {
  it.each<[readonly string[], boolean]>([
    [['Upgrade', 'websocket'], true],
    [['upgrade', 'WEBSOCKET'], true],
    [['Upgrade', 'h2c', 'Upgrade', 'websocket'], true],
    [['Upgrade', 'h2c, websocket'], true],
    [[], false],
    [['Upgrade', 'h2c'], false],
    [['Upgrade', 'websocket/13'], false],
    [['Upgrade', 'websoc\u212aet'], false],
    [['X', 'websocket'], false],
  ])('in %j: %p', (rawHeaders, answer) => {
    expect(isWebSocketUpgrade(rawHeaders)).toBe(answer);
  });
});

describe('reading any request', () => {
  it('refuses one of which fields are missing, however right the others are', () => {
    expect(refused({}, { isTruncated: true }).status).toBe(431);
    expect(isRejection(readUpgradeRequest(headWith({}, { isTruncated: false })))).toBe(false);
  });

  it('gives an offer or a refusal, and never throws', () => {
    const name = fc.constantFrom(...Object.keys(handshake), 'Origin', 'Content-Length', 'Sec-WebSocket-Protocol', 'X');
    const value = fc.oneof(anyText(), fc.constantFrom(...(Object.values(handshake) as string[]), 'a, b', 'a; b="c"'));
    const extra = fc.dictionary(fc.oneof(name, fc.string()), fc.oneof(value, fc.array(value, { maxLength: 3 })));
    const method = fc.oneof({ weight: 4, arbitrary: fc.constant('GET') }, fc.string());
    fc.assert(
      fc.property(extra, method, (fields, verb) => {
        const answer = readUpgradeRequest(headWith(fields, { method: verb }));
        if (isRejection(answer)) expect([400, 405, 426, 505]).toContain(answer.status);
        else expect(answer.version).toBe(13);
      }),
      runs(500),
    );
  });
});
