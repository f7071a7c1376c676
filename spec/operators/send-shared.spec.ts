import { sendShared, trySendShared } from '../../src/operators/send-shared.js';
import { shareMessage } from '../../src/protocol/shared-message.js';
import { membersOf, readBy } from '../support/members.js';

describe('sending a shared message to one connection', () => {
  it('uses what the connection offers, or else trySend', () => {
    const [member] = membersOf(1);
    const shared = shareMessage('a');
    expect(trySendShared(member!.connection, shared)).toBe('sent');
    expect(shared.item).toBeDefined();
    expect(trySendShared({ trySend: (text: string) => (text === 'a' ? 'buffered' : 'closed') } as never, shared)).toBe(
      'buffered',
    );
    expect(readBy(member!)).toEqual(['a']);
  });

  it('throws, or closes the connection with 1011', () => {
    const [member] = membersOf(1);
    const shared = shareMessage(5 as never);
    expect(() => trySendShared(member!.connection, shared)).toThrow('cannot send 5');
    expect(sendShared(member!.connection, shared)).toBe('closed');
    expect(readBy(member!)).toEqual(['close 1011']);
  });
});
