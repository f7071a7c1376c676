import fc from 'fast-check';
import {
  acceptDeflate,
  type DeflateParameters,
  deflateOffers,
  readDeflateAnswer,
  type WantedDeflate,
} from '../../../src/protocol/deflate/deflate-negotiation.js';
import { formatExtensions, parseExtensions } from '../../../src/protocol/handshake/extensions.js';
import { runs } from '../../support/long.js';

const anything: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const wants = (some: Partial<DeflateParameters> = {}): DeflateParameters => ({ ...anything, ...some });

/** The answer to a header with offers; nothing when all are declined. */
function answer(header: string, wanted: Partial<DeflateParameters> = {}): string | undefined {
  const accepted = acceptDeflate(parseExtensions(header), wants(wanted));
  return accepted && formatExtensions([accepted.answer]);
}

const parameters = (header: string, wanted: Partial<DeflateParameters> = {}): DeflateParameters | undefined =>
  acceptDeflate(parseExtensions(header), wants(wanted))?.parameters;

const offer = (wanted: Partial<WantedDeflate>): string => formatExtensions(deflateOffers({ ...anything, ...wanted }));

function read(header: string, wanted: Partial<WantedDeflate> = {}): DeflateParameters {
  return readDeflateAnswer(parseExtensions(header)[0]!, { ...anything, ...wanted });
}

describe('a server chooses among offers (RFC 7692 §5)', () => {
  it.each([
    ['permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate'],
    ['x-webkit-deflate-frame, permessage-deflate', 'permessage-deflate'],
    [
      'permessage-deflate; server_no_context_takeover, permessage-deflate',
      'permessage-deflate; server_no_context_takeover',
    ],
    ['permessage-deflate; foo=1, permessage-deflate', 'permessage-deflate'],
    [
      'permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits="10", permessage-deflate',
      'permessage-deflate; server_max_window_bits=10',
    ],
    ['permessage-deflate; client_max_window_bits=9', 'permessage-deflate; client_max_window_bits=9'],
    ['permessage-deflate; server_max_window_bits=15', 'permessage-deflate; server_max_window_bits=15'],
    ['permessage-deflate; client_no_context_takeover', 'permessage-deflate; client_no_context_takeover'],
  ])('answers %s with %s', (header, expected) => {
    expect(answer(header)).toBe(expected);
  });

  it.each([
    'permessage-bzip2',
    'Permessage-Deflate',
    'constructor',
    '__proto__; __proto__=1',
    'toString; valueOf=1',
    'permessage-deflate; foo',
    'permessage-deflate; hasOwnProperty',
    'permessage-deflate; __proto__=1',
    'permessage-deflate; constructor',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
    'permessage-deflate; server_max_window_bits=10; server_max_window_bits=10',
    'permessage-deflate; client_max_window_bits; client_max_window_bits=10',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; client_no_context_takeover=true',
    'permessage-deflate; server_max_window_bits',
    ...['7', '16', '08', '0', '+9', '9.0', '9e0', '0x9', '-9', '115', 'nine'].flatMap((bits) => [
      `permessage-deflate; server_max_window_bits=${bits}`,
      `permessage-deflate; client_max_window_bits=${bits}`,
    ]),
  ])('declines %s', (header) => {
    expect(answer(header)).toBeUndefined();
    // An offer that is declined says nothing about the next one.
    expect(answer(`${header}, permessage-deflate`)).toBe('permessage-deflate');
  });

  it('takes a parameter that is there without any value as one without a value', () => {
    const of = (name: string) =>
      acceptDeflate([{ name: 'permessage-deflate', params: new Map([[name, []]]) }], anything);
    expect(of('client_max_window_bits')?.parameters).toEqual(anything);
    expect(of('server_max_window_bits')).toBeUndefined();
  });
});

