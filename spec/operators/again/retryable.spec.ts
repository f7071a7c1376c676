import { isRetryable } from '../../../src/operators/again/retryable.js';
import {
  BackpressureError,
  ConnectionClosedError,
  HandshakeError,
  type HandshakeErrorCode,
  InternalError,
  ProtocolError,
  UsageError,
  WebSocketError,
} from '../../../src/protocol/errors.js';

const closed = (code: number): Error => new ConnectionClosedError({ code, reason: '', wasClean: true });
const refused = (status: number): Error => new HandshakeError('UNEXPECTED_STATUS', 'refused', { status });
const system = (code: string): Error => Object.assign(new Error(code), { code });

describe('an error that may pass', () => {
  it.each([1001, 1006, 1011, 1012, 1013, 1014])('is a close with %d', (code) => {
    expect(isRetryable(closed(code))).toBe(true);
  });

  it.each([408, 429, 500, 502, 503, 504, 599])('is the status %d', (status) => {
    expect(isRetryable(refused(status))).toBe(true);
  });

  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EPIPE',
  ])('is the error of the system %s', (code) => {
    expect(isRetryable(system(code))).toBe(true);
    expect(isRetryable(Object.assign(new AggregateError([]), { code }))).toBe(true);
  });

  it('is one of time', () => {
    expect(isRetryable(new HandshakeError('HANDSHAKE_TIMEOUT', 'late'))).toBe(true);
    expect(isRetryable(new WebSocketError('HEARTBEAT_TIMEOUT', 'silent'))).toBe(true);
  });

  it('is one of our own side, since memory comes back', () => {
    expect(isRetryable(new InternalError(new RangeError('Array buffer allocation failed')))).toBe(true);
  });

  it('may come from another build', () => {
    const other = { [Symbol.for('sluice.error')]: true, name: 'ConnectionClosedError', code: 1006 };
    expect(isRetryable(other)).toBe(true);
  });
});

describe('an error that stays', () => {
  it.each([1000, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1015, 3000, 4001])('is a close with %d', (code) => {
    expect(isRetryable(closed(code))).toBe(false);
  });

  it.each([200, 301, 400, 401, 403, 404, 426])('is the status %d', (status) => {
    expect(isRetryable(refused(status))).toBe(false);
  });

  it.each<HandshakeErrorCode>(['ACCEPT_INVALID', 'UPGRADE_INVALID', 'TARGET_INVALID'])('is %s', (code) => {
    expect(isRetryable(new HandshakeError(code, 'no', { status: 503 }))).toBe(false);
  });

  it.each([
    ['the protocol', new ProtocolError('RESERVED_BIT', 1002, 'bit')],
    ['a full buffer', new BackpressureError('maxBufferedAmount', 1, 2)],
    ['a wrong use', new UsageError('UNSUPPORTED_DATA', 'no')],
    ['a connection that nobody read', new WebSocketError('PAUSED_TIMEOUT', 'paused')],
    ['a certificate', system('CERT_HAS_EXPIRED')],
    ['an application', new TypeError('x is undefined')],
    ['a number that looks like a code', { code: 1006 }],
    ['a string', 'ECONNREFUSED'],
    ['null', null],
    ['undefined', undefined],
  ])('is one of %s', (_, error) => {
    expect(isRetryable(error)).toBe(false);
  });
});
