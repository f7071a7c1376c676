import { outgoingSymbol, shareMessage } from '../../src/protocol/shared-message.js';

describe('a message for several connections', () => {
  it('has the value, and a mark that other builds know', () => {
    const value = { any: 'value' };
    expect(shareMessage(value)).toEqual({ [outgoingSymbol]: 'shared', value, item: undefined });
    expect(outgoingSymbol).toBe(Symbol.for('sluice.outgoing'));
  });
});
