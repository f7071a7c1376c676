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
    [[''], 'got ""'],
    [['a b'], 'got "a b"'],
    [['a,,b'], 'got ""'],
    [['a,'], 'got ""'],
    [[',a'], 'got ""'],
    [['a', ''], 'got ""'],
    [['a, a'], 'got "a" twice'],
    [['a', 'a'], 'got "a" twice'],
    [['__proto__, __proto__'], 'got "__proto__" twice'],
    [['a/b'], 'got "a/b"'],
    [['"a"'], 'got '],
    [['a;b'], 'got "a;b"'],
    [['caf\u00e9'], 'got "caf\u00e9"'],
    [['a\u0000'], 'got "a\\u0000"'],
    [['a\u00a0'], 'got '],
  ])('refuses %j and says: %s', (values, message) => {
    const read = () => parseSubprotocols(values);
    expect(read).toThrow(SyntaxError);
    expect(read).toThrow(/^Sec-WebSocket-Protocol: /);
    expect(read).toThrow(message);
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
    [[''], 'got ""'],
    [['a', 'a'], 'got "a" twice'],
    [['a,b'], 'got "a,b"'],
    [[' a'], 'got " a"'],
    [['a\r\nX: y'], 'got "a\\r\\nX: y"'],
  ])('refuses %j and says: %s', (protocols, message) => {
    expect(() => checkSubprotocols(protocols)).toThrow(SyntaxError);
    expect(() => checkSubprotocols(protocols)).toThrow(message);
  });

  it.each<[unknown, string]>([
    ['chat', 'protocols must be an array of strings, got "chat"'],
    [undefined, 'protocols must be an array of strings, got undefined'],
    [null, 'protocols must be an array of strings, got null'],
    [{ length: 1 }, 'protocols must be an array of strings, got object'],
    [[13], 'protocols must contain strings only, got number'],
    [['a', undefined], 'protocols must contain strings only, got undefined'],
  ])('refuses the type of %p and says: %s', (protocols, message) => {
    const check = () => checkSubprotocols(protocols as string[]);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(message);
  });
});
