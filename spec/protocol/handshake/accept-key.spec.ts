import { acceptKey, isValidKey } from '../../../src/protocol/handshake/accept-key.js';

describe('the accept key (RFC 6455 §4.2.2)', () => {
  it.each([
    ['dGhlIHNhbXBsZSBub25jZQ==', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
    ['x3JJHMbDL1EzLkh9GBhXDw==', 'HSmrc0sMlYUkAGmm5OPpG2HaGWk='],
  ])('answers %s with %s', (key, accept) => {
    expect(acceptKey(key)).toBe(accept);
  });

  it('is the same where Node cannot hash at once', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('node:crypto', () => ({ ...jest.requireActual('node:crypto'), hash: undefined }));
      const { acceptKey: other } = await import('../../../src/protocol/handshake/accept-key.js');
      expect(other('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
      jest.dontMock('node:crypto');
    });
  });
});

describe('Sec-WebSocket-Key (RFC 6455 §4.1, §11.3.1)', () => {
  it.each([
    'dGhlIHNhbXBsZSBub25jZQ==',
    'AAAAAAAAAAAAAAAAAAAAAA==',
    '++++++++++++++++//////==',
    'AQIDBAUGBwgJCgsMDQ4PEC==',
  ])('accepts %s', (key) => {
    expect(isValidKey(key)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['15 bytes', 'AAAAAAAAAAAAAAAAAAAA'],
    ['17 bytes', 'AAAAAAAAAAAAAAAAAAAAAAA='],
    ['18 bytes', 'AAAAAAAAAAAAAAAAAAAAAAAA'],
    ['no padding', 'dGhlIHNhbXBsZSBub25jZQ'],
    ['half a padding', 'dGhlIHNhbXBsZSBub25jZQ='],
    ['the alphabet of base64url', 'dGhlIHNhbXBsZSBub25j-_=='],
    ['a space in front', ' dGhlIHNhbXBsZSBub25jZQ=='],
    ['a line end behind', 'dGhlIHNhbXBsZSBub25jZQ==\n'],
    ['a character outside ASCII', 'dGhlIHNhbXBsZSBub25jZé=='],
    ['the Kelvin sign', 'dGhlIHNhbXBsZSBub25j\u212aQ=='],
    ['16 KB', 'A'.repeat(16_384)],
  ])('refuses %s', (_, key) => {
    expect(isValidKey(key)).toBe(false);
  });

  it('accepts every 16 bytes in base64, whatever the bits behind them', () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(isValidKey(Buffer.alloc(16, byte).toString('base64'))).toBe(true);
    }
  });
});
