/**
 * The operators. They work on every `Connection` and do not need Node.
 *
 * @packageDocumentation
 */

export { type Mistake, redirectMistakes } from './base/mistake.js';
export type { BackoffPolicy } from './operators/again/backoff.js';
export { type ReconnectPolicy, reconnect } from './operators/again/reconnect.js';
export { isRetryable } from './operators/again/retryable.js';
export {
  type AskKeyOptions,
  type AskMatchOptions,
  type AskOptions,
  type AskTimeOptions,
  ask,
} from './operators/ask.js';
export { type DemandMapOptions, demandMap } from './operators/demand-map.js';
export { type GateOptions, gate } from './operators/gate.js';
export { type HandleConnectionsOptions, handleConnections } from './operators/handle-connections.js';
export type { CanHold } from './operators/hold-of.js';
export { iterate } from './operators/iterate.js';
export { type KeepAliveOptions, keepAlive } from './operators/keep-alive.js';
export { type LimitRateOptions, limitRate } from './operators/limit-rate.js';
export { link } from './operators/link.js';
export { type BroadcastOptions, broadcast } from './operators/many/broadcast.js';
export { type BroadcastToOptions, broadcastTo } from './operators/many/broadcast-to.js';
export {
  type AnyConnection,
  createHub,
  type Hub,
  type OutOf,
  type Topic,
  type TopicMessageOptions,
} from './operators/many/create-hub.js';
export type { BroadcastResult, DeliveryOptions, LatestPolicy, SlowPolicy } from './operators/many/delivery.js';
export type { Presence } from './operators/many/room.js';
export type { Except, Target, TargetSend } from './operators/many/target.js';
export { isBinary, isText } from './operators/message-guards.js';
export { multiplex } from './operators/multiplex.js';
export { sendTo } from './operators/send-to.js';
export type { Peer } from './operators/sessions-of.js';
export { type ToWebStreams, toWebStreams } from './operators/to-web-streams.js';
export type { Codec, CodecOption, InvalidHandler, InvalidPolicy } from './operators/typed/codec.js';
export { type JsonOptions, json } from './operators/typed/json.js';
export type {
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaPathStep,
  SchemaResult,
  StandardSchema,
} from './operators/typed/standard-schema.js';
export { withCodec } from './operators/typed/with-codec.js';
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
