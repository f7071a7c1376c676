/** What can be reported. */
export type ReportName = 'open' | 'close' | 'refuse' | 'server-error' | 'connection-error';

/** Where reports go. */
export type Reporter = (name: ReportName, message: object) => void;

let reporter: Reporter | undefined;

/** Sends all further reports to `to`. A platform without diagnostics never calls it. */
export function reportTo(to: Reporter): void {
  reporter = to;
}

/** Reports `message` under `name`: on Node.js to the subscribers of the channel `sluice:<name>`. */
export function report(name: ReportName, message: object): void {
  reporter?.(name, message);
}
