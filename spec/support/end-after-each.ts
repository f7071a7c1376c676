/**
 * Registers what ends the things that a test opened: give each end to the function that this returns. After each test they are
 * called, the last first, and waited for.
 */
export function endAfterEach(): (end: () => unknown) => void {
  let ends: (() => unknown)[] = [];
  afterEach(async () => {
    const due = ends.reverse();
    ends = [];
    for (const end of due) await end();
  });
  return (end) => ends.push(end);
}
