import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { VirtualTimeScheduler } from 'rxjs';
import type { PortEvents } from '../../src/channel/byte-port.js';
import { connectionOver } from '../../src/channel/open.js';
import { connectionSettings } from '../../src/channel/settings.js';
import type { LiveConnection } from '../../src/connection/live-connection.js';
import { plainFacts } from '../support/facts.js';
import { binary, text, wire } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';
import { PeerPort } from '../support/peer-port.js';

const reports: { connection: unknown; error: unknown }[] = [];
const note = (message: unknown): void => {
  reports.push(message as (typeof reports)[number]);
};
beforeEach(() => {
  reports.length = 0;
  subscribe('sluice:connection-error', note);
});
afterEach(() => {
  unsubscribe('sluice:connection-error', note);
  jest.restoreAllMocks();
});

const internal = { name: 'InternalError', code: 'INTERNAL_ERROR', closeCode: 1011, cause: { message: 'broken' } };

describe.each(['server', 'client'] as const)('what breaks while it is parsed (as %s)', (role) => {
  it('fails that connection with 1011, is reported, and never escapes', () => {
    const { connection, port, events } = open(role);
    const seen: unknown[] = [];
    connection.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('end') });
    port.receive(wire(role, [text('before')]));
    expect(() => events.bytes(broken(), 1)).not.toThrow();
    const [frame] = port.frames;
    expect(frame).toMatchObject({ opcode: 0x8, payload: Buffer.from('\u0003\u00f3internal error', 'latin1') });
    expect(reports).toMatchObject([{ connection, error: internal }]);
    port.finish();
    expect(seen).toEqual(['before', 'end']);
    expect(connection.readyState).toBe(3);
  });

  it('is in close$', () => {
    const { connection, port, events } = open(role);
    const infos: unknown[] = [];
    connection.close$.subscribe((info) => infos.push(info));
    events.bytes(broken(), 1);
    port.finish();
    expect(infos).toMatchObject([{ code: 1011, wasClean: false, initiator: 'local', error: internal }]);
  });
});

describe('a message that cannot be made what binaryType asks for', () => {
  it('fails its connection in the same way', () => {
    const { connection, port, peer } = memoryConnection({ binaryType: 'blob' as 'nodebuffer' });
    jest.spyOn(globalThis, 'Blob', 'get').mockReturnValue(
      class {
        constructor() {
          throw new RangeError('broken');
        }
      } as unknown as typeof Blob,
    );
    const seen: unknown[] = [];
    connection.messages$.subscribe((message) => seen.push(message));
    peer(text('a'), binary('b'), text('c'));
    expect(seen).toEqual(['a']);
    expect(port.frames).toMatchObject([{ opcode: 0x8 }]);
    expect(reports).toMatchObject([{ error: internal }]);
  });
});

/** A connection over memory, and what its port tells it. */
function open(role: 'server' | 'client'): {
  readonly connection: LiveConnection<undefined>;
  readonly port: PeerPort;
  readonly events: PortEvents;
} {
  const port = new PeerPort((task) => task());
  const opening = jest.spyOn(port, 'open');
  const facts = plainFacts({ role });
  const settings = connectionSettings({ heartbeat: false, scheduler: new VirtualTimeScheduler() }, role);
  const connection = connectionOver<undefined>(port, facts, settings);
  connection.start();
  return { connection, port, events: opening.mock.calls[0]![0] };
}

/** A byte that cannot be read. */
function broken(): Buffer {
  return new Proxy(Buffer.from('a'), {
    get(target, name) {
      if (name === '0') throw new Error('broken');
      return Reflect.get(target, name, target) as unknown;
    },
  });
}
