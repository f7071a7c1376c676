import { excerpt } from '../../base/excerpt.js';
import { fieldValues, isToken, trimWhitespace } from './header-fields.js';

/** One element of Sec-WebSocket-Extensions, offered or accepted. RFC 6455 §9.1. */
export interface ExtensionOffer {
  readonly name: string;
  /** The values of each parameter, in order: several if it was repeated, and `true` for one without a value. */
  readonly params: ReadonlyMap<string, readonly (string | true)[]>;
}

/** Extension offers as a plain object: each name maps to the parameters of all its offers. */
export type ExtensionsObject = Readonly<Record<string, readonly ExtensionParams[]>>;

/** The parameters of one offer. Integers are numbers, and a parameter without a value is `true`. */
export type ExtensionParams = Readonly<Record<string, string | number | true>>;

interface Cursor {
  readonly text: string;
  at: number;
}

const TOKEN_HERE = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const WHITESPACE_HERE = /[ \t]*/y;
const NONE: readonly never[] = [];

/**
 * Reads a Sec-WebSocket-Extensions value. The caller joins several fields with commas. Order and duplicates are kept,
 * and quoted values are unquoted.
 *
 * @throws SyntaxError if `header` is not an extension-list of RFC 6455 §9.1; the message says what was found and where.
 */
export function parseExtensions(header: string): ExtensionOffer[] {
  const cursor: Cursor = { text: header, at: 0 };
  const offers: ExtensionOffer[] = [];
  // RFC 2616 §2.1, which §9.1 names for its "1#": "null elements are allowed, but do not contribute to the count of elements"
  do if (!isNullElement(cursor)) offers.push(readExtension(cursor));
  while (readSeparator(cursor, ','));
  if (cursor.at < header.length) throw unexpected(cursor, '"," or ";"');
  if (offers.length === 0) throw unexpected(cursor, 'at least one extension');
  return offers;
}

/**
 * Reads all Sec-WebSocket-Extensions fields. An empty field counts as absent: some clients send it if they offer nothing.
 *
 * @throws SyntaxError as {@link parseExtensions} does.
 */
export function readExtensions(rawHeaders: readonly string[]): readonly ExtensionOffer[] {
  // §11.3.2: "The |Sec-WebSocket-Extensions| header field MAY appear multiple times in an HTTP request"
  const values = fieldValues(rawHeaders, 'Sec-WebSocket-Extensions');
  return values.every((value) => trimWhitespace(value) === '') ? NONE : parseExtensions(values.join(', '));
}

function isNullElement(cursor: Cursor): boolean {
  skipWhitespace(cursor);
  return cursor.at === cursor.text.length || cursor.text[cursor.at] === ',';
}

function readExtension(cursor: Cursor): ExtensionOffer {
  const name = readToken(cursor, 'the name of an extension');
  const params = new Map<string, (string | true)[]>();
  while (readSeparator(cursor, ';')) {
    const param = readToken(cursor, 'the name of a parameter');
    const value = readSeparator(cursor, '=') ? readValue(cursor) : true;
    const values = params.get(param);
    if (values === undefined) params.set(param, [value]);
    else values.push(value);
  }
  return { name, params };
}

function readValue(cursor: Cursor): string {
  skipWhitespace(cursor);
  return cursor.text[cursor.at] === '"' ? readQuoted(cursor) : readToken(cursor, 'a token or a quoted token');
}

/** Reads a quoted token in linear time, even if it is not closed: it stops at the first character that no token may contain. */
function readQuoted(cursor: Cursor): string {
  let value = '';
  cursor.at++;
  while (cursor.text[cursor.at] !== '"') {
    if (cursor.text[cursor.at] === '\\') cursor.at++;
    const char = cursor.text[cursor.at];
    // §9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF"
    if (char === undefined || !isToken(char)) throw unexpected(cursor, 'a character of a token');
    value += char;
    cursor.at++;
  }
  if (value === '') throw unexpected(cursor, 'a token of at least one character');
  cursor.at++;
  return value;
}

function readToken(cursor: Cursor, what: string): string {
  skipWhitespace(cursor);
  TOKEN_HERE.lastIndex = cursor.at;
  const token = TOKEN_HERE.exec(cursor.text)?.[0];
  if (token === undefined) throw unexpected(cursor, what);
  cursor.at += token.length;
  return token;
}

function readSeparator(cursor: Cursor, separator: string): boolean {
  skipWhitespace(cursor);
  if (cursor.text[cursor.at] !== separator) return false;
  cursor.at++;
  return true;
}

// §9.1: "this section is using ABNF syntax/rules from [RFC2616], including the "implied *LWS rule"": around "=" too.
function skipWhitespace(cursor: Cursor): void {
  WHITESPACE_HERE.lastIndex = cursor.at;
  WHITESPACE_HERE.test(cursor.text);
  cursor.at = WHITESPACE_HERE.lastIndex;
}

function unexpected(cursor: Cursor, allowed: string): SyntaxError {
  const found = cursor.at < cursor.text.length ? excerpt(cursor.text.slice(cursor.at, cursor.at + 33), 32) : 'the end';
  return new SyntaxError(`Sec-WebSocket-Extensions: expected ${allowed} at ${cursor.at}, got ${found}`);
}

/**
 * Writes offers as a Sec-WebSocket-Extensions value, from which {@link parseExtensions} reads the same offers. RFC 6455 §9.1.
 *
 * @throws TypeError if a name, parameter or value is not a token.
 */
export function formatExtensions(offers: readonly ExtensionOffer[]): string {
  return offers.map(formatExtension).join(', ');
}

function formatExtension({ name, params }: ExtensionOffer): string {
  const parts = [token(name)];
  for (const [param, values] of params) {
    for (const value of values) parts.push(value === true ? token(param) : `${token(param)}=${token(value)}`);
  }
  return parts.join('; ');
}

function token(text: string): string {
  if (isToken(text)) return text;
  throw new TypeError(`names and values of extensions must be tokens (RFC 9110 §5.6.2), got ${excerpt(text)}`);
}

/**
 * Converts offers to plain objects without prototypes, with a list for each name, because an extension may be offered several times
 * with different parameters. Integers become numbers, and a parameter without a value is `true`. If it is repeated, the first value counts.
 *
 * @example `mux; max-channels=4; flow-control` is `{ mux: [{ 'max-channels': 4, 'flow-control': true }] }`
 */
export function extensionsObject(offers: readonly ExtensionOffer[]): ExtensionsObject {
  const object: Record<string, ExtensionParams[]> = Object.create(null);
  for (const { name, params } of offers) {
    const list = object[name] ?? [];
    list.push(paramsObject(params));
    object[name] = list;
  }
  return object;
}

function paramsObject(params: ExtensionOffer['params']): ExtensionParams {
  const object: Record<string, string | number | true> = Object.create(null);
  for (const [param, [value = true]] of params) object[param] = value === true ? true : numberIfInteger(value);
  return object;
}

/** Converts `value` to a number if nothing is lost: `08`, `+9`, `1e3` and numbers above 2^53 stay text. */
function numberIfInteger(value: string): string | number {
  const number = Number(value);
  return Number.isSafeInteger(number) && String(number) === value ? number : value;
}
