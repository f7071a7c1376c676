import fc from 'fast-check';
import {
  type ExtensionOffer,
  extensionsObject,
  formatExtensions,
  parseExtensions,
} from '../../../src/protocol/handshake/extensions.js';
import { anyText } from '../../support/any-text.js';
import { growthOf, LINEAR } from '../../support/growth.js';
import { runs } from '../../support/long.js';

type Params = Record<string, readonly (string | true)[]>;

const offer = (name: string, params: Params = {}): ExtensionOffer => ({
  name,
  params: new Map(Object.keys(params).map((param) => [param, params[param]!])),
});

describe('reading Sec-WebSocket-Extensions (RFC 6455 §9.1)', () => {
  it.each<[string, readonly ExtensionOffer[]]>([
    ['foo', [offer('foo')]],
    ['foo, bar', [offer('foo'), offer('bar')]],
    ['foo; baz=2', [offer('foo', { baz: ['2'] })]],
    ['foo; bar; baz=2', [offer('foo', { bar: [true], baz: ['2'] })]],
    [
      'deflate-stream, mux; max-channels=4; flow-control',
      [offer('deflate-stream'), offer('mux', { 'max-channels': ['4'], 'flow-control': [true] })],
    ],
    ['private-extension', [offer('private-extension')]],
    ['Foo; BAR=Baz', [offer('Foo', { BAR: ['Baz'] })]],
  ])('reads %s', (header, offers) => {
    expect(parseExtensions(header)).toEqual(offers);
  });

  it('keeps the order and the duplicates of offers', () => {
    const names = parseExtensions('b; x, a, b, b; x').map(({ name }) => name);
    expect(names).toEqual(['b', 'a', 'b', 'b']);
  });

  it('keeps the duplicates of a parameter, with and without value', () => {
    expect(parseExtensions('a; x=1; y; x; x=1')).toEqual([offer('a', { x: ['1', true, '1'], y: [true] })]);
  });

  it.each([
    ['a; b="10"', '10'],
    ['a; b="c"', 'c'],
    ['a; b="\\1\\0"', '10'],
    ['a; b= "c" ', 'c'],
  ])('unquotes the value of %s', (header, value) => {
    expect(parseExtensions(header)).toEqual([offer('a', { b: [value] })]);
  });

  it('allows whitespace between any two parts', () => {
    expect(parseExtensions(' a\t; b = c ;d , e ')).toEqual([offer('a', { b: ['c'], d: [true] }), offer('e')]);
  });

  it('allows null elements, as RFC 2616 §2.1 does', () => {
    expect(parseExtensions(',a,, b ,')).toEqual([offer('a'), offer('b')]);
  });

  it.each([
    ['', 'at 0, got the end'],
    [' , ,', 'at 4, got the end'],
    [';', 'expected the name of an extension at 0, got ";"'],
    [',;constructor', 'at 1, got ";constructor"'],
    ['a;', 'expected the name of a parameter at 2, got the end'],
    ['a;;b', 'at 2, got ";b"'],
    ['a;=1', 'at 2, got "=1"'],
    ['a; b=', 'expected a token or a quoted token at 5, got the end'],
    ['a; b=;c', 'at 5, got ";c"'],
    ['a; b=1=2', 'expected "," or ";" at 6, got "=2"'],
    ['a b', 'at 2, got "b"'],
    ['a=1', 'at 1, got "=1"'],
    ['a/b', 'at 1, got "/b"'],
    ['"a"', 'at 0, got "\\"a\\""'],
    ['a; "b"', 'at 3, got "\\"b\\""'],
    ['a; b=""', 'expected a token of at least one character at 6, got "\\""'],
    ['a; b="c', 'at 7, got the end'],
    ['a; b="c\\', 'at 8, got the end'],
    ['a; b="c d"', 'expected a character of a token at 7, got " d\\""'],
    ['a; b="\\""', 'at 7, got "\\"\\""'],
    ['a; b="c"d', 'at 8, got "d"'],
    ['a; b=\u00e9', 'at 5, got "\u00e9"'],
    ['a\u0000', 'at 1, got "\\u0000"'],
    ['a\u00a0', 'at 1, got "\u00a0"'],
  ])('refuses %j and says: %s', (header, message) => {
    const read = () => parseExtensions(header);
    expect(read).toThrow(SyntaxError);
    expect(read).toThrow(message);
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString'])('reads %s as any other name', (name) => {
    expect(parseExtensions(`${name}; ${name}=1; ${name}`)).toEqual([{ name, params: new Map([[name, ['1', true]]]) }]);
  });

  it.each([
    ['an unclosed quoted string of escapes', `a; b="${'\\c'.repeat(8_000)}`],
    ['an unclosed quoted string', `a; b="${'c'.repeat(16_000)}`],
    ['whitespace in front of a wrong character', `a${' '.repeat(16_000)}b`],
    ['a long name in front of a wrong character', `${'a'.repeat(16_000)}/`],
  ])('refuses 16 KB of %s with a short message', (_, header) => {
    expect(() => parseExtensions(header)).toThrow(SyntaxError);
    expect(() => parseExtensions(header)).toThrow(/^.{1,160}$/);
  });

  it.each([
    ['offers', 'a,'.repeat(8_000), 8_000],
    ['parameters', `a${';b'.repeat(8_000)}`, 1],
    ['null elements', `${','.repeat(16_000)}a`, 1],
    ['whitespace', `a${' '.repeat(16_000)}`, 1],
  ])('reads 16 KB of %s', (_, header, count) => {
    expect(parseExtensions(header)).toHaveLength(count);
  });

  it('takes time in proportion to the length', () => {
    expect(growthOf((size) => parseExtensions(`a${'; b=c'.repeat(size / 5)}`))).toBeLessThan(LINEAR);
  });

  it('throws nothing but a SyntaxError', () => {
    const pieces = fc.constantFrom('a', 'b', ',', ';', '=', '"', '\\', ' ', '\t', '__proto__', '1', '\u00e9', '\n');
    const text = fc.oneof(
      anyText(),
      fc.array(pieces).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (header) => {
        try {
          expect(parseExtensions(header).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      runs(1_000),
    );
  });
});

describe('writing Sec-WebSocket-Extensions (RFC 6455 §9.1)', () => {
  it.each<[readonly ExtensionOffer[], string]>([
    [[], ''],
    [[offer('a')], 'a'],
    [[offer('a', { b: [true], c: ['1', '2'] }), offer('a')], 'a; b; c=1; c=2, a'],
    [[offer('a', { b: [] })], 'a'],
  ])('writes %j as %s', (offers, header) => {
    expect(formatExtensions(offers)).toBe(header);
  });

  it.each([
    ['a name', offer('a b')],
    ['an empty name', offer('')],
    ['a parameter', offer('a', { 'b\r\n': [true] })],
    ['a parameter with a value', offer('a', { 'b;': ['1'] })],
    ['a value', offer('a', { b: ['1\r\nX: y'] })],
    ['an empty value', offer('a', { b: [''] })],
  ])('refuses %s that is not a token', (_, wrong) => {
    expect(() => formatExtensions([wrong])).toThrow(TypeError);
    expect(() => formatExtensions([wrong])).toThrow('must be tokens');
  });

  it('writes what is read again', () => {
    const name = fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'permessage-deflate'),
      fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/),
    );
    const values = fc.array(fc.oneof(fc.constant<true>(true), name), { minLength: 1, maxLength: 3 });
    const params = fc.array(fc.tuple(name, values)).map((entries) => new Map(entries));
    fc.assert(
      fc.property(fc.array(fc.record({ name, params }), { minLength: 1 }), (offers) => {
        expect(parseExtensions(formatExtensions(offers))).toEqual(offers);
      }),
    );
  });
});

