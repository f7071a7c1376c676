import { closeErrorOf, withUptime } from '../../src/connection/close-error.js';
import { BackpressureError } from '../../src/protocol/errors.js';

const clean = { reason: '', wasClean: true, initiator: 'peer' } as const;
const lost = { code: 1006, reason: '', wasClean: false, initiator: 'peer' } as const;

describe('an end of a connection', () => {
  it.each([
    ['the peer closed with 1000', { ...clean, code: 1000 }],
    ['the peer closed without a code', { ...clean, code: 1005 }],
    ['we closed', { ...clean, code: 4000, initiator: 'local' as const }],
    ['we ended it at once', { ...lost, initiator: 'local' as const }],
    ['it was reset after we had closed', { ...lost, initiator: 'local' as const, error: new Error('ECONNRESET') }],
  ])('is no error when %s', (_, info) => {
    expect(closeErrorOf(info)).toBeUndefined();
  });

  it('is one with the code and reason of the peer', () => {
    const error = closeErrorOf({ ...clean, code: 1012, reason: 'restart' });
    expect(error).toMatchObject({ name: 'ConnectionClosedError', code: 1012, reason: 'restart', wasClean: true });
  });

  it('is one with its cause when it was lost', () => {
    const cause = new Error('read ECONNRESET');
    expect(closeErrorOf({ ...lost, error: cause })).toMatchObject({ code: 1006, wasClean: false, cause });
  });

  it('is the error that sluice gave it', () => {
    const error = new BackpressureError('maxBufferedAmount', 1, 2);
    expect(closeErrorOf({ ...lost, initiator: 'local', error })).toBe(error);
  });
});

describe('the uptime of an error', () => {
  it('is noted on any object that takes it, and on nothing else', () => {
    const error = new Error('a');
    expect(withUptime(error, 5)).toBe(error);
    expect(error).toHaveProperty('uptime', 5);
    expect(withUptime('a', 5)).toBe('a');
    expect(withUptime(Object.freeze({}), 5)).toEqual({});
  });

  it('is left out where it cannot be written', () => {
    const error = Object.defineProperty(new Error('a'), 'uptime', { get: () => 7 });
    expect(withUptime(error, 5)).toBe(error);
    expect(error).toHaveProperty('uptime', 7);
  });
});
