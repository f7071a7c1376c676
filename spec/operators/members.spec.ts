import { Delivery } from '../../src/operators/delivery.js';
import { Members } from '../../src/operators/members.js';
import { membersOf } from '../support/members.js';

type Conn = ReturnType<typeof membersOf>[number]['connection'];

describe('members', () => {
  const [a, b] = membersOf(2).map(({ connection }) => connection) as Conn[] as [Conn, Conn];

  it('are counted, and their list is as it was when it was asked for', () => {
    const members = new Members<string, Conn>();
    expect([members.add(a), members.add(a), members.add(b)]).toEqual([true, false, true]);
    const { list } = members;
    expect(members.list).toBe(list);
    expect([members.remove(a), members.has(a), members.remove(a), members.has(a), members.remove(a)]).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect([...list]).toEqual([a, b]);
    expect([...members.list]).toEqual([b]);
    expect(members.size).toBe(1);
  });

  it('get a message when they are there, and it is for them', () => {
    const members = new Members<string, Conn>();
    members.add(a);
    members.add(b);
    expect(members.send(new Delivery({}), 'x').sent).toBe(2);
    expect(members.send(new Delivery({}), 'x', (conn) => conn === a).sent).toBe(1);
    const leaving = new Delivery<string, Conn>({ onResult: () => members.remove(b) });
    expect(members.send(leaving, 'x').sent).toBe(1);
  });
});
