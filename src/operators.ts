/**
 * The operators, that work on every `Connection` and need nothing of Node.
 *
 * @packageDocumentation
 */
export { type DemandMapOptions, demandMap } from './operators/demand-map.js';
export { type GateOptions, gate } from './operators/gate.js';
export { type HandleConnectionsOptions, handleConnections } from './operators/handle-connections.js';
export type { CanHold } from './operators/hold-source.js';
export { link } from './operators/link.js';
export { sendTo } from './operators/send-to.js';
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
