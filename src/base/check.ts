import type { SchedulerLike } from 'rxjs';
import { describe } from './describe.js';
import { nearest } from './nearest.js';

/** The longest time that Node's timers can wait, in milliseconds. */
export const MAX_TIMER: number = 2 ** 31 - 1;

/** @throws TypeError if `value` is not a number, RangeError if it is not an integer from `min` to `max`. */
export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number')
    throw new TypeError(`${name} must be an integer from ${min} to ${max}, got ${describe(value)}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, got ${value}`);
  }
  return value;
}

/**
 * @param others other values that the caller accepts, for the end of the sentence.
 * @throws TypeError if `value` is not a number, RangeError if it is not from `min` to `max`.
 */
export function checkNumber(name: string, value: unknown, min: number, max: number, others = ''): number {
  const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
  const allowed = `a number ${range}${others}`;
  if (typeof value !== 'number') throw new TypeError(`${name} must be ${allowed}, got ${describe(value)}`);
  if (!(value >= min && value <= max)) throw new RangeError(`${name} must be ${allowed}, got ${value}`);
  return value;
}

/** @throws TypeError if `value` is neither `true` nor `false`. */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${describe(value)}`);
  return value;
}

/** @throws TypeError if `value` is not one of `allowed`; RangeError if `value` and `allowed` are numbers. */
export function checkOneOf<T extends string | number>(name: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  const message = `${name} must be one of ${allowed.map(describe).join(', ')}, got ${describe(value)}`;
  throw typeof value === 'number' && typeof allowed[0] === 'number' ? new RangeError(message) : new TypeError(message);
}

/** @throws TypeError if `value` is given and is not a function. */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, got ${describe(value)}`);
  }
}

/** @throws TypeError if `value` is not a scheduler. */
export function checkScheduler(name: string, value: SchedulerLike): SchedulerLike {
  if (typeof value?.schedule !== 'function' || typeof value.now !== 'function') {
    throw new TypeError(`${name} must be an RxJS scheduler, got ${describe(value)}`);
  }
  return value;
}

/**
 * @param within the option that `options` belong to, with a trailing dot.
 * @param elsewhere options of other libraries, with their replacements here.
 * @throws TypeError if `options` is not an object, or has an option that is not in `allowed`.
 */
export function checkNames(
  options: object,
  allowed: readonly string[],
  within = '',
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object, got ${describe(options)}`);
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !allowed.includes(name)) {
      throw new TypeError(`unknown option ${describe(within + name)}: ${advice(name, allowed, elsewhere)}`);
    }
  }
}

/** The names that are allowed instead of `name`, after the replacement or the most similar name. */
function advice(name: string, allowed: readonly string[], elsewhere: Readonly<Record<string, string>>): string {
  const near = nearest(name, allowed);
  const question = near === undefined ? '' : `did you mean ${describe(near)}? `;
  const known = Object.hasOwn(elsewhere, name) ? `${elsewhere[name]}; ` : question;
  return `${known}expected one of ${allowed.join(', ')}`;
}

/** @throws TypeError if `signal` is given and is not an AbortSignal. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new TypeError(`signal must be an AbortSignal, got ${describe(signal)}`);
  }
}
