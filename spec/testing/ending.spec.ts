import { infoOf } from '../../src/testing/ending.js';

describe('the record of an end by the peer', () => {
  it.each([
    ['c', { code: 1000, wasClean: true }],
    [1001, { code: 1001, wasClean: true }],
    [1006, { code: 1006, wasClean: false }],
    [{ reason: 'why' }, { code: 1000, reason: 'why', wasClean: true }],
    [
      { code: 1002, wasClean: false, initiator: 'local' as const },
      { code: 1002, wasClean: false, initiator: 'local' },
    ],
  ])('for %p', (how, info) => {
    expect(infoOf(how)).toEqual({ reason: '', initiator: 'peer', ...info });
  });
});
