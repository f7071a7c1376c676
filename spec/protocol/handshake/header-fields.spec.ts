import fc from 'fast-check';
import {
  fieldValue,
  fieldValues,
  isFieldName,
  isFieldValue,
  isToken,
  listTokens,
  parseFieldLines,
  toFieldLines,
  toHeaderRecord,
  trimWhitespace,
} from '../../../src/protocol/handshake/header-fields.js';

const prototypeNames = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'];

describe('tokens (RFC 9110 §5.6.2)', () => {
  it("are made of digits, letters and !#$%&'*+-.^_`|~", () => {
    const allowed = new Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    for (let code = 0; code < 0x180; code++) {
      const char = String.fromCharCode(code);
      expect({ char, isToken: isToken(char), isFieldName: isFieldName(char) }).toEqual({
        char,
        isToken: allowed.has(char),
        isFieldName: allowed.has(char),
      });
    }
  });

  it.each(['', ' a', 'a ', 'a b', 'a,b', 'a\n', '\ud83d\ude00'])('are not %j', (text) => {
    expect(isToken(text)).toBe(false);
  });

  it.each(prototypeNames)('may be named %s', (text) => {
    expect(isToken(text)).toBe(true);
  });
});

describe('field values (RFC 9110 §5.5)', () => {
  it('have HTAB, SP, visible ASCII and octets above 0x7F, no control characters and nothing above 0xFF', () => {
    for (let code = 0; code < 0x200; code++) {
      const allowed = code === 0x09 || (code >= 0x20 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
      expect([code, isFieldValue(`a${String.fromCharCode(code)}b`)]).toEqual([code, allowed]);
    }
  });

  it('may be empty', () => {
    expect(isFieldValue('')).toBe(true);
  });

  it.each(['a\r\nX: y', 'a\n', '\r', 'a\u0000', '\u010a', '\u560a'])('never end a line: %j', (text) => {
    expect(isFieldValue(text)).toBe(false);
  });
});

describe('field lines (RFC 9112 §5)', () => {
  it('are a name, a colon and a value', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'X-A', ' ', '\t', ':', '\r', '\n', '\u0000', '\u00e9', '\u010a'),
    });
    fc.assert(
      fc.property(part, (line) => {
        const [name, ...values] = line.split(':');
        const isLine = values.length > 0 && isFieldName(name!) && isFieldValue(values.join(':'));
        if (isLine) expect(parseFieldLines([line])).toEqual([name, trimWhitespace(values.join(':'))]);
        else expect(() => parseFieldLines([line])).toThrow(TypeError);
      }),
    );
  });

  it('are written from fields, and read as the same fields', () => {
    const fields = ['Upgrade', 'websocket', 'X-A', '', 'X-C', 'a: b'];
    expect(toFieldLines(fields)).toEqual(['Upgrade: websocket', 'X-A: ', 'X-C: a: b']);
    expect(parseFieldLines(toFieldLines(fields))).toEqual(fields);
  });

  it('may have any whitespace around the value (RFC 9110 §5.5)', () => {
    expect(parseFieldLines(['X-A:', 'X-B:c', 'X-C:\t a: b '])).toEqual(['X-A', '', 'X-B', 'c', 'X-C', 'a: b']);
  });

  it.each([
    'X-A: b\r\nX: y',
    'X-A: b\n',
    '\r\n',
    '',
    'X-A',
    ': b',
    'X A: b',
    ' X-A: b',
    'X-A : b',
    'X-A: b\u0000',
    'X-A: \u560d\u560aX: y',
    13,
    undefined,
  ])('are not %p', (line) => {
    const parse = (): unknown => parseFieldLines(['Upgrade: websocket', line as string]);
    expect(parse).toThrow(TypeError);
    expect(parse).toThrow('a header line must be');
  });
});

