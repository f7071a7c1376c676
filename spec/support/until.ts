/** Waits, one turn of the event loop after the other, until `isThere` says so. The test's timeout bounds it. */
export async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setImmediate(resolve));
}
