import { takeDeflateTurn } from '../../../src/channel/out/deflate-turns.js';

describe('turns in the thread pool', () => {
  it('are two at a time, first come, first served', () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      takeDeflateTurn((done) => {
        begun.push(name);
        ends.push(done);
      });
    }
    expect(begun).toEqual(['a', 'b']);
    ends[1]!();
    expect(begun).toEqual(['a', 'b', 'c']);
    ends[0]!();
    ends[2]!();
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
    ends[3]!();
    ends[4]!();
  });

  it('are left by who does not want to wait any more, once', () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const [leaveA, , leaveC] = ['a', 'b', 'c', 'd'].map((name) =>
      takeDeflateTurn((done) => {
        begun.push(name);
        ends.push(done);
      }),
    );
    leaveC!();
    leaveC!();
    leaveA!();
    ends[0]!();
    expect(begun).toEqual(['a', 'b', 'd']);
    ends[1]!();
    ends[2]!();
  });

  it('can be over when they begin, however many there are', () => {
    let ended = 0;
    const ends: (() => void)[] = [];
    for (let turn = 0; turn < 2; turn++) takeDeflateTurn((done) => ends.push(done));
    for (let turn = 0; turn < 50_000; turn++) {
      takeDeflateTurn((done) => {
        ended++;
        done();
      });
    }
    expect(ended).toBe(0);
    ends[0]!();
    expect(ended).toBe(50_000);
    ends[1]!();
  });
});
