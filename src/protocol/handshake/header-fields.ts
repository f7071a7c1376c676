import { excerpt } from '../../base/excerpt.js';

/**
 * Header fields as in Node's `rawHeaders`: a flat list of name, value, name, value. It is the only form that preserves
 * duplicates, order and names such as `__proto__` as the peer sent them. Every function here takes linear time.
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const FIELD_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

/** Whether `text` is a token: one or more visible ASCII characters without separators. RFC 9110 §5.6.2. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether `text` can be the name of a header field: a token. RFC 9110 §5.1. */
export function isFieldName(text: string): boolean {
  return isToken(text);
}

/**
 * Whether `text` can be the value of a header field, or a reason phrase: HTAB, SP, visible ASCII and the octets 0x80 to 0xFF;
 * no CR, LF, NUL or other control character, and no character above U+00FF, which no octet represents. RFC 9110 §5.5, RFC 9112 §4.
 */
export function isFieldValue(text: string): boolean {
  return FIELD_VALUE.test(text);
}

/** Returns the fields as lines of the form `Name: value`. */
export function toFieldLines(fields: readonly string[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`);
  return lines;
}

/**
 * Reads lines of the form `Name: value`, the reverse of {@link toFieldLines}.
 *
 * @throws TypeError if a line does not have that form, or contains CR, LF, another control character or one above U+00FF.
 */
export function parseFieldLines(lines: readonly string[]): string[] {
  const fields: string[] = [];
  for (const line of lines) {
    if (typeof line !== 'string' || !FIELD_LINE.test(line)) {
      throw new TypeError(`a header line must be "Name: value" without control characters, got ${excerpt(line)}`);
    }
    const end = line.indexOf(':');
    fields.push(line.slice(0, end), trimWhitespace(line.slice(end + 1)));
  }
  return fields;
}

/** The values of a field that is absent. */
const NONE: readonly never[] = [];

/** Returns all values of the field `name`, ignoring case, in their order; empty if the field is absent. */
export function fieldValues(rawHeaders: readonly string[], name: string): readonly string[] {
  let values: string[] | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (!isSameName(rawHeaders[i]!, name)) continue;
    // A growing list reserves room for 17 values. A handshake reads some fifteen fields, most of which appear at most once.
    if (values === undefined) values = [rawHeaders[i + 1]!];
    else values.push(rawHeaders[i + 1]!);
  }
  return values ?? NONE;
}

/** Compares names, ignoring case. Most are equal as they are, and need no conversion to lower case. */
function isSameName(found: string, name: string): boolean {
  return found.length === name.length && (found === name || found.toLowerCase() === name.toLowerCase());
}

/** Returns the first value of the field `name`, ignoring case; `undefined` if the field is absent. */
export function fieldValue(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (isSameName(rawHeaders[i]!, name)) return rawHeaders[i + 1];
  }
  return undefined;
}

/** Returns `text` without surrounding spaces and tabs, the only optional whitespace. RFC 9110 §5.6.3. */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Returns the elements of comma-separated lists such as Connection and Upgrade: trimmed, tokens in lower case, in order.
 * Elements that are not tokens are unchanged, so that no character outside ASCII is ever folded into a letter of `upgrade`.
 */
export function listTokens(values: readonly string[]): string[] {
  // Most lists are one token.
  if (values.length === 1 && isToken(values[0]!)) return [values[0]!.toLowerCase()];
  const elements = values.flatMap((value) => value.split(',')).map(trimWhitespace);
  // RFC 9110 §5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty list elements"
  return elements
    .filter((element) => element !== '')
    .map((element) => (isToken(element) ? element.toLowerCase() : element));
}

/**
 * Returns the fields as an object without a prototype and with lower-case names. A value is a string, or an array if the field is
 * repeated. `set-cookie` is always an array, as in node:http.
 */
export function toHeaderRecord(rawHeaders: readonly string[]): Record<string, string | string[] | undefined> {
  const record: Record<string, string | string[] | undefined> = Object.create(null);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = rawHeaders[i + 1]!;
    const before = record[name];
    if (before === undefined) record[name] = name === 'set-cookie' ? [value] : value;
    else if (typeof before === 'string') record[name] = [before, value];
    else before.push(value);
  }
  return record;
}
