/** Keeps the event loop from turning, as an application does that computes for long. */
export function blockLoop(millis: number): void {
  for (const end = performance.now() + millis; performance.now() < end; );
}
