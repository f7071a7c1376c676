import { firstValueFrom } from 'rxjs';
import { type Codec, type InvalidPolicy, json, withCodec } from 'sluice';
import { connectionPair } from 'sluice/testing';
import { checkCodec, checkPolicy, invalidMessage } from '../../../src/operators/typed/codec.js';
import { guardProcess } from '../../support/process-guard.js';

describe('a codec', () => {
  const codec: Codec<string> = { decode: String, encode: (value) => value };

  it.each([undefined, 'close', 'drop', () => 'drop'])('may have the policy %p', (invalid) => {
    expect(() => checkCodec({ ...codec, invalid })).not.toThrow();
  });

  it.each([
    [undefined, 'decode of a codec must be a function, got undefined'],
    [null, 'decode of a codec must be a function, got undefined'],
    [json, 'decode of a codec must be a function, got undefined'],
    [{ ...codec, encode: 'a' }, 'encode of a codec must be a function, got "a"'],
    [{ ...codec, invalid: 'ignore' }, 'invalid of a codec must be "close", "drop" or a function, got "ignore"'],
    [{ ...codec, invalid: true }, 'invalid of a codec must be "close", "drop" or a function, got boolean'],
    [{ ...codec, invalid: null }, 'invalid of a codec must be "close", "drop" or a function, got null'],
  ])('is refused at the call when it is none: %#', (wrong, message) => {
    expect(() => withCodec(wrong as never)).toThrow(TypeError);
    expect(() => checkCodec(wrong)).toThrow(message);
  });

  it('is refused with the policy that json() was given', () => {
    expect(() => withCodec(json({ invalid: 'no' as never }))).toThrow(TypeError);
  });
});

describe('the policy for a message that cannot be decoded', () => {
  guardProcess();

  it.each<[unknown, string]>([
    [undefined, 'invalid must return "close" or "drop", got undefined'],
    [null, 'invalid must return "close" or "drop", got null'],
    [true, 'invalid must return "close" or "drop", got boolean'],
    ['ignore', 'invalid must return "close" or "drop", got "ignore"'],
    [{}, 'invalid must return "close" or "drop", got object'],
    [Promise.resolve('drop'), 'invalid must return "close" or "drop" synchronously, got a Promise'],
  ])('must be one of two: %#', (policy, message) => {
    expect(() => checkPolicy(policy)).toThrow(message);
  });

  const nonsense: [string, () => unknown][] = [
    ['nothing', () => undefined],
    ['another word', () => 'ignore'],
    ['a Promise', async () => 'drop'],
    [
      'a Promise that rejects',
      async () => {
        throw new Error('the policy fails later');
      },
    ],
  ];

  it.each(nonsense)('closes with 1011 and says so when it gives %s', async (_what, invalid) => {
    const { server, client } = connectionPair();
    withCodec(json({ invalid: invalid as () => InvalidPolicy }))(server).messages$.subscribe();
    client.send.next('no JSON');
    const { code, error } = await firstValueFrom(server.close$);
    expect({ code, message: error?.message }).toEqual({
      code: 1011,
      message: expect.stringMatching(/^invalid must return /),
    });
  });
});

describe('the error for a message that cannot be decoded', () => {
  it('says what was wrong, quotes the beginning, and keeps the cause', () => {
    const cause = new Error('no number');
    const error = invalidMessage('x'.repeat(1000), cause);
    expect(error).toMatchObject({ code: 'MESSAGE_INVALID', closeCode: 1007, cause });
    expect(error.message).toBe(`invalid message: no number; found "${'x'.repeat(64)}"...`);
  });

  it('counts binary ones', () => {
    expect(invalidMessage(Buffer.alloc(5), 'a').message).toBe('invalid message: a; found a binary message of 5 bytes');
  });

  it('escapes what would forge a line of a log, whoever quotes it', () => {
    const { message } = invalidMessage('\u001b[2J\n', new Error('found \r\n\u001b[31m'));
    expect(message).toBe('invalid message: found \\u000d\\u000a\\u001b[31m; found "\\u001b[2J\\n"');
  });
});
