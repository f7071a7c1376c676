import { excerpt } from '../../base/excerpt.js';
import { HookAnswerError } from '../../base/hook-answer.js';
import { type Rejection, reject } from './rejection.js';

/**
 * Which web pages may connect. Browsers send the Origin of the page with every handshake and let no page change it; what is not
 * a browser sends none, or any. RFC 6455 §10.2.
 *
 * - `'auto'` refuses a cross-origin handshake that carries Cookie, Authorization or a TLS client certificate, or that comes from
 *   a page elsewhere to a listener on a loopback address.
 * - `'*'` accepts every page.
 * - `'same-origin'` accepts pages of this host and port only, and over TLS only those of https.
 * - a list accepts pages whose origin it contains, such as `'https://example.com'`; `'null'` stands for opaque origins.
 * - a RegExp accepts origins that it matches. Anchor it with `^` and `$`: `/example\.com/` also matches `https://example.com.evil.test`.
 * - a predicate decides. It is asked without an Origin too, and not about one that is malformed.
 *
 * All but the predicate accept a handshake without Origin.
 */
export type OriginPolicy =
  | 'auto'
  | '*'
  | 'same-origin'
  | readonly string[]
  | RegExp
  | ((origin: string | undefined, info: OriginFacts) => boolean);

/** What an {@link OriginPolicy} decides by. */
export interface OriginFacts {
  /** The value of Origin; `undefined` when the field is absent. */
  readonly origin: string | undefined;
  /** The value of Host. */
  readonly host: string;
  /** Whether the handshake carries Cookie, Authorization or a TLS client certificate. */
  readonly hasCredentials: boolean;
  /** The address the listener got the connection on; `undefined` on a Unix domain socket. */
  readonly localAddress: string | undefined;
  /** Whether it came to this process over TLS: then it is https. `false` says nothing, since a proxy may have ended TLS. */
  readonly secure: boolean;
  /** The value of Sec-Fetch-Site. */
  readonly secFetchSite: string | undefined;
}

interface Origin {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
}

/** Longer than any scheme, host name (253) and port together. */
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
 * Checks the option `origins` when it is given, before anything listens.
 *
 * @throws TypeError if it is not one of the forms of {@link OriginPolicy}, or a list with an entry that is not a serialised
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
    // An origin may contain an asterisk, but it matches nothing else: a pattern was surely meant.
    if (typeof entry !== 'string' || !isOrigin(entry) || entry.includes('*')) {
      const allowed = `origins such as 'https://example.com:8443', without wildcards`;
      throw new TypeError(`origins must contain ${allowed}, got ${excerpt(entry)}`);
    }
  }
}

/** Whether `policy` judges a handshake with this Origin at all. Most clients that are no browsers send none. */
export function judgesOrigin(policy: OriginPolicy, origin: string | undefined): boolean {
  return typeof policy === 'function' || (policy !== '*' && origin !== undefined);
}

/**
 * Judges the Origin of a handshake.
 *
 * @returns `undefined` when it may go on, else a 403 whose body names the origin, the host and the option. An Origin that is not
 *   a serialised origin (RFC 6454 §7.1) is refused by every policy but `'*'`.
 * @throws TypeError when a predicate returns no boolean, and whatever the predicate throws; nothing else.
 */
export function originRefusal(policy: OriginPolicy, facts: OriginFacts): Rejection | undefined {
  if (policy === '*') return undefined;
  const { origin } = facts;
  if (origin !== undefined && !isOrigin(origin)) return forbidden(facts, 'it is not a serialised origin');
  if (typeof policy === 'function') {
    return askPredicate(policy, facts) ? undefined : forbidden(facts, 'the function in origins refused it');
  }
  // §10.2: a client that sends no Origin is no browser, and one that is no browser could send any.
  if (origin === undefined) return undefined;
  const objection = objectionTo(origin, policy, facts);
  return objection === undefined ? undefined : forbidden(facts, objection);
}

function askPredicate(policy: (origin: string | undefined, info: OriginFacts) => unknown, facts: OriginFacts): boolean {
  const answer = policy(facts.origin, facts);
  // A Promise is truthy: one of an async function must not open the door.
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
  // `search` starts at 0 and restores lastIndex, so the flags g and y leave no state behind.
  if (policy instanceof RegExp)
    return origin.search(policy) >= 0 ? undefined : 'the RegExp in origins does not match it';
  return isListed(origin, policy) ? undefined : 'the list in origins does not contain it';
}

function autoObjection(origin: string, facts: OriginFacts): string | undefined {
  if (isSameOrigin(origin, facts) || isSameBySecFetch(origin, facts)) return undefined;
  // Pages elsewhere must not reach what listens on the visitor's own machine for the visitor alone.
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
  return reject(403, undefined, {}, `found ${found} to ${to}: ${objection} (option origins)\n`);
}

function isOrigin(text: string): boolean {
  return text === 'null' || parseOrigin(text) !== undefined;
}

/** Undefined for `null` and for what is malformed. */
function parseOrigin(text: string): Origin | undefined {
  const match = text.length <= MAX_ORIGIN_LENGTH ? ORIGIN.exec(text) : null;
  if (match === null) return undefined;
  const scheme = match[1]!.toLowerCase();
  const port = match[3] ?? DEFAULT_PORTS.get(scheme) ?? '';
  return Number(port) > 65535 ? undefined : { scheme, host: match[2]!.toLowerCase(), port };
}

/** The host and port of Origin equal those of Host, and so does the scheme, where that is known. RFC 6454 §5. */
function isSameOrigin(origin: string, { host, secure }: OriginFacts): boolean {
  const left = parseOrigin(origin);
  const right = HOST.exec(host);
  if (left === undefined || right === null || !mayBeScheme(left.scheme, secure)) return false;
  const port = right[2] || (DEFAULT_PORTS.get(left.scheme) ?? '');
  return left.host === right[1]!.toLowerCase() && left.port === port;
}

/**
 * The browser says that the page is of the same origin, also where a proxy has changed Host. No page can make it say so. An opaque
 * origin is the same as no other, and a page of another scheme cannot be of an https server: no browser says both.
 */
function isSameBySecFetch(origin: string, { secFetchSite, secure }: OriginFacts): boolean {
  if (secFetchSite !== 'same-origin') return false;
  const scheme = parseOrigin(origin)?.scheme;
  return scheme !== undefined && mayBeScheme(scheme, secure);
}

/** Without TLS any scheme may be that of this server: a proxy may have ended TLS. */
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

/** 127.0.0.0/8, ::1, both also IPv4-mapped, and the names that never leave the machine. RFC 1122 §3.2.1.3, RFC 6761 §6.3. */
function isLoopback(host: string): boolean {
  if (host === '::1' || LOOPBACK_IPV4.test(host) || LOOPBACK_MAPPED.test(host)) return true;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return name === 'localhost' || name.endsWith('.localhost');
}
