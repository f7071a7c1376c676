import { readOptions } from './options.js';

describe('the command line of the fault cases', () => {
  it('runs everything in full by default', () => {
    expect(readOptions([])).toEqual({ scale: 'full', only: '', docs: false });
  });

  it('takes a part of a name, and the short form', () => {
    expect(readOptions(['--short', '--only', 'ping'])).toEqual({ scale: 'short', only: 'ping', docs: false });
  });

  it.each([[['--docs', '--short']], [['--docs', '--only', 'ping']]])('writes no part into a page: %j', (args) => {
    expect(() => readOptions(args)).toThrow(/--docs needs every case in full[\s\S]*npm run faults/);
  });

  it('names its options when one is unknown', () => {
    expect(() => readOptions(['--quick'])).toThrow(/--quick[\s\S]*--short/);
  });
});
