/** Status codes of the closing handshake. RFC 6455 §7.4.1 and the IANA WebSocket Close Code Number Registry. */
export const CloseCode = {
  /** The purpose of the connection is fulfilled. */
  normal: 1000,
  /** An endpoint goes away: a server stops, or the user leaves a page. */
  goingAway: 1001,
  /** The other end broke the protocol. */
  protocolError: 1002,
  /** The type of the data is not accepted, for example binary instead of text. */
  unsupportedData: 1003,
  /** No code was present. Never on the wire. */
  noStatus: 1005,
  /** The connection was lost without a Close frame. Never on the wire. */
  abnormal: 1006,
  /** The data of a message does not match its type, such as text that is not UTF-8. */
  invalidPayload: 1007,
  /** A message violated a policy, and no other code is more specific. */
  policyViolation: 1008,
  /** A message was too long. */
  messageTooBig: 1009,
  /** A client requires an extension that the server did not negotiate. */
  mandatoryExtension: 1010,
  /** An internal error occurred. */
  internalError: 1011,
  /** The server restarts: connect again. */
  serviceRestart: 1012,
  /** The server is overloaded: connect again later. */
  tryAgainLater: 1013,
  /** A gateway got no valid response from its upstream server. */
  badGateway: 1014,
  /** The TLS handshake failed. Never on the wire. */
  tlsHandshake: 1015,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The codes that {@link isSendableCloseCode} allows, for messages. */
export const SENDABLE_CLOSE_CODES = '1000-1003, 1007-1014 or 3000-4999';

/** Whether the peer may send `code` in a Close frame: 1000-1003, 1007-1014 or 3000-4999. RFC 6455 §7.4. */
export function isReceivableCloseCode(code: number): boolean {
  // §7.4.1: 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame by an endpoint", 1004 is reserved
  if (code <= 1014) return code >= 1000 && (code <= 1003 || code >= 1007);
  // §7.4.2: 1015-2999 are reserved for the protocol and its extensions, codes over 4999 are undefined
  return code >= 3000 && code <= 4999;
}

/** Whether an application may close with `code`: an integer in 1000-1003, 1007-1014 or 3000-4999. RFC 6455 §7.4. */
export function isSendableCloseCode(code: number): boolean {
  return Number.isInteger(code) && isReceivableCloseCode(code);
}
