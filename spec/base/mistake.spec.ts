import { complain, isTold, type Mistake, originOf, redirectMistakes } from '../../src/base/mistake.js';

describe('mistakes of the application', () => {
  let print: jest.SpyInstance<void, unknown[]>;
  beforeEach(() => {
    redirectMistakes(undefined);
    print = jest.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => {
    redirectMistakes(undefined);
    print.mockRestore();
  });

  it('are printed once for each kind, key and place', () => {
    const [here, there] = [{}, {}];
    complain(here, { kind: 'send', key: 'a', message: 'one' });
    complain(here, { kind: 'send', key: 'a', message: 'the same in other words' });
    complain(here, { kind: 'send', key: 'b', message: 'two' });
    complain(here, { kind: 'handler', key: 'a', message: 'three' });
    complain(there, { kind: 'send', key: 'a', message: 'four' });
    expect(print.mock.calls.flat()).toEqual(['sluice: one', 'sluice: two', 'sluice: three', 'sluice: four']);
    expect([isTold(here, { kind: 'handler', key: 'a' }), isTold(there, { kind: 'handler', key: 'a' })]).toEqual([
      true,
      false,
    ]);
  });

  it('share one place where they belong to no server', () => {
    expect(isTold(undefined, { kind: 'origin' })).toBe(false);
    complain(undefined, { kind: 'origin', message: 'one' });
    complain(undefined, { kind: 'origin', message: 'two' });
    expect(print.mock.calls).toEqual([['sluice: one']]);
  });

  it('are reported again to another target', () => {
    const here = {};
    complain(here, { kind: 'send', message: 'one' });
    const reported: string[] = [];
    redirectMistakes(({ message }) => reported.push(message));
    complain(here, { kind: 'send', message: 'one' });
    complain(here, { kind: 'send', message: 'one' });
    expect({ reported, printed: print.mock.calls.flat() }).toEqual({ reported: ['one'], printed: ['sluice: one'] });
  });

  it('come with what was thrown, also where that cannot be shown', () => {
    const cause = new Error('mine');
    complain({}, { kind: 'hook', message: 'it failed', cause });
    expect(print.mock.calls).toEqual([['sluice: it failed:', cause]]);
    print.mockImplementation((_, shown) => {
      if (typeof shown !== 'string') throw new Error('not shown');
    });
    complain({}, { kind: 'hook', message: 'it failed', cause });
    expect(print.mock.lastCall).toEqual(['sluice: it failed:', 'mine']);
  });

  it('are bounded for each place, whatever their keys are', () => {
    const place = {};
    for (let key = 0; key < 1_000; key++) complain(place, { kind: 'handler', key: String(key), message: 'm' });
    expect(print).toHaveBeenCalledTimes(64);
  });

  it('go where the application wants them', () => {
    const taken: Mistake[] = [];
    redirectMistakes((mistake) => taken.push(mistake));
    complain({}, { kind: 'handler', key: 'k', message: 'm', cause: 1 });
    complain({}, { kind: 'send', message: 'n' });
    expect(taken).toEqual([
      { kind: 'handler', message: 'm', cause: 1 },
      { kind: 'send', message: 'n' },
    ]);
    expect(print).not.toHaveBeenCalled();
    redirectMistakes(undefined);
    complain({}, { kind: 'send', message: 'n' });
    expect(print.mock.calls).toEqual([['sluice: n']]);
  });

  it('are printed if what they go to throws', () => {
    redirectMistakes(() => {
      throw new Error('no log');
    });
    complain({}, { kind: 'send', message: 'n' });
    expect(print.mock.calls).toEqual([['sluice: n']]);
  });

  it('go to functions only', () => {
    expect(() => redirectMistakes('stdout' as never)).toThrow('to must be a function, got "stdout"');
  });
});

describe('the origin of what was thrown', () => {
  const failing = (message: string): Error => new TypeError(message);

  it('is the same for one line of code, whatever the message says', () => {
    const [first, second] = ['a', 'b\n    at forged (file.js:1:1)'].map((message) => originOf(failing(message)));
    expect(first).toMatch(/^TypeError\n +at failing/);
    expect(second).toBe(first);
    expect(originOf(new TypeError('a'))).not.toBe(first);
  });

  it.each([[undefined], [null], ['text'], [Object.create(null)], [{ name: 'Odd', stack: 7 }]])(
    'is known of %p',
    (thrown) => {
      expect(originOf(thrown)).not.toContain('at ');
    },
  );
});
