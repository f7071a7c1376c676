import { failures, peersTable } from './report.js';

const row = { peer: 'Some', role: 'server' } as const;

describe('the table of the matrix', () => {
  it('has what holds, what is not tried and what fails', () => {
    const outcome = { echo: 'ok', pings: '-', close: 'expected 4001, found 1006' } as const;
    const [head, , line] = peersTable([{ row, result: { version: '1.2', outcome, agreed: 'no context' } }]).split('\n');
    expect(cells(head)).toEqual([
      ...['peer', 'version', 'its role', 'echo', 'fragments', 'compression', 'context', 'pings', 'close'],
      ...['subprotocol', 'refusals', 'proxy', 'agreed by default'],
    ]);
    expect(cells(line)).toEqual([
      ...['Some', '1.2', 'server', 'ok', '-', '-', '-', '-', '**fails**', '-', '-', '-', 'no context'],
    ]);
  });
});

describe('what does not hold', () => {
  it.each([
    ['is what fails', { echo: 'ok', close: 'found 1006' }, ['Some as server: close: found 1006']],
    ['is nothing where all holds', { echo: 'ok', close: '-' }, []],
    ['is that nothing was tried', { echo: '-' }, ['Some as server: nothing was tried']],
  ])('%s', (_, outcome, expected) => {
    expect(failures([{ row, result: { version: '', outcome, agreed: '' } }])).toEqual(expected);
  });

  it('is a row that cannot run', () => {
    expect(failures([{ row, result: undefined, error: 'no such program' }])).toEqual([
      'Some as server: cannot run: no such program',
    ]);
  });
});

function cells(line = ''): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
