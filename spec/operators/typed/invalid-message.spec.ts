import { invalidMessage } from '../../../src/operators/typed/invalid-message.js';

describe('the error for a message that cannot be decoded', () => {
  it('says what was wrong, quotes the beginning, and keeps the cause', () => {
    const cause = new Error('no number');
    const error = invalidMessage('x'.repeat(1000), cause);
    expect(error).toMatchObject({ code: 'MESSAGE_INVALID', closeCode: 1007, cause });
    expect(error.message).toBe(`invalid message: no number; found "${'x'.repeat(64)}"...`);
  });

  it('counts binary ones', () => {
    expect(invalidMessage(Buffer.alloc(5), 'a').message).toBe('invalid message: a; found a binary message of 5 bytes');
  });

  it('escapes what would forge a line of a log, whoever quotes it', () => {
    const { message } = invalidMessage('\u001b[2J\n', new Error('found \r\n\u001b[31m'));
    expect(message).toBe('invalid message: found \\u000d\\u000a\\u001b[31m; found "\\u001b[2J\\n"');
  });
});