describe('a server obeys the offer and says what it wants (RFC 7692 §7.1)', () => {
  it('keeps no context that the client does not want to keep', () => {
    expect(parameters('permessage-deflate; server_no_context_takeover')).toEqual(
      wants({ serverNoContextTakeover: true }),
    );
    expect(parameters('permessage-deflate; client_no_context_takeover')).toEqual(
      wants({ clientNoContextTakeover: true }),
    );
  });

  it('may ask for no context though the client did not offer it (§7.1.1)', () => {
    const both = { serverNoContextTakeover: true, clientNoContextTakeover: true };
    expect(answer('permessage-deflate', both)).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    );
  });

  it.each([
    ['permessage-deflate', 10, 10],
    ['permessage-deflate; server_max_window_bits=12', 10, 10],
    ['permessage-deflate; server_max_window_bits=9', 10, 9],
  ])('has the smaller of both windows for itself (§7.1.2.1): %s and %d are %d', (header, serverMaxWindowBits, bits) => {
    expect(answer(header, { serverMaxWindowBits })).toBe(`permessage-deflate; server_max_window_bits=${bits}`);
    expect(parameters(header, { serverMaxWindowBits })).toEqual(wants({ serverMaxWindowBits: bits }));
  });

  it.each([
    ['permessage-deflate; client_max_window_bits', 10, 10],
    ['permessage-deflate; client_max_window_bits=12', 10, 10],
    ['permessage-deflate; client_max_window_bits=9', 10, 9],
    ['permessage-deflate; client_max_window_bits=8', 15, 8],
  ])(
    'has the smaller of both windows for the client (§7.1.2.2): %s and %d are %d',
    (header, clientMaxWindowBits, bits) => {
      expect(answer(header, { clientMaxWindowBits })).toBe(`permessage-deflate; client_max_window_bits=${bits}`);
      expect(parameters(header, { clientMaxWindowBits })).toEqual(wants({ clientMaxWindowBits: bits }));
    },
  );

  it('cannot ask a client for a small window that does not offer it (§7.1.2.2)', () => {
    expect(answer('permessage-deflate', { clientMaxWindowBits: 10 })).toBeUndefined();
    expect(answer('permessage-deflate, permessage-deflate; client_max_window_bits', { clientMaxWindowBits: 10 })).toBe(
      'permessage-deflate; client_max_window_bits=10',
    );
  });
});

describe('a client offers what it wants (RFC 7692 §7.1)', () => {
  it.each<[Partial<WantedDeflate>, string]>([
    [{}, 'permessage-deflate; client_max_window_bits'],
    [
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits',
    ],
    [{ serverMaxWindowBits: 10 }, 'permessage-deflate; server_max_window_bits=10; client_max_window_bits'],
    [{ clientMaxWindowBits: 9 }, 'permessage-deflate; client_max_window_bits=9'],
    [
      { serverNoContextTakeover: true, takesServerContext: true },
      'permessage-deflate; server_no_context_takeover; client_max_window_bits, permessage-deflate',
    ],
  ])('%j as %s', (wanted, expected) => {
    expect(offer(wanted)).toBe(expected);
  });
});

describe('a client reads the answer (RFC 7692 §7.1)', () => {
  it.each<[string, Partial<DeflateParameters>, Partial<DeflateParameters>]>([
    ['permessage-deflate', {}, {}],
    ['permessage-deflate; server_no_context_takeover', {}, { serverNoContextTakeover: true }],
    ['permessage-deflate; client_no_context_takeover', {}, { clientNoContextTakeover: true }],
    ['permessage-deflate; server_max_window_bits="9"', { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 9 }],
    ['permessage-deflate; server_max_window_bits=10', {}, { serverMaxWindowBits: 10 }],
    ['permessage-deflate; client_max_window_bits=10', {}, { clientMaxWindowBits: 10 }],
    // What the client does to its own messages needs nobody's consent: §7.1.1.2, §7.1.2.2.
    ['permessage-deflate', { clientNoContextTakeover: true }, { clientNoContextTakeover: true }],
    ['permessage-deflate', { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }],
    ['permessage-deflate; client_max_window_bits=12', { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }],
  ])('%s, having wanted %j, is %j', (header, wanted, agreed) => {
    expect(read(header, wanted)).toEqual(wants(agreed));
  });

  const both = { serverNoContextTakeover: true, clientNoContextTakeover: true, takesServerContext: true };

  it.each<[string, Partial<DeflateParameters>]>([
    ['permessage-deflate; server_no_context_takeover', { serverNoContextTakeover: true }],
    ['permessage-deflate', {}],
    ['permessage-deflate; client_no_context_takeover', {}],
    ['permessage-deflate; server_max_window_bits=11', { serverMaxWindowBits: 11 }],
    [
      'permessage-deflate; server_no_context_takeover; client_max_window_bits=11',
      { serverNoContextTakeover: true, clientMaxWindowBits: 11 },
    ],
  ])('%s, when it takes a server that keeps its window, is %j', (header, agreed) => {
    expect(read(header, both)).toEqual(wants({ ...agreed, clientNoContextTakeover: true }));
  });

  it.each<[string, Partial<WantedDeflate>, string]>([
    [
      'permessage-deflate; client_max_window_bits=10',
      both,
      'an answer with client_max_window_bits must have server_no_context_takeover',
    ],
    ['permessage-deflate; client_max_window_bits', both, 'an answer with client_max_window_bits must have'],
    ['permessage-deflate; foo', both, 'foo, which RFC 7692 §7.1 does not allow'],
    ['permessage-deflate; foo', {}, 'foo, which RFC 7692 §7.1 does not allow'],
    ['permessage-deflate; __proto__=1', {}, '__proto__=1, which'],
    ['permessage-deflate; server_max_window_bits=16', {}, 'server_max_window_bits=16, which'],
    ['permessage-deflate; server_max_window_bits=08', {}, 'server_max_window_bits=08, which'],
    ['permessage-deflate; server_max_window_bits', {}, 'server_max_window_bits, which'],
    ['permessage-deflate; client_max_window_bits=7', {}, 'client_max_window_bits=7, which'],
    ['permessage-deflate; client_max_window_bits', {}, 'client_max_window_bits must be from 8 to 15, got no value'],
    ['permessage-deflate; server_no_context_takeover=1', {}, 'server_no_context_takeover=1, which'],
    [
      'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
      {},
      'expected server_no_context_takeover once, got it 2 times',
    ],
    ['permessage-deflate', { serverNoContextTakeover: true }, 'the answer must have server_no_context_takeover'],
    [
      'permessage-deflate',
      { serverMaxWindowBits: 10 },
      'server_max_window_bits must be at most 10, as requested, got 15',
    ],
    ['permessage-deflate; server_max_window_bits=11', { serverMaxWindowBits: 10 }, 'server_max_window_bits must be'],
  ])('refuses %s, having wanted %j: %s', (header, wanted, message) => {
    expect(() => read(header, wanted)).toThrow(SyntaxError);
    expect(() => read(header, wanted)).toThrow(message);
  });
});

