import { Room } from '../../src/operators/room.js';
import { membersOf } from '../support/members.js';

type Conn = ReturnType<typeof membersOf>[number]['connection'];

describe('a room', () => {
  it('is unused when nobody is there and nobody looks', () => {
    const [a] = membersOf(1).map(({ connection }) => connection) as Conn[] as [Conn];
    const room = new Room<string, Conn>();
    expect(room.isUnused).toBe(true);
    room.join(a);
    expect(room.isUnused).toBe(false);
    const looking = room.presence$.subscribe();
    room.leave(a);
    expect(room.isUnused).toBe(false);
    looking.unsubscribe();
    expect(room.isUnused).toBe(true);
  });

  it('tells each change once, however often one joins', () => {
    const [a] = membersOf(1).map(({ connection }) => connection) as Conn[] as [Conn];
    const room = new Room<string, Conn>();
    const seen: string[] = [];
    room.presence$.subscribe(({ type, size }) => seen.push(`${type} ${size}`));
    room.join(a);
    room.join(a);
    room.leave(a);
    room.leave(a);
    room.leave(a);
    expect(seen).toEqual(['joined 1', 'left 0']);
  });
});