describe('reading raw header fields (RFC 9110 §5.2, §5.3)', () => {
  const raw = ['Host', 'a', 'X-One', '1', 'x-one', '2', 'Host2', 'b', 'X-ONE', ''];

  it('finds every value in order, whatever the case of the name', () => {
    expect(fieldValues(raw, 'x-One')).toEqual(['1', '2', '']);
    expect(fieldValue(raw, 'X-one')).toBe('1');
  });

  it('finds nothing where there is nothing', () => {
    expect(fieldValues(raw, 'Cookie')).toEqual([]);
    expect(fieldValue(raw, 'Cookie')).toBeUndefined();
    expect(fieldValues([], 'Host')).toEqual([]);
  });

  it('never takes a value for a name', () => {
    expect(fieldValues(['A', 'Host', 'Host', 'b'], 'host')).toEqual(['b']);
  });

  it('ignores a name without a value at the end', () => {
    expect(fieldValues(['Host', 'a', 'Host'], 'host')).toEqual(['a']);
    expect(toHeaderRecord(['Host', 'a', 'Age'])).toEqual({ host: 'a' });
  });

  it.each(prototypeNames)('reads a field named %s like any other', (name) => {
    expect(fieldValues([], name)).toEqual([]);
    expect(fieldValues([name, 'x'], name)).toEqual(['x']);
  });

  it('reads 2 100 fields', () => {
    const many = Array.from({ length: 2_100 }, (_, i) => [`X-${i % 7}`, String(i)]).flat();
    expect(fieldValues(many, 'x-3')).toHaveLength(300);
    expect(toHeaderRecord(many)['x-3']).toHaveLength(300);
  });
});

describe('optional whitespace (RFC 9110 §5.6.3)', () => {
  it.each([
    ['', ''],
    [' \t ', ''],
    [' a', 'a'],
    ['a\t', 'a'],
    [' a b ', 'a b'],
    ['\u00a0a\n', '\u00a0a\n'],
  ])('around %j leaves %j', (text, trimmed) => {
    expect(trimWhitespace(text)).toBe(trimmed);
  });

  it('is trimmed from the ends only, however much of it stands inside', () => {
    const inside = `b${' '.repeat(16_000)}x`;
    expect(trimWhitespace(` ${inside} `)).toBe(inside);
    expect(trimWhitespace(' '.repeat(16_000))).toBe('');
  });
});

describe('lists of tokens (RFC 9110 §5.6.1)', () => {
  it.each<[readonly string[], readonly string[]]>([
    [[], []],
    [[''], []],
    [['keep-alive, Upgrade'], ['keep-alive', 'upgrade']],
    [['UPGRADE'], ['upgrade']],
    [
      ['keep-alive', '\tupgrade '],
      ['keep-alive', 'upgrade'],
    ],
    [['a,, ,b,'], ['a', 'b']],
    [['__proto__, constructor'], ['__proto__', 'constructor']],
    [['WebSocket/13'], ['WebSocket/13']],
  ])('reads %j as %j', (values, tokens) => {
    expect(listTokens(values)).toEqual(tokens);
  });

  it('folds no character outside ASCII into a letter', () => {
    expect(listTokens(['websoc\u212aet'])).not.toContain('websocket');
  });
});

describe('the record of header fields', () => {
  it('has lower-case names, and an array where a field is repeated', () => {
    expect(toHeaderRecord(['Host', 'a', 'X-A', '1', 'x-a', '2', 'X-a', '3'])).toEqual({
      host: 'a',
      'x-a': ['1', '2', '3'],
    });
  });

  it('has an array for Set-Cookie, as in node:http', () => {
    expect(toHeaderRecord(['Set-Cookie', 'a=1'])).toEqual({ 'set-cookie': ['a=1'] });
    expect(toHeaderRecord(['Set-Cookie', 'a=1', 'set-cookie', 'b=2'])).toEqual({ 'set-cookie': ['a=1', 'b=2'] });
  });

  it.each(prototypeNames)('keeps a field named %s as its own, and leaves prototypes alone', (name) => {
    const record = toHeaderRecord([name, 'x', name, 'y']);
    expect(Object.getPrototypeOf(record)).toBeNull();
    expect(Object.keys(record)).toEqual([name.toLowerCase()]);
    expect(record[name.toLowerCase()]).toEqual(['x', 'y']);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('has no fields that were not sent', () => {
    const record = toHeaderRecord([]);
    expect(prototypeNames.map((name) => record[name])).toEqual(prototypeNames.map(() => undefined));
  });

  it('never throws and loses no value', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (fields) => {
        const record = toHeaderRecord(fields.flat());
        expect(Object.values(record).flat().sort()).toEqual(fields.map(([, value]) => value).sort());
      }),
    );
  });
});
