/** What goes to many connections by reference leaves as if it had been sent to each of them. */
import fc from 'fast-check';
import { NEVER } from 'rxjs';
import { flushAll, scheduleFlush } from '../../../src/channel/flush-queue.js';
import type { LiveConnection } from '../../../src/connection/live-connection.js';
import { fragments, message, type Outgoing } from '../../../src/connection/outgoing.js';
import { type SharedMessage, shareMessage } from '../../../src/connection/shared-message.js';
import type { DeflateParameters } from '../../../src/protocol/deflate/deflate-negotiation.js';
import { jsonText } from '../../support/compressible.js';
import { close, frame } from '../../support/frames.js';
import { type MemoryConnection, memoryConnection } from '../../support/memory-connection.js';

type Step =
  | { readonly kind: 'shared' | 'own'; readonly data: Outgoing }
  | { readonly kind: 'block' | 'drain' | 'listen' | 'ping' | 'flush' | 'turn' | 'tick' | 'fin' | 'close' }
  | { readonly kind: 'peer closes' | 'peer faults' };

const payloads: readonly Outgoing[] = [
  '',
  'a',
  'short',
  'é'.repeat(100),
  jsonText(600),
  jsonText(3000),
  Buffer.alloc(200, 1),
  Buffer.alloc(5000, 2),
  message('as binary', { binary: true }),
  message(jsonText(900), { compress: false }),
  message('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', { compress: true }),
];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('shared' as const), data: fc.constantFrom(...payloads) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('own' as const), data: fc.constantFrom(...payloads) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'own', data: fragments(['one', 'two', 'three']) }) },
  // More than fits one write where the mark is low: the last parts come behind it, on their own.
  {
    weight: 1,
    arbitrary: fc.constant<Step>({ kind: 'own', data: fragments(['x', 'y', 'z'].map((c) => c.repeat(30))) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'own', data: fragments(NEVER) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('block', 'drain', 'ping', 'flush', 'turn', 'tick'),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('listen', 'fin', 'close', 'peer closes', 'peer faults'),
    }) as fc.Arbitrary<Step>,
  },
);

const agreed: readonly (DeflateParameters | undefined)[] = [
  undefined,
  {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  },
  {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 12,
    clientMaxWindowBits: 15,
  },
];

/** Does the steps, and tells all that could be seen of them. */
function seenOf(member: MemoryConnection, steps: readonly Step[], trySend: (data: Outgoing) => unknown): unknown[] {
  const { connection, port } = member;
  const seen: unknown[] = [];
  const act = (each: Step): unknown => {
    switch (each.kind) {
      case 'shared':
        return trySend(each.data);
      case 'own':
        return connection.trySend(each.data);
      case 'block':
        return port.block();
      case 'drain':
        return port.drain();
      case 'listen':
        return connection.send.subscribe((value) => seen.push(['handed', value])).closed;
      case 'ping':
        return connection.ping('ping').subscribe({ error: () => {} }).closed;
      case 'flush':
        return (
          connection.flush().subscribe({ complete: () => seen.push(trySend('shared'), connection.trySend('own')) }) && 0
        );
      case 'turn':
        return member.turn();
      case 'tick':
        return flushAll();
      case 'fin':
        return port.finish();
      case 'close':
        return connection.close();
      case 'peer closes':
        return member.peer(close(1000));
      case 'peer faults':
        return member.peer(frame(3));
      default:
        return each satisfies never;
    }
  };
  connection.messages$.subscribe({ complete: () => seen.push(trySend('at the end')) });
  for (const each of steps) {
    seen.push(act(each), connection.bufferedAmount, connection.send.isReady, connection.stats.messagesSent);
  }
  flushAll();
  port.drain();
  member.turn();
  return [...seen, connection.stats, Buffer.concat(port.writes).toString('hex')];
}

/** A message whose frames are there already, because another connection has sent it. */
function sharedBefore(data: Outgoing): SharedMessage<Outgoing> {
  const shared = shareMessage(data);
  memoryConnection().connection.trySendShared(shared);
  return shared;
}

describe('a message that is shared', () => {
  it('is refused once the peer has broken the protocol: nothing follows the Close frame', () => {
    const { connection, port, peer } = memoryConnection();
    expect(connection.trySendShared(sharedBefore('before'))).toBe('sent');
    peer(frame(3));
    expect(connection.trySendShared(sharedBefore('behind'))).toBe('closed');
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([1, 8]);
  });

  it('keeps its place behind what was sent while room was made for something else', () => {
    const { connection, port } = memoryConnection({ maxBufferedAmount: 100, overflow: 'drop-newest' });
    port.schedule = scheduleFlush;
    connection.send.next('first');
    connection.flush().subscribe({ complete: () => connection.send.next('told') });
    // The first is written to make room: its sender is told, and what that sends waits for the end of the tick.
    expect(connection.trySend('too long'.repeat(20))).toBe('dropped');
    connection.trySendShared(sharedBefore('shared'));
    connection.send.next('own');
    flushAll();
    expect(port.frames.map(({ payload }) => payload.toString())).toEqual(['first', 'told', 'shared', 'own']);
  });

  it('leaves as if it were sent to each connection alone, whatever happens to that', () => {
    const settings = fc.record({
      deflate: fc.constantFrom(...agreed),
      highWaterMark: fc.constantFrom(40, 4000, 65_536),
      maxBufferedAmount: fc.constantFrom(300, 8000, 16_777_216),
      overflow: fc.constantFrom('close' as const, 'drop-newest' as const, 'drop-oldest' as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), settings, (steps, { deflate, ...options }) => {
        const made = (): MemoryConnection => {
          const member = memoryConnection({
            ...options,
            perMessageDeflate: { threshold: 500 },
            ...(deflate && { deflate }),
          });
          // As sockets do: what is sent in one tick leaves together.
          member.port.schedule = scheduleFlush;
          return member;
        };
        const [alone, sharing, other] = [made(), made(), memoryConnection()];
        const share = (connection: LiveConnection<undefined>) => (data: Outgoing) => {
          const shared: SharedMessage<Outgoing> = shareMessage(data);
          // Somebody else may have made the frames before.
          if (steps.length % 2 === 0) other.connection.trySendShared(shared);
          return connection.trySendShared(shared);
        };
        const found = seenOf(sharing, steps, share(sharing.connection));
        expect(found).toEqual(seenOf(alone, steps, (data) => alone.connection.trySend(data)));
      }),
      { numRuns: 1500 },
    );
  });
});
