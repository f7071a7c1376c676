import { readOptions } from './options.js';

describe('the command line of the fault cases', () => {
  it('runs everything in full by default', () => {
    expect(readOptions([])).toEqual({ scale: 'full', only: '', docs: false });
  });

  it('takes a part of a name, and the short form', () => {
    expect(readOptions(['--short', '--only', 'ping'])).toEqual({ scale: 'short', only: 'ping', docs: false });
  });

  it('writes all cases or some into the page', () => {
    expect(readOptions(['--docs'])).toEqual({ scale: 'full', only: '', docs: true });
    expect(readOptions(['--docs', '--only', 'ping'])).toEqual({ scale: 'full', only: 'ping', docs: true });
  });

  it('writes no figures of the short form into the page', () => {
    expect(() => readOptions(['--docs', '--short'])).toThrow(/--docs needs cases in full[\s\S]*npm run faults/);
  });

  it('names its options when one is unknown', () => {
    expect(() => readOptions(['--quick'])).toThrow(/--quick[\s\S]*--short/);
  });
});
