import { HookAnswerError } from '../../src/base/hook-answer.js';
import { Complaints } from '../../src/server/complaints.js';

describe('complaints', () => {
  it('print the first of each hook, with its cause, and no other error', () => {
    const print = jest.spyOn(console, 'error').mockImplementation(() => {});
    const complaints = new Complaints();
    const cause = new Error('mine');
    const first = new HookAnswerError({ hook: 'path', found: 1, advice: 'return true or false' });
    const second = new HookAnswerError({ hook: 'path', found: 2, advice: 'return true or false' });
    const other = new HookAnswerError({ hook: 'authenticate', found: cause, advice: 'throw it' });
    for (const error of [new Error('a'), undefined, first, second, other, other]) complaints.hear(error);
    new Complaints().hear(second);
    expect(print.mock.calls).toEqual([[first.message], [other.message, cause], [second.message]]);
    print.mockRestore();
  });
});
