import { runInNewContext } from 'node:vm';
import {
  BackpressureError,
  ConnectionClosedError,
  HandshakeError,
  InternalError,
  isWebSocketError,
  ProtocolError,
  UsageError,
  WebSocketError,
} from 'sluice';
import { isUsageError } from '../../src/protocol/errors.js';

const cause = new Error('cause');
const each = [
  ['WebSocketError', new WebSocketError('HEARTBEAT_TIMEOUT', 'silent', { cause })],
  ['ProtocolError', new ProtocolError('RESERVED_BIT', 1002, 'RSV1', { cause })],
  ['HandshakeError', new HandshakeError('UNEXPECTED_STATUS', '404', { status: 404, cause })],
  ['ConnectionClosedError', new ConnectionClosedError({ code: 1006, reason: '', wasClean: false, cause })],
  ['BackpressureError', new BackpressureError('maxBufferedAmount', 10, 12)],
  ['UsageError', new UsageError('UNSUPPORTED_DATA', 'undefined', { cause })],
  ['InternalError', new InternalError(cause)],
] as const;

describe.each(each)('%s', (name, error) => {
  it('is an Error and a WebSocketError, and says which', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(WebSocketError);
    expect([error.name, `${error}`]).toEqual([name, `${name}: ${error.message}`]);
    expect(error.stack).toContain('errors.spec');
  });

  it('is known by its brand', () => {
    expect(isWebSocketError(error)).toBe(true);
  });

  it('has no uptime before connect() sets one', () => {
    expect(error.uptime).toBeUndefined();
  });

  it('has the cause that it was given', () => {
    expect(error.cause).toBe(name === 'BackpressureError' ? undefined : cause);
  });
});

describe('what an error tells', () => {
  it('is the cause as a literal and the close code, of a fault of the peer', () => {
    expect(new ProtocolError('UTF8_INVALID', 1007, 'bad')).toMatchObject({ code: 'UTF8_INVALID', closeCode: 1007 });
  });

  it('is the answer, of a handshake', () => {
    const answer = { status: 503, headers: { 'retry-after': '5' }, body: 'later' };
    expect(new HandshakeError('UNEXPECTED_STATUS', 'm', answer)).toMatchObject(answer);
    expect(new HandshakeError('HANDSHAKE_TIMEOUT', 'm')).toMatchObject({ status: 0, headers: {}, body: '' });
    expect(new HandshakeError('HANDSHAKE_TIMEOUT', 'm')).not.toHaveProperty('cause');
    expect(new HandshakeError('HANDSHAKE_TIMEOUT', 'm').bodyBytes).toEqual(new Uint8Array(0));
  });

  it('is the close code as a number, of a connection', () => {
    const error = new ConnectionClosedError({ code: 4001, reason: 'kicked', wasClean: true });
    expect(error).toMatchObject({ code: 4001, reason: 'kicked', wasClean: true, message: 'closed with 4001: kicked' });
    const lost = new ConnectionClosedError({ code: 1006, reason: '', wasClean: false });
    expect(lost.message).toBe('connection lost without a close frame');
  });

  it('is told in one line, whatever reason the peer gave', () => {
    const reason = 'a\r\nb\u2028c\u0085 \u{1f600}';
    const error = new ConnectionClosedError({ code: 4000, reason, wasClean: true });
    expect(error.message).toBe('closed with 4000: a\\u000d\\u000ab\\u2028c\\u0085 \u{1f600}');
    expect(error.reason).toBe(reason);
  });

  it('is the limit, its value, and what was found, of a buffer', () => {
    const error = new BackpressureError('maxBufferedAmount', 10, 12);
    expect(error).toMatchObject({ code: 'BUFFER_FULL', limit: 'maxBufferedAmount', configured: 10, observed: 12 });
    expect(error.message).toBe('the peer does not read: 12 bytes would be buffered, maxBufferedAmount allows 10');
  });
});

describe('isWebSocketError', () => {
  it('knows the errors of another build, or another realm', () => {
    const foreign = runInNewContext(
      `new (class Other extends Error { get [Symbol.for('sluice.error')]() { return true } })`,
    );
    expect(foreign).not.toBeInstanceOf(WebSocketError);
    expect(isWebSocketError(foreign)).toBe(true);
  });

  it.each([
    new Error('e'),
    Object.assign(new Error('e'), { code: 'ECONNRESET' }),
    { name: 'WebSocketError', code: 1006 },
    null,
    undefined,
    'WebSocketError',
    1006,
  ])('is false for %p', (value) => {
    expect(isWebSocketError(value)).toBe(false);
  });
});

describe('an error of the caller', () => {
  it('is told from others', () => {
    expect(isUsageError(new UsageError('ENCODE_FAILED', 'a'))).toBe(true);
    expect(isUsageError(new WebSocketError('HEARTBEAT_TIMEOUT', 'a'))).toBe(false);
    expect(isUsageError(Object.assign(new Error('a'), { name: 'UsageError' }))).toBe(false);
  });
});
