import { close } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

describe('a producer that sends as long as isReady says so', () => {
  /** So often that it would have gone on for ever. */
  const many = 1_000_000;

  it.each([
    ['the peer', (each: ReturnType<typeof memoryConnection>) => each.peer(close(1000))],
    ['the peer without a Close frame', (each: ReturnType<typeof memoryConnection>) => each.port.finish()],
    ['this end', (each: ReturnType<typeof memoryConnection>) => each.connection.close()],
  ])('lets the event loop go on while the connection closes, which %s has begun', (_, closeIt) => {
    const each = memoryConnection();
    const { connection } = each;
    const seen: (boolean | '|')[] = [];
    connection.send.ready$.subscribe({ next: (ready) => seen.push(ready), complete: () => seen.push('|') });
    closeIt(each);
    let sent = 0;
    for (; connection.send.isReady && sent < many; sent++) connection.send.next('x');
    expect({ isReady: connection.send.isReady, isMany: sent === many }).toEqual({ isReady: false, isMany: false });
    expect(seen).toEqual([true, false]);
    each.turn();
    connection.terminate();
    expect(seen.at(-1)).toBe('|');
  });
});
