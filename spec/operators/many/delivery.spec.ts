import { type Connection, type Outgoing, type SendResult, UsageError } from 'sluice';
import { Delivery } from '../../../src/operators/many/delivery.js';
import { LatestKeeper } from '../../../src/operators/many/latest-keeper.js';
import { membersOf, readBy, stall } from '../../support/members.js';

type Members = ReturnType<typeof membersOf>;

const connectionsOf = (members: Members): Connection[] => members.map(({ connection }) => connection);

/** A connection for which nothing can be sent, and the errors that it was closed with. */
function refusing(): { conn: Connection; error: jest.Mock } {
  const error = jest.fn();
  const trySend = (): never => {
    throw new UsageError('ENCODE_FAILED', 'not for this one');
  };
  return { conn: { trySend, send: { isReady: true, error } } as unknown as Connection, error };
}

describe('Delivery', () => {
  it.each([null, 'DROP', 0, {}, { latest: 'key' }])('does not allow overflow %p', (overflow) => {
    expect(() => new Delivery({ overflow: overflow as never })).toThrow(RangeError);
  });

  it.each([undefined, 'buffer', 'drop', 'close', { latest: () => 0 }] as const)('allows overflow %p', (overflow) => {
    const [member] = membersOf(1);
    const delivery = new Delivery<Outgoing, Connection>(overflow === undefined ? {} : { overflow });
    expect(delivery.send([member!.connection], 'a').sent).toBe(1);
  });

  it('asks for each connection when it is its turn, and counts and tells only those that it is for', () => {
    const members = membersOf(3);
    const steps: string[] = [];
    const name = (conn: Connection): string => 'abc'.charAt(connectionsOf(members).indexOf(conn));
    const onResult = (result: SendResult, conn: Connection): number => steps.push(`${result} ${name(conn)}`);
    const isFor = (conn: Connection): boolean => steps.push(`for ${name(conn)}?`) > 0 && name(conn) !== 'b';
    const counts = new Delivery<Outgoing, Connection>({ onResult }).send(connectionsOf(members), 'hi', isFor);
    expect(counts).toEqual({ sent: 2, buffered: 0, dropped: 0, closed: 0 });
    expect(steps).toEqual(['for a?', 'sent a', 'for b?', 'for c?', 'sent c']);
  });
});

describe('a message that cannot be sent', () => {
  const delivery = new Delivery<Outgoing, Connection>({});

  it('is thrown while nobody has accepted it, also behind those that are closed', () => {
    const members = membersOf(2);
    const { conn, error } = refusing();
    members[0]!.connection.terminate();
    const [closed, open] = connectionsOf(members);
    expect(() => delivery.send([closed!, conn, open!], 'a')).toThrow(UsageError);
    expect(readBy(members[1]!)).toEqual([]);
    expect(error).not.toHaveBeenCalled();
  });

  it('closes the connection that does not accept it when another one has, and goes to the rest', () => {
    const members = membersOf(2);
    const { conn, error } = refusing();
    const [first, last] = connectionsOf(members);
    expect(delivery.send([first!, conn, last!], 'a')).toEqual({ sent: 2, buffered: 0, dropped: 0, closed: 1 });
    expect(error.mock.calls).toEqual([[expect.any(UsageError)]]);
    expect(members.map(readBy)).toEqual([['a'], ['a']]);
  });
});

describe('an error of the application', () => {
  const bad = new Error('bad');
  const worse = new Error('worse');

  it('of onResult is thrown once the message has gone to all, and only the first', () => {
    const members = membersOf(3);
    const errors = [bad, worse];
    const onResult = (): void => {
      throw errors.shift();
    };
    expect(() => new Delivery<Outgoing, Connection>({ onResult }).send(connectionsOf(members), 'a')).toThrow(bad);
    expect([members.map(readBy), errors]).toEqual([[['a'], ['a'], ['a']], []]);
  });

  it('of the key of a message keeps it from those who are not ready, and from nobody else', () => {
    const members = membersOf(3);
    stall(members[1]!);
    const latest = (): never => {
      throw bad;
    };
    const delivery = new Delivery<Outgoing, Connection>({ overflow: { latest } });
    expect(() => delivery.send(connectionsOf(members), 'a')).toThrow(bad);
    members[1]!.port.drain();
    expect(members.map(readBy)).toEqual([['a'], [], ['a']]);
  });

  it('about whom it is for keeps it from that one', () => {
    const members = membersOf(3);
    const isFor = (conn: Connection): boolean => {
      if (conn === members[0]!.connection) throw bad;
      return true;
    };
    const delivery = new Delivery<Outgoing, Connection>({});
    expect(() => delivery.send(connectionsOf(members), 'a', isFor)).toThrow(bad);
    expect(members.map(readBy)).toEqual([[], ['a'], ['a']]);
  });

  it('is thrown though it is undefined', () => {
    const onResult = (): void => {
      throw undefined;
    };
    const thrown = jest.fn();
    try {
      new Delivery<Outgoing, Connection>({ onResult }).send(connectionsOf(membersOf(1)), 'a');
    } catch (error) {
      thrown(error);
    }
    expect(thrown.mock.calls).toEqual([[undefined]]);
  });
});

describe('the latest messages', () => {
  const latest = { overflow: { latest: () => 'key' } };
  const twice = (...kept: LatestKeeper<Outgoing>[]): string[] => {
    const [member] = membersOf(1);
    stall(member!);
    for (const [index, text] of ['1', '2'].entries()) {
      const delivery = new Delivery<Outgoing, Connection>(latest, kept[index]);
      expect(delivery.send([member!.connection], text).buffered).toBe(1);
    }
    member!.port.drain();
    return readBy(member!);
  };

  it('are of one delivery', () => {
    expect(twice()).toEqual(['1', '2']);
  });

  it('are of all deliveries with the same keeper', () => {
    const kept = new LatestKeeper<Outgoing>();
    expect(twice(kept, kept)).toEqual(['2']);
  });

  it('are not overtaken by later ones when the connection is ready again', () => {
    const [member] = membersOf(1);
    const { connection } = member!;
    const delivery = new Delivery<string, Connection>({ overflow: { latest: (text) => text.charAt(0) } });
    const waiting: number[] = [];
    stall(member!);
    connection.send.ready$.subscribe((isReady) => {
      if (isReady) waiting.push(delivery.send([connection], 'b1').buffered);
    });
    delivery.send([connection], 'a1');
    member!.port.drain();
    expect(waiting).toEqual([1]);
    expect(readBy(member!)).toEqual(['a1', 'b1']);
  });
});
