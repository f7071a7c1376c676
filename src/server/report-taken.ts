import { report } from '../base/report.js';
import type { UsageError } from '../protocol/errors.js';

/** Whether it was printed: once in a process is enough, and peers decide how often it happens. */
let isPrinted = false;

/**
 * Reports that a server was given a socket that is upgraded already, and prints it the first time. It is a mistake of the application,
 * but is noticed within Node's 'upgrade' event, where a throw would let any peer end the process.
 */
export function reportTaken(message: { readonly server?: object; readonly error: UsageError }): void {
  report('server-error', message);
  if (isPrinted) return;
  isPrinted = true;
  console.error('An upgrade was passed on twice:', message.error);
}