describe('extensions as an object', () => {
  const read = (header: string) => extensionsObject(parseExtensions(header));

  it('lists the parameters under each name', () => {
    const header = 'mux; max-channels=4; flow-control, deflate-stream, application-extension; version="1.1.4"';
    expect(read(header)).toEqual({
      mux: [{ 'max-channels': 4, 'flow-control': true }],
      'deflate-stream': [{}],
      'application-extension': [{ version: '1.1.4' }],
    });
  });

  it('lists an extension that is offered several times in order', () => {
    expect(read('a; x=1, b, a; x=2, a')).toEqual({ a: [{ x: 1 }, { x: 2 }, {}], b: [{}] });
  });

  it('takes the first of a repeated parameter', () => {
    expect(read('a; x=1; x=2; x')).toEqual({ a: [{ x: 1 }] });
  });

  it('takes a parameter without values as one without a value', () => {
    expect(extensionsObject([offer('a', { x: [] })])).toEqual({ a: [{ x: true }] });
  });

  it.each<[string, string | number]>([
    ['0', 0],
    ['15', 15],
    ['-1', -1],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', '9007199254740993'],
    ['08', '08'],
    ['+9', '+9'],
    ['-0', '-0'],
    ['9.0', '9.0'],
    ['1.5', '1.5'],
    ['1e3', '1e3'],
    ['0x10', '0x10'],
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
  ])('reads the value %s as %p', (text, value) => {
    expect(read(`a; x=${text}`)).toEqual({ a: [{ x: value }] });
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('has %s as its own property, and no prototype', (name) => {
    const object = read(`${name}; ${name}=1`);
    expect(Object.getPrototypeOf(object)).toBeNull();
    expect(Object.keys(object)).toEqual([name]);
    expect(Object.getPrototypeOf(object[name]![0])).toBeNull();
    expect(Object.entries(object[name]![0]!)).toEqual([[name, 1]]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});
