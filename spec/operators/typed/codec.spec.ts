import { firstValueFrom } from 'rxjs';
import { type Codec, type InvalidPolicy, json, withCodec } from 'sluice';
import { connectionPair } from 'sluice/testing';
import { checkCodec, checkPolicy } from '../../../src/operators/typed/codec.js';
import { guardProcess } from '../../support/process-guard.js';

describe('a codec', () => {
  const codec: Codec<string> = { decode: String, encode: (value) => value };

  it.each([undefined, 'close', 'drop', () => 'drop'])('may have the policy %p', (invalid) => {
    expect(() => checkCodec({ ...codec, invalid })).not.toThrow();
  });

  it.each([
    [undefined, 'decode of a codec is undefined, allowed is a function'],
    [null, 'decode of a codec is undefined'],
    [json, 'decode of a codec is undefined'],
    [{ ...codec, encode: 'a' }, 'encode of a codec is "a", allowed is a function'],
    [{ ...codec, invalid: 'ignore' }, 'invalid of a codec is "ignore", allowed are "close", "drop" and a function'],
    [{ ...codec, invalid: true }, 'invalid of a codec is boolean'],
    [{ ...codec, invalid: null }, 'invalid of a codec is null'],
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
    [undefined, 'invalid gave undefined, allowed are "close" and "drop"'],
    [null, 'invalid gave null'],
    [true, 'invalid gave boolean'],
    ['ignore', 'invalid gave "ignore"'],
    [{}, 'invalid gave object'],
    [Promise.resolve('drop'), 'invalid gave a Promise, allowed are "close" and "drop": decide at once'],
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
    expect({ code, message: error?.message }).toEqual({ code: 1011, message: expect.stringMatching(/^invalid gave /) });
  });
});
