import fc from 'fast-check';
import { HandshakeError, type HandshakeErrorCode } from '../../../src/protocol/errors.js';
import { parseExtensions } from '../../../src/protocol/handshake/extensions.js';
import { type Agreement, extensionsOf } from '../../../src/protocol/handshake/negotiation.js';
import { readUpgradeResponse } from '../../../src/protocol/handshake/read-response.js';
import type { ResponseHead } from '../../../src/protocol/handshake/response-head.js';
import type { RequestedUpgrade } from '../../../src/protocol/handshake/write-request.js';

const offer: Omit<RequestedUpgrade, 'version'> = {
  key: 'dGhlIHNhbXBsZSBub25jZQ==',
  protocols: ['chat', 'superchat'],
  deflate: {
    serverNoContextTakeover: false,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  },
};

type Fields = Record<string, string | readonly string[] | undefined>;

const answer: Fields = {
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
};

/** A valid answer with some fields replaced, repeated (a list) or left out (`undefined`). */
function headWith(fields: Fields = {}, head: Partial<ResponseHead> = {}): ResponseHead {
  const rawHeaders = Object.entries({ ...answer, ...fields }).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().flatMap((item) => [name, item]),
  );
  return { status: 101, httpVersion: '1.1', rawHeaders, ...head };
}

function failure(head: ResponseHead, asked: typeof offer = offer): HandshakeError {
  try {
    readUpgradeResponse(head, asked);
  } catch (error) {
    if (error instanceof HandshakeError) return error;
    throw error;
  }
  throw new Error('accepted');
}

const read = (fields?: Fields): Agreement => readUpgradeResponse(headWith(fields), offer);

describe("the server's answer (RFC 6455 §4.1)", () => {
  it('without more agrees to no subprotocol and no extension', () => {
    expect(read()).toEqual({ protocol: '', deflate: undefined });
  });

  it('may choose a subprotocol and compression', () => {
    const { protocol, deflate } = read({
      'Sec-WebSocket-Protocol': 'superchat',
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits=12',
    });
    expect({ protocol, extensions: extensionsOf(deflate), agreed: deflate?.parameters }).toEqual({
      protocol: 'superchat',
      extensions: parseExtensions('permessage-deflate; client_max_window_bits=12'),
      agreed: { ...offer.deflate, clientMaxWindowBits: 12 },
    });
  });

  it.each<[string, Fields]>([
    ['Upgrade in any case', { Upgrade: 'WebSocket' }],
    ['a list in Connection', { Connection: 'keep-alive, UPGRADE' }],
    ['two Connection fields', { Connection: ['keep-alive', 'upgrade'] }],
    [
      'whitespace around the values',
      {
        Upgrade: ' websocket\t',
        'Sec-WebSocket-Accept': ' s3pPLMBiTxaQ9kYGzzhZRbK+xOo= ',
        'Sec-WebSocket-Protocol': ' chat ',
      },
    ],
    ['names in any case', { Upgrade: undefined, upgrade: 'websocket', Connection: undefined, CONNECTION: 'upgrade' }],
    ['a Content-Length of 0, as many servers send with every response', { 'Content-Length': ' 0 ' }],
    ['fields with the names of prototypes', { constructor: 'x', ['__proto__']: 'x' }],
  ])('may have %s', (_, fields) => {
    expect(() => read(fields)).not.toThrow();
  });
});

