/**
 * Reactive WebSockets for Node.js: RFC 6455 as RxJS Observables.
 *
 * @packageDocumentation
 */

export type { CompressionOption, PerMessageDeflateOptions } from './channel/deflate-options.js';
export type { ConnectionOptions, HeartbeatOptions } from './channel/settings.js';
export { connect, openConnection } from './client/connect.js';
export type { ConnectOptions, ConnectTarget, PlainTarget, TargetOptions } from './client/connect-options.js';
export { type PersistentDialOptions, persistent } from './client/persistent.js';
export {
  type BinaryType,
  type CloseInfo,
  type Connection,
  type ConnectionStats,
  type Message,
  type MessageOf,
  ReadyState,
  type SendSource,
  type Supports,
} from './connection/connection.js';
export {
  type Fragment,
  type FragmentsOptions,
  fragments,
  type MessageOptions,
  message,
  type Outgoing,
  type OutgoingMessage,
  type Payload,
} from './connection/outgoing.js';
export type { Overflow, SendResult } from './connection/send-result.js';
export { SendSubject } from './connection/send-subject.js';
export type { DialNetworkOptions, TlsClientOptions } from './net/client-request.js';
export type { ListenAddress } from './net/listener.js';
export type { TlsServerOptions } from './net/tls-server-options.js';
export { type ToDuplexOptions, toDuplex } from './net/to-duplex.js';
export { type WrapOptions, wrap } from './net/wrap.js';
export type {
  PersistentConnection,
  PersistentFailure,
  PersistentState,
} from './operators/again/persistent-connection.js';
export type { PersistentOptions, PersistentPolicy } from './operators/again/persistent-options.js';
export * from './operators.js';
export type { ExtensionParams, ExtensionsObject } from './protocol/handshake/extensions.js';
export type { OriginFacts, OriginPolicy } from './protocol/handshake/origin-policy.js';
export { type OutgoingHeaders, Rejection, reject } from './protocol/handshake/rejection.js';
export { CloseCode } from './protocol/message/close-code.js';
export { accept } from './server/accept.js';
export type { LimitByOptions } from './server/admission.js';

export type {
  AcceptOptions,
  Answer,
  Authenticated,
  ClientInfo,
  DataOf,
  PathOption,
  ServeOptions,
  ServerCloseOptions,
} from './server/server-options.js';
export type { ServerStats } from './server/server-stats.js';
export { serve, WebSocketServer } from './server/web-socket-server.js';
