import * as zlib from 'node:zlib';
import type { DeflateParameters } from '../../../src/protocol/deflate/deflate-negotiation.js';
import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';
import { MessageInflater } from '../../../src/protocol/deflate/message-inflater.js';
import { jsonText, noise, numbersFrom } from '../../support/compressible.js';
import { StreamingInflater } from '../../support/streaming-peer.js';

jest.mock('node:zlib', () => {
  const actual = jest.requireActual<typeof zlib>('node:zlib');
  return { ...actual, deflateRawSync: jest.fn(actual.deflateRawSync), deflateRaw: jest.fn(actual.deflateRaw) };
});

const roles = ['server', 'client'] as const;
type Role = (typeof roles)[number];
const level = { threshold: 0, level: 6, memLevel: 8 };

/** What an end in `role` may keep; the other end keeps nothing. */
function parametersOf(role: Role, forgets: boolean, bits: number): DeflateParameters {
  const nothing = {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 9,
    clientMaxWindowBits: 9,
  };
  return role === 'server'
    ? { ...nothing, serverNoContextTakeover: forgets, serverMaxWindowBits: bits }
    : { ...nothing, clientNoContextTakeover: forgets, clientMaxWindowBits: bits };
}

const deflater = (role: Role = 'server', forgets = true, bits = 15): MessageDeflater =>
  new MessageDeflater(parametersOf(role, forgets, bits), role, level);

function later(each: MessageDeflater, data: Uint8Array, shared?: object): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => each.compressLater(data, resolve, shared));
}

describe('messages to a peer that keeps its stream (RFC 7692 §7.2)', () => {
  const cases = roles.flatMap((role) => [8, 9, 10, 11, 12, 13, 14, 15].map((bits) => [role, bits] as const));
  it.each(cases)('of a %s with a window of %d bits', async (role, bits) => {
    const compressing = deflater(role, false, bits);
    expect(compressing.keepsContext).toBe(true);
    const peer = new StreamingInflater({ windowBits: bits });
    const next = numbersFrom(bits);
    const sizes = [1, 75, 2000, 300, 2 ** bits - 1, 2 ** bits, 2 ** bits + 1, 3 * 2 ** bits];
    for (let round = 0; round < 60; round++) sizes.push(Math.floor(next() * 600));
    for (const [index, size] of sizes.entries()) {
      const text = index % 7 === 3 ? noise(size, index) : Buffer.from(jsonText(size, index % 3));
      // What stays uncompressed is no part of the context.
      const body = index % 5 === 4 ? await later(compressing, text) : compressing.compress(text);
      if (body !== undefined) expect((await peer.inflate(body)).equals(text)).toBe(true);
      if (index % 6 !== 5) continue;
      const parts = compressing.beginParts();
      const halves = [text.subarray(0, size >> 1), text.subarray(size >> 1), Buffer.alloc(0)];
      const bodies = halves.map((half, at) => parts.part(half, at === 2));
      expect((await peer.inflate(Buffer.concat(bodies))).equals(text)).toBe(true);
    }
    peer.close();
  });

  it('refer to what was there before', () => {
    const compressing = deflater('server', false);
    const text = Buffer.from(jsonText(3000));
    const sizes = [0, 1].map(() => compressing.compress(text)!.length);
    expect(sizes[1]! * 10).toBeLessThan(sizes[0]!);
  });
});

describe('messages that do not become smaller by themselves', () => {
  it('are compressed with those before them, that went compressed though they grew', async () => {
    const compressing = deflater('server', false);
    const peer = new StreamingInflater();
    const sizes: number[] = [];
    for (let index = 0; index < 3; index++) {
      const body = compressing.compress(noise(300))!;
      expect((await peer.inflate(body)).equals(noise(300))).toBe(true);
      sizes.push(body.length);
    }
    expect(sizes[0]).toBeGreaterThan(300);
    expect(sizes[2]).toBeLessThan(30);
    peer.close();
  });

  it('stay as they are, and out of the context, when they are long', () => {
    const compressing = deflater('server', false);
    for (let index = 0; index < 3; index++) expect(compressing.compress(noise(2000))).toBeUndefined();
  });
});

