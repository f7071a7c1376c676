import type { Observable } from 'rxjs';
import { checkBoolean, checkFunction, checkInteger, checkNames, checkSignal } from '../base/check.js';
import { describe } from '../base/describe.js';
import type { CompressionOption } from '../channel/deflate-options.js';
import {
  CONNECTION_OPTIONS,
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
} from '../channel/settings.js';
import type { BinaryType, MessageOf } from '../connection/connection.js';
import type { HttpServer, IncomingMessage } from '../connection/incoming-message.js';
import type { Outgoing } from '../connection/outgoing.js';
import { TLS_SERVER_OPTIONS, type TlsServerOptions } from '../net/tls-server-options.js';
import { type Codec, type CodecOption, checkCodecOption } from '../operators/typed/codec.js';
import type { ExtensionsObject } from '../protocol/handshake/extensions.js';
import { checkOriginPolicy, type OriginPolicy } from '../protocol/handshake/origin-policy.js';
import type { Rejection } from '../protocol/handshake/rejection.js';
import { type AdmissionLimits, admissionLimits, type LimitByOptions } from './admission.js';

/** A hook's answer: a value, or a Promise or Observable of one. The first value of an Observable counts. */
export type Answer<T> = T | PromiseLike<T> | Observable<T>;

/** The parts of `R` that `authenticate` must not return: a server that took them for data would accept every client. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing are what this type rejects.
type Refused<R> = R extends undefined | null | void | PromiseLike<unknown> | Observable<unknown>
  ? R
  : R extends Error
    ? // Data may have a name and a message too.
      'stack' extends keyof R
      ? R
      : never
    : never;

/**
 * What `authenticate` may return: a type `R` fits if it does not include `undefined`, `null`, `void`, `false` or Error, and no Promise or
 * Observable within another. `boolean` fits too, since TypeScript widens the `true` of an asynchronous function to it; a `false` at run
 * time is answered with 401.
 */
export type Authenticated<R> = [Refused<R> | (true extends R ? never : Extract<R, false>)] extends [never]
  ? unknown
  : 'authenticate must not return undefined, null, false or an Error: return reject(401), or data';

/** The type of `conn.data` if `authenticate` returns `R`: `R` without rejections, or `undefined` without that hook. */
export type DataOf<R> = [Exclude<R, Rejection | false>] extends [never] ? undefined : Exclude<R, Rejection | false>;

/** {@link DataOf}, from which TypeScript does not infer `R`: it must infer it from `authenticate` alone. */
type KnownData<R> = DataOf<[R][R extends unknown ? 0 : never]>;

