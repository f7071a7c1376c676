import fc from 'fast-check';
import { Rejection, reject } from '../../../src/protocol/handshake/rejection.js';
import { encodeAnswer, encodeRefusal } from '../../../src/protocol/handshake/write-response.js';

describe('writing an answer (RFC 9112 §4)', () => {
  it('writes a status line, a line for each field in its order, and the end of the head', () => {
    const fields = ['Upgrade', 'websocket', 'X-A', '', 'X-C', 'a: b', 'X-A', 'c'];
    expect(encodeAnswer({ status: 101, fields })).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-A: \r\nX-C: a: b\r\nX-A: c\r\n\r\n',
    );
  });

  it('ends a head without fields after its status line', () => {
    expect(encodeAnswer({ status: 101, fields: [] })).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  });
});

describe('writing a refusal (RFC 9112 §4)', () => {
  it('writes the whole response', () => {
    expect(encodeRefusal(reject(401, undefined, { 'WWW-Authenticate': 'Basic realm="a"' }))).toBe(
      'HTTP/1.1 401 Unauthorized\r\n' +
        'Connection: close\r\n' +
        'WWW-Authenticate: Basic realm="a"\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\n' +
        'Content-Length: 12\r\n' +
        '\r\n' +
        'Unauthorized',
    );
  });

  it('writes a field with several values as several lines', () => {
    const text = encodeRefusal(reject(400, 'a', { 'Set-Cookie': ['b=1', 'c=2'] }));
    expect(text).toContain('\r\nSet-Cookie: b=1\r\nSet-Cookie: c=2\r\n');
  });

  it('keeps the Content-Type that is given', () => {
    const text = encodeRefusal(reject(400, 'a', { 'content-type': 'application/json' }, '{}'));
    expect(text).toContain('\r\ncontent-type: application/json\r\n');
    expect(text).not.toContain('text/plain');
  });

  it.each([
    ['', 0],
    ['abc', 3],
    ['h\u00e9', 3],
    ['\ud83d\ude00', 4],
    ['\ud800', 3],
  ])('counts the body %j in bytes: %d', (body, length) => {
    expect(encodeRefusal(reject(400, 'a', {}, body))).toContain(`\r\nContent-Length: ${length}\r\n`);
  });

  it('names Upgrade in Connection where it is sent (RFC 9110 §7.8)', () => {
    expect(encodeRefusal(reject(426, undefined, { upgrade: 'websocket' }))).toContain(
      '\r\nConnection: close, Upgrade\r\n',
    );
  });

  it('sends no content with 304 (RFC 9110 §15.4.5)', () => {
    expect(encodeRefusal(reject(304))).toMatch(/Content-Length: 0\r\n\r\n$/);
  });

  it.each(['Connection', 'content-length', 'TRANSFER-ENCODING'])(
    'lets nobody else frame the response with %s',
    (name) => {
      const text = encodeRefusal(reject(400, 'a', { [name]: 'x' }));
      expect(text).toMatch(
        /^HTTP\/1\.1 400 a\r\nConnection: close\r\nContent-Type: [^\r]*\r\nContent-Length: 1\r\n\r\na$/,
      );
    },
  );

  it('never lets a value end a line, whoever made the rejection', () => {
    const forged = new Rejection(
      400,
      'a\r\nX: 1',
      { 'X-A': 'b\r\nX: 2', 'X\r\nX': 'c', 'X-B': ['d\n\r'], 'X-C': '\u010a\u560d' },
      'e',
    );
    expect(encodeRefusal(forged)).toBe(
      'HTTP/1.1 400 a  X: 1\r\nConnection: close\r\nX-A: b  X: 2\r\nX-B: d  \r\nX-C:   \r\n' +
        'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\n\r\ne',
    );
  });

  it('has as many lines as fields, whatever they contain', () => {
    const headers = fc.dictionary(fc.string(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), headers, (reason, fields) => {
        const head = encodeRefusal(new Rejection(400, reason, fields, '')).slice(0, -4);
        expect(head.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        expect(head.split('\r\n').length).toBeLessThanOrEqual(4 + Object.keys(fields).length);
      }),
    );
  });
});
