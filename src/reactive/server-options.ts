import type { Observable } from 'rxjs';
import type { ExtensionsObject } from '../protocol/extensions.js';
import { checkOriginPolicy, type OriginPolicy } from '../protocol/origin-policy.js';
import type { Rejection } from '../protocol/rejection.js';
import type { HttpServer, IncomingMessage } from '../transport/incoming-message.js';
import { TLS_SERVER_OPTIONS, type TlsServerOptions } from '../transport/tls-server-options.js';
import { type AdmissionLimits, admissionLimits, type LimitByOptions } from './admission.js';
import { checkBoolean, checkFunction, checkInteger, checkNames, checkSignal } from './check.js';
import type { BinaryType } from './connection.js';
import {
  CONNECTION_OPTIONS,
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
} from './connection-settings.js';
import type { CompressionOption } from './deflate-options.js';
import { describe } from './outgoing.js';

/** A hook's answer: a value, or a Promise or Observable of one. Of an Observable the first value counts. */
export type Answer<T> = T | PromiseLike<T> | Observable<T>;

/** What hooks are told about a handshake. */
export interface ClientInfo {
  /** The Origin header, if any. Only browsers are bound to it. RFC 6455 §10.2. */
  readonly origin: string | undefined;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** The request as Node parsed it. */
  readonly request: IncomingMessage;
  /** The subprotocols that the client offers, in its order of preference. */
  readonly protocols: readonly string[];
  /** The extensions that the client offers, as objects. */
  readonly extensions: ExtensionsObject;
  /** The address of the client; `undefined` on a Unix domain socket. */
  readonly remoteAddress: string | undefined;
}

/** Options of taking in connections, whatever they come from. */
export interface AcceptOptions<R = undefined, B extends BinaryType = 'nodebuffer'>
  extends ConnectionOptions<B>,
    CompressionOption {
  /**
   * Most connections at a time, closing ones and handshakes in progress included. One more gets 503. @default none: as many as the
   * process may have open files
   */
  readonly maxConnections?: number;
  /** Most connections of one client, told by its address, or of one key. One more gets 429. @default none */
  readonly limitBy?: LimitByOptions;
  /**
   * Decides about a handshake: `true`, `false` (401), or `reject(...)`. A hook that throws or rejects, or an Observable without a
   * value, is answered with 500; one that takes longer than `handshakeTimeout` with 503. @default all are accepted
   */
  readonly verifyClient?: (info: ClientInfo) => Answer<boolean | Rejection>;
  /**
   * Says who the client is: what it returns becomes `conn.data`, unless it is `reject(...)`. `signal` aborts when the client goes
   * or the time is over. Called after `verifyClient`. @default `conn.data` is undefined
   */
  readonly authenticate?: (
    request: IncomingMessage,
    context: { readonly signal: AbortSignal },
  ) => Answer<R | Rejection>;
  /**
   * Which web pages may connect: `'auto'` refuses pages of other origins when they would bring credentials along or reach a
   * loopback address, `'*'` allows all, `'same-origin'`, a list, a RegExp or a predicate restrict. Refused with 403. RFC 6455 §10.2.
   * @default 'auto'
   */
  readonly origins?: OriginPolicy;
  /**
   * Chooses one of the subprotocols that the client offers: one of them, `undefined` for none, `false` to refuse (401). Called only
   * when there are any. RFC 6455 §4.2.2. @default none is chosen
   */
  readonly handleProtocols?: (protocols: string[], request: IncomingMessage) => Answer<string | false | undefined>;
  /** May change the lines of the 101 response (`Name: value`), before it is sent. @default nothing is added */
  readonly headers?: (headers: string[], request: IncomingMessage) => void;
}

/** Which paths a server takes: the exact path of the URL without its query, a RegExp for it, or a predicate. */
export type PathOption = string | RegExp | ((path: string, request: IncomingMessage) => boolean);

/** Options of `serve`. Exactly one of `port`, `socketPath`, `server` and `noServer` says where connections come from. */
export interface ServeOptions<R = undefined, B extends BinaryType = 'nodebuffer'>
  extends AcceptOptions<R, B>,
    TlsServerOptions {
  /** TCP port; 0 for any free one, see `listening$`. */
  readonly port?: number;
  /** Address to listen on. @default all of this machine's */
  readonly host?: string;
  /** Longest queue of connections that are not accepted yet. @default 511 */
  readonly backlog?: number;
  /** Path of a Unix domain socket to listen on. */
  readonly socketPath?: string;
  /** An `http.Server` or `https.Server` to attach to. It is never closed. */
  readonly server?: HttpServer;
  /** Listens to nothing: requests come through `handleUpgrade`. */
  readonly noServer?: boolean;
  /** Which paths are for this server; all others get 404, or stay for others on the same `server`. @default all */
  readonly path?: PathOption;
  /** Whether `connections` is kept. Without it, the end of the server does not close its connections. @default true */
  readonly clientTracking?: boolean;
  /** Ends the server as `close()` does. */
  readonly signal?: AbortSignal;
}

