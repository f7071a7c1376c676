/** @throws TypeError when `value` is no number, RangeError when it is none from `min` to `max`. */
export function checkNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} is ${typeof value}, allowed are ${range(min, max)}`);
  if (!(value >= min && value <= max)) throw new RangeError(`${name} is ${value}, allowed are ${range(min, max)}`);
  return value;
}

/** @throws TypeError when `value` is given and no function. */
export function checkCallback(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name} is ${typeof value}, allowed is a function`);
  }
}

function range(min: number, max: number): string {
  return max === Number.POSITIVE_INFINITY ? `numbers from ${min}` : `numbers from ${min} to ${max}`;
}
