import { channel } from 'node:diagnostics_channel';
import { type ReportName, reportTo } from '../base/report.js';

/**
 * The channels of node:diagnostics_channel on which sluice reports what no Observable carries. Subscribe to
 * `sluice:<name>`; a message costs nothing while nobody listens. docs/reference/diagnostics.md lists what each carries.
 */
const channels = {
  /** `{ connection }`: a handshake was completed. */
  open: channel('sluice:open'),
  /** `{ connection, info }`: a connection ended. */
  close: channel('sluice:close'),
  /** `{ request, status, body }`: a server refused a handshake. */
  refuse: channel('sluice:refuse'),
  /** `{ error }`: a server could not accept, or a hook failed. */
  'server-error': channel('sluice:server-error'),
  /** `{ connection, error }`: a value could not be sent, or a handler failed. */
  'connection-error': channel('sluice:connection-error'),
} as const satisfies Record<ReportName, unknown>;

reportTo((name, message) => {
  const target = channels[name];
  if (target.hasSubscribers) target.publish(message);
});
