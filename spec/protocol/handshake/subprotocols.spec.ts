import fc from 'fast-check';
import { checkSubprotocols, parseSubprotocols } from '../../../src/protocol/handshake/subprotocols.js';
import { anyText } from '../../support/any-text.js';
import { growthOf, LINEAR } from '../../support/growth.js';

describe('reading Sec-WebSocket-Protocol (RFC 6455 §4.1 (10), §11.3.4)', () => {
  it.each<[readonly string[], readonly string[]]>([
    [[], []],
    [['chat'], ['chat']],
    [['chat, superchat'], ['chat', 'superchat']],
    [
      ['chat,superchat', ' mqtt '],
      ['chat', 'superchat', 'mqtt'],
    ],
    [['Chat, chat'], ['Chat', 'chat']],
    [
      ['v1.chat', 'graphql-ws'],
      ['v1.chat', 'graphql-ws'],
    ],
    [['__proto__, constructor'], ['__proto__', 'constructor']],
    [['hasOwnProperty'], ['hasOwnProperty']],
  ])('reads %j as %j', (values, protocols) => {
    expect(parseSubprotocols(values)).toEqual(protocols);
  });

  it.each<[readonly string[], string]>([
    [[''], 'found ""'],
    [['a b'], 'found "a b"'],
    [['a,,b'], 'found ""'],
    [['a,'], 'found ""'],
    [[',a'], 'found ""'],
    [['a', ''], 'found ""'],
    [['a, a'], 'found "a" twice'],
    [['a', 'a'], 'found "a" twice'],
    [['__proto__, __proto__'], 'found "__proto__" twice'],
    [['a/b'], 'found "a/b"'],
    [['"a"'], 'found'],
    [['a;b'], 'found "a;b"'],
    [['caf\u00e9'], 'found "caf\u00e9"'],
    [['a\u0000'], 'found "a\\u0000"'],
    [['a\u00a0'], 'found'],
  ])('refuses %j and says: %s', (values, message) => {
    const read = () => parseSubprotocols(values);
    expect(read).toThrow(SyntaxError);
    expect(read).toThrow(`Sec-WebSocket-Protocol: ${message}`);
  });

  it.each([
    ['spaces inside a name', `b${' '.repeat(16_000)}x`],
    ['one name', `${'a'.repeat(16_000)} b`],
    ['empty elements', ','.repeat(16_000)],
  ])('refuses 16 KB of %s with a short message', (_, value) => {
    expect(() => parseSubprotocols([value])).toThrow(SyntaxError);
    expect(() => parseSubprotocols([value])).toThrow(/^.{1,160}$/);
  });

  it.each([
    ['spaces inside a name', (size: number) => `b${' '.repeat(size)}x`],
    ['spaces around names', (size: number) => `a${' '.repeat(size)},${' '.repeat(size)}b`],
    ['empty elements', (size: number) => `a${','.repeat(size)}b`],
    ['an unclosed quoted name', (size: number) => `a; b="${'\\c'.repeat(size)}`],
  ])('takes time in proportion to the length: %s', (_, sized) => {
    const parse = (size: number): void => {
      try {
        parseSubprotocols([sized(size)]);
      } catch {
        // Refused, as most of these are.
      }
    };
    expect(growthOf(parse)).toBeLessThan(LINEAR);
  });

  it('reads 16 KB of names', () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `p${i}`);
    expect(parseSubprotocols([names.join(',')])).toEqual(names);
  });

  it('throws nothing but a SyntaxError', () => {
    const values = fc.array(fc.oneof(anyText(), fc.stringMatching(/^[ab, \t;]{0,8}$/)));
    fc.assert(
      fc.property(values, (found) => {
        try {
          const protocols = parseSubprotocols(found);
          expect(new Set(protocols).size).toBe(protocols.length);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });

  it('reads what is written', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/), { minLength: 1 });
    fc.assert(fc.property(names, (protocols) => expect(parseSubprotocols([protocols.join(', ')])).toEqual(protocols)));
  });
});

describe('the subprotocols to ask for (RFC 6455 §4.1 (10))', () => {
  it.each([[[]], [['chat']], [['chat', 'superchat']], [['__proto__']]])('accepts %j', (protocols: string[]) => {
    expect(() => checkSubprotocols(protocols)).not.toThrow();
  });

  it.each<[readonly string[], string]>([
    [[''], 'protocols: found ""'],
    [['a', 'a'], 'protocols: found "a" twice'],
    [['a,b'], 'protocols: found "a,b"'],
    [[' a'], 'protocols: found " a"'],
    [['a\r\nX: y'], 'protocols: found "a\\r\\nX: y"'],
  ])('refuses %j and says: %s', (protocols, message) => {
    expect(() => checkSubprotocols(protocols)).toThrow(SyntaxError);
    expect(() => checkSubprotocols(protocols)).toThrow(message);
  });

  it.each<[unknown, string]>([
    ['chat', 'protocols is "chat", allowed is an array of strings'],
    [undefined, 'protocols is undefined'],
    [null, 'protocols is null'],
    [{ length: 1 }, 'protocols is object'],
    [[13], 'protocols contains number, allowed are strings'],
    [['a', undefined], 'protocols contains undefined'],
  ])('refuses the type of %p and says: %s', (protocols, message) => {
    const check = () => checkSubprotocols(protocols as string[]);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(message);
  });
});
