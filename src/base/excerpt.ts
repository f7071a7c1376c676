/** Returns text of the peer in one line, with control characters escaped as in JSON, so that it cannot forge a line of a log. */
export function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/**
 * Quotes a found value for the message of an error or a refusal: one line, escapes as in JSON, cut after `limit` characters,
 * so that a hostile field of 16 KB never fills a log or a response.
 */
export function excerpt(found: unknown, limit = 64): string {
  if (typeof found !== 'string') return found === null ? 'null' : typeof found;
  // JSON does not escape DEL, the C1 controls and the line ends of Unicode.
  const quoted = inOneLine(JSON.stringify(found.slice(0, limit)));
  return found.length <= limit ? quoted : `${quoted}...`;
}
