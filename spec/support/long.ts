/**
 * What takes long, or is random and gains by numbers, runs in full with `npm run test:long`, and CI runs that. `npm test` runs a
 * part of it. `.ci/jest.long.config.js` finds the specs that import this, check vectors,
 * or have conversations with other libraries.
 */

/** Whether all of it runs. */
export const isLong = process.env.SLUICE_LONG_TESTS === '1';

/** So many random inputs with `npm run test:long`, and a fifth of them with `npm test`. */
export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: isLong ? count : count / 5 };
}

/** The whole list with `npm run test:long`, and `part` of it with `npm test`. */
export function allOr<T>(all: readonly T[], part: readonly T[]): readonly T[] {
  return isLong ? all : part;
}
