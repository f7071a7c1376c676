import { isRejection, reject } from '../../../src/protocol/handshake/rejection.js';

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
      expect(make).toThrow(`status must be an integer from 300 to 599, got ${String(status)}`);
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
    expect(make).toThrow(`${what} must be `);
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
