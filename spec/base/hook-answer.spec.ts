import { runInNewContext } from 'node:vm';
import { of } from 'rxjs';
import { HookAnswerError, isObservableLike, isThenable } from '../../src/base/hook-answer.js';
import { isError } from '../../src/base/thrown.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

describe('the error of an answer that is not allowed', () => {
  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [false, 'false'],
    [5, '5'],
    [5n, '5'],
    [Symbol('a'), 'Symbol(a)'],
    ['yes', '"yes"'],
    ['x'.repeat(1_000), `"${'x'.repeat(64)}"...`],
    ['a\nb', '"a\\nb"'],
    [() => true, 'a function'],
    [{}, 'an object'],
    [[], 'an object'],
    [Promise.resolve(true), 'a Promise'],
    [of(true), 'an Observable'],
    [new Error('a'), 'an Error'],
  ])('names what was found: %p', (found, name) => {
    const error = new HookAnswerError({ hook: 'path', found, status: 404, advice: 'return true or false' });
    expect(error.message).toBe(`path returned ${name}: refused with 404; return true or false`);
    expect(error).toMatchObject({ name: 'TypeError', hook: 'path', status: 404 });
  });

  it('says 500, unless it is told otherwise, and may say another outcome', () => {
    const error = new HookAnswerError({ hook: 'a', found: 1, advice: 'b' });
    expect([error.status, error.message]).toEqual([500, 'a returned 1: refused with 500; b']);
    expect(new HookAnswerError({ hook: 'a', found: 1, outcome: 'c', advice: 'b' }).message).toBe('a returned 1: c; b');
  });

  it('has an Error that was found as its cause, and nothing else', () => {
    const found = new Error('mine');
    expect(new HookAnswerError({ hook: 'a', found, advice: 'b' }).cause).toBe(found);
    expect(new HookAnswerError({ hook: 'a', found: 1, advice: 'b' }).cause).toBeUndefined();
  });

  it('takes the rejection of a Promise, which nothing else would', () => {
    expect(new HookAnswerError({ hook: 'a', found: Promise.reject(new Error('mine')), advice: 'b' }).status).toBe(500);
  });
});

describe('what an answer is', () => {
  it.each<[unknown, boolean, boolean, boolean]>([
    [undefined, false, false, false],
    [null, false, false, false],
    ['a', false, false, false],
    [{ message: 'a', name: 'Error' }, false, false, false],
    [Promise.resolve(), true, false, false],
    // biome-ignore lint/suspicious/noThenProperty: what is tested
    [{ then: () => {} }, true, false, false],
    [of(1), false, true, false],
    [{ '@@observable': () => of(1) }, false, true, false],
    [new RangeError('a'), false, false, true],
    [runInNewContext('new Error("a")'), false, false, true],
  ])('%p', (value, thenable, observable, error) => {
    expect({
      isThenable: isThenable(value),
      isObservableLike: isObservableLike(value),
      isError: isError(value),
    }).toEqual({ isThenable: thenable, isObservableLike: observable, isError: error });
  });

  it('is an Observable by Symbol.observable too, where that exists', () => {
    const key = Symbol('observable');
    Object.defineProperty(Symbol, 'observable', { value: key, configurable: true });
    try {
      expect(isObservableLike({ [key]: () => of(1) })).toBe(true);
    } finally {
      Reflect.deleteProperty(Symbol, 'observable');
    }
  });
});
