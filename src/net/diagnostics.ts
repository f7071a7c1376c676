import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { type ReportName, reportTo } from '../base/report.js';
import { debugLine } from './debug-line.js';

/**
 * The node:diagnostics_channel channels on which sluice reports what no Observable carries. Subscribe to `sluice:<name>`.
 * Messages cost nothing without subscribers. docs/reference/diagnostics.md lists their contents.
 */
const channels = {
  /** `{ connection, server }`: a handshake completed. */
  open: channel('sluice:open'),
  /** `{ connection, server, info }`: a connection ended. */
  close: channel('sluice:close'),
  /** `{ request, server, status, body }`: a server refused a handshake. */
  refuse: channel('sluice:refuse'),
  /** `{ server, error }`: a server could not accept, or a hook failed. */
  'server-error': channel('sluice:server-error'),
  /** `{ connection, server, error }`: a value could not be sent, or a handler failed. */
  'connection-error': channel('sluice:connection-error'),
  /** `{ connection, server, direction, opcode, fin, compressed, masked, length, payload }`: a frame was received or written. */
  frame: channel('sluice:frame'),
  /** `{ url }`: a client starts to connect. */
  dial: channel('sluice:dial'),
  /** `{ url, error }`: a client failed to connect. */
  'dial-error': channel('sluice:dial-error'),
  /** `{ attempt, delay, error }`: a client waits before its next attempt. */
  reconnect: channel('sluice:reconnect'),
} as const satisfies Record<ReportName, unknown>;

reportTo({
  report: (name, message) => {
    const target = channels[name];
    if (target.hasSubscribers) target.publish(message);
  },
  isFollowed: (name) => channels[name].hasSubscribers,
});

/** `NODE_DEBUG=sluice` subscribes to all channels. */
const log = debuglog('sluice');
if (log.enabled) {
  for (const [name, target] of Object.entries(channels)) {
    target.subscribe((message) => log(debugLine(name as ReportName, message as never)));
  }
}
