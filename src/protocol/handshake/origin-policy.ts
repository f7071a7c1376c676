import { excerpt } from '../../base/excerpt.js';
import { HookAnswerError } from '../../base/hook-answer.js';
import { type Rejection, reject } from './rejection.js';

/**
 * A policy that decides which web pages may connect. Browsers send the Origin of the page with every handshake, and no page can change it.
 * Other clients send none, or any. RFC 6455 §10.2.
 *
 * - `'auto'` refuses a cross-origin handshake with Cookie, Authorization or a TLS client certificate, and a handshake from
 *   a page elsewhere to a listener on a loopback address.
 * - `'*'` accepts every page.
 * - `'same-origin'` only accepts pages from this host and port, and over TLS only https pages.
 * - A list accepts pages whose origin it contains, such as `'https://example.com'`. `'null'` stands for opaque origins.
 * - A RegExp accepts origins that it matches. Anchor it with `^` and `$`: `/example\.com/` also matches `https://example.com.evil.test`.
 * - A predicate decides itself. It is also called without an Origin, but not with a malformed one.
 *
 * All policies except a predicate accept a handshake without Origin.
 */
export type OriginPolicy =
  | 'auto'
  | '*'
  | 'same-origin'
  | readonly string[]
  | RegExp
  | ((origin: string | undefined, info: OriginFacts) => boolean);

/** The facts that an {@link OriginPolicy} can base its decision on. */
export interface OriginFacts {
  /** The value of Origin; `undefined` if the field is absent. */
  readonly origin: string | undefined;
  /** The value of Host. */
  readonly host: string;
  /** Whether the handshake has Cookie, Authorization or a TLS client certificate. */
  readonly hasCredentials: boolean;
  /** The local address of the connection; `undefined` on a Unix domain socket. */
  readonly localAddress: string | undefined;
  /** Whether the request reached this process over TLS, so its scheme is https. `false` says nothing: a proxy may have ended TLS. */
  readonly secure: boolean;
  /** The value of Sec-Fetch-Site. */
  readonly secFetchSite: string | undefined;
}

interface Origin {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
}

/** Longer than the longest scheme, host name (253) and port together. */
const MAX_ORIGIN_LENGTH = 512;
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::([0-9]{1,5}))?$/i;
const HOST = /^(\[[\w:.%~-]+\]|[\w.~!$&'()*+,;=%-]+)(?::([0-9]*))?$/i;
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['ws', '80'],
  ['https', '443'],
  ['wss', '443'],
]);
const LOOPBACK_IPV4 = /^(?:::ffff:)?127(?:\.[0-9]{1,3}){3}$/;
const LOOPBACK_MAPPED = /^::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/;

/**
 * Checks the option `origins`, before the server listens.
 *
 * @throws TypeError if it is not an {@link OriginPolicy}, or is a list with an entry that is not a serialized
 *   origin (RFC 6454 §6.2), such as a bare host name or a URL with a path.
 */
export function checkOriginPolicy(policy: OriginPolicy): void {
  if (policy === 'auto' || policy === '*' || policy === 'same-origin') return;
  if (typeof policy === 'function' || policy instanceof RegExp) return;
  if (!Array.isArray(policy)) {
    const allowed = `'auto', '*', 'same-origin', an array of origins, a RegExp or a function`;
    throw new TypeError(`origins must be ${allowed}, got ${excerpt(policy)}`);
  }
  for (const entry of policy as readonly unknown[]) {
    // An origin may contain an asterisk, but it would only match itself: the caller surely meant a pattern.
    if (typeof entry !== 'string' || !isOrigin(entry) || entry.includes('*')) {
      const allowed = `origins such as 'https://example.com:8443', without wildcards`;
      throw new TypeError(`origins must contain ${allowed}, got ${excerpt(entry)}`);
    }
  }
}

/** Whether `policy` needs to check a handshake with this Origin. Most clients that are not browsers send none. */
export function judgesOrigin(policy: OriginPolicy, origin: string | undefined): boolean {
  return typeof policy === 'function' || (policy !== '*' && origin !== undefined);
}

/**
 * Checks the Origin of a handshake.
 *
 * @returns `undefined` if it is accepted, otherwise a 403 whose body names the origin, the host and the option. Every policy except
 *   `'*'` refuses an Origin that is not a serialized origin (RFC 6454 §7.1).
 * @throws TypeError if a predicate does not return a boolean, and any error that the predicate throws; nothing else.
 */
export function originRefusal(policy: OriginPolicy, facts: OriginFacts): Rejection | undefined {
  if (policy === '*') return undefined;
  const { origin } = facts;
  if (origin !== undefined && !isOrigin(origin)) return forbidden(facts, 'it is not a serialized origin');
  if (typeof policy === 'function') {
    return askPredicate(policy, facts) ? undefined : forbidden(facts, 'the function in origins refused it');
  }
  // §10.2: a client that sends no Origin is not a browser, and could send any.
  if (origin === undefined) return undefined;
  const objection = objectionTo(origin, policy, facts);
  if (objection === undefined) return undefined;
  const comparesHost = policy === 'auto' || policy === 'same-origin';
  return forbidden(facts, comparesHost && isHostWithoutPort(origin, facts) ? `${objection}; ${PORT_HINT}` : objection);
}

/** `proxy_set_header Host $host`, which most nginx recipes contain, drops the port. */
const PORT_HINT = 'a proxy seems to have dropped the port from Host, which nginx passes on with $http_host';

