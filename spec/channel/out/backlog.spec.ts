import { Backlog, NO_BACKLOG } from '../../../src/channel/out/backlog.js';
import type { LaterMessage } from '../../../src/channel/out/message-encoder.js';

const later = { kind: 'blob', blob: new Blob(['later']), binary: true, options: {} } as LaterMessage;

/** Empties `backlog`, and tells what came out, in order. */
function contentsOf(backlog: Backlog): unknown[] {
  const contents: unknown[] = [];
  const wire = {
    pieces: (pieces: readonly Uint8Array[]) => contents.push(Buffer.concat(pieces).toString('hex')),
    mark: (reached: () => void) => contents.push(reached),
  };
  while (!backlog.isEmpty) {
    const item = backlog.moveNextTo(wire);
    if (item !== undefined) contents.push(item.size);
  }
  return contents;
}

describe('what waits behind a write', () => {
  it('gives the parts of a message in progress before all others, and says what has to be encoded first', () => {
    const backlog = new Backlog();
    const onHanded = (): void => {};
    backlog.add({ kind: 'text', text: 'a' }, 1, undefined);
    backlog.add(later, 5, undefined);
    backlog.close(Buffer.from('03e8', 'hex'), onHanded, undefined);
    backlog.part(0x80, Buffer.from('p'), undefined);
    expect([backlog.size, backlog.isEmpty]).toEqual([3 + 5 + 4 + 3, false]);
    expect(contentsOf(backlog)).toEqual(['800170', '810161', 5, '880203e8', onHanded]);
    expect(backlog.size).toBe(0);
  });

  it('masks what a client sends', () => {
    const backlog = new Backlog();
    const maskKey = (): number => 0x01020304;
    backlog.add({ kind: 'frame', firstByte: 0x82, payload: Buffer.from([1]) }, 1, maskKey);
    backlog.part(0x80, Buffer.from([0]), maskKey);
    expect(contentsOf(backlog)).toEqual(['80810102030401', '82810102030400']);
  });

  it('is nothing for all who wait for nothing', () => {
    expect({
      isEmpty: NO_BACKLOG.isEmpty,
      size: NO_BACKLOG.size,
      contents: contentsOf(NO_BACKLOG),
    }).toEqual({ isEmpty: true, size: 0, contents: [] });
  });
});
