import { excerpt } from '../../base/excerpt.js';

/** A server to connect to, read from a URL. RFC 6455 §3. */
export interface Target {
  /** Whether to use TLS. */
  readonly secure: boolean;
  /** The host name or address to connect to, IPv6 without brackets; `localhost` on a Unix domain socket. */
  readonly host: string;
  /** 1 to 65535; by default 80, or 443 if `secure`. */
  readonly port: number;
  /** The path and query to request. At least `/`. */
  readonly path: string;
  /** The path of the Unix domain socket. */
  readonly socketPath?: string;
  /** The value of Authorization, from the user and password of the URL. RFC 7617. */
  readonly authorization?: string;
  /** The normalized URL, with the scheme ws or wss, and the user and password if it has them. */
  readonly href: string;
  /** The value of Host, without the port if it is the default. RFC 6455 §4.1 (4). */
  readonly authority: string;
}

const SCHEMES: ReadonlyMap<string, { readonly secure: boolean; readonly local: boolean }> = new Map([
  ['ws:', { secure: false, local: false }],
  ['wss:', { secure: true, local: false }],
  ['http:', { secure: false, local: false }],
  ['https:', { secure: true, local: false }],
  ['ws+unix:', { secure: false, local: true }],
  ['wss+unix:', { secure: true, local: true }],
]);

/**
 * Reads the URL of a server: `ws:`, `wss:`, `http:` and `https:` for ws and wss, or `ws+unix:/path/of.sock:/path?query`.
 *
 * @throws SyntaxError if it is not a URL, has another scheme, a fragment, a control character, port 0, or a user or socket
 *   path that cannot be decoded. The message says what was expected and what was found, but never contains a password.
 */
export function parseTarget(url: string | URL): Target {
  const parsed = parseUrl(typeof url === 'string' ? url : url?.href);
  const scheme = SCHEMES.get(parsed.protocol);
  if (scheme === undefined) {
    throw new SyntaxError(
      `the scheme of the URL must be one of ${[...SCHEMES.keys()].join(' ')}, got ${excerpt(parsed.protocol)}`,
    );
  }
  // §3: "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on these URIs."
  if (parsed.href.includes('#')) {
    throw new SyntaxError(`the URL must not have a fragment (RFC 6455 §3), got ${excerpt(parsed.hash || '#')}`);
  }
  return scheme.local ? localTarget(parsed, scheme.secure) : networkTarget(parsed, scheme.secure);
}

function parseUrl(text: string | undefined): URL {
  if (typeof text !== 'string') throw new SyntaxError(`the URL must be a string or a URL, got ${excerpt(text)}`);
  // The URL parser would drop CR, LF and tabs silently.
  if (hasControl(text)) throw new SyntaxError('the URL must not contain control characters');
  try {
    return new URL(text);
  } catch {
    throw new SyntaxError(`the URL must be absolute, such as "ws://host/path", got ${excerpt(withoutUser(text))}`);
  }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function withoutUser(text: string): string {
  const at = text.lastIndexOf('@');
  return at < 0 ? text : `...${text.slice(at)}`;
}

function networkTarget(url: URL, secure: boolean): Target {
  // Both are special schemes with the same default ports, so only the name changes.
  url.protocol = secure ? 'wss:' : 'ws:';
  const port = url.port === '' ? defaultPort(secure) : Number(url.port);
  if (port === 0) throw new SyntaxError('the port of the URL must be from 1 to 65535, got 0');
  return {
    secure,
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port,
    path: url.pathname + url.search,
    ...credentials(url),
    href: url.href,
    authority: url.host,
  };
}

function localTarget(url: URL, secure: boolean): Target {
  if (url.host !== '' || !url.pathname.startsWith('/')) {
    const found = excerpt(url.host === '' ? url.pathname : `//${url.host}${url.pathname}`);
    throw new SyntaxError(`the socket path must be absolute, as in "ws+unix:/run/app.sock:/path", got ${found}`);
  }
  // The socket path may contain colons: it ends at the first colon before a slash.
  const end = url.pathname.indexOf(':/');
  const path = end < 0 ? '/' : url.pathname.slice(end + 1);
  return {
    secure,
    host: 'localhost',
    port: defaultPort(secure),
    path: path + url.search,
    socketPath: decoded(end < 0 ? url.pathname : url.pathname.slice(0, end), 'socket path'),
    href: url.href,
    authority: 'localhost',
  };
}

// §3: "The port component is OPTIONAL; the default for "ws" is port 80, while the default for "wss" is port 443."
function defaultPort(secure: boolean): number {
  return secure ? 443 : 80;
}

function credentials({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {};
  const user = decoded(username, 'user');
  // RFC 7617 §2: "a user-id containing a colon character is invalid"
  if (user.includes(':')) throw new SyntaxError('the user of the URL must not contain a colon (RFC 7617 §2)');
  const pair = `${user}:${decoded(password, 'password')}`;
  return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
}

function decoded(text: string, what: string): string {
  try {
    const plain = decodeURIComponent(text);
    // RFC 7617 §2: "The user-id and password MUST NOT contain any control characters"; NUL would end a path early.
    if (!hasControl(plain)) return plain;
  } catch {
    // The percent-encoded bytes are not UTF-8, which gets the same message.
  }
  throw new SyntaxError(`the ${what} of the URL must be percent-encoded UTF-8 without control characters`);
}
