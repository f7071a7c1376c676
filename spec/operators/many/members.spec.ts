import type { Connection, Outgoing } from 'sluice';
import { Delivery } from '../../../src/operators/many/delivery.js';
import { Members } from '../../../src/operators/many/members.js';
import { membersOf, readBy } from '../../support/members.js';

describe('Members', () => {
  let connected: ReturnType<typeof membersOf>;
  let members: Members<Outgoing, Connection>;
  let [a, b, c] = [] as unknown as [Connection, Connection, Connection];

  beforeEach(() => {
    connected = membersOf(3);
    [a, b, c] = connected.map(({ connection }): Connection => connection) as [Connection, Connection, Connection];
    members = new Members();
  });

  it('tells the first to join and the last to leave', () => {
    expect([members.add(a), members.add(a), members.add(b)]).toEqual([true, false, true]);
    expect(members.size).toBe(2);
    expect([members.remove(a), members.has(a), members.remove(a), members.has(a)]).toEqual([false, true, true, false]);
    expect(members.size).toBe(1);
  });

  it('takes no notice when a stranger leaves', () => {
    members.add(a);
    const { list } = members;
    expect(members.remove(b)).toBe(false);
    expect(members.list).toBe(list);
    expect(members.add(b)).toBe(true);
  });

  it('makes a new list only after a change', () => {
    members.add(a);
    const { list } = members;
    members.add(a);
    members.remove(a);
    expect(members.list).toBe(list);
    members.add(b);
    members.remove(a);
    expect([...list]).toEqual([a]);
    expect([...members.list]).toEqual([b]);
  });

  it('sends to those who are members when it is their turn, be it again', () => {
    for (const conn of [a, b]) members.add(conn);
    const onResult = (): void => {
      members.remove(b);
      members.add(c);
      members.add(b);
    };
    expect(members.send(new Delivery({ onResult }), 'hi').sent).toBe(2);
    expect(connected.map(readBy)).toEqual([['hi'], ['hi'], []]);
  });

  it('asks whether it is for one of them, not for those who have left', () => {
    for (const conn of [a, b, c]) members.add(conn);
    const asked: Connection[] = [];
    const isFor = (conn: Connection): boolean => {
      asked.push(conn);
      members.remove(b);
      return conn !== a;
    };
    expect(members.send(new Delivery({}), 'hi', isFor).sent).toBe(1);
    expect(asked).toEqual([a, c]);
    expect(connected.map(readBy)).toEqual([[], [], ['hi']]);
  });
});
