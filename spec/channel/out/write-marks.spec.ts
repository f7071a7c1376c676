import { WriteMarks } from '../../../src/channel/out/write-marks.js';

describe('what is called when a write has left', () => {
  it('is told for the write that it belongs to', () => {
    const marks = new WriteMarks();
    const log: string[] = [];
    marks.next(() => log.push('first'));
    expect(marks.isNextEmpty).toBe(false);
    marks.written();
    expect(marks.isNextEmpty).toBe(true);
    marks.outstanding(() => log.push('too'));
    marks.next(() => log.push('second'));
    marks.left();
    expect(log).toEqual(['first', 'too']);
    marks.written();
    marks.left();
    marks.left();
    expect(log).toEqual(['first', 'too', 'second']);
  });

  it('is told in order when one makes others due', () => {
    const marks = new WriteMarks();
    const log: string[] = [];
    marks.outstanding(() => {
      marks.outstanding(() => log.push('c'));
      marks.left();
      log.push('a');
    });
    marks.outstanding(() => log.push('b'));
    marks.left();
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('is forgotten at the end', () => {
    const marks = new WriteMarks();
    const reached = jest.fn();
    marks.outstanding(reached);
    marks.next(reached);
    marks.clear();
    marks.left();
    marks.written();
    marks.left();
    expect(reached).not.toHaveBeenCalled();
  });
});
