import { readOptions } from './options.js';

describe('the command line of the matrix', () => {
  it('runs every row by default', () => {
    expect(readOptions([])).toEqual({ only: '', docs: false });
  });

  it('takes a part of a name', () => {
    expect(readOptions(['--only', 'ws client'])).toEqual({ only: 'ws client', docs: false });
  });

  it('writes no part into a page', () => {
    expect(() => readOptions(['--docs', '--only', 'ws'])).toThrow(/--docs needs every row[\s\S]*npm run peers/);
  });

  it('names its options when one is unknown', () => {
    expect(() => readOptions(['--quick'])).toThrow(/--quick[\s\S]*--docs/);
  });
});
