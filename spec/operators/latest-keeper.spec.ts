import { LatestKeeper } from '../../src/operators/latest-keeper.js';
import { shareMessage } from '../../src/protocol/shared-message.js';
import { membersOf, readBy, stall } from '../support/members.js';

describe('what is kept for a connection that is not ready', () => {
  it('is the latest of each key, sent when it is ready', () => {
    const [member] = membersOf(1);
    const { connection, port } = member!;
    const keeper = new LatestKeeper<string>();
    expect(keeper.mustKeep(connection)).toBe(false);
    stall(member!);
    expect(keeper.mustKeep(connection)).toBe(true);
    for (const [key, text] of [
      ['x', 'x1'],
      ['y', 'y1'],
      ['x', 'x2'],
    ] as const) {
      keeper.keep(connection, key, shareMessage(text));
    }
    port.drain();
    expect(readBy(member!)).toEqual(['y1', 'x2']);
    expect(keeper.mustKeep(connection)).toBe(false);
  });

  it('waits again when sending it makes the connection busy', () => {
    const [member] = membersOf(1);
    const { connection, port } = member!;
    const keeper = new LatestKeeper<string>();
    stall(member!);
    // Subscribed before what is kept: it is told first.
    const whenReady = connection.send.ready$.subscribe((ready) => ready && port.block());
    for (let key = 0; key < 5; key++) keeper.keep(connection, key, shareMessage(`${key}`.repeat(40)));
    port.drain();
    whenReady.unsubscribe();
    expect(readBy(member!).length).toBeLessThan(5);
    expect(keeper.mustKeep(connection)).toBe(true);
    while (keeper.mustKeep(connection)) port.drain();
    expect(readBy(member!).map((text) => text.charAt(0))).toEqual(['0', '1', '2', '3', '4']);
  });

  it('is forgotten with the connection', () => {
    const [member] = membersOf(1);
    const { connection, port } = member!;
    const keeper = new LatestKeeper<string>();
    stall(member!);
    keeper.keep(connection, 0, shareMessage('a'));
    connection.terminate();
    expect(readBy(member!)).toEqual([]);
    expect(port.wasTerminated).toBe(true);
  });
});
