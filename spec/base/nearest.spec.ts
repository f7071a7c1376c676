import { nearest } from '../../src/base/nearest.js';

describe('the name that is meant', () => {
  const names = ['port', 'path', 'host', 'maxPayload', 'maxFragments', 'perMessageDeflate', 'handshakeTimeout'];

  it.each([
    ['maxPaylod', 'maxPayload'],
    ['maxpayload', 'maxPayload'],
    ['maxPyaload', 'maxPayload'],
    ['maxPayloadd', 'maxPayload'],
    ['maxPayloadSize', 'maxPayload'],
    ['maxMessageSize', undefined],
    ['permessageDeflate', 'perMessageDeflate'],
    ['timeoutOfHandshake', undefined],
    ['prot', 'port'],
    ['ports', 'port'],
    ['x', undefined],
    ['', undefined],
    ['certificate', undefined],
  ])('by %p is %p', (typed, meant) => {
    expect(nearest(typed, names)).toBe(meant);
  });

  it('is none of none', () => {
    expect(nearest('port', [])).toBeUndefined();
  });
});
