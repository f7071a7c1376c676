import type { UpgradeAnswer } from './negotiation.js';
import { hasField, inOneLine, type Rejection, refusalBody, refusalFields } from './rejection.js';

/** Encodes the head of the HTTP/1.1 response that accepts a handshake, to be written as latin1. No checks. RFC 6455 §4.2.2 (5). */
export function encodeAnswer({ status, fields }: Pick<UpgradeAnswer, 'status' | 'fields'>): string {
  let head = `HTTP/1.1 ${status} Switching Protocols\r\n`;
  for (let at = 0; at + 1 < fields.length; at += 2) head += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return `${head}\r\n`;
}

/** Encodes the HTTP/1.1 response that refuses a handshake and ends the connection, to be written as UTF-8. Never throws. */
export function encodeRefusal(rejection: Rejection): string {
  const fields = refusalFields(rejection);
  // RFC 9110 §7.8: "A sender of Upgrade MUST also send an 'Upgrade' connection option in the Connection header field"
  const connection = hasField(fields, 'upgrade') ? 'close, Upgrade' : 'close';
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const { status, reason } = rejection;
  return `HTTP/1.1 ${status} ${inOneLine(reason)}\r\nConnection: ${connection}\r\n${lines}\r\n${refusalBody(rejection)}`;
}
