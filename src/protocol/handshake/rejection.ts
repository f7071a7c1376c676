import { excerpt } from '../../base/excerpt.js';
import { propertyOf, textOf } from '../../base/thrown.js';
import { isFieldName, isFieldValue } from './header-fields.js';

/** Header fields to send: each name has one value or several. */
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

/** Whether `value` was made by {@link reject}, in any build of sluice. */
export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && propertyOf(value, Symbol.for('sluice.rejection')) === true;
}

/** Standard reason phrases. RFC 9110 §15, RFC 6585. */
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
 * Creates the response that refuses a handshake, for a hook to return.
 *
 * @param status the HTTP status, 300 to 599.
 * @param reason the reason phrase; by default the standard phrase of `status`.
 * @param headers sent with the response. Sluice sets Connection, Content-Length and Transfer-Encoding, and ignores them here.
 * @param body sent as UTF-8 text unless `headers` name another Content-Type; by default the reason phrase.
 * @throws RangeError if `status` is not an integer from 300 to 599.
 * @throws TypeError if the reason or a header contains CR, LF, another control character or one above U+00FF.
 */
export function reject(status: number, reason?: string, headers: OutgoingHeaders = {}, body?: string): Rejection {
  if (!Number.isInteger(status) || status < 300 || status > 599) {
    throw new RangeError(`status must be an integer from 300 to 599, got ${textOf(status)}`);
  }
  const phrase = reason ?? REASONS.get(status) ?? 'Refused';
  requireValue('reason', phrase);
  if (body !== undefined && typeof body !== 'string')
    throw new TypeError(`body must be a string, got ${excerpt(body)}`);
  return new Rejection(status, phrase, copyHeaders(headers), body ?? phrase);
}

function copyHeaders(headers: OutgoingHeaders): OutgoingHeaders {
  const copy: Record<string, string | readonly string[]> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (!isFieldName(name)) throw new TypeError(`a header name must be a token (RFC 9110 §5.1), got ${excerpt(name)}`);
    for (const item of valuesOf(value)) requireValue(`header ${name}`, item);
    copy[name] = typeof value === 'string' ? value : [...value];
  }
  return Object.freeze(copy);
}

function requireValue(what: string, value: unknown): void {
  if (typeof value === 'string' && isFieldValue(value)) return;
  throw new TypeError(
    `${what} must be text without control characters or characters above U+00FF, got ${excerpt(value)}`,
  );
}

function valuesOf(value: string | readonly string[]): readonly string[] {
  return Array.isArray(value) ? value : [value as string];
}

/** Fields that delimit a response. Only the writer of the response sets them. */
const FRAMING: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding']);

/** Returns the body of a refusal. RFC 9110 §15.4.5: "A 304 response [...] cannot contain content or trailers." */
export function refusalBody({ status, body }: Rejection): string {
  return status === 304 ? '' : body;
}

/**
 * Returns the header fields of a refusal, in the order to send: its own, then those that describe its body. Never throws, and no value can
 * end a line: a character that no field may contain becomes a space, and a field whose name is not a token is left out.
 */
export function refusalFields(rejection: Rejection): [name: string, value: string][] {
  const fields = Object.entries(rejection.headers)
    .filter(([name]) => isFieldName(name) && !FRAMING.has(name.toLowerCase()))
    .flatMap(([name, value]) => valuesOf(value).map((item): [string, string] => [name, inOneLine(item)]));
  if (!hasField(fields, 'content-type')) fields.push(['Content-Type', 'text/plain; charset=utf-8']);
  fields.push(['Content-Length', String(new TextEncoder().encode(refusalBody(rejection)).length)]);
  return fields;
}

/** Whether one of `fields` is named `name`, in lower case. */
export function hasField(fields: readonly (readonly [name: string, value: string])[], name: string): boolean {
  return fields.some((field) => field[0].toLowerCase() === name);
}

/**
 * Replaces each character of `text` that no field may contain with a space. RFC 9110 §5.5: "a recipient of CR, LF, or NUL within a field
 * value MUST either reject the message or replace each of those characters with SP". A rejection from another build of sluice has not
 * been checked by our {@link reject}.
 */
export function inOneLine(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}
