import { retryAfter } from '../../../src/operators/again/retry-after.js';

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
