import { expectTypeOf } from 'expect-type';
import { type Codec, json, SchemaError, UsageError } from 'sluice';
import { guardProcess } from '../../support/process-guard.js';
import { objectOf, slowly } from '../../support/schema.js';

const Chat = objectOf({ text: 'string', at: 'date' });

describe('JSON', () => {
  guardProcess();

  it('is read from text, and written as text', () => {
    const codec = json<{ a: number }>();
    expect(codec.decode('{"a":1}')).toEqual({ a: 1 });
    expect(codec.encode({ a: 1 })).toBe('{"a":1}');
  });

  it.each([
    ['{', SyntaxError],
    ['', SyntaxError],
    [Buffer.from('{}'), TypeError],
  ])('is not %p', (message, error) => {
    expect(() => json().decode(message)).toThrow(error as never);
  });

  it('is quoted in one line where it is wrong, in the cause too', () => {
    const error = thrown(() => json().decode('\u001b[31m\r\nforged'));
    expect(error).toMatchObject({ name: 'SyntaxError', message: expect.stringContaining('\\u001b[31m') });
    for (const raw of ['\u001b', '\r', '\nforged']) expect((error as Error).stack).not.toContain(raw);
  });

  it.each([[undefined], [() => {}], [Symbol('a')], [1n]])('cannot say %p', (value) => {
    expect(() => json().encode(value)).toThrow(TypeError);
  });

  it('closes for bad messages unless it is told otherwise', () => {
    expect(json().invalid).toBe('close');
    expect(json({ invalid: 'drop' }).invalid).toBe('drop');
    expect(json(Chat, { invalid: 'drop' }).invalid).toBe('drop');
  });

  it('keeps the options behind a schema that is left out', () => {
    const codec = json<1, 2>(undefined, { invalid: 'drop' });
    expectTypeOf(codec).toEqualTypeOf<Codec<1, 2>>();
    expect(codec.invalid).toBe('drop');
    expect(json(undefined).decode('7')).toBe(7);
  });
});

describe('a schema', () => {
  guardProcess();

  it('checks and transforms what is read', () => {
    expect(json(Chat).decode('{"text":"a","at":"2020-01-01","b":1}')).toEqual({
      text: 'a',
      at: new Date('2020-01-01'),
    });
  });

  it('says what is wrong and where, as plain keys', () => {
    const error = thrown(() => json(Chat).decode('{"at":1}'));
    expect(error).toBeInstanceOf(SchemaError);
    expect(error).toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: 'text: expected string, found undefined, at: expected date, found number',
      issues: [
        { message: 'expected string, found undefined', path: ['text'] },
        { message: 'expected date, found number', path: ['at'] },
      ],
    });
  });

  it('says it in one line, whatever names and values the peer chose', () => {
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'quoting',
        validate: (value: unknown) => ({ issues: [{ message: `found ${String(value)}`, path: ['a\n'] }] }),
      },
    } as const;
    const error = thrown(() => json(schema).decode('"\\u001b[2J\\n"'));
    expect(error).toMatchObject({ message: 'a\\u000a: found \\u001b[2J\\u000a' });
  });

  it('says no more than fits a log', () => {
    const many = objectOf(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`key${i}`, 'string' as const])));
    expect(thrown(() => json(many).decode('{}'))).toMatchObject({ message: expect.stringMatching(/, 6 more$/) });
    const long = thrown(() => json(Chat).decode(JSON.stringify('x'.repeat(10_000)))) as Error;
    expect(long.message.length).toBeLessThan(200);
  });

  it('may be a function, as those of arktype', () => {
    const schema = Object.assign(() => {}, Chat);
    expect(() => json(schema).decode('{}')).toThrow(SchemaError);
  });

  it('checks what is sent only if it is one for that', () => {
    expect(json(Chat).encode({ text: 1 } as never)).toBe('{"text":1}');
    const codec = json(Chat, { outgoing: objectOf({ id: 'number' }) });
    expect(codec.encode({ id: 1 })).toBe('{"id":1}');
    expect(() => codec.encode({ id: 'a' } as never)).toThrow(SchemaError);
  });

  it('that validates asynchronously is refused, whatever comes of it', () => {
    for (const result of [Promise.resolve({ value: 1 }), Promise.reject(new Error('late'))]) {
      const error = thrown(() => json(slowly(result)).decode('1'));
      expect(error).toBeInstanceOf(UsageError);
      expect(error).toMatchObject({ code: 'ASYNC_SCHEMA', message: expect.stringContaining('demandMap') });
    }
  });

  it('gives the types', () => {
    expectTypeOf(json()).toEqualTypeOf<Codec<unknown, unknown>>();
    expectTypeOf(json<{ a: 1 }>()).toEqualTypeOf<Codec<{ a: 1 }, { a: 1 }>>();
    expectTypeOf(json<1, 2>({ invalid: 'drop' })).toEqualTypeOf<Codec<1, 2>>();
    expectTypeOf(json(Chat)).toEqualTypeOf<Codec<{ text: string; at: Date }, { text: string; at: string | Date }>>();
    const two = json(Chat, { outgoing: objectOf({ id: 'number' }) });
    expectTypeOf(two).toEqualTypeOf<Codec<{ text: string; at: Date }, { id: number }>>();
  });
});

function thrown(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
