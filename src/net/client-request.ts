import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import * as tls from 'node:tls';
import type { SchedulerLike } from 'rxjs';
import { errorOf } from '../base/thrown.js';
import type { DeflateParameters } from '../protocol/deflate/deflate-negotiation.js';
import type { Target } from '../protocol/handshake/target-url.js';

/** The options of a client that are passed on to Node. */
export const CLIENT_NETWORK_OPTIONS: readonly (keyof DialNetworkOptions)[] = [
  'agent',
  'localAddress',
  'family',
  'lookup',
  'ca',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'ciphers',
  'rejectUnauthorized',
  'checkServerIdentity',
  'servername',
  'minVersion',
  'maxVersion',
  'secureContext',
];

/** TLS options of a client, passed on to `node:tls`. */
export interface TlsClientOptions
  extends Pick<
    tls.ConnectionOptions,
    | 'ca'
    | 'cert'
    | 'key'
    | 'pfx'
    | 'passphrase'
    | 'ciphers'
    | 'rejectUnauthorized'
    | 'checkServerIdentity'
    | 'servername'
    | 'minVersion'
    | 'maxVersion'
    | 'secureContext'
  > {}

/** Options of the network connection under the handshake, passed on to Node. */
export interface DialNetworkOptions extends TlsClientOptions {
  /** Makes or reuses the sockets, for example to connect through a proxy. @default a new socket for each connection */
  readonly agent?: Agent;
  /** The local address to connect from. */
  readonly localAddress?: string;
  /** The only IP version to use, 4 or 6. @default 0: both */
  readonly family?: 0 | 4 | 6;
  /** Replaces `dns.lookup`. */
  readonly lookup?: LookupFunction;
}

/** A request for a connection, and how to make it. */
export interface DialRequest {
  readonly target: Target;
  readonly protocols: readonly string[];
  readonly version: 8 | 13;
  /** Header fields in addition to those of the handshake. Host replaces the host of the URL. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly origin: string | undefined;
  /** The permessage-deflate parameters to offer; undefined if compression is not offered. */
  readonly deflate: DeflateParameters | undefined;
  /** How many redirects to follow; with 0 a redirect is an error. */
  readonly maxRedirects: number;
  /** How many redirects were followed so far. */
  readonly redirects: number;
  /** Returns false to refuse a response that is otherwise valid. */
  readonly verifyResponse: ((response: IncomingMessage) => boolean) | undefined;
  readonly network: DialNetworkOptions;
  readonly scheduler: SchedulerLike;
}

/** How many bytes Node reads from the socket at a time. */
const READ_SIZE = 65_536;

/** Starts an HTTP GET to `target` with exactly these `headers`. */
export function beginRequest(
  target: Target,
  headers: Readonly<Record<string, string | readonly string[]>>,
  options: DialNetworkOptions,
): ClientRequest {
  const { agent, localAddress, family, lookup, ...tlsOptions } = options;
  const isAddress = isIP(target.host) !== 0;
  const request: RequestOptions & tls.ConnectionOptions = {
    ...tlsOptions,
    ...(tlsOptions.checkServerIdentity !== undefined && {
      checkServerIdentity: guarded(tlsOptions.checkServerIdentity),
    }),
    method: 'GET',
    host: target.host,
    port: target.port,
    path: target.path,
    headers: headers as Record<string, string | string[]>,
    setHost: false,
    ...(localAddress !== undefined && { localAddress }),
    ...(family !== undefined && { family }),
    ...(lookup !== undefined && { lookup }),
    ...(target.socketPath !== undefined && { socketPath: target.socketPath }),
    // RFC 6066 §3: a server name is never an address.
    ...(target.secure && tlsOptions.servername === undefined && { servername: isAddress ? '' : target.host }),
    ...(agent === undefined ? { createConnection: target.secure ? openTls : openTcp } : { agent }),
  };
  return target.secure ? requestHttps(request) : requestHttp(request);
}

/**
 * Turns what `check` throws, and any truthy value that it returns, into an error of the connection attempt. Node calls it from a socket event,
 * where an exception would end the process, and the peer chooses the certificate.
 */
function guarded(check: NonNullable<TlsClientOptions['checkServerIdentity']>): typeof check {
  return (host, certificate) => {
    try {
      const verdict: unknown = check(host, certificate);
      return verdict ? errorOf(verdict) : undefined;
    } catch (error) {
      return errorOf(error);
    }
  };
}

/** Here `path` is the path of the URL, and `socketPath` that of a Unix socket. */
function openTcp(options: RequestOptions): Socket {
  return opened(() =>
    connectTcp({ ...socketOptions(options), highWaterMark: READ_SIZE } as Parameters<typeof connectTcp>[0] & object),
  );
}

function openTls(options: RequestOptions): Socket {
  return opened(() => tls.connect({ ...socketOptions(options), highWaterMark: READ_SIZE } as tls.ConnectionOptions));
}

/** Makes what `lookup` throws an Error: Node ignores a falsy value, and would continue without a socket. */
function opened(open: () => Socket): Socket {
  try {
    return open();
  } catch (error) {
    throw errorOf(error);
  }
}

function socketOptions(options: RequestOptions): object {
  const { path: _urlPath, socketPath, ...rest } = options;
  return typeof socketPath === 'string' ? { ...rest, path: socketPath } : rest;
}
