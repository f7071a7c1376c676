/**
 * The operators, that work on every `Connection` and need nothing of Node.
 *
 * @packageDocumentation
 */
export { type BroadcastOptions, broadcast } from './operators/broadcast.js';
export { type BroadcastToOptions, broadcastTo } from './operators/broadcast-to.js';
export { createHub, type Hub, type Topic, type TopicMessageOptions } from './operators/create-hub.js';
export type { BroadcastResult, DeliveryOptions, LatestPolicy, SlowPolicy } from './operators/delivery.js';
export { type DemandMapOptions, demandMap } from './operators/demand-map.js';
export type { Except } from './operators/except.js';
export { type GateOptions, gate } from './operators/gate.js';
export { type HandleConnectionsOptions, handleConnections } from './operators/handle-connections.js';
export type { CanHold } from './operators/hold-source.js';
export { link } from './operators/link.js';
export type { Presence } from './operators/room.js';
export { sendTo } from './operators/send-to.js';
export type { OutOf, Target, TargetSend } from './operators/target.js';
export {
  BackpressureError,
  ConnectionClosedError,
  HandshakeError,
  type HandshakeErrorCode,
  isWebSocketError,
  ProtocolError,
  type ProtocolErrorCode,
  UsageError,
  type UsageErrorCode,
  WebSocketError,
} from './protocol/errors.js';