describe('any offers', () => {
  const bits = fc.integer({ min: 8, max: 15 });
  const wanted: fc.Arbitrary<WantedDeflate> = fc.record({
    takesServerContext: fc.boolean(),
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.boolean(),
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  });
  const value = fc.option(fc.oneof(bits.map(String), fc.constantFrom('7', '16', '08', '+9', '9.0', 'x', '"12"')));
  const names = ['server_no_context_takeover', 'client_no_context_takeover', 'server_max_window_bits'];
  const param = fc
    .tuple(fc.constantFrom(...names, 'client_max_window_bits', 'foo', '__proto__', 'constructor'), value)
    .map(([name, given]) => (given === null ? name : `${name}=${given}`));
  const offers = fc
    .array(
      fc
        .tuple(
          fc.constantFrom('permessage-deflate', 'permessage-deflate', 'foo', '__proto__'),
          fc.array(param, { maxLength: 4 }),
        )
        .map(([name, params]) => [name, ...params].join('; ')),
      { minLength: 1, maxLength: 5 },
    )
    .map((list) => list.join(', '));

  it('are declined, or accepted within what both ends support', () => {
    fc.assert(
      fc.property(offers, wanted, (header, own) => {
        const accepted = acceptDeflate(parseExtensions(header), own);
        if (accepted === undefined) return;
        const { parameters: agreed, answer: reply } = accepted;
        expect(agreed.serverMaxWindowBits).toBeLessThanOrEqual(own.serverMaxWindowBits);
        expect(agreed.clientMaxWindowBits).toBeLessThanOrEqual(own.clientMaxWindowBits);
        expect(agreed.serverNoContextTakeover || !own.serverNoContextTakeover).toBe(true);
        expect(agreed.clientNoContextTakeover || !own.clientNoContextTakeover).toBe(true);
        // What was said is what is done.
        const params = parseExtensions(formatExtensions([reply]))[0]!.params;
        expect(Number(params.get('server_max_window_bits')?.[0] ?? 15)).toBe(agreed.serverMaxWindowBits);
        expect(Number(params.get('client_max_window_bits')?.[0] ?? 15)).toBe(agreed.clientMaxWindowBits);
        expect(params.has('server_no_context_takeover')).toBe(agreed.serverNoContextTakeover);
        expect(params.has('client_no_context_takeover')).toBe(agreed.clientNoContextTakeover);
        // §7.1.2.2: never without having been offered
        if (!header.includes('client_max_window_bits')) expect(params.has('client_max_window_bits')).toBe(false);
      }),
      runs(3000),
    );
  });

  it('of our client and any answer of our server make both keep what the other needs', () => {
    fc.assert(
      fc.property(wanted, wanted, (client, server) => {
        const accepted = acceptDeflate(parseExtensions(formatExtensions(deflateOffers(client))), server)!;
        const inClient = readDeflateAnswer(parseExtensions(formatExtensions([accepted.answer]))[0]!, client);
        // The client may do less than it was allowed to, the server does what it said.
        expect(inClient.serverNoContextTakeover).toBe(accepted.parameters.serverNoContextTakeover);
        expect(inClient.serverMaxWindowBits).toBe(accepted.parameters.serverMaxWindowBits);
        expect(inClient.clientMaxWindowBits).toBeLessThanOrEqual(accepted.parameters.clientMaxWindowBits);
        expect(inClient.clientNoContextTakeover).toBe(accepted.parameters.clientNoContextTakeover);
      }),
    );
  });

  it('can be anything that a header can be', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          acceptDeflate(parseExtensions(`permessage-deflate; ${text}`), anything);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });
});
