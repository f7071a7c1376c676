import { Delivery } from '../../src/operators/delivery.js';
import { membersOf, readBy } from '../support/members.js';

describe('a delivery', () => {
  it('closes a connection that alone cannot be sent the message, and goes on', () => {
    const compress = (): boolean => {
      throw new Error('predicate');
    };
    const deflate = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
    };
    const members = [
      ...membersOf(1),
      ...membersOf(1, { deflate, perMessageDeflate: { threshold: 0, compress } }),
      ...membersOf(1),
    ];
    const connections = members.map(({ connection }) => connection);
    const result = new Delivery<string, (typeof connections)[0]>({}).send(connections, 'a');
    expect(result).toEqual({ sent: 2, buffered: 0, dropped: 0, closed: 1 });
    expect(members.map(readBy)).toEqual([['a'], ['close 1011'], ['a']]);
  });

  it('asks for each whether it is for it, when it is its turn', () => {
    const members = membersOf(2);
    const connections = members.map(({ connection }) => connection);
    const isFor = (conn: unknown): boolean => readBy(members[0]!).length === (conn === connections[0] ? 0 : 1);
    expect(new Delivery<string, (typeof connections)[0]>({}).send(connections, 'a', isFor).sent).toBe(2);
  });
});