describe('an answer that fails the connection (RFC 6455 §4.1)', () => {
  it.each<[string, Fields, HandshakeErrorCode, string]>([
    ['no Upgrade', { Upgrade: undefined }, 'UPGRADE_INVALID', 'expected one "Upgrade: websocket" field, got none'],
    ['another Upgrade', { Upgrade: 'h2c' }, 'UPGRADE_INVALID', 'expected one "Upgrade: websocket" field, got "h2c"'],
    [
      'a list in Upgrade',
      { Upgrade: 'h2c, websocket' },
      'UPGRADE_INVALID',
      'expected one "Upgrade: websocket" field, got "h2c, websocket"',
    ],
    ['two Upgrades', { Upgrade: ['websocket', 'websocket'] }, 'UPGRADE_INVALID', '"websocket" and "websocket"'],
    [
      'a letter folded from outside ASCII',
      { Upgrade: 'websoc\u212aet' },
      'UPGRADE_INVALID',
      'expected one "Upgrade: websocket" field, got',
    ],
    // RFC 9110 §8.6, RFC 9112 §6.1
    ['a body', { 'Content-Length': '5' }, 'RESPONSE_INVALID', 'a 101 must not have Content-Length, got "5"'],
    [
      'a length that is none',
      { 'Content-Length': '' },
      'RESPONSE_INVALID',
      'a 101 must not have Content-Length, got ""',
    ],
    [
      'two lengths',
      { 'content-length': ['0', '7'] },
      'RESPONSE_INVALID',
      'a 101 must not have Content-Length, got "0" and "7"',
    ],
    [
      'a list of lengths',
      { 'Content-Length': '0, 0' },
      'RESPONSE_INVALID',
      'a 101 must not have Content-Length, got "0, 0"',
    ],
    [
      'a chunked body',
      { 'Transfer-Encoding': 'chunked' },
      'RESPONSE_INVALID',
      'a 101 must not have Transfer-Encoding, got "chunked"',
    ],
    [
      'any transfer encoding',
      { 'TRANSFER-ENCODING': 'identity' },
      'RESPONSE_INVALID',
      'a 101 must not have Transfer-Encoding, got "identity"',
    ],
    [
      'no Connection',
      { Connection: undefined },
      'UPGRADE_INVALID',
      'expected the token "Upgrade" in Connection, got none',
    ],
    [
      'another Connection',
      { Connection: 'close' },
      'UPGRADE_INVALID',
      'expected the token "Upgrade" in Connection, got "close"',
    ],
    ['no accept', { 'Sec-WebSocket-Accept': undefined }, 'ACCEPT_INVALID', ', got none'],
    [
      'the accept of another key',
      { 'Sec-WebSocket-Accept': 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=' },
      'ACCEPT_INVALID',
      'expected one Sec-WebSocket-Accept field "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="',
    ],
    [
      'an accept in another case',
      { 'Sec-WebSocket-Accept': 'S3PPLMBITXAQ9KYGZZHZRBK+XOO=' },
      'ACCEPT_INVALID',
      'got "S3PP',
    ],
    [
      'two accepts',
      { 'Sec-WebSocket-Accept': ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='] },
      'ACCEPT_INVALID',
      ' and ',
    ],
    [
      'another subprotocol',
      { 'Sec-WebSocket-Protocol': 'mqtt' },
      'PROTOCOL_INVALID',
      'Sec-WebSocket-Protocol must be one of "chat, superchat", got "mqtt"',
    ],
    ['a subprotocol in another case', { 'Sec-WebSocket-Protocol': 'Chat' }, 'PROTOCOL_INVALID', 'must be one of'],
    ['two subprotocols', { 'Sec-WebSocket-Protocol': 'chat, superchat' }, 'PROTOCOL_INVALID', '"chat, superchat"'],
    ['two subprotocol fields', { 'Sec-WebSocket-Protocol': ['chat', 'chat'] }, 'PROTOCOL_INVALID', '"chat" and "chat"'],
    ['an empty subprotocol', { 'Sec-WebSocket-Protocol': '' }, 'PROTOCOL_INVALID', 'got ""'],
    [
      'the name of a prototype as subprotocol',
      { 'Sec-WebSocket-Protocol': '__proto__' },
      'PROTOCOL_INVALID',
      '__proto__',
    ],
    ['another extension', { 'Sec-WebSocket-Extensions': 'x-else' }, 'EXTENSION_INVALID', 'got "x-else"'],
    [
      'one more extension',
      { 'Sec-WebSocket-Extensions': ['permessage-deflate', 'constructor'] },
      'EXTENSION_INVALID',
      'expected only the extension "permessage-deflate", got "constructor"',
    ],
    [
      'compression twice',
      { 'Sec-WebSocket-Extensions': ['permessage-deflate', 'permessage-deflate'] },
      'EXTENSION_INVALID',
      'permessage-deflate must not be answered more than once',
    ],
    [
      'compression that was not offered so',
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=16' },
      'EXTENSION_INVALID',
      'permessage-deflate: got server_max_window_bits=16, which',
    ],
    ['malformed extensions', { 'Sec-WebSocket-Extensions': 'x-other;' }, 'EXTENSION_INVALID', 'at 8, got the end'],
    ['no name of an extension', { 'Sec-WebSocket-Extensions': ',' }, 'EXTENSION_INVALID', 'at 1, got the end'],
  ])('has %s', (_, fields, code, message) => {
    const error = failure(headWith(fields));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.status).toBe(101);
  });

  it.each([200, 204, 301, 401, 404, 500, 503, 100, 0])('has the status %d', (status) => {
    const error = failure(headWith({ 'Retry-After': '5', 'Set-Cookie': 'a=1' }, { status }));
    expect(error).toMatchObject({
      code: 'UNEXPECTED_STATUS',
      status,
      message: `expected 101 Switching Protocols, got ${status}`,
    });
    expect(error.headers).toMatchObject({ 'retry-after': '5', 'set-cookie': ['a=1'] });
  });

  it.each(['1.0', '0.9', '2.0'])('has HTTP/%s', (httpVersion) => {
    expect(failure(headWith({}, { httpVersion })).code).toBe('RESPONSE_INVALID');
  });

  it('chooses a subprotocol where none was requested', () => {
    const error = failure(headWith({ 'Sec-WebSocket-Protocol': 'chat' }), { key: offer.key, protocols: [] });
    expect(error.code).toBe('PROTOCOL_INVALID');
    expect(error.message).toContain('none was requested');
  });

  it('accepts an extension where none was offered', () => {
    const head = headWith({ 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    const error = failure(head, { key: offer.key, protocols: [] });
    expect(error.code).toBe('EXTENSION_INVALID');
    expect(error.message).toContain('none was offered');
  });

  it('keeps the cause of malformed extensions', () => {
    expect(failure(headWith({ 'Sec-WebSocket-Extensions': ';' })).cause).toBeInstanceOf(SyntaxError);
  });

  it('hides Upgrade behind 2 000 fields', () => {
    const rawHeaders = Array.from({ length: 2_000 }, () => ['X-A', 'x']).flat();
    expect(failure({ status: 101, httpVersion: '1.1', rawHeaders }).code).toBe('UPGRADE_INVALID');
  });

  it('repeats a wrong field 2 000 times, and gets a short message', () => {
    const error = failure(headWith({ Upgrade: Array.from({ length: 2_000 }, () => 'x'.repeat(100)) }));
    expect(error.message.length).toBeLessThan(512);
  });

  it('never causes anything but a HandshakeError', () => {
    const name = fc.constantFrom(
      ...Object.keys(answer),
      'Sec-WebSocket-Protocol',
      'Sec-WebSocket-Extensions',
      '__proto__',
    );
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('chat', 'websocket', 'permessage-deflate', 'a;b="c"'),
    );
    const fields = fc.dictionary(name, fc.oneof(value, fc.array(value, { maxLength: 3 })));
    fc.assert(
      fc.property(fields, (found) => {
        try {
          expect([...offer.protocols, '']).toContain(read(found).protocol);
        } catch (error) {
          expect(error).toBeInstanceOf(HandshakeError);
        }
      }),
    );
  });
});
