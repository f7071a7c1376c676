import { asyncScheduler, VirtualTimeScheduler } from 'rxjs';
import { connect, serve, wrap } from 'sluice';
import { deflateSettings } from '../../src/channel/deflate-options.js';
import { CONNECTION_OPTIONS, type ConnectionOptions, connectionSettings } from '../../src/channel/settings.js';

/** What no option that counts bytes, frames or milliseconds may be: there is no silent "unlimited". */
const wrongNumbers = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 33, '1mb', true, {}];
const numbers = [
  'maxPayload',
  'maxFragments',
  'highWaterMark',
  'maxBufferedAmount',
  'handshakeTimeout',
  'closeTimeout',
  'messageTimeout',
  'pausedTimeout',
] as const;

const entrances: [string, (options: object) => unknown][] = [
  ['serve', (options) => serve({ port: 0, ...options })],
  ['connect', (options) => connect('ws://127.0.0.1', options)],
  ['wrap', (options) => wrap({ pipe() {}, write() {} } as never, { role: 'server', ...options })],
];

describe('the settings of a connection', () => {
  it('have these defaults', () => {
    const common = {
      highWaterMark: 65_536,
      maxBufferedAmount: 16_777_216,
      overflow: 'terminate',
      handshakeTimeout: 10_000,
      closeTimeout: 10_000,
      messageTimeout: 60_000,
      heartbeat: { interval: 30_000, timeout: 30_000, stalledTimeout: 120_000 },
      pausedTimeout: undefined,
      autoPong: true,
      binaryType: 'nodebuffer',
      skipUTF8Validation: false,
      deflate: deflateSettings(true),
      scheduler: asyncScheduler,
      random: Math.random,
    };
    expect(connectionSettings({}, 'server')).toEqual({
      ...common,
      maxPayload: 1_048_576,
      maxFragments: 16_384,
    });
    expect(connectionSettings({}, 'client')).toEqual({
      ...common,
      maxPayload: 16_777_216,
      maxFragments: 262_145,
    });
  });

  it.each([
    [1, 16_384],
    [1_048_576, 16_384],
    // Autobahn 9.3.1: 4 MiB in pieces of 64 bytes, and an empty last frame
    [4_194_304, 65_537],
    [2 ** 32, 67_108_865],
  ])('allow, with a maxPayload of %d, %d fragments', (maxPayload, maxFragments) => {
    expect(connectionSettings({ maxPayload }, 'server')).toMatchObject({ maxPayload, maxFragments });
    expect(connectionSettings({ maxPayload, maxFragments: 3 }, 'server')).toMatchObject({ maxFragments: 3 });
  });

  it('are what the options say', () => {
    const options: Required<ConnectionOptions> = {
      maxPayload: 1,
      maxFragments: 2,
      highWaterMark: 3,
      maxBufferedAmount: 4,
      overflow: 'drop-oldest',
      handshakeTimeout: 5,
      closeTimeout: 6,
      messageTimeout: 7,
      heartbeat: { interval: 8, timeout: 9, stalledTimeout: 11 },
      pausedTimeout: 10,
      autoPong: false,
      binaryType: 'nodebuffer',
      skipUTF8Validation: true,
      scheduler: new VirtualTimeScheduler(),
    };
    const settings = connectionSettings({ ...options, perMessageDeflate: false }, 'server');
    expect(settings).toEqual({ ...options, deflate: undefined, random: Math.random });
    expect(Object.keys(options).sort()).toEqual([...CONNECTION_OPTIONS].sort());
  });

  it('have a heartbeat of which one time is given, or none', () => {
    expect(connectionSettings({ heartbeat: { interval: 5 } }, 'server').heartbeat).toEqual({
      interval: 5,
      timeout: 30_000,
      stalledTimeout: 120_000,
    });
    expect(connectionSettings({ heartbeat: false }, 'server').heartbeat).toBe(false);
  });
});

describe.each(entrances)('%s', (_, enter) => {
  it.each(numbers.flatMap((name) => wrongNumbers.map((value) => [name, value] as const)))(
    'throws at the call for %s: %p',
    (name, value) => {
      const call = (): unknown => enter({ [name]: value });
      expect(call).toThrow(typeof value === 'number' ? RangeError : TypeError);
      expect(call).toThrow(new RegExp(`^${name} must be an integer from 1 to \\d+, got .*$`));
    },
  );

  it.each([
    ['overflow', 'block', '"terminate", "drop-newest", "drop-oldest"'],
    ['binaryType', 'buffer', '"nodebuffer", "arraybuffer", "blob"'],
    ['autoPong', 'yes', 'true or false'],
    ['skipUTF8Validation', 1, 'true or false'],
    ['scheduler', {}, 'an RxJS scheduler'],
    ['heartbeat', true, 'false or { interval, timeout, stalledTimeout }'],
    ['heartbeat', 30_000, 'false or { interval, timeout, stalledTimeout }'],
    ['heartbeat', { interval: 0 }, 'an integer from 1'],
    ['heartbeat', { timeout: '30s' }, 'an integer from 1'],
    ['heartbeat', { stalledTimeout: 0 }, 'an integer from 1'],
    [
      'heartbeat',
      { intervall: 5 },
      'unknown option "heartbeat.intervall": did you mean "interval"? expected one of interval, timeout, stalledTimeout',
    ],
    ['maxPayloads', 5, 'maxPayload,'],
    ['max_payload', 5, 'maxPayload,'],
  ])('throws at the call for %s: %p', (name, value, allowed) => {
    expect(() => enter({ [name]: value })).toThrow(allowed);
  });
});
