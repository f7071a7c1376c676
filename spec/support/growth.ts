/** How many times as long `run` takes for 16 times the size: near 16 when it is linear, near 256 when it is quadratic. */
export function growthOf(run: (size: number) => void): number {
  const size = 1_000;
  // What is run for the first time is compiled.
  leastTimeOf(() => run(size));
  return leastTimeOf(() => run(16 * size)) / leastTimeOf(() => run(size));
}

/** Between linear and quadratic, as far from both as can be: machines have other things to do. */
export const LINEAR = 64;

/** The least of many, in milliseconds: the rest is the machine's. */
function leastTimeOf(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 20; tries++) {
    const began = performance.now();
    run();
    least = Math.min(least, performance.now() - began);
  }
  return least;
}
