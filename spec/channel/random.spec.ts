import { nextHandshakeKey, nextMaskKey } from '../../src/channel/random.js';

describe('masking keys (RFC 6455 §5.3)', () => {
  it('are 32 bits wide, and 10 000 of them differ as random ones do', () => {
    const keys = Array.from({ length: 10_000 }, nextMaskKey);
    expect(keys.every((key) => Number.isInteger(key) && key >= -(2 ** 31) && key < 2 ** 31)).toBe(true);
    // Of 10 000 random ones 0.01 pairs are equal; three pairs come about once in ten million times.
    expect(new Set(keys).size).toBeGreaterThan(9997);
    for (let bit = 0; bit < 32; bit++) {
      const ones = keys.filter((key) => ((key >>> bit) & 1) === 1).length;
      // Ten standard deviations.
      expect(Math.abs(ones - 5000)).toBeLessThan(500);
    }
  });
});

describe('handshake keys (RFC 6455 §4.1)', () => {
  it('are 16 bytes in base64, each time others', () => {
    const keys = Array.from({ length: 1000 }, nextHandshakeKey);
    expect(keys.every((key) => Buffer.from(key, 'base64').length === 16 && key.length === 24)).toBe(true);
    expect(new Set(keys).size).toBe(1000);
  });
});