/** {@link AcceptOptions} that were checked, with their defaults. */
export interface AcceptSettings extends ConnectionSettings, AdmissionLimits {
  readonly verifyClient: ((info: ClientInfo) => Answer<boolean | Rejection>) | undefined;
  readonly authenticate:
    | ((request: IncomingMessage, context: { readonly signal: AbortSignal }) => Answer<unknown>)
    | undefined;
  readonly origins: OriginPolicy;
  readonly handleProtocols:
    | ((protocols: string[], request: IncomingMessage) => Answer<string | false | undefined>)
    | undefined;
  readonly headers: ((headers: string[], request: IncomingMessage) => void) | undefined;
  readonly clientTracking: boolean;
}

const ACCEPT_OPTIONS = [
  ...CONNECTION_OPTIONS,
  'perMessageDeflate',
  'maxConnections',
  'limitBy',
  'verifyClient',
  'authenticate',
  'origins',
  'handleProtocols',
  'headers',
] as const;
const LISTEN_OPTIONS = [
  'port',
  'host',
  'backlog',
  'socketPath',
  'server',
  'noServer',
  'path',
  'clientTracking',
  'signal',
] as const;

/** @throws TypeError or RangeError that names the option, what was found and what is allowed. */
export function acceptSettings(options: AcceptOptions<unknown, BinaryType>): AcceptSettings {
  checkNames(options, ACCEPT_OPTIONS);
  return checkedAccept(options, true);
}

/** @throws TypeError or RangeError that names the option, what was found and what is allowed. */
export function serveSettings(options: ServeOptions<unknown, BinaryType>): AcceptSettings {
  checkNames(options, [...ACCEPT_OPTIONS, ...LISTEN_OPTIONS, ...TLS_SERVER_OPTIONS]);
  const { port, socketPath, server, host, backlog, path } = options;
  const noServer = checkBoolean('noServer', options.noServer ?? false);
  const sources = { port, socketPath, server, noServer: noServer ? true : undefined };
  const given = Object.entries(sources).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.map(([name]) => name).join(' and ');
    throw new TypeError(`found ${found} of port, socketPath, server and noServer, allowed is exactly one`);
  }
  if (port !== undefined) checkInteger('port', port, 0, 65_535);
  if (backlog !== undefined) checkInteger('backlog', backlog, 1, 2 ** 31 - 1);
  checkText('host', host);
  checkText('socketPath', socketPath);
  if (server !== undefined && typeof server?.on !== 'function') {
    throw new TypeError(`server is ${describe(server)}, allowed is an http.Server or https.Server`);
  }
  if (path !== undefined && typeof path !== 'string' && typeof path !== 'function' && !(path instanceof RegExp)) {
    throw new TypeError(`path is ${describe(path)}, allowed are a string, a RegExp and a predicate`);
  }
  if (typeof path === 'string' && !/^\/[^?#]*$/.test(path)) {
    throw new TypeError(`path is ${describe(path)}, allowed is the path of a URL, such as '/chat'`);
  }
  checkSignal(options.signal);
  checkBelongs(options);
  return checkedAccept(options, checkBoolean('clientTracking', options.clientTracking ?? true));
}

/** Options that say how to listen are for a server of our own. */
function checkBelongs(options: ServeOptions<unknown, BinaryType>): void {
  const own =
    options.port !== undefined
      ? []
      : options.socketPath !== undefined
        ? ['host']
        : ['host', 'backlog', ...TLS_SERVER_OPTIONS];
  for (const name of own) {
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    const place = options.socketPath === undefined ? 'server or noServer' : 'socketPath';
    throw new TypeError(
      `found ${name} beside ${place}, allowed is it where serve itself listens${name === 'host' ? ' on a port' : ''}`,
    );
  }
}

function checkedAccept(options: AcceptOptions<unknown, BinaryType>, clientTracking: boolean): AcceptSettings {
  const { verifyClient, authenticate, handleProtocols, headers, origins = 'auto', maxConnections, limitBy } = options;
  for (const [name, hook] of Object.entries({ verifyClient, authenticate, handleProtocols, headers }))
    checkFunction(name, hook);
  checkOriginPolicy(origins);
  const hooks = { verifyClient, authenticate, handleProtocols, headers };
  const limits = admissionLimits(maxConnections, limitBy);
  return { ...connectionSettings(options, 'server'), ...limits, ...hooks, origins, clientTracking };
}

function checkText(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value === '')) {
    throw new TypeError(`${name} is ${describe(value)}, allowed are strings that are not empty`);
  }
}
