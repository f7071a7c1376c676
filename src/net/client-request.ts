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

/** Options of TLS for a client, passed on to `node:tls`. */
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

/** Options of the connection below the handshake, passed on to Node. */
export interface DialNetworkOptions extends TlsClientOptions {
  /** Makes or reuses the sockets: a proxy's agent, for example. @default a socket of its own for each dial */
  readonly agent?: Agent;
  /** The local address to connect from. */
  readonly localAddress?: string;
  /** 4 or 6 to use only that version of IP. @default 0: both */
  readonly family?: 0 | 4 | 6;
  /** Replaces `dns.lookup`. */
  readonly lookup?: LookupFunction;
}

/** What a dial asks for, and how. */
export interface DialRequest {
  readonly target: Target;
  readonly protocols: readonly string[];
  readonly version: 8 | 13;
  /** Fields beside those of the handshake; Host among them replaces the one of the URL. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly origin: string | undefined;
  /** What is offered of permessage-deflate; nothing where it is not. */
  readonly deflate: DeflateParameters | undefined;
  /** How many redirects are followed; 0 makes a redirect an error. */
  readonly maxRedirects: number;
  /** How many were followed already. */
  readonly redirects: number;
  /** Says no to a response that is otherwise right. */
  readonly verifyResponse: ((response: IncomingMessage) => boolean) | undefined;
  readonly network: DialNetworkOptions;
  readonly scheduler: SchedulerLike;
}

/** Bytes that Node reads from the socket at a time. */
const READ_SIZE = 65_536;

/** Begins an HTTP GET to `target` with exactly `headers`. */
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
 * Node calls it from an event of the socket, where an exception ends the process, and a certificate is whatever the peer sends. What it
 * throws is an error of that dial, and so is anything truthy that it returns.
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

/** `path` of the request is an URL's; the one of a socket is `socketPath`. */
function openTcp(options: RequestOptions): Socket {
  return opened(() =>
    connectTcp({ ...socketOptions(options), highWaterMark: READ_SIZE } as Parameters<typeof connectTcp>[0] & object),
  );
}

function openTls(options: RequestOptions): Socket {
  return opened(() => tls.connect({ ...socketOptions(options), highWaterMark: READ_SIZE } as tls.ConnectionOptions));
}

/** `lookup` may throw anything, and Node takes what is falsy for no error: it would go on without a socket. */
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
