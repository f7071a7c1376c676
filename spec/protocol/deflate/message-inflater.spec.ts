import type { DeflateParameters } from '../../../src/protocol/deflate/deflate-negotiation.js';
import { MessageInflater } from '../../../src/protocol/deflate/message-inflater.js';
import { jsonText, noise, numbersFrom } from '../../support/compressible.js';
import { StreamingDeflater } from '../../support/streaming-peer.js';

const MiB = 1_048_576;
const roles = ['server', 'client'] as const;

const agreed = (some: Partial<DeflateParameters> = {}): DeflateParameters => ({
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  ...some,
});

/** The parameters of the peer of an end in `role`. */
function peerParameters(role: 'server' | 'client', forgets: boolean, bits: number): DeflateParameters {
  return role === 'server'
    ? agreed({ clientNoContextTakeover: forgets, clientMaxWindowBits: bits })
    : agreed({ serverNoContextTakeover: forgets, serverMaxWindowBits: bits });
}

describe('messages of a peer that keeps its stream (RFC 7692 §7.2)', () => {
  // zlib's raw deflate has no window of 8 bits, but one of 9 never refers further back than 250 bytes.
  const cases = roles.flatMap((role) => [8, 9, 10, 11, 12, 13, 14, 15].map((bits) => [role, bits] as const));
  it.each(cases)('are inflated by a %s with a window of %d bits', async (role, bits) => {
    const peer = new StreamingDeflater({ windowBits: Math.max(9, bits) });
    const inflater = new MessageInflater(peerParameters(role, false, bits), role, MiB);
    const next = numbersFrom(bits);
    const sizes = [0, 1, 75, 2000, 300, 2 ** bits - 1, 2 ** bits, 2 ** bits + 1, 3 * 2 ** bits, 0, 0];
    for (let round = 0; round < 60; round++) sizes.push(Math.floor(next() * 600));
    let inflated = 0;
    for (const [index, size] of sizes.entries()) {
      const text = index % 7 === 3 ? noise(size, index) : Buffer.from(jsonText(size, index % 3));
      inflated += size;
      expect(inflater.inflate(await peer.deflate(text)).equals(text)).toBe(true);
      expect(inflater.inflated).toBe(inflated);
    }
    peer.close();
  });

  it('are inflated when it began anew with each of them, though it need not', async () => {
    const inflater = new MessageInflater(agreed(), 'server', MiB);
    for (let index = 0; index < 5; index++) {
      const peer = new StreamingDeflater();
      const text = Buffer.from(jsonText(500, index));
      expect(inflater.inflate(await peer.deflate(text))).toEqual(text);
      peer.close();
    }
  });

  it('are inflated when it flushed in the middle', async () => {
    const peer = new StreamingDeflater();
    const inflater = new MessageInflater(agreed(), 'client', MiB);
    for (let index = 0; index < 5; index++) {
      const parts = [jsonText(300, index), '', jsonText(200, index), ''].map((text) => Buffer.from(text));
      const bodies: Buffer[] = [];
      for (const [at, part] of parts.entries()) bodies.push(await peer.deflate(part, at === parts.length - 1));
      expect(inflater.inflate(Buffer.concat(bodies))).toEqual(Buffer.concat(parts));
    }
    peer.close();
  });
});

describe('a peer that may not keep context', () => {
  it.each(roles)('is not understood when it refers to the message before (%s)', async (role) => {
    const peer = new StreamingDeflater();
    const inflater = new MessageInflater(peerParameters(role, true, 15), role, MiB);
    const text = Buffer.from(jsonText(300));
    expect(inflater.inflate(await peer.deflate(text))).toEqual(text);
    const second = await peer.deflate(text);
    expect(() => inflater.inflate(second)).toThrow(expect.objectContaining({ code: 'COMPRESSION_INVALID' }));
    peer.close();
  });
});

describe('the limits of a message', () => {
  it('hold for each, not for all', async () => {
    const peer = new StreamingDeflater();
    const inflater = new MessageInflater(agreed(), 'server', 1000);
    const text = Buffer.from(jsonText(1000));
    for (let index = 0; index < 3; index++) expect(inflater.inflate(await peer.deflate(text))).toEqual(text);
    const bomb = await peer.deflate(Buffer.concat([text, text]));
    // All of it refers to what was there before.
    expect(bomb.length).toBeLessThan(40);
    expect(() => inflater.inflate(bomb)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LONG', closeCode: 1009 }),
    );
    expect(inflater.inflated).toBe(3000);
    peer.close();
  });
});

it('forgets what it kept', async () => {
  const peer = new StreamingDeflater();
  const inflater = new MessageInflater(agreed(), 'server', MiB);
  inflater.inflate(await peer.deflate(Buffer.from(jsonText(300))));
  inflater.clear();
  const second = await peer.deflate(Buffer.from(jsonText(300)));
  expect(() => inflater.inflate(second)).toThrow(expect.objectContaining({ closeCode: 1007 }));
  peer.close();
});
