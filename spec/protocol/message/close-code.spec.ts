import { CloseCode, isReceivableCloseCode, isSendableCloseCode } from '../../../src/protocol/message/close-code.js';

/** First and last of each run of codes that may be on the wire. RFC 6455 §7.4. */
const onTheWire = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const never = [-1, 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535, 66536];

describe('close codes (RFC 6455 §7.4)', () => {
  it.each(onTheWire)('%d may be received and sent', (code) => {
    expect([isReceivableCloseCode(code), isSendableCloseCode(code)]).toEqual([true, true]);
  });

  it.each(never)('%d may neither be received nor sent', (code) => {
    expect([isReceivableCloseCode(code), isSendableCloseCode(code)]).toEqual([false, false]);
  });

  it.each([1000.5, Number.NaN, Number.POSITIVE_INFINITY])('%d may not be sent, it is no integer', (code) => {
    expect(isSendableCloseCode(code)).toBe(false);
  });

  it('that only stand for what happened locally are named, but never sent', () => {
    const { noStatus, abnormal, tlsHandshake, ...others } = CloseCode;
    expect([noStatus, abnormal, tlsHandshake].filter(isSendableCloseCode)).toEqual([]);
    expect(Object.values(others).filter((code) => !isSendableCloseCode(code))).toEqual([]);
  });
});
