import { Backoff, type BackoffPolicy, backoffRules, retryAfter } from '../../../src/operators/again/backoff.js';
import { HandshakeError } from '../../../src/protocol/errors.js';
import { hostileNames, hostileValue } from '../../support/hostile-values.js';

const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', uptime: 0 });
const backoff = (policy: BackoffPolicy = {}): Backoff => new Backoff(backoffRules(policy, () => 1));
const delays = (at: Backoff, count: number): (number | undefined)[] =>
  Array.from({ length: count }, () => at.afterError(refused, 0)?.delay);

describe('the wait before an attempt (RFC 6455 §7.2.3)', () => {
  it('grows by the factor up to the most', () => {
    expect(delays(backoff(), 9)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(delays(backoff({ initial: 10, factor: 3, max: 100 }), 4)).toEqual([10, 30, 90, 100]);
  });

  it('is anywhere from nothing to that: full jitter', () => {
    const random = [0, 0.25, 0.5];
    expect(delays(backoff({ random: () => random.shift() as number }), 3)).toEqual([0, 250, 1000]);
  });

  it('stays the most after a thousand attempts', () => {
    expect(delays(backoff(), 2_000).at(-1)).toBe(30_000);
  });

  it('counts its attempts from 1', () => {
    const at = backoff();
    expect([at.afterError(refused, 0), at.afterEnd(0)]).toEqual([
      { attempt: 1, delay: 500 },
      { attempt: 2, delay: 1000 },
    ]);
  });

  it('begins anew behind a connection that was open for minUptime', () => {
    const at = backoff({ minUptime: 100 });
    delays(at, 3);
    expect(at.afterError({ code: 'ECONNRESET', uptime: 99 }, 0)).toMatchObject({ attempt: 4 });
    expect(at.afterError({ code: 'ECONNRESET', uptime: 100 }, 0)).toEqual({ attempt: 1, delay: 500 });
    expect(at.afterEnd(100)).toEqual({ attempt: 1, delay: 500 });
  });
});

describe('the end of trying', () => {
  it('comes behind maxAttempts in a row', () => {
    const at = backoff({ maxAttempts: 2 });
    expect(delays(at, 3)).toEqual([500, 1000, undefined]);
    expect(at.afterEnd(5_000)).toEqual({ attempt: 1, delay: 500 });
    expect(backoff({ maxAttempts: 0 }).afterEnd(0)).toBeUndefined();
  });

  it('comes with an error that stays', () => {
    expect(backoff().afterError(new TypeError('no'), 0)).toBeUndefined();
    expect(backoff().afterError(undefined, 0)).toBeUndefined();
  });

  it('is for shouldRetry to say, which is told the attempt', () => {
    const told: unknown[] = [];
    const at = backoff({ shouldRetry: (...args) => told.push(args) < 2 });
    const error = new TypeError('mine');
    expect(at.afterError(error, 0)).toEqual({ attempt: 1, delay: 500 });
    expect(at.afterError(error, 0)).toBeUndefined();
    expect(told).toEqual([
      [error, 1],
      [error, 2],
    ]);
  });
});

describe('a server that says when', () => {
  const busy = (retryAfter: string): HandshakeError =>
    new HandshakeError('UNEXPECTED_STATUS', 'busy', { status: 503, headers: { 'retry-after': retryAfter } });

  it('is not asked before, and its clients spread behind it', () => {
    expect(backoff().afterError(busy('120'), 0)).toEqual({ attempt: 1, delay: 120_500 });
    expect(backoff({ random: () => 0 }).afterError(busy('120'), 0)).toEqual({ attempt: 1, delay: 120_000 });
  });

  it('may give a date', () => {
    const now = Date.UTC(2030, 0, 1);
    expect(backoff().afterError(busy(new Date(now + 7_000).toUTCString()), now)).toMatchObject({ delay: 7_500 });
  });

  it.each(['301', '86400', '99999999999', '9'.repeat(400), new Date(Date.UTC(2999, 0, 1)).toUTCString()])(
    'is asked again after 5 minutes when it wants more: %s',
    (asked) => {
      expect(backoff().afterError(busy(asked), Date.UTC(2030, 0, 1))).toEqual({ attempt: 1, delay: 300_500 });
    },
  );

  it('is waited for as long as maxRetryAfter allows, and no timer waits longer than it can', () => {
    expect(backoff({ maxRetryAfter: 1_000 }).afterError(busy('2'), 0)).toMatchObject({ delay: 1_500 });
    expect(backoff({ maxRetryAfter: 0 }).afterError(busy('2'), 0)).toMatchObject({ delay: 500 });
    const longest = 2 ** 31 - 1;
    expect(backoff({ maxRetryAfter: longest }).afterError(busy('99999999999'), 0)).toMatchObject({ delay: longest });
  });

  it('does not shorten the wait with a date that is over', () => {
    expect(backoff().afterError(busy('Sun, 06 Nov 1994 08:49:37 GMT'), Date.UTC(2030, 0, 1))).toMatchObject({
      delay: 500,
    });
  });

  it.each(hostileNames)('may come with an error that cannot be read: %s', (name) => {
    const error = hostileValue(name);
    const at = backoff({ shouldRetry: () => true });
    expect(at.afterError(error, 0)).toEqual({ attempt: 1, delay: 500 });
    expect(at.afterError({ headers: error, uptime: error }, 0)).toEqual({ attempt: 2, delay: 1_000 });
    expect(backoff().afterError(error, 0)).toBeUndefined();
  });
});

describe('a policy', () => {
  it.each([
    [{ initial: -1 }, RangeError, 'initial must be a number from 0 to 2147483647, got -1'],
    [{ initial: 2 ** 31 }, RangeError, /^initial must be .*, got 2147483648$/],
    [{ factor: 0.5 }, RangeError, 'factor must be a number of at least 1, got 0.5'],
    [{ max: Number.NaN }, RangeError, /^max must be .*, got NaN$/],
    [{ minUptime: -1 }, RangeError, /^minUptime must be .*, got -1$/],
    [{ maxRetryAfter: -1 }, RangeError, 'maxRetryAfter must be a number from 0 to 2147483647, got -1'],
    [{ maxRetryAfter: Number.POSITIVE_INFINITY }, RangeError, /^maxRetryAfter must be .*, got Infinity$/],
    [{ maxAttempts: -1 }, RangeError, /^maxAttempts must be .*, got -1$/],
    [{ initial: '1' }, TypeError, /^initial must be .*, got "1"$/],
    [{ shouldRetry: true }, TypeError, 'shouldRetry must be a function, got true'],
    [{ random: 1 }, TypeError, 'random must be a function, got 1'],
  ])('is refused when it cannot be: %p', (policy, type, message) => {
    expect(() => backoffRules(policy as BackoffPolicy, Math.random)).toThrow(type);
    expect(() => backoffRules(policy as BackoffPolicy, Math.random)).toThrow(message);
  });
});

const SENT = 'Sun, 06 Nov 1994 08:49:37 GMT';
const now = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('Retry-After (RFC 9110 §10.2.3)', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
  ])('takes seconds: %p', (value, expected) => {
    expect(retryAfter({ 'retry-after': value }, now)).toBe(expected);
  });

  it.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:50:37 GMT'],
    ['RFC 850', 'Sunday, 06-Nov-94 08:50:37 GMT'],
    ['asctime', 'Sun Nov  6 08:50:37 1994'],
  ])('takes a date as %s, in UTC', (_, value) => {
    expect(retryAfter({ 'retry-after': value }, now)).toBe(60_000);
  });

  it('counts a date from the Date of the response, whatever the own clock says', () => {
    const headers = { 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT', date: SENT };
    expect(retryAfter(headers, now + 3_600_000)).toBe(60_000);
  });

  it.each(['soon', '1994-11-06', '0'])(
    'counts a date from the own clock when the Date of the response is %p',
    (date) => {
      const headers = { 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT', date };
      expect(retryAfter(headers, now)).toBe(60_000);
    },
  );

  it('takes any number of digits', () => {
    expect(retryAfter({ 'retry-after': '9'.repeat(4_000) }, now)).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not wait for a date that is over', () => {
    expect(retryAfter({ 'retry-after': SENT }, now + 1)).toBe(0);
  });

  it.each([
    '',
    'soon',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '1, 2',
    'Sun, 99 Nov 1994 08:49:37 GMT',
    // Dates that JavaScript would take.
    'Sunday 5',
    'Sun, 06 Nov 9999',
    'Sun, 06 Nov 1994 08:50:37 +0500',
    '1994-11-06T08:50:37Z',
  ])('takes nothing else: %p', (value) => {
    expect(retryAfter({ 'retry-after': value }, now)).toBeUndefined();
  });

  it('is not there most of the time, and the first one counts', () => {
    expect(retryAfter({}, now)).toBeUndefined();
    expect(retryAfter({ 'retry-after': ['1', '2'] }, now)).toBe(1_000);
  });

  it.each([
    undefined,
    null,
    'retry-after: 5',
    new Map([['retry-after', '5']]),
    { 'retry-after': 5 },
    { 'retry-after': null },
    { 'retry-after': [] },
    { 'retry-after': [5] },
    Object.defineProperty({}, 'retry-after', {
      get: () => {
        throw new Error('no');
      },
    }),
  ])('is not there in what is no record of fields: %#', (headers) => {
    expect(retryAfter(headers, now)).toBeUndefined();
  });
});
