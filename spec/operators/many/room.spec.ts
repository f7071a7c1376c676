import type { Connection, Outgoing } from 'sluice';
import { type Presence, Room } from '../../../src/operators/many/room.js';
import { membersOf } from '../../support/members.js';

describe('Room', () => {
  const [a, b, c] = membersOf(3).map(({ connection }): Connection => connection) as [
    Connection,
    Connection,
    Connection,
  ];
  const names = new Map([
    [a, 'a'],
    [b, 'b'],
    [c, 'c'],
  ]);
  const told = ({ type, conn, size }: Presence<Connection>): string =>
    `${type === 'joined' ? '+' : '-'}${names.get(conn)}${size}`;
  let room: Room<Outgoing, Connection>;
  let seen: string[];

  beforeEach(() => {
    room = new Room();
    seen = [];
  });

  it('is unused while nobody is there and nobody looks', () => {
    expect(room.isUnused).toBe(true);
    room.join(a);
    expect(room.isUnused).toBe(false);
    const looking = room.presence$.subscribe();
    room.leave(a);
    expect(room.isUnused).toBe(false);
    looking.unsubscribe();
    expect(room.isUnused).toBe(true);
  });

  it('tells the first join and the last leave of each', () => {
    room.presence$.subscribe((each) => seen.push(told(each)));
    room.join(a);
    room.join(a);
    room.leave(a);
    room.leave(b);
    expect(seen).toEqual(['+a1']);
    room.leave(a);
    expect(seen).toEqual(['+a1', '-a0']);
  });

  it('tells nobody later what happened when nobody looked', () => {
    room.join(a);
    room.join(b);
    room.leave(a);
    room.presence$.subscribe((each) => seen.push(told(each)));
    expect(seen).toEqual(['+b1']);
  });

  it('tells who comes and goes while it tells who is there, each once', () => {
    room.join(a);
    room.join(b);
    room.presence$.subscribe((each) => {
      seen.push(told(each));
      if (each.conn !== a) return;
      room.leave(b);
      room.join(c);
    });
    expect(seen).toEqual(['+a1', '+c2']);
  });

  it('tells who looks between two changes neither of them twice', () => {
    const late: string[] = [];
    room.presence$.subscribe((each) => {
      seen.push(told(each));
      if (each.type === 'left') return;
      room.leave(a);
      room.presence$.subscribe((other) => late.push(told(other)));
    });
    room.join(a);
    expect(seen).toEqual(['+a1', '-a0']);
    expect(late).toEqual([]);
  });
});
