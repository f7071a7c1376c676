/** Status codes of the closing handshake. RFC 6455 §7.4.1 and the IANA WebSocket Close Code Number Registry. */
export const CloseCode = {
  /** The purpose of the connection is fulfilled. */
  normal: 1000,
  /** The peer goes away: a server stops, a page is left. */
  goingAway: 1001,
  /** The other side broke the protocol. */
  protocolError: 1002,
  /** The type of the data is not accepted: binary where text is wanted, for example. */
  unsupportedData: 1003,
  /** No code was present. Never on the wire. */
  noStatus: 1005,
  /** The connection was lost without a Close frame. Never on the wire. */
  abnormal: 1006,
  /** The data of a message is not what its type says, such as text that is not UTF-8. */
  invalidPayload: 1007,
  /** A rule of the other side was broken, and no other code says it better. */
  policyViolation: 1008,
  /** A message was too long. */
  messageTooBig: 1009,
  /** A client misses an extension that it asked for. */
  mandatoryExtension: 1010,
  /** Something failed on this side. */
  internalError: 1011,
  /** A server restarts: connect again. */
  serviceRestart: 1012,
  /** A server is overloaded: connect again later. */
  tryAgainLater: 1013,
  /** A gateway got no valid answer from its upstream server. */
  badGateway: 1014,
  /** The TLS handshake failed. Never on the wire. */
  tlsHandshake: 1015,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** {@link isSendableCloseCode} in words, for messages. */
export const SENDABLE_CLOSE_CODES = '1000-1003, 1007-1014 and 3000-4999';

/** Whether a Close frame of the peer may carry `code`: 1000-1003, 1007-1014 and 3000-4999. RFC 6455 §7.4. */
export function isReceivableCloseCode(code: number): boolean {
  // §7.4.1: 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame by an endpoint", 1004 is reserved
  if (code <= 1014) return code >= 1000 && (code <= 1003 || code >= 1007);
  // §7.4.2: 1015-2999 are kept for the protocol and its extensions, over 4999 is undefined
  return code >= 3000 && code <= 4999;
}

/** Whether an application may close with `code`: an integer of 1000-1003, 1007-1014 or 3000-4999. RFC 6455 §7.4. */
export function isSendableCloseCode(code: number): boolean {
  return Number.isInteger(code) && isReceivableCloseCode(code);
}
