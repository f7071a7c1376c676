/**
 * The operators, that work on every `Connection` and need nothing of Node.
 *
 * @packageDocumentation
 */
export {
  type AskKeyOptions,
  type AskMatchOptions,
  type AskOptions,
  type AskTimeOptions,
  ask,
} from './operators/ask.js';
export { type BroadcastOptions, broadcast } from './operators/broadcast.js';
export { type BroadcastToOptions, broadcastTo } from './operators/broadcast-to.js';
export type { Codec, InvalidHandler, InvalidPolicy } from './operators/codec.js';
export {
  type AnyConnection,
  createHub,
  type Hub,
  type OutOf,
  type Topic,
  type TopicMessageOptions,
} from './operators/create-hub.js';
export type { BroadcastResult, DeliveryOptions, LatestPolicy, SlowPolicy } from './operators/delivery.js';
export { type DemandMapOptions, demandMap } from './operators/demand-map.js';
export type { Except } from './operators/except.js';
export { type GateOptions, gate } from './operators/gate.js';
export { type HandleConnectionsOptions, handleConnections } from './operators/handle-connections.js';
export type { CanHold } from './operators/hold-source.js';
export { type JsonOptions, json } from './operators/json.js';
export { type KeepAliveOptions, keepAlive } from './operators/keep-alive.js';
export { type LimitRateOptions, limitRate } from './operators/limit-rate.js';
export { link } from './operators/link.js';
export { isBinary, isText } from './operators/message-guards.js';
export { multiplex } from './operators/multiplex.js';
export { type ReconnectPolicy, reconnect } from './operators/reconnect.js';
export type { Presence } from './operators/room.js';
export { sendTo } from './operators/send-to.js';
export type { Peer } from './operators/sessions-of.js';
export type {
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaPathStep,
  SchemaResult,
  StandardSchema,
} from './operators/standard-schema.js';
export type { Target, TargetSend } from './operators/target.js';
export { type ToWebStreams, toWebStreams } from './operators/to-web-streams.js';
export { withCodec } from './operators/with-codec.js';
export type { BackoffPolicy } from './protocol/backoff.js';
export {
  BackpressureError,
  ConnectionClosedError,
  HandshakeError,
  type HandshakeErrorCode,
  InternalError,
  isWebSocketError,
  ProtocolError,
  type ProtocolErrorCode,
  SchemaError,
  UsageError,
  type UsageErrorCode,
  WebSocketError,
} from './protocol/errors.js';
export { isRetryable } from './protocol/retryable.js';
