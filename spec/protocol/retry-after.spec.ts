import { retryAfter } from '../../src/protocol/retry-after.js';

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

  it('does not wait for a date that is over', () => {
    expect(retryAfter({ 'retry-after': SENT }, now + 1)).toBe(0);
  });

  it.each(['', 'soon', '-1', '1.5', '1e3', 'Sun, 99 Nov 1994 08:49:37 GMT'])('takes nothing else: %p', (value) => {
    expect(retryAfter({ 'retry-after': value }, now)).toBeUndefined();
  });

  it('is not there most of the time, and the first one counts', () => {
    expect(retryAfter({}, now)).toBeUndefined();
    expect(retryAfter({ 'retry-after': ['1', '2'] }, now)).toBe(1_000);
  });
});
