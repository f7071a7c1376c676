import { type Duplex, PassThrough } from 'node:stream';
import { SocketPort } from '../../src/net/socket-port.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

/** A stream with the handle of TLS, over one that notes what it is told. */
function tlsStream(handle: object): { stream: Duplex; told: string[] } {
  const told: string[] = [];
  const _parent = { readStop: () => told.push('stop'), readStart: () => told.push('start') };
  return { stream: Object.assign(new PassThrough(), { _handle: { _parent, ...handle } }), told };
}

describe('pausing a TLS socket', () => {
  it.each([
    ['stops the transport where TLS reads on by itself, as in Deno', {}, ['stop', 'start']],
    ['leaves the transport to TLS where that stops it, as in Node', { writeQueueSize: 0 }, []],
    ['stops nothing where there is no transport to stop', { _parent: {} }, []],
  ])('%s', (_, handle, expected) => {
    const { stream, told } = tlsStream(handle);
    const port = new SocketPort(stream, Buffer.alloc(0));
    port.pause();
    expect(stream.isPaused()).toBe(true);
    port.resume();
    expect(told).toEqual(expected);
    stream.destroy();
  });
});
