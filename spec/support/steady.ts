import { setTimeout as delay } from 'node:timers/promises';

/** When a figure counts as steady. */
export interface Steadiness {
  /** How many looks in a row must show the same. @default 5 */
  readonly looks?: number;
  /** How far apart looks may be in their figures and show the same. @default 0 */
  readonly within?: number;
  /** Between two looks, in milliseconds. @default 20 */
  readonly every?: number;
}

/** Looks at a figure until it no longer changes, and resolves to it. The caller bounds how long that may take. */
export async function steady(
  read: () => number | Promise<number>,
  { looks = 5, within = 0, every = 20 }: Steadiness = {},
): Promise<number> {
  let first = await read();
  for (let same = 1; same < looks; ) {
    await delay(every);
    const next = await read();
    if (Math.abs(next - first) <= within) same++;
    else [first, same] = [next, 1];
  }
  return first;
}
