/**
 * Reactive WebSockets for Node.js: RFC 6455 as RxJS Observables.
 *
 * @packageDocumentation
 */
export * from './operators.js';
export { CloseCode } from './protocol/close-code.js';
export type { ExtensionParams, ExtensionsObject } from './protocol/extensions.js';
export type { OriginFacts, OriginPolicy } from './protocol/origin-policy.js';
export { type OutgoingHeaders, Rejection, reject } from './protocol/rejection.js';
export { accept } from './reactive/accept.js';
export type { LimitByOptions } from './reactive/admission.js';
export { connect } from './reactive/connect.js';
export type { ConnectOptions, ConnectTarget, PlainTarget, TargetOptions } from './reactive/connect-options.js';
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
} from './reactive/connection.js';
export type { ConnectionOptions, HeartbeatOptions } from './reactive/connection-settings.js';
export type { CompressionOption, PerMessageDeflateOptions } from './reactive/deflate-options.js';
export { openConnection } from './reactive/open-connection.js';
export type { Overflow, SendResult } from './reactive/outbox-settings.js';
export {
  type Fragment,
  type FragmentsOptions,
  fragments,
  type MessageOptions,
  message,
  type Outgoing,
  type OutgoingMessage,
  type Payload,
} from './reactive/outgoing.js';
export {
  type PersistentDialOptions,
  type PersistentOptions,
  type PersistentPolicy,
  persistent,
} from './reactive/persistent.js';
export type { PersistentConnection, PersistentState } from './reactive/persistent-connection.js';
export { SendSubject } from './reactive/send-subject.js';
export { serve } from './reactive/serve.js';
export type {
  AcceptOptions,
  Answer,
  Authenticated,
  ClientInfo,
  DataOf,
  PathOption,
  ServeOptions,
} from './reactive/server-options.js';
export { type ToDuplexOptions, toDuplex } from './reactive/to-duplex.js';
export { type ServerCloseOptions, WebSocketServer } from './reactive/web-socket-server.js';
export { type WrapOptions, wrap } from './reactive/wrap.js';
export type { DialNetworkOptions, TlsClientOptions } from './transport/client-request.js';
export type { ListenAddress } from './transport/listener.js';
export type { TlsServerOptions } from './transport/tls-server-options.js';
