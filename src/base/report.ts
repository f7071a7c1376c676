/** What can be reported. */
export type ReportName = 'open' | 'close' | 'refuse' | 'server-error' | 'connection-error';

/** Where reports go. */
export type Reporter = (name: ReportName, message: object) => void;

let reporter: Reporter | undefined;

/** Sends all that is reported from now on to `to`. A platform without diagnostics never calls it. */
export function reportTo(to: Reporter): void {
  reporter = to;
}

/** Reports `message` to whoever follows `name`: on Node.js the subscribers of the channel `sluice:<name>`. */
export function report(name: ReportName, message: object): void {
  reporter?.(name, message);
}