/** The facts about a handshake that hooks receive. */
export interface ClientInfo {
  /** The Origin header, if any. Clients other than browsers can send any value. RFC 6455 §10.2. */
  readonly origin: string | undefined;
  /** Whether the request came over TLS. */
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

/**
 * Options for accepting connections, whatever their source.
 *
 * @typeParam R what `authenticate` returns; `never` without it. Write `authenticate` before the hooks that take its result: TypeScript
 *   infers types in the order of the text.
 * @typeParam In the type of messages, from `codec`. @typeParam Out what `send` takes.
 */
export interface AcceptOptions<R = never, B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>
  extends ConnectionOptions<B>,
    CompressionOption,
    CodecOption<In, Out> {
  /**
   * Most connections at a time, including closing ones and handshakes in progress. One more gets 503. @default none: as many as the
   * process may have open files
   */
  readonly maxConnections?: number;
  /**
   * Most connections of one client, identified by its address, its request or what `authenticate` returned; or a list of such limits,
   * which all apply. One more gets 429. @default none
   */
  readonly limitBy?: LimitByOptions<KnownData<R>> | readonly LimitByOptions<KnownData<R>>[];
  /**
   * Accepts or refuses a handshake: `true`, `false` (401), or `reject(...)`. Any other value, a hook that throws or rejects, and an
   * Observable without a value are answered with 500; a hook that takes longer than `handshakeTimeout`, with 503. @default all are accepted
   */
  readonly verifyClient?: (info: ClientInfo) => Answer<boolean | Rejection>;
  /**
   * Identifies the client: what it returns becomes `conn.data`, unless it is `reject(...)`. It fails closed: `undefined`, `null` and
   * `false` are refused with 401; an Error, and a Promise or Observable within another, with 500. `''` and `0` are data. The first
   * such answer is printed to `console.error`.
   *
   * `signal` aborts whenever the handshake ends without a connection, even after this hook has answered: the client disconnects, the
   * handshake times out, the server stops, or another hook or a limit refuses. Called after `verifyClient`. @default `conn.data` is undefined
   */
  readonly authenticate?: (
    request: IncomingMessage,
    context: { readonly signal: AbortSignal },
  ) => Answer<R | Rejection>;
  /**
   * Which web pages may connect: `'auto'` refuses pages of other origins if they send credentials or connect to a loopback
   * address, `'*'` allows all; `'same-origin'`, a list, a RegExp or a predicate restrict. Refused with 403. RFC 6455 §10.2.
   * @default 'auto'
   */
  readonly origins?: OriginPolicy;
  /**
   * Chooses a subprotocol: one that the client offers, `undefined` for none, `false` to refuse (401). `data` is what `authenticate`
   * returned. Called only if the client offers any. Any other value is answered with 500. After `undefined`, browsers, ws and undici fail
   * a connection for which they offered one. RFC 6455 §4.2.2. @default the first one that the client offers
   */
  handleProtocols?(
    protocols: string[],
    request: IncomingMessage,
    data: KnownData<R>,
  ): Answer<string | false | undefined>;
  /**
   * May change the header lines of the 101 response (`Name: value`) before it is sent. `data` is what `authenticate` returned.
   * Synchronous: a Promise is answered with 500. @default nothing is added
   */
  headers?(headers: string[], request: IncomingMessage, data: KnownData<R>): void;
}

/** The paths that a server serves: the exact path of the URL without its query, a RegExp for it, or a predicate. */
export type PathOption = string | RegExp | ((path: string, request: IncomingMessage) => boolean);

/** Options of `serve`. Exactly one of `port`, `socketPath`, `server` and `noServer` must be given. */
export interface ServeOptions<R = never, B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>
  extends AcceptOptions<R, B, In, Out>,
    TlsServerOptions {
  /** TCP port; 0 for any free one, see `listening$`. */
  readonly port?: number;
  /** Address to listen on. @default all addresses of this machine */
  readonly host?: string;
  /** Longest queue of connections that are not accepted yet. @default 511 */
  readonly backlog?: number;
  /**
   * Path of a Unix domain socket to listen on. A socket that a killed process left behind is taken over. A socket that is in use,
   * and a file that is not a socket, fail with EADDRINUSE.
   */
  readonly socketPath?: string;
  /** An `http.Server` or `https.Server` to attach to. It is never closed. */
  readonly server?: HttpServer;
  /** Does not listen: the application passes requests to `handleUpgrade`. */
  readonly noServer?: boolean;
  /** The paths of this server. Others get 404, or are left to other listeners of the same `server`. @default all */
  readonly path?: PathOption;
  /** Whether `connections` is kept. If false, the end of the server does not close its connections. @default true */
  readonly clientTracking?: boolean;
  /** Ends the server, as `close()` does. */
  readonly signal?: AbortSignal;
}

/** Options of `close` of a server. */
export interface ServerCloseOptions {
  /** The close code that every client gets. @default 1001 */
  readonly code?: number;
  /** The close reason, at most 123 bytes of UTF-8. @default '' */
  readonly reason?: string;
  /** Milliseconds after `jitter` until connections that are still open are terminated. @default closeTimeout */
  readonly timeout?: number;
  /** Spreads the closing over so many milliseconds, so that clients do not all reconnect at once. @default 0 */
  readonly jitter?: number;
}

/** Checked {@link AcceptOptions}, with their defaults. */
export interface AcceptSettings extends ConnectionSettings, AdmissionLimits {
  readonly verifyClient: ((info: ClientInfo) => Answer<boolean | Rejection>) | undefined;
  readonly authenticate:
    | ((request: IncomingMessage, context: { readonly signal: AbortSignal }) => Answer<unknown>)
    | undefined;
  readonly origins: OriginPolicy;
  readonly handleProtocols:
    | ((protocols: string[], request: IncomingMessage, data: unknown) => Answer<string | false | undefined>)
    | undefined;
  readonly headers: ((headers: string[], request: IncomingMessage, data: unknown) => unknown) | undefined;
  readonly clientTracking: boolean;
  readonly codec: Codec<unknown, unknown> | undefined;
}

/** {@link AcceptOptions} of any types. */
export type AnyAcceptOptions = AcceptOptions<unknown, BinaryType, unknown, unknown>;
/** {@link ServeOptions} of any types. */
export type AnyServeOptions = ServeOptions<unknown, BinaryType, unknown, unknown>;

const ACCEPT_OPTIONS = [
  ...CONNECTION_OPTIONS,
  'perMessageDeflate',
  'codec',
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
export function acceptSettings(options: AnyAcceptOptions): AcceptSettings {
  checkNames(options, ACCEPT_OPTIONS);
  return checkedAccept(options, true);
}

/** @throws TypeError or RangeError that names the option, what was found and what is allowed. */
export function serveSettings(options: AnyServeOptions): AcceptSettings {
  checkNames(options, [...ACCEPT_OPTIONS, ...LISTEN_OPTIONS, ...TLS_SERVER_OPTIONS]);
  const { port, socketPath, server, host, backlog, path } = options;
  const noServer = checkBoolean('noServer', options.noServer ?? false);
  const sources = { port, socketPath, server, noServer: noServer ? true : undefined };
  const given = Object.entries(sources).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.map(([name]) => name).join(' and ');
    throw new TypeError(`specify exactly one of port, socketPath, server, noServer: got ${found}`);
  }
  if (port !== undefined) checkInteger('port', port, 0, 65_535);
  if (backlog !== undefined) checkInteger('backlog', backlog, 1, 2 ** 31 - 1);
  checkText('host', host);
  checkText('socketPath', socketPath);
  if (server !== undefined && typeof server?.on !== 'function') {
    throw new TypeError(`server must be an http.Server or https.Server, got ${describe(server)}`);
  }
  if (path !== undefined && typeof path !== 'string' && typeof path !== 'function' && !(path instanceof RegExp)) {
    throw new TypeError(`path must be a string, a RegExp or a predicate, got ${describe(path)}`);
  }
  if (typeof path === 'string' && !/^\/[^?#]*$/.test(path)) {
    throw new TypeError(`path must be the path of a URL, such as '/chat', got ${describe(path)}`);
  }
  checkSignal(options.signal);
  checkBelongs(options);
  return checkedAccept(options, checkBoolean('clientTracking', options.clientTracking ?? true));
}

/** Rejects options that only apply to a server of our own. */
function checkBelongs(options: AnyServeOptions): void {
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
      `${name} cannot be combined with ${place}: it is for servers that listen${name === 'host' ? ' on a port' : ''} themselves`,
    );
  }
}

