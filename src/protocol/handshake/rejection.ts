import { excerpt } from '../../base/excerpt.js';
import { propertyOf, textOf } from '../../base/thrown.js';
import { isFieldName, isFieldValue } from './header-fields.js';

/** Header fields to send: by name a value, or several. */
export type OutgoingHeaders = Readonly<Record<string, string | readonly string[]>>;

/** A handshake that is answered with an HTTP response instead of 101. Made by {@link reject}. RFC 6455 §4.2.2. */
export class Rejection {
  /** The HTTP status, 300 to 599. */
  readonly status: number;
  /** The reason phrase of the status line. */
  readonly reason: string;
  /** Header fields to send. */
  readonly headers: OutgoingHeaders;
  /** The body, sent as UTF-8. */
  readonly body: string;

  constructor(status: number, reason: string, headers: OutgoingHeaders, body: string) {
    this.status = status;
    this.reason = reason;
    this.headers = headers;
    this.body = body;
  }

  /** Marks the rejections of every build of sluice. @internal */
  get [Symbol.for('sluice.rejection')](): true {
    return true;
  }
}

/** Whether `value` was made by {@link reject}, whichever build of sluice. */
export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && propertyOf(value, Symbol.for('sluice.rejection')) === true;
}

/** Standard phrases. RFC 9110 §15, RFC 6585. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Found'],
  [303, 'See Other'],
  [304, 'Not Modified'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [421, 'Misdirected Request'],
  [422, 'Unprocessable Content'],
  [425, 'Too Early'],
  [426, 'Upgrade Required'],
  [428, 'Precondition Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [451, 'Unavailable For Legal Reasons'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [505, 'HTTP Version Not Supported'],
  [511, 'Network Authentication Required'],
]);

/**
 * Makes the answer to a handshake that is not wanted; a hook returns it.
 *
 * @param status the HTTP status, 300 to 599.
 * @param reason the reason phrase; by default the standard phrase of `status`.
 * @param headers sent with the response. Connection, Content-Length and Transfer-Encoding are written by sluice and ignored here.
 * @param body sent as UTF-8 text unless `headers` name another Content-Type; by default the reason phrase.
 * @throws RangeError when `status` is not an integer from 300 to 599.
 * @throws TypeError when the reason or a header contains CR, LF, another control character or one above U+00FF.
 */
export function reject(status: number, reason?: string, headers: OutgoingHeaders = {}, body?: string): Rejection {
  if (!Number.isInteger(status) || status < 300 || status > 599) {
    throw new RangeError(`status is ${textOf(status)}, allowed are integers from 300 to 599`);
  }
  const phrase = reason ?? REASONS.get(status) ?? 'Refused';
  requireValue('reason', phrase);
  if (body !== undefined && typeof body !== 'string')
    throw new TypeError(`body is ${excerpt(body)}, allowed is a string`);
  return new Rejection(status, phrase, copyHeaders(headers), body ?? phrase);
}

function copyHeaders(headers: OutgoingHeaders): OutgoingHeaders {
  const copy: Record<string, string | readonly string[]> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (!isFieldName(name)) throw new TypeError(`header name is ${excerpt(name)}, allowed is a token (RFC 9110 §5.1)`);
    for (const item of valuesOf(value)) requireValue(`header ${name}`, item);
    copy[name] = typeof value === 'string' ? value : [...value];
  }
  return Object.freeze(copy);
}

function requireValue(what: string, value: unknown): void {
  if (typeof value === 'string' && isFieldValue(value)) return;
  throw new TypeError(`${what} is ${excerpt(value)}, allowed is text without control characters or any above U+00FF`);
}

function valuesOf(value: string | readonly string[]): readonly string[] {
  return Array.isArray(value) ? value : [value as string];
}

/** Fields that frame the response: their only source is {@link encodeRefusal}. */
const FRAMING: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding']);

/**
 * The whole HTTP/1.1 response that refuses a handshake, to be written as UTF-8. `extraHeaders` come after those of the rejection.
 * Never throws, and never lets a value end a line: a character that no field may contain is sent as a space, a field whose
 * name is not a token is left out.
 */
export function encodeRefusal(rejection: Rejection, extraHeaders: OutgoingHeaders = {}): string {
  // RFC 9110 §15.4.5: "A 304 response is terminated by the end of the header section; it cannot contain content or trailers."
  const body = rejection.status === 304 ? '' : rejection.body;
  const fields = [...fieldsOf(rejection.headers), ...fieldsOf(extraHeaders)];
  const has = (name: string): boolean => fields.some((field) => field[0].toLowerCase() === name);
  // RFC 9110 §7.8: "A sender of Upgrade MUST also send an 'Upgrade' connection option in the Connection header field"
  fields.unshift(['Connection', has('upgrade') ? 'close, Upgrade' : 'close']);
  if (!has('content-type')) fields.push(['Content-Type', 'text/plain; charset=utf-8']);
  fields.push(['Content-Length', String(new TextEncoder().encode(body).length)]);
  const lines = fields.map(([name, value]) => `${name}: ${inOneLine(value)}\r\n`);
  return `HTTP/1.1 ${rejection.status} ${inOneLine(rejection.reason)}\r\n${lines.join('')}\r\n${body}`;
}

function fieldsOf(headers: OutgoingHeaders): [name: string, value: string][] {
  return Object.entries(headers)
    .filter(([name]) => isFieldName(name) && !FRAMING.has(name.toLowerCase()))
    .flatMap(([name, value]) => valuesOf(value).map((item): [string, string] => [name, item]));
}

// RFC 9110 §5.5: "a recipient of CR, LF, or NUL within a field value MUST either reject the message or replace each of those
// characters with SP". A rejection of another build of sluice has not been through our `reject`.
function inOneLine(value: string): string {
  return value.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}
