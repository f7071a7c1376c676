/** Loaded before each spec: matchers compare Buffers at once, not byte by byte, which takes seconds for megabytes. */

/** What the types of Jest do not have. */
interface Expect {
  addEqualityTesters(testers: readonly ((found: unknown, expected: unknown) => boolean | undefined)[]): void;
}

(expect as unknown as Expect).addEqualityTesters([
  (found, expected) => (Buffer.isBuffer(found) && Buffer.isBuffer(expected) ? found.equals(expected) : undefined),
]);
