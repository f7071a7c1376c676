import { fillMarkers, markedIn, table } from './markdown.js';

describe('table', () => {
  const [head, rows] = [['load', 'us'], [['32 B', '1.0']]];

  it('has figures to the right', () => {
    expect(table(head, rows).split('\n')).toEqual(['| load |  us |', '| ---  | --: |', '| 32 B | 1.0 |']);
  });

  it('has words to the left', () => {
    expect(table(head, rows, 'left').split('\n')).toEqual(['| load | us  |', '| ---  | --- |', '| 32 B | 1.0 |']);
  });
});

describe('fillMarkers', () => {
  it('replaces what stands between the markers', () => {
    const page = 'a\n<!-- bench:echo -->\nold\n<!-- /bench:echo -->\nb';
    expect(fillMarkers(page, 'bench:echo', 'new')).toBe('a\n<!-- bench:echo -->\nnew\n<!-- /bench:echo -->\nb');
  });

  it('fails when the page has none', () => {
    expect(() => fillMarkers('a', 'bench:echo', 'new')).toThrow('<!-- bench:echo -->');
  });
});

describe('markedIn', () => {
  it('gives what stands between the markers', () => {
    expect(markedIn('a\n<!-- faults -->\nold\n\n| b |\n<!-- /faults -->\nb', 'faults')).toBe('old\n\n| b |');
  });

  it('fails when the page has none', () => {
    expect(() => markedIn('a', 'faults')).toThrow('<!-- faults -->');
  });
});
