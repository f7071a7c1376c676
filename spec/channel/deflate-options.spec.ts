import { connect, type PerMessageDeflateOptions, serve } from 'sluice';
import { deflateSettings } from '../../src/channel/deflate-options.js';

const defaults = {
  takesServerContext: true,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  threshold: 1024,
  level: 6,
  memLevel: 8,
  compress: undefined,
};

describe('perMessageDeflate', () => {
  it.each([undefined, true, {}, { threshold: undefined } as never])('is on with its defaults: %j', (option) => {
    expect(deflateSettings(option)).toEqual(defaults);
  });

  it('is off with false', () => {
    expect(deflateSettings(false)).toBeUndefined();
  });

  it('takes what is given', () => {
    const options: Required<PerMessageDeflateOptions> = {
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 8,
      clientMaxWindowBits: 12,
      threshold: 0,
      level: 9,
      memLevel: 1,
      compress: () => true,
    };
    expect(deflateSettings(options)).toEqual({ ...options, takesServerContext: false });
  });

  it.each<[PerMessageDeflateOptions, boolean]>([
    [{ threshold: 0, clientMaxWindowBits: 9, serverMaxWindowBits: 15 }, true],
    [{ serverNoContextTakeover: true }, false],
    [{ serverNoContextTakeover: false }, false],
    [{ serverMaxWindowBits: 14 }, false],
  ])('takes a server that keeps its window unless it says what it wants: %j', (options, takesServerContext) => {
    expect(deflateSettings(options)).toMatchObject({ takesServerContext });
  });

  it.each<[unknown, typeof TypeError | typeof RangeError, string]>([
    [null, TypeError, 'perMessageDeflate must be true, false or an object of options, got null'],
    [1, TypeError, 'perMessageDeflate must be true, false or an object of options, got 1'],
    ['yes', TypeError, 'perMessageDeflate must be true, false or an object of options, got "yes"'],
    [
      { zlibDeflateOptions: {} },
      TypeError,
      'unknown option "perMessageDeflate.zlibDeflateOptions": set perMessageDeflate.level and memLevel instead; expected one of serverNo',
    ],
    [{ __proto__: null, constructor: 1 }, TypeError, 'unknown option "perMessageDeflate.constructor"'],
    [
      { serverNoContextTakeover: 1 },
      TypeError,
      'perMessageDeflate.serverNoContextTakeover must be true or false, got 1',
    ],
    [
      { clientNoContextTakeover: 'no' },
      TypeError,
      'perMessageDeflate.clientNoContextTakeover must be true or false, got "no"',
    ],
    [
      { serverMaxWindowBits: 7 },
      RangeError,
      'perMessageDeflate.serverMaxWindowBits must be an integer from 8 to 15, got 7',
    ],
    [
      { serverMaxWindowBits: true },
      TypeError,
      'perMessageDeflate.serverMaxWindowBits must be an integer from 8 to 15, got true',
    ],
    [
      { clientMaxWindowBits: 16 },
      RangeError,
      'perMessageDeflate.clientMaxWindowBits must be an integer from 8 to 15, got 16',
    ],
    [
      { clientMaxWindowBits: '15' },
      TypeError,
      'perMessageDeflate.clientMaxWindowBits must be an integer from 8 to 15, got "15"',
    ],
    [{ threshold: -1 }, RangeError, 'perMessageDeflate.threshold must be an integer from 0 to 4294967296, got -1'],
    [
      { threshold: Number.NaN },
      RangeError,
      'perMessageDeflate.threshold must be an integer from 0 to 4294967296, got NaN',
    ],
    [
      { threshold: Number.POSITIVE_INFINITY },
      RangeError,
      'perMessageDeflate.threshold must be an integer from 0 to 4294967296, got Infinity',
    ],
    [{ level: 10 }, RangeError, 'perMessageDeflate.level must be an integer from 0 to 9, got 10'],
    [{ level: 1.5 }, RangeError, 'perMessageDeflate.level must be an integer from 0 to 9, got 1.5'],
    [{ memLevel: 0 }, RangeError, 'perMessageDeflate.memLevel must be an integer from 1 to 9, got 0'],
    [{ compress: true }, TypeError, 'perMessageDeflate.compress must be a function, got true'],
  ])('throws at the call for %j', (perMessageDeflate, error, message) => {
    const option = perMessageDeflate as PerMessageDeflateOptions;
    for (const call of [
      () => serve({ port: 0, perMessageDeflate: option }),
      () => connect('ws://127.0.0.1:1', [], { perMessageDeflate: option }),
    ]) {
      expect(call).toThrow(error);
      expect(call).toThrow(message);
    }
  });
});
