import { checkFunction, checkNumber } from '../../base/check.js';
import { propertyOf } from '../../base/thrown.js';
import { isRetryable } from './retryable.js';

/** A backoff policy. RFC 6455 §7.2.3 asks for a random delay that grows with each failure. Times are in milliseconds. */
export interface BackoffPolicy {
  /** The longest wait before the first attempt. Raise it if very many clients share a server. @default 500 */
  readonly initial?: number;
  /** The factor by which the longest wait grows with each attempt. @default 2 */
  readonly factor?: number;
  /** The upper limit of the longest wait. @default 30_000 */
  readonly max?: number;
  /**
   * The longest wait that a server may request with Retry-After; if it requests more, the client waits this long. The wait of the
   * policy itself is added. 0 ignores Retry-After. @default 300_000
   */
  readonly maxRetryAfter?: number;
  /** The attempts are counted from 1 again once a connection has stayed open for this long. @default 5_000 */
  readonly minUptime?: number;
  /** How many attempts in a row may fail; then the error is passed on. @default Infinity */
  readonly maxAttempts?: number;
  /** Returns whether to try again after `error`; `attempt` counts from 1. @default isRetryable */
  readonly shouldRetry?: (error: unknown, attempt: number) => boolean;
  /** Returns the part of the longest wait to wait, from 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/** A wait before an attempt. */
export interface Wait {
  /** Counts from 1, and again from 1 after a connection that has worked. */
  readonly attempt: number;
  /** In milliseconds. */
  readonly delay: number;
}

/** The longest that timers can wait, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

/** A checked {@link BackoffPolicy}, with its defaults. */
export type BackoffRules = Required<BackoffPolicy>;

/**
 * Checks a policy and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option, what was found and what is allowed.
 */
export function backoffRules(policy: BackoffPolicy, anyNumber: () => number): BackoffRules {
  const { initial = 500, factor = 2, max = 30_000, maxRetryAfter = 300_000, minUptime = 5_000 } = policy;
  const { maxAttempts = Number.POSITIVE_INFINITY, shouldRetry = isRetryable, random = anyNumber } = policy;
  checkNumber('initial', initial, 0, MAX_TIMER);
  checkNumber('factor', factor, 1, Number.POSITIVE_INFINITY);
  checkNumber('max', max, 0, MAX_TIMER);
  checkNumber('maxRetryAfter', maxRetryAfter, 0, MAX_TIMER);
  checkNumber('minUptime', minUptime, 0, Number.POSITIVE_INFINITY);
  checkNumber('maxAttempts', maxAttempts, 0, Number.POSITIVE_INFINITY);
  checkFunction('shouldRetry', shouldRetry);
  checkFunction('random', random);
  return { initial, factor, max, maxRetryAfter, minUptime, maxAttempts, shouldRetry, random };
}

/** Truncated exponential backoff with full jitter, so that clients that lost their connections together spread at once. RFC 6455 §7.2.3. */
export class Backoff {
  readonly #rules: BackoffRules;
  #attempts = 0;

  constructor(rules: BackoffRules) {
    this.#rules = rules;
  }

  /**
   * Returns the wait after a failure; undefined if there is no other attempt.
   *
   * @param now milliseconds since 1970, for a Retry-After that is a date.
   */
  afterError(error: unknown, now: number): Wait | undefined {
    const { maxRetryAfter, shouldRetry } = this.#rules;
    const uptime = propertyOf(error, 'uptime');
    const wait = this.afterEnd(typeof uptime === 'number' ? uptime : 0);
    if (wait === undefined || !shouldRetry(error, wait.attempt)) return undefined;
    const asked = retryAfter(propertyOf(error, 'headers'), now);
    if (asked === undefined) return wait;
    // Clients spread after Retry-After too, since the server sends all of them the same.
    return { ...wait, delay: Math.min(MAX_TIMER, Math.min(asked, maxRetryAfter) + wait.delay) };
  }

  /** Returns the wait after a connection that was open for `uptime` ms; undefined if there is no other attempt. */
  afterEnd(uptime: number): Wait | undefined {
    const { initial, factor, max, minUptime, maxAttempts, random } = this.#rules;
    if (uptime >= minUptime) this.#attempts = 0;
    if (this.#attempts >= maxAttempts) return undefined;
    const longest = Math.min(max, initial * factor ** this.#attempts);
    this.#attempts++;
    return { attempt: this.#attempts, delay: random() * longest };
  }
}

/**
 * Returns how long a response asks to wait before the next request, in milliseconds, never negative and possibly Infinity; undefined
 * without Retry-After, or if it has neither of the two forms of RFC 9110 §10.2.3. A date is relative to the Date of the response, so
 * that wrong clocks do no harm, or to `now` without one.
 *
 * @param headers the fields of the response by lower-case names, or any value: errors of other libraries have other headers.
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
