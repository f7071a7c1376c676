import type { SchedulerLike } from 'rxjs';
import { describe } from './describe.js';

/** The longest time that Node's timers can wait, in milliseconds. */
export const MAX_TIMER: number = 2 ** 31 - 1;

/** @throws TypeError when `value` is no number, RangeError when it is no integer from `min` to `max`. */
export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number')
    throw new TypeError(`${name} is ${describe(value)}, allowed are integers from ${min} to ${max}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is ${value}, allowed are integers from ${min} to ${max}`);
  }
  return value;
}

/** @throws TypeError when `value` is no number, RangeError when it is none from `min` to `max`. */
export function checkNumber(name: string, value: unknown, min: number, max: number): number {
  const allowed = max === Number.POSITIVE_INFINITY ? `numbers from ${min}` : `numbers from ${min} to ${max}`;
  if (typeof value !== 'number') throw new TypeError(`${name} is ${describe(value)}, allowed are ${allowed}`);
  if (!(value >= min && value <= max)) throw new RangeError(`${name} is ${value}, allowed are ${allowed}`);
  return value;
}

/** @throws TypeError when `value` is neither `true` nor `false`. */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} is ${describe(value)}, allowed are true and false`);
  return value;
}

/** @throws TypeError when `value` is none of `allowed`, RangeError when all of them are numbers and so is it. */
export function checkOneOf<T extends string | number>(name: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  const message = `${name} is ${describe(value)}, allowed are ${allowed.map(describe).join(', ')}`;
  throw typeof value === 'number' && typeof allowed[0] === 'number' ? new RangeError(message) : new TypeError(message);
}

/** @throws TypeError when `value` is given and no function. */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name} is ${describe(value)}, allowed is a function`);
  }
}

/** @throws TypeError when `value` is no scheduler. */
export function checkScheduler(name: string, value: SchedulerLike): SchedulerLike {
  if (typeof value?.schedule !== 'function' || typeof value.now !== 'function') {
    throw new TypeError(`${name} is ${describe(value)}, allowed is a scheduler of RxJS`);
  }
  return value;
}

/**
 * @param within the option that `options` belong to, with a dot behind it.
 * @throws TypeError when `options` is no object, or has an option that is not in `allowed`.
 */
export function checkNames(options: object, allowed: readonly string[], within = ''): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options are ${describe(options)}, allowed is an object`);
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !allowed.includes(name)) {
      throw new TypeError(`unknown option ${describe(within + name)}, allowed are ${allowed.join(', ')}`);
    }
  }
}

/** @throws TypeError when `signal` is given and no AbortSignal. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new TypeError(`signal is ${describe(signal)}, allowed is an AbortSignal`);
  }
}
