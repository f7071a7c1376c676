/** The kinds of reports. */
export type ReportName =
  | 'open'
  | 'close'
  | 'refuse'
  | 'server-error'
  | 'connection-error'
  | 'frame'
  | 'dial'
  | 'dial-error'
  | 'reconnect';

/** A destination of reports. */
export interface Reporter {
  report(name: ReportName, message: object): void;
  /** Whether `name` has subscribers. */
  isFollowed(name: ReportName): boolean;
}

let reporter: Reporter | undefined;

/** Sends all further reports to `to`. A platform without diagnostics never calls it. */
export function reportTo(to: Reporter): void {
  reporter = to;
}

/** Reports `message` under `name`: on Node.js to the subscribers of the channel `sluice:<name>`. */
export function report(name: ReportName, message: object): void {
  reporter?.report(name, message);
}

/** Whether `name` has subscribers, for reports that are expensive to make. */
export function isFollowed(name: ReportName): boolean {
  return reporter?.isFollowed(name) === true;
}