describe('messages without context', () => {
  it.each(roles)('can be inflated one by one (%s)', (role) => {
    const compressing = deflater(role);
    expect(compressing.keepsContext).toBe(false);
    const inflater = (): MessageInflater =>
      new MessageInflater(parametersOf(role, true, 15), role === 'server' ? 'client' : 'server', 1_000_000);
    const text = Buffer.from(jsonText(3000));
    const bodies = [0, 1].map(() => Buffer.from(compressing.compress(text)!));
    expect(bodies[0]).toEqual(bodies[1]);
    expect(inflater().inflate(bodies[1]!)).toEqual(text);
    const parts = [0, 1].map(() => compressing.beginParts().part(text, true));
    expect(parts[0]).toEqual(parts[1]);
  });

  it('stay as they are where they would not become smaller', async () => {
    for (const size of [0, 1, 3, 100, 70_000]) {
      expect(deflater().compress(noise(size))).toBeUndefined();
      if (size > 0) expect(await later(deflater(), noise(size))).toBeUndefined();
    }
  });
});

describe('a message that goes to many peers', () => {
  const { deflateRawSync, deflateRaw } = zlib as jest.MockedObjectDeep<typeof zlib>;
  const text = Buffer.from(jsonText(3000));
  beforeEach(() => {
    deflateRawSync.mockClear();
    deflateRaw.mockClear();
  });

  it('is compressed once for all of the same parameters', () => {
    const shared = {};
    const bodies = Array.from({ length: 100 }, () => deflater().compress(text, shared));
    expect(new Set(bodies).size).toBe(1);
    expect(deflateRawSync).toHaveBeenCalledTimes(1);
    deflater('client', true, 15).compress(text, shared);
    expect(deflateRawSync).toHaveBeenCalledTimes(1);
    deflater('server', true, 12).compress(text, shared);
    expect(deflateRawSync).toHaveBeenCalledTimes(2);
  });

  it('is tried once where it does not become smaller', () => {
    const shared = {};
    for (let peer = 0; peer < 3; peer++) expect(deflater().compress(noise(100), shared)).toBeUndefined();
    expect(deflateRawSync).toHaveBeenCalledTimes(1);
  });

  it('is compressed for each that keeps context, or by itself', () => {
    const shared = {};
    for (let peer = 0; peer < 3; peer++) {
      deflater('server', false).compress(text, shared);
      deflater().compress(text);
    }
    expect(deflateRawSync).toHaveBeenCalledTimes(6);
  });

  it('is compressed once in the thread pool, also while that runs', async () => {
    const shared = {};
    const bodies = await Promise.all([0, 1, 2].map(() => later(deflater(), text, shared)));
    let known: Uint8Array | undefined;
    deflater().compressLater(
      text,
      (output) => {
        known = output;
      },
      shared,
    );
    expect(new Set([...bodies, known]).size).toBe(1);
    expect(deflateRaw).toHaveBeenCalledTimes(1);
  });

  it('is tried once in the thread pool where it does not become smaller', async () => {
    const shared = {};
    for (let peer = 0; peer < 3; peer++) expect(await later(deflater(), noise(70_000), shared)).toBeUndefined();
    expect(deflateRaw).toHaveBeenCalledTimes(1);
  });

  it('is compressed on the spot for who does not wait for the thread pool, and once for all who do', async () => {
    const shared = {};
    const waiting = [later(deflater(), text, shared), later(deflater(), text, shared)];
    const atOnce = deflater().compress(text, shared);
    expect([deflateRawSync.mock.calls.length, deflateRaw.mock.calls.length]).toEqual([1, 1]);
    const [first, second] = await Promise.all(waiting);
    expect(first).toEqual(atOnce);
    expect(second).toBe(first);
  });
});

describe('a message that there is no memory to compress', () => {
  const { deflateRaw } = zlib as jest.MockedObjectDeep<typeof zlib>;
  const text = Buffer.from(jsonText(3000));
  const outOfMemory = ((_data: unknown, _options: unknown, done: (error: Error, output: Buffer) => void) => {
    setImmediate(done, Object.assign(new Error('not enough memory'), { code: 'Z_MEM_ERROR' }), Buffer.alloc(0));
  }) as unknown as typeof zlib.deflateRaw;

  it('stays as it is, for all that it goes to', async () => {
    deflateRaw.mockImplementationOnce(outOfMemory);
    const shared = {};
    expect(await Promise.all([0, 1].map(() => later(deflater(), text, shared)))).toEqual([undefined, undefined]);
  });

  it('stays out of the context', async () => {
    const compressing = deflater('server', false);
    const peer = new StreamingInflater();
    deflateRaw.mockImplementationOnce(outOfMemory);
    expect(await later(compressing, text)).toBeUndefined();
    const body = await later(compressing, text);
    expect((await peer.inflate(body!)).equals(text)).toBe(true);
    peer.close();
  });
});
