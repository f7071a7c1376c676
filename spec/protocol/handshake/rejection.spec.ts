import fc from 'fast-check';
import { encodeRefusal, isRejection, Rejection, reject } from '../../../src/protocol/handshake/rejection.js';
import { anyText } from '../../support/any-text.js';

describe('making a rejection', () => {
  it('has the standard phrase as its reason and body', () => {
    expect(reject(401)).toMatchObject({ status: 401, reason: 'Unauthorized', headers: {}, body: 'Unauthorized' });
  });

  it.each([
    [300, 'Multiple Choices'],
    [403, 'Forbidden'],
    [426, 'Upgrade Required'],
    [429, 'Too Many Requests'],
    [503, 'Service Unavailable'],
    [418, 'Refused'],
    [599, 'Refused'],
  ])('names %d %s', (status, reason) => {
    expect(reject(status).reason).toBe(reason);
  });

  it('takes a reason, headers and a body', () => {
    const rejection = reject(429, 'Slow Down', { 'Retry-After': '5', 'X-A': ['1', '2'] }, 'later');
    expect(rejection).toMatchObject({
      status: 429,
      reason: 'Slow Down',
      headers: { 'Retry-After': '5', 'X-A': ['1', '2'] },
      body: 'later',
    });
  });

  it('has the given reason as its body, unless one is given', () => {
    expect(reject(429, 'Slow Down').body).toBe('Slow Down');
    expect(reject(429, 'Slow Down', {}, '').body).toBe('');
  });

  it('does not change with the headers it was given', () => {
    const values = ['1'];
    const headers: Record<string, string | string[]> = { 'X-A': values };
    const rejection = reject(400, undefined, headers);
    values.push('2');
    headers['X-B'] = '3';
    expect(rejection.headers).toEqual({ 'X-A': ['1'] });
    expect(Object.isFrozen(rejection.headers)).toBe(true);
  });

  it.each([299, 101, 200, 600, 0, -400, 400.5, Number.NaN, Number.POSITIVE_INFINITY, '403', undefined, null])(
    'refuses the status %p',
    (status) => {
      const make = () => reject(status as number);
      expect(make).toThrow(RangeError);
      expect(make).toThrow(`status is ${String(status)}, allowed are integers from 300 to 599`);
    },
  );

  it.each<[string, () => unknown]>([
    ['reason', () => reject(400, 'a\r\nX: y')],
    ['reason', () => reject(400, 'a\nb')],
    ['reason', () => reject(400, 'a\u0000')],
    ['reason', () => reject(400, '\u560d\u560a')],
    ['reason', () => reject(400, 13 as unknown as string)],
    ['header X-A', () => reject(400, 'a', { 'X-A': 'b\r\nX: y' })],
    ['header X-A', () => reject(400, 'a', { 'X-A': ['b', 'c\r'] })],
    ['header X-A', () => reject(400, 'a', { 'X-A': undefined as unknown as string })],
    ['header X-A', () => reject(400, 'a', { 'X-A': [1 as unknown as string] })],
    ['header name', () => reject(400, 'a', { 'X-A\r\nX': 'b' })],
    ['header name', () => reject(400, 'a', { '': 'b' })],
    ['header name', () => reject(400, 'a', { 'X A': 'b' })],
    ['body', () => reject(400, 'a', {}, {} as string)],
  ])('refuses a %s that is no text of one line', (what, make) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(`${what} is `);
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('takes a header named %s as its own', (name) => {
    const { headers } = reject(400, undefined, JSON.parse(`{"${name}": "x"}`));
    expect(Object.entries(headers)).toEqual([[name, 'x']]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('recognising a rejection', () => {
  it('knows those of other builds by their brand', () => {
    expect(isRejection(reject(400))).toBe(true);
    expect(isRejection({ [Symbol.for('sluice.rejection')]: true })).toBe(true);
  });

  it.each([undefined, null, true, false, 401, 'no', {}, [], () => reject(400), { status: 400 }])(
    'is not taken in by %p',
    (value) => {
      expect(isRejection(value)).toBe(false);
    },
  );
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

  it('writes a field with several values as several lines, and extra headers behind', () => {
    const text = encodeRefusal(reject(400, 'a', { 'Set-Cookie': ['b=1', 'c=2'] }), { Date: 'now' });
    expect(text).toContain('\r\nSet-Cookie: b=1\r\nSet-Cookie: c=2\r\nDate: now\r\n');
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
      const text = encodeRefusal(reject(400, 'a', { [name]: 'x' }), { [name]: 'y' });
      expect(text).toMatch(
        /^HTTP\/1\.1 400 a\r\nConnection: close\r\nContent-Type: [^\r]*\r\nContent-Length: 1\r\n\r\na$/,
      );
    },
  );

  it('never lets a value end a line, whoever made the rejection', () => {
    const forged = new Rejection(400, 'a\r\nX: 1', { 'X-A': 'b\r\nX: 2', 'X\r\nX': 'c', 'X-B': ['d\n\r'] }, 'e');
    expect(encodeRefusal(forged, { 'X-C': '\u010a\u560d' })).toBe(
      'HTTP/1.1 400 a  X: 1\r\nConnection: close\r\nX-A: b  X: 2\r\nX-B: d  \r\nX-C:   \r\n' +
        'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\n\r\ne',
    );
  });

  it('has as many lines as fields, whatever they contain', () => {
    const headers = fc.dictionary(fc.string(), anyText());
    fc.assert(
      fc.property(anyText(), headers, (reason, fields) => {
        const head = encodeRefusal(new Rejection(400, reason, fields, '')).slice(0, -4);
        expect(head.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        expect(head.split('\r\n').length).toBeLessThanOrEqual(4 + Object.keys(fields).length);
      }),
    );
  });
});