/** Whether Host lacks only the port of the origin. */
function isHostWithoutPort(origin: string, { host }: OriginFacts): boolean {
  const found = parseOrigin(origin);
  return found !== undefined && found.host === host.toLowerCase() && found.port !== DEFAULT_PORTS.get(found.scheme);
}

function askPredicate(policy: (origin: string | undefined, info: OriginFacts) => unknown, facts: OriginFacts): boolean {
  // A copy, so that facts that the predicate keeps do not change when the socket ends.
  const answer = policy(facts.origin, { ...facts });
  // A Promise is truthy: an async predicate must not accept everything.
  if (typeof answer !== 'boolean') {
    throw new HookAnswerError({ hook: 'origins', found: answer, advice: 'return true or false' });
  }
  return answer;
}

function objectionTo(
  origin: string,
  policy: Exclude<OriginPolicy, '*' | ((...args: never) => unknown)>,
  facts: OriginFacts,
): string | undefined {
  if (policy === 'auto') return autoObjection(origin, facts);
  if (policy === 'same-origin') {
    return isSameOrigin(origin, facts) ? undefined : `origins is 'same-origin'`;
  }
  // `search` starts at 0 and restores lastIndex, so the flags g and y leave no state.
  if (policy instanceof RegExp)
    return origin.search(policy) >= 0 ? undefined : 'the RegExp in origins does not match it';
  return isListed(origin, policy) ? undefined : 'the list in origins does not contain it';
}

function autoObjection(origin: string, facts: OriginFacts): string | undefined {
  if (isSameOrigin(origin, facts) || isSameBySecFetch(origin, facts)) return undefined;
  // Pages elsewhere must not reach a service on the visitor's own machine.
  if (facts.localAddress !== undefined && isLoopback(facts.localAddress) && !isLoopbackOrigin(origin)) {
    return `origins is 'auto', which refuses pages from elsewhere on a loopback address; list it in origins to accept it`;
  }
  // A cross-origin handshake with the visitor's credentials would be cross-site WebSocket hijacking.
  if (!facts.hasCredentials) return undefined;
  return `origins is 'auto', which refuses a cross-origin handshake with credentials; list it in origins to accept it`;
}

function forbidden({ origin, host, secure }: OriginFacts, objection: string): Rejection {
  const found = origin === undefined ? 'a handshake without Origin' : `Origin ${excerpt(origin, 256)}`;
  const to = `Host ${excerpt(host, 256)}${secure ? ' over TLS' : ''}`;
  return reject(403, undefined, {}, `${found} is not allowed for ${to}: ${objection} (option origins)\n`);
}

function isOrigin(text: string): boolean {
  return text === 'null' || parseOrigin(text) !== undefined;
}

/** Returns undefined for `null` and malformed origins. */
function parseOrigin(text: string): Origin | undefined {
  const match = text.length <= MAX_ORIGIN_LENGTH ? ORIGIN.exec(text) : null;
  if (match === null) return undefined;
  const scheme = match[1]!.toLowerCase();
  const port = match[3] ?? DEFAULT_PORTS.get(scheme) ?? '';
  return Number(port) > 65535 ? undefined : { scheme, host: match[2]!.toLowerCase(), port };
}

/** Whether the host and port of Origin equal those of Host, and the schemes too if known. RFC 6454 §5. */
function isSameOrigin(origin: string, { host, secure }: OriginFacts): boolean {
  const left = parseOrigin(origin);
  const right = HOST.exec(host);
  if (left === undefined || right === null || !mayBeScheme(left.scheme, secure)) return false;
  const port = right[2] || (DEFAULT_PORTS.get(left.scheme) ?? '');
  return left.host === right[1]!.toLowerCase() && left.port === port;
}

/**
 * Whether the browser says that the page has the same origin, which works even if a proxy has changed Host. No page can forge it. An opaque
 * origin equals no other, and a page with another scheme cannot come from an https server: no browser claims either.
 */
function isSameBySecFetch(origin: string, { secFetchSite, secure }: OriginFacts): boolean {
  if (secFetchSite !== 'same-origin') return false;
  const scheme = parseOrigin(origin)?.scheme;
  return scheme !== undefined && mayBeScheme(scheme, secure);
}

/** Whether this server may have the scheme. Without TLS any is possible, because a proxy may have ended TLS. */
function mayBeScheme(scheme: string, secure: boolean): boolean {
  return !secure || scheme === 'https' || scheme === 'wss';
}

function isListed(origin: string, list: readonly string[]): boolean {
  if (list.includes(origin)) return true;
  const wanted = parseOrigin(origin);
  return wanted !== undefined && list.some((entry) => isEqual(wanted, parseOrigin(entry)));
}

function isEqual(left: Origin, right: Origin | undefined): boolean {
  return left.scheme === right?.scheme && left.host === right.host && left.port === right.port;
}

function isLoopbackOrigin(origin: string): boolean {
  const host = parseOrigin(origin)?.host;
  return host !== undefined && isLoopback(host.startsWith('[') ? host.slice(1, -1) : host);
}

/** Whether `host` is 127.0.0.0/8 (also IPv4-mapped), ::1 or a localhost name. RFC 1122 §3.2.1.3, RFC 6761 §6.3. */
function isLoopback(host: string): boolean {
  if (host === '::1' || LOOPBACK_IPV4.test(host) || LOOPBACK_MAPPED.test(host)) return true;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return name === 'localhost' || name.endsWith('.localhost');
}
