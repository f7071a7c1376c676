import { Duplex } from 'node:stream';
import { createDuplex } from '../../src/net/duplex.js';

describe('a Duplex for the layers above', () => {
  it('is one of Node, with the methods that were given', async () => {
    const written: string[] = [];
    const duplex = createDuplex({
      read: () => duplex.push(null),
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk.toString());
        done();
      },
    });
    expect(duplex).toBeInstanceOf(Duplex);
    duplex.end('a');
    for await (const _ of duplex) expect(_).toBeUndefined();
    expect(written).toEqual(['a']);
  });
});
