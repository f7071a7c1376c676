import { propertyOf } from '../../base/thrown.js';

/**
 * How long a response asks to wait before the next request, in milliseconds, never negative and perhaps Infinity; undefined if it does
 * not say so, or says it in another form than the two of RFC 9110 §10.2.3. A date counts from the Date of the response, so that clocks
 * that differ do no harm, and from `now` without one.
 *
 * @param headers the fields of the response by lower-case names, or anything: errors of other libraries have headers of their own kind.
 * @param now milliseconds since 1970.
 */
export function retryAfter(headers: unknown, now: number): number | undefined {
  const value = field(headers, 'retry-after');
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = httpDate(value);
  if (date === undefined) return undefined;
  return Math.max(0, date - (httpDate(field(headers, 'date')) ?? now));
}

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '\\d\\d:\\d\\d:\\d\\d';

/** RFC 9110 §5.6.7: the three forms that "a recipient MUST accept". All of them are in UTC. `Date.parse` alone takes far more than these. */
const DATES: readonly RegExp[] = [
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d ${MONTH} \\d{4} ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \\d\\d-${MONTH}-\\d\\d ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} [ \\d]\\d ${TIME} \\d{4}$`),
];

function httpDate(value: string | undefined): number | undefined {
  if (value === undefined || !DATES.some((form) => form.test(value))) return undefined;
  const time = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

/** The first value of a field. */
function field(headers: unknown, name: string): string | undefined {
  const value = propertyOf(headers, name);
  const text = Array.isArray(value) ? (value[0] as unknown) : value;
  return typeof text === 'string' ? text.trim() : undefined;
}
