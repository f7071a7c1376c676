import { readOptions } from './options.js';
import { serverNames } from './servers.js';

describe('the options of the benchmarks', () => {
  it('measure everything in five rounds by default', () => {
    expect(readOptions([])).toEqual({
      rounds: 5,
      seconds: 1,
      only: '',
      servers: serverNames,
      json: undefined,
      from: [],
      docs: false,
      profile: undefined,
      before: undefined,
      pairs: 9,
    });
  });

  it('take lists of servers and of files', () => {
    expect(readOptions(['--servers', 'sluice,ws+bufferutil']).servers).toEqual(['sluice', 'ws+bufferutil']);
    expect(readOptions(['--from', 'a.json,b.json', '--docs'])).toMatchObject({
      from: ['a.json', 'b.json'],
      docs: true,
    });
  });

  it('take a commit to compare with, and how often', () => {
    expect(readOptions(['--before', 'main~1'])).toMatchObject({ before: 'main~1', pairs: 9 });
    expect(readOptions(['--before', 'v1', '--pairs', '3', '--only', 'idle'])).toMatchObject({ pairs: 3, only: 'idle' });
  });

  it.each([
    [['--servers', 'sluice,wz'], 'no server "wz"'],
    [['--rounds', '0'], '--rounds is "0"'],
    [['--rounds', 'five'], '--rounds is "five"'],
    [['--seconds', '0.1'], '--seconds is "0.1", expected a number from 0.5'],
    [['--docs', '--only', 'echo'], '--docs needs every row'],
    [['--docs', '--servers', 'sluice'], '--docs needs every row'],
    [['--from', 'a.json', '--only', 'echo'], '--from measures nothing'],
    [['--profile', '32 B', '--docs'], '--profile measures nothing'],
    [['--pairs', '3'], '--pairs needs --before'],
    [['--before', 'main', '--pairs', '1'], '--pairs is "1", expected a number from 2'],
    [['--before', 'main', '--json', 'a.json'], '--before goes with'],
    [['--unknown'], "Unknown option '--unknown'"],
  ])('refuse %j, and say what there is', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
    expect(() => readOptions(args)).toThrow('npm run bench -- [options]');
  });
});
