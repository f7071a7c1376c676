import type { Observable } from 'rxjs';
import { checkBoolean, checkFunction, checkInteger, checkNames, checkOneOf, checkSignal } from '../base/check.js';
import { describe } from '../base/describe.js';
import type { CompressionOption } from '../channel/deflate-options.js';
import {
  CONNECTION_OPTIONS,
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
} from '../channel/settings.js';
import type { BinaryType, MessageOf } from '../connection/connection.js';
import type { IncomingMessage } from '../connection/incoming-message.js';
import type { Outgoing } from '../connection/outgoing.js';
import { CLIENT_NETWORK_OPTIONS, type DialNetworkOptions } from '../net/client-request.js';
import { type CodecOption, checkCodecOption } from '../operators/typed/codec.js';
import { checkSubprotocols } from '../protocol/handshake/subprotocols.js';
import { parseTarget, type Target } from '../protocol/handshake/target-url.js';
import { encodeRequestHeaders } from '../protocol/handshake/write-request.js';

/**
 * Options of `connect`.
 *
 * @typeParam In the type of messages, from `codec`. @typeParam Out what `send` takes.
 */
export interface ConnectOptions<B extends BinaryType = 'nodebuffer', In = MessageOf<B>, Out = Outgoing>
  extends ConnectionOptions<B>,
    CompressionOption,
    CodecOption<In, Out>,
    DialNetworkOptions {
  /** Additional header fields of the request, as for `http.request`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The Origin header. @default none */
  readonly origin?: string;
  /** The Host header. @default the host of the URL */
  readonly host?: string;
  /** 8 for servers that implement the drafts hybi-08 to hybi-12. @default 13 */
  readonly protocolVersion?: 8 | 13;
  /**
   * Follows redirects; `wss:` never becomes `ws:`. When the host or the port changes, all fields except `User-Agent`, `Accept-Language`
   * and `Origin` are dropped for good, and so are the user and password of the URL, `host`, `agent`, `cert`, `key`, `pfx`,
   * `passphrase`, `secureContext` and `servername`. Subprotocols are kept. @default false
   */
  readonly followRedirects?: boolean;
  /** How many redirects are followed. @default 10 */
  readonly maxRedirects?: number;
  /** Checks a valid response; `false` refuses it with `HandshakeError` RESPONSE_REFUSED. @default all are accepted */
  readonly verifyResponse?: (response: IncomingMessage) => boolean;
  /** Aborts the dial, or closes the connection with 1000, and completes. */
  readonly signal?: AbortSignal;
}

/** A URL to connect to, with options for this target only. They override those of `connect`; `codec` is the same for all targets. */
export interface TargetOptions<B extends BinaryType = 'nodebuffer'> extends Omit<ConnectOptions<B>, 'codec'> {
  /** `ws:`, `wss:`, `http:` or `https:`, or `ws+unix:/path/of.sock:/path`. Without a fragment. RFC 6455 §3. */
  readonly url: string | URL;
  /** The subprotocols to offer, in order of preference. */
  readonly protocols?: string | readonly string[];
}

/** A URL to connect to, with or without options of its own. */
export type PlainTarget<B extends BinaryType = 'nodebuffer'> = string | URL | TargetOptions<B>;

/** A target to connect to, or a function that is called for one before each attempt. */
export type ConnectTarget<B extends BinaryType = 'nodebuffer'> =
  | PlainTarget<B>
  | (() => PlainTarget<B> | PromiseLike<PlainTarget<B>> | Observable<PlainTarget<B>>);

/** Checked settings of a dial and its connection, with defaults. */
export interface ConnectSettings extends ConnectionSettings {
  readonly target: Target;
  readonly protocols: readonly string[];
  readonly version: 8 | 13;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly origin: string | undefined;
  readonly maxRedirects: number;
  readonly verifyResponse: ((response: IncomingMessage) => boolean) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly network: DialNetworkOptions;
}

/** {@link ConnectOptions} of any types. */
export type AnyConnectOptions = ConnectOptions<BinaryType, unknown, unknown>;

/** The names of {@link ConnectOptions}. */
export const CONNECT_OPTIONS: readonly (keyof ConnectOptions)[] = [
  ...CONNECTION_OPTIONS,
  ...CLIENT_NETWORK_OPTIONS,
  'perMessageDeflate',
  'codec',
  'headers',
  'origin',
  'host',
  'protocolVersion',
  'followRedirects',
  'maxRedirects',
  'verifyResponse',
  'signal',
];

