import { excerpt, inOneLine } from '../base/excerpt.js';
import { plainUrl } from '../base/inspect.js';
import type { ReportName } from '../base/report.js';
import { describeThrown } from '../base/thrown.js';
import type { FrameReport } from '../channel/traced-port.js';
import type { CloseInfo, Connection } from '../connection/connection.js';
import type { IncomingMessage } from '../connection/incoming-message.js';
import { Opcode } from '../protocol/frame/opcode.js';

/** The longest text that is shown whole, in characters. */
const TEXT_LIMIT = 64;

/** The fields of each diagnostics message that a line shows. */
interface DebugMessages extends Record<ReportName, object> {
  open: { readonly connection: Connection };
  close: { readonly connection: Connection; readonly info: CloseInfo };
  refuse: { readonly request: IncomingMessage; readonly status: number; readonly body: string };
  'server-error': { readonly error: unknown };
  'connection-error': { readonly connection: object; readonly error: unknown };
  frame: FrameReport;
  dial: { readonly url: string };
  'dial-error': { readonly url: string | undefined; readonly error: unknown };
  reconnect: { readonly attempt: number; readonly delay: number; readonly error?: unknown };
}

const lines: { readonly [Name in ReportName]: (message: DebugMessages[Name]) => string } = {
  open: ({ connection }) => `${idOf(connection)} ${opened(connection)}`,
  close: ({ connection, info }) => `${idOf(connection)} ${closed(connection, info)}`,
  refuse: ({ request, status, body }) => `refused ${asked(request)} with ${status}: ${withoutSecrets(body.trim())}`,
  'server-error': ({ error }) => `server error: ${said(error)}`,
  'connection-error': ({ connection, error }) => `${idOf(connection)} error: ${said(error)}`,
  frame: (frame) => `${idOf(frame.connection)} ${frame.direction === 'in' ? '<-' : '->'} ${framed(frame)}`,
  dial: ({ url }) => `dialing ${url}`,
  'dial-error': ({ url, error }) => `dialing ${url ?? 'a target'} failed: ${said(error)}`,
  reconnect: ({ attempt, delay, error }) =>
    `attempt ${attempt} in ${Math.round(delay)} ms, after ${error === undefined ? 'a normal end' : said(error)}`,
};

/** Returns the line that `NODE_DEBUG=sluice` prints for a diagnostics message. Credentials and URL queries are left out. */
export function debugLine<Name extends ReportName>(name: Name, message: DebugMessages[Name]): string {
  return inOneLine((lines[name] as (message: DebugMessages[Name]) => string)(message));
}

/** The connections that lines were printed for. */
const ids = new WeakMap<object, number>();
let lastId = 0;

/** Returns a number that identifies the connection. */
function idOf(connection: object): string {
  const id = ids.get(connection) ?? ++lastId;
  ids.set(connection, id);
  return `#${id}`;
}

function opened({ request, url, remoteAddress, protocol, supports }: Connection): string {
  const what = request === undefined ? `connected to ${plainUrl(url)}` : `accepted ${asked(request, remoteAddress)}`;
  return [
    what,
    ...(protocol === '' ? [] : [`protocol ${excerpt(protocol)}`]),
    ...(supports.compression ? ['permessage-deflate'] : []),
  ].join(', ');
}

/** Describes a request by its path, remote address and origin. */
function asked(request: IncomingMessage, remoteAddress = request.socket.remoteAddress): string {
  const { origin } = request.headers;
  const from = origin === undefined ? '' : `, origin ${excerpt(origin)}`;
  return `${plainUrl(request.url ?? '')} from ${remoteAddress ?? 'an unknown address'}${from}`;
}

function closed({ stats }: Connection, { code, reason, wasClean, initiator, error }: CloseInfo): string {
  const why = error === undefined ? '' : `: ${said(error)}`;
  const by = initiator === 'peer' ? 'by the peer' : 'by us';
  const text = reason === '' ? '' : ` ${excerpt(reason, 123)}`;
  return `closed with ${code}${text} ${by}${wasClean ? '' : ', not clean'}, after ${Math.round(stats.uptime)} ms${why}`;
}

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Opcode).map(([name, opcode]) => [opcode, name]),
);

function framed({ opcode, fin, compressed, length, payload }: FrameReport): string {
  const parts = [
    NAMES[opcode] ?? `opcode ${opcode}`,
    ...(fin ? [] : ['not final']),
    ...(compressed ? ['compressed'] : []),
  ];
  const shown = compressed ? '' : shownOf(opcode, payload);
  return `${[...parts, `${length} bytes`].join(', ')}${shown === '' ? '' : `: ${shown}`}`;
}

function shownOf(opcode: number, payload: Uint8Array): string {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (opcode === Opcode.text) return excerpt(bytes.toString(), TEXT_LIMIT);
  if (opcode !== Opcode.close || bytes.length < 2) return '';
  const reason = bytes.toString('utf8', 2);
  return `${bytes.readUInt16BE(0)}${reason === '' ? '' : ` ${excerpt(reason, 123)}`}`;
}

function said(error: unknown): string {
  return withoutSecrets(describeThrown(error));
}

/** Replaces each URL in `text` with its `plainUrl`. */
function withoutSecrets(text: string): string {
  return text.replace(/\b[a-z][a-z\d+.-]*:\/\/[^\s"'<>]*/gi, (url) => plainUrl(url));
}
