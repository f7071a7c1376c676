import { Subject } from 'rxjs';
import { HandedLine } from '../../../src/operators/typed/handed-line.js';

describe('what is not handed over yet', () => {
  it('is told in order, each once', () => {
    const { handed$, log, track } = line();
    for (const item of ['a', 'b', 'a']) track(item);
    for (const item of ['a', 'b', 'a', 'a']) handed$.next(item);
    expect(log).toEqual(['a', 'b', 'a']);
  });

  it('passes over what others sent, and what was dropped on the way', () => {
    const { handed$, log, track } = line();
    for (const item of ['a', 'b', 'c']) track(item);
    handed$.next('others');
    handed$.next('b');
    handed$.next('a');
    handed$.next('c');
    expect(log).toEqual(['b', 'c']);
  });

  it('is forgotten when it is refused', () => {
    const { handed$, log, track } = line();
    expect(track('a', 'dropped')).toBe('dropped');
    expect(track('b', 'closed')).toBe('closed');
    expect(handed$.observed).toBe(false);
    expect(() =>
      track('c', () => {
        throw new Error('c');
      }),
    ).toThrow('c');
    handed$.next('a');
    expect([log, handed$.observed]).toEqual([[], false]);
  });

  it('may be handed over before it is sent to the end', () => {
    const { handed$, log, track } = line();
    track('a', () => {
      handed$.next('a');
      return 'sent';
    });
    expect([log, handed$.observed]).toEqual([['a'], false]);
  });

  it('may be much', () => {
    const { handed$, log, track } = line();
    for (let i = 0; i < 200_000; i++) track(`${i}`);
    for (let i = 0; i < 200_000; i++) handed$.next(`${i}`);
    expect({ count: log.length, last: log[199_999], observed: handed$.observed }).toEqual({
      count: 200_000,
      last: '199999',
      observed: false,
    });
  });
});

type Result = 'sent' | 'buffered' | 'dropped' | 'closed';

function line() {
  const handed$ = new Subject<string>();
  const handed = new HandedLine(handed$);
  const log: string[] = [];
  const track = (item: string, result: Result | (() => Result) = 'sent'): Result =>
    handed.track(
      item,
      () => log.push(item),
      () => (typeof result === 'function' ? result() : result),
    );
  return { handed$, log, track };
}