/**
 * Checks the options of one attempt.
 *
 * @throws TypeError, RangeError or SyntaxError that names the option, what was found and what is allowed.
 */
export function connectSettings(
  target: PlainTarget<BinaryType>,
  protocols: string | readonly string[] | undefined,
  options: AnyConnectOptions,
): ConnectSettings {
  const own = isTargetOptions(target) ? target : { url: target as string | URL };
  const { url, protocols: ownProtocols, ...ownOptions } = own;
  if ((ownOptions as AnyConnectOptions).codec !== undefined) {
    throw new TypeError(
      'codec must be an option of connect(), since all its connections have one type, got one in a target',
    );
  }
  const merged = { ...options, ...ownOptions };
  const offered = ownProtocols ?? protocols;
  checkConnectOptions(merged, offered);
  const { origin, protocolVersion = 13, followRedirects = false, maxRedirects = 10 } = merged;
  return {
    ...connectionSettings(merged, 'client'),
    target: parseTarget(url),
    protocols: protocolList(offered),
    version: protocolVersion,
    headers: requestFields(merged),
    origin,
    maxRedirects: followRedirects ? maxRedirects : 0,
    verifyResponse: merged.verifyResponse,
    signal: merged.signal,
    network: networkOptions(merged),
  };
}

/**
 * Checks the options, and the subprotocols that are offered under them.
 *
 * @throws TypeError, RangeError or SyntaxError that names the option, what was found and what is allowed.
 */
export function checkConnectOptions(
  options: AnyConnectOptions,
  protocols: string | readonly string[] | undefined,
): void {
  checkNames(options, CONNECT_OPTIONS);
  checkOneOf('protocolVersion', options.protocolVersion ?? 13, [8, 13]);
  checkBoolean('followRedirects', options.followRedirects ?? false);
  checkInteger('maxRedirects', options.maxRedirects ?? 10, 1, 100);
  checkFunction('verifyResponse', options.verifyResponse);
  checkSignal(options.signal);
  checkNetworkOptions(options);
  checkCodecOption(options);
  connectionSettings(options, 'client');
  const { origin, protocolVersion: version = 13 } = options;
  // Encode the request once here, so that invalid fields throw now.
  encodeRequestHeaders({
    key: '',
    version,
    protocols: protocolList(protocols),
    origin,
    headers: requestFields(options),
  });
}

/** Checks options that Node would reject only when it dials, or not at all. */
function checkNetworkOptions({ agent, family, lookup, ...options }: AnyConnectOptions): void {
  const { localAddress, rejectUnauthorized, checkServerIdentity } = options;
  if (agent !== undefined && typeof (agent as { addRequest?: unknown } | null)?.addRequest !== 'function') {
    throw new TypeError(`agent must be an Agent of node:http or node:https, got ${describe(agent)}`);
  }
  if (localAddress !== undefined && typeof localAddress !== 'string') {
    throw new TypeError(`localAddress must be an IP address, got ${describe(localAddress)}`);
  }
  checkOneOf('family', family ?? 0, [0, 4, 6]);
  checkFunction('lookup', lookup);
  checkBoolean('rejectUnauthorized', rejectUnauthorized ?? true);
  checkFunction('checkServerIdentity', checkServerIdentity);
}

/** The caller's header fields of the request. */
function requestFields({ headers = {}, host }: AnyConnectOptions): ConnectSettings['headers'] {
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) {
    throw new TypeError(`headers must be an object of names and values, got ${describe(headers)}`);
  }
  return host === undefined ? headers : { ...headers, Host: host };
}

function isTargetOptions(target: unknown): target is TargetOptions<BinaryType> {
  if (typeof target === 'string' || target instanceof URL) return false;
  if (typeof target === 'object' && target !== null && 'url' in target) return true;
  throw new TypeError(
    `target must be a URL, { url, ... } or a function that returns one of them, got ${describe(target)}`,
  );
}

function protocolList(protocols: string | readonly string[] | undefined): readonly string[] {
  const list = typeof protocols === 'string' ? [protocols] : (protocols ?? []);
  checkSubprotocols(list);
  return [...list];
}

function networkOptions(options: AnyConnectOptions): DialNetworkOptions {
  const given = CLIENT_NETWORK_OPTIONS.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}
