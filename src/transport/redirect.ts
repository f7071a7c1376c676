import type { IncomingMessage } from 'node:http';
import { HandshakeError } from '../protocol/errors.js';
import { toHeaderRecord } from '../protocol/header-fields.js';
import { parseTarget, type Target } from '../protocol/target-url.js';
import type { DialRequest } from './dial-request.js';

/** Fields that are for one host only. */
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization']);

/**
 * The request that follows a redirect. Credentials stay behind when the host changes.
 *
 * @throws HandshakeError REDIRECT_INVALID when there is nowhere to go or TLS would be lost, TOO_MANY_REDIRECTS.
 */
export function nextHop(hop: DialRequest, response: IncomingMessage): DialRequest {
  const location = response.headers.location;
  const target = resolve(hop.target, location, response);
  if (hop.target.secure && !target.secure) {
    throw refused(response, 'REDIRECT_INVALID', `redirected from wss: to ${target.href}, allowed is wss: only`);
  }
  if (hop.redirects === hop.maxRedirects) {
    throw refused(
      response,
      'TOO_MANY_REDIRECTS',
      `redirected ${hop.redirects + 1} times, maxRedirects allows ${hop.maxRedirects}`,
    );
  }
  const sameHost = target.authority === hop.target.authority && target.socketPath === hop.target.socketPath;
  const { host: _dropped, ...headers } = lowerCased(hop.headers);
  const kept = Object.entries(headers).filter(([name]) => sameHost || !CREDENTIALS.has(name));
  return { ...hop, target, headers: Object.fromEntries(kept), redirects: hop.redirects + 1 };
}

function resolve(from: Target, location: string | undefined, response: IncomingMessage): Target {
  if (location === undefined) throw refused(response, 'REDIRECT_INVALID', 'redirected without a Location');
  try {
    const target = parseTarget(new URL(location, from.href));
    // A server must not point us at a socket of this machine.
    if (target.socketPath !== undefined && target.socketPath !== from.socketPath)
      throw new SyntaxError('a Unix socket');
    return target;
  } catch (error) {
    const cause = error instanceof Error ? `: ${error.message}` : '';
    throw refused(response, 'REDIRECT_INVALID', `redirected to ${JSON.stringify(location.slice(0, 200))}${cause}`);
  }
}

function lowerCased(headers: DialRequest['headers']): Record<string, string | readonly string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function refused(
  response: IncomingMessage,
  code: 'REDIRECT_INVALID' | 'TOO_MANY_REDIRECTS',
  message: string,
): HandshakeError {
  return new HandshakeError(code, message, {
    status: response.statusCode as number,
    headers: toHeaderRecord(response.rawHeaders),
  });
}
