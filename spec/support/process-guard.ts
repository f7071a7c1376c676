/**
 * Fails each test of a file during which an error escaped into the process: RxJS reports errors that nobody takes that way, and
 * Node those of sockets without an 'error' listener.
 */
export function guardProcess(): void {
  let escaped: unknown[] = [];
  const note = (error: unknown): void => {
    escaped.push(error);
  };
  beforeEach(() => {
    escaped = [];
    process.on('uncaughtException', note).on('unhandledRejection', note);
  });
  afterEach(async () => {
    // RxJS reports in a timeout of 0 ms, Node rejections after the microtasks: both have come by then.
    await new Promise((resolve) => setTimeout(resolve, 1));
    process.off('uncaughtException', note).off('unhandledRejection', note);
    expect(escaped).toEqual([]);
  });
}
