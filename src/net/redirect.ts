import { type Agent, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { HandshakeError } from '../protocol/errors.js';
import { invalidAnswer } from '../protocol/handshake/response-head.js';
import { parseTarget, type Target } from '../protocol/handshake/target-url.js';
import type { DialNetworkOptions, DialRequest } from './client-request.js';

/**
 * The caller's header fields that are also sent to another authority: the program, the user's languages and the page that it acts for. A
 * token can have any name (Authorization, Cookie, X-Api-Key, X-Session), so a list of secret fields would never be complete. Origin names a
 * page, which is not secret. Without it, a server that requires it would not recognize the client.
 */
const SHAREABLE_FIELDS: ReadonlySet<string> = new Set(['accept-language', 'origin', 'user-agent']);

/** Options of an agent that only pools sockets, and options that are credentials. Node sets `path` itself. */
const POOL_OPTIONS: ReadonlySet<string> = new Set([
  'keepAlive',
  'keepAliveMsecs',
  'maxSockets',
  'maxTotalSockets',
  'maxFreeSockets',
  'maxCachedSessions',
  'scheduling',
  'timeout',
  'noDelay',
  'path',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'secureContext',
]);

/**
 * Returns the request that follows a redirect. If the authority changes, everything that may be a credential is dropped for good, even
 * if a later redirect leads back to the first authority.
 *
 * @throws HandshakeError REDIRECT_INVALID if the redirect has no valid target, TLS would be lost, or an agent would have to be bypassed;
 *   TOO_MANY_REDIRECTS.
 */
export function nextHop(hop: DialRequest, response: IncomingMessage): DialRequest {
  const location = response.headers.location;
  const target = resolve(hop.target, location, response);
  if (hop.target.secure && !target.secure) {
    throw refused(response, 'REDIRECT_INVALID', `a redirect from wss: must lead to wss:, got ${target.href}`);
  }
  if (hop.redirects === hop.maxRedirects) {
    throw refused(
      response,
      'TOO_MANY_REDIRECTS',
      `redirected ${hop.redirects + 1} times, maxRedirects allows ${hop.maxRedirects}`,
    );
  }
  const next = { ...hop, target, headers: lowerCased(hop.headers), redirects: hop.redirects + 1 };
  return isSameAuthority(hop.target, target) ? next : withoutCredentials(next, response);
}

/** Whether both have the same host and port. `ws://host` and `wss://host`, each with its default port, count as the same. */
function isSameAuthority(from: Target, to: Target): boolean {
  return to.authority === from.authority && to.socketPath === from.socketPath;
}

function resolve(from: Target, location: string | undefined, response: IncomingMessage): Target {
  if (location === undefined) throw refused(response, 'REDIRECT_INVALID', 'a redirect must have a Location, got none');
  try {
    const target = parseTarget(new URL(location, from.href));
    // A server must not be able to direct us to a Unix socket on this machine.
    if (target.socketPath !== undefined && target.socketPath !== from.socketPath)
      throw new SyntaxError('a redirect must not lead to a Unix socket');
    return authorized(from, target);
  } catch (error) {
    const cause = error instanceof Error ? `: ${error.message}` : '';
    throw refused(response, 'REDIRECT_INVALID', `redirected to ${JSON.stringify(location.slice(0, 200))}${cause}`);
  }
}

/**
 * Returns `target`, with the user and password of the previous URL if the authority is the same.
 *
 * @throws SyntaxError if `target` has other credentials. RFC 9110 §4.2.4: "Before making use of an "http" or "https" URI reference
 *   received from an untrusted source, a recipient SHOULD parse for userinfo and treat its presence as an error".
 */
function authorized(from: Target, target: Target): Target {
  const own = isSameAuthority(from, target) ? from.authorization : undefined;
  if (target.authorization !== undefined && target.authorization !== own) {
    throw new SyntaxError('a redirect must not contain a user or password');
  }
  return own === undefined ? target : { ...target, authorization: own };
}

/** Removes everything meant for the previous authority. What remains is public, or decides which servers are trusted. */
function withoutCredentials(hop: DialRequest, response: IncomingMessage): DialRequest {
  const { agent, cert, key, pfx, passphrase, secureContext, servername, ...network } = hop.network;
  if (agent !== undefined && !onlyKeepsSockets(agent)) {
    throw refused(
      response,
      'REDIRECT_INVALID',
      `redirected to ${hop.target.authority}, where agent must not be used: it may hold credentials, and must not be bypassed`,
    );
  }
  const headers = Object.entries(hop.headers).filter(([name]) => SHAREABLE_FIELDS.has(name));
  return { ...hop, network, headers: Object.fromEntries(headers) };
}

/**
 * Whether the next host can be reached in the same way without `agent`. An agent that creates its own sockets may be a tunnel, and one with
 * other options may choose an address or pin certificates. A server must not be able to make us bypass it.
 */
function onlyKeepsSockets(agent: Agent): boolean {
  const prototype: unknown = Object.getPrototypeOf(agent);
  if (prototype !== HttpAgent.prototype && prototype !== HttpsAgent.prototype) return false;
  const own = ['addRequest', 'createConnection', 'createSocket'].some((name) => Object.hasOwn(agent, name));
  const { options } = agent as Agent & { readonly options: DialNetworkOptions };
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  return !own && given.every(([name]) => POOL_OPTIONS.has(name));
}

function lowerCased(headers: DialRequest['headers']): Record<string, string | readonly string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function refused(
  response: IncomingMessage,
  code: 'REDIRECT_INVALID' | 'TOO_MANY_REDIRECTS',
  message: string,
): HandshakeError {
  return invalidAnswer({ status: response.statusCode as number, rawHeaders: response.rawHeaders }, code, message);
}
