/** The fields of a response, by lower-case names. */
type Fields = Readonly<Record<string, string | string[] | undefined>>;

/**
 * How long a response asks to wait before the next request, in milliseconds, never negative; nothing when it does not say so. A date
 * counts from the Date of the response, so that clocks that differ do no harm, and from `now` without one. RFC 9110 §10.2.3.
 *
 * @param now milliseconds since 1970.
 */
export function retryAfter(headers: Fields, now: number): number | undefined {
  const value = first(headers['retry-after'])?.trim();
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = httpDate(value);
  if (date === undefined) return undefined;
  return Math.max(0, date - (httpDate(first(headers.date)) ?? now));
}

/** RFC 9110 §5.6.7: three forms, "a recipient MUST accept all three", and all of them are in UTC. */
function httpDate(value: string | undefined): number | undefined {
  if (value === undefined || !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value)) return undefined;
  const time = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

function first(value: string | string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}