function checkedAccept(options: AnyAcceptOptions, clientTracking: boolean): AcceptSettings {
  const { verifyClient, authenticate, handleProtocols, headers, origins = 'auto', maxConnections, limitBy } = options;
  for (const [name, hook] of Object.entries({ verifyClient, authenticate, handleProtocols, headers }))
    checkFunction(name, hook);
  checkTakesNoCallback(verifyClient);
  checkOriginPolicy(origins);
  checkCodecOption(options);
  const hooks = { verifyClient, authenticate, handleProtocols, headers };
  const limits = admissionLimits(maxConnections, limitBy);
  if (authenticate === undefined && limits.limitBy.some(({ dataKey }) => dataKey !== undefined)) {
    throw new TypeError('limitBy.dataKey requires authenticate: it is called with what authenticate returned');
  }
  const { codec } = options;
  return { ...connectionSettings(options, 'server'), ...limits, ...hooks, origins, clientTracking, codec };
}

/**
 * With `ws`, a function of two parameters calls the second when it has decided. Here that parameter is undefined: calling it later would
 * crash the process, for any client.
 */
function checkTakesNoCallback(verifyClient: AcceptSettings['verifyClient']): void {
  if (verifyClient === undefined || verifyClient.length < 2) return;
  throw new TypeError(
    'verifyClient must be a function of one parameter, got one that takes a callback: return true, false or reject(...), or a Promise of it',
  );
}

function checkText(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value === '')) {
    throw new TypeError(`${name} must be a non-empty string, got ${describe(value)}`);
  }
}

/** The scheme and authority before the path in the absolute form of a request target, which proxies may use. RFC 6455 §4.2.1 (1). */
const ORIGIN = /^https?:\/\/[^/?]*/i;

/**
 * Returns whether `path` matches the path in `url`, unchanged and without the query.
 *
 * @param request called only to pass its result to a predicate.
 * @returns what a predicate returned, unchecked.
 */
export function matchesPath(path: PathOption | undefined, url: string, request: () => IncomingMessage): unknown {
  if (path === undefined) return true;
  const [found = ''] = url.replace(ORIGIN, '').split('?', 1);
  if (typeof path === 'string') return found === path;
  if (typeof path === 'function') return path(found, request());
  path.lastIndex = 0;
  return path.test(found);
}
