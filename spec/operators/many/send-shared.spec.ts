import { UsageError } from 'sluice';
import { shareSymbol } from '../../../src/connection/hooks.js';
import { type SharedMessage, shareMessage } from '../../../src/connection/shared-message.js';
import { sendShared, trySendShared } from '../../../src/operators/many/send-shared.js';
import type { Target } from '../../../src/operators/many/target.js';
import { membersOf, readBy } from '../../support/members.js';

describe.each([
  ['trySendShared', trySendShared],
  ['sendShared', sendShared],
])('%s', (_, send) => {
  it('leaves to the next connection what the first made of the message', () => {
    const members = membersOf(2);
    const shared = shareMessage('a');
    expect(send(members[0]!.connection, shared)).toBe('sent');
    const { item } = shared;
    expect(item).toBeDefined();
    expect(send(members[1]!.connection, shared)).toBe('sent');
    expect(shared.item).toBe(item);
    expect(members.map(readBy)).toEqual([['a'], ['a']]);
  });

  it('hands the shared message to a connection that takes it, and returns its result', () => {
    const taken: SharedMessage<string>[] = [];
    const trySend = jest.fn();
    const conn = { trySend, [shareSymbol]: (shared: SharedMessage<string>) => taken.push(shared) && 'dropped' };
    const shared = shareMessage('a');
    expect(send(conn as unknown as Target<string>, shared)).toBe('dropped');
    expect(taken).toEqual([shared]);
    expect(trySend).not.toHaveBeenCalled();
  });

  it('hands the value to trySend of any other', () => {
    const trySend = jest.fn(() => 'buffered');
    const shared = shareMessage({ id: 1 });
    expect(send({ trySend } as unknown as Target<{ id: number }>, shared)).toBe('buffered');
    expect(trySend.mock.calls).toEqual([[shared.value]]);
    expect(shared.item).toBeUndefined();
  });
});

describe('a message that cannot be sent', () => {
  const wrong = 5 as never;

  it('is thrown by trySendShared, and leaves the connection open', () => {
    const { connection } = membersOf(1)[0]!;
    expect(() => trySendShared(connection, shareMessage(wrong))).toThrow(UsageError);
    expect(connection.readyState).toBe(1);
  });

  it('closes the connection with 1011 in sendShared', () => {
    const [member] = membersOf(1);
    expect(sendShared(member!.connection, shareMessage(wrong))).toBe('closed');
    expect(readBy(member!)).toEqual(['close 1011']);
  });
});
