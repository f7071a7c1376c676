/** An outbox over a port whose peer reads when it is told to. */
import { asyncScheduler } from 'rxjs';
import { Outbox, type OutboxSettings } from '../../src/channel/out/outbox.js';
import { nextMaskKey } from '../../src/channel/random.js';
import { withLane } from '../../src/channel/terms.js';
import type { BackpressureError, UsageError } from '../../src/protocol/errors.js';
import { KernelPort } from './kernel-port.js';

/** The code and reason that {@link outboxOf} closes with when a message fails, as a connection does. */
export const FAILURE = Buffer.from('03f3', 'hex');

/** An outbox, its port and what it told its owner. */
export interface OutboxUnderTest {
  readonly outbox: Outbox;
  readonly port: KernelPort;
  readonly failures: UsageError[];
  readonly overflows: BackpressureError[];
}

/** Settings of an outbox, and of its port. */
export interface OutboxOptions extends Partial<OutboxSettings> {
  readonly role?: 'server' | 'client';
  /** What the kernel takes before the peer reads, in bytes. Everything when left out. */
  readonly room?: number;
  readonly synchronous?: boolean;
}

/** Closes with {@link FAILURE} when a message fails, and stops when too much waits. */
export function outboxOf({ role = 'server', room, synchronous, ...settings }: OutboxOptions = {}): OutboxUnderTest {
  const port = new KernelPort(room, synchronous);
  const failures: UsageError[] = [];
  const overflows: BackpressureError[] = [];
  const outbox = new Outbox(
    port,
    withLane({
      highWaterMark: 65_536,
      maxBufferedAmount: 16_777_216,
      overflow: 'terminate',
      maskKey: role === 'client' ? nextMaskKey : undefined,
      scheduler: asyncScheduler,
      compressor: undefined,
      ...settings,
    }),
    {
      failed: (error) => {
        failures.push(error);
        outbox.close(FAILURE, () => {});
      },
      overflowed: (error) => {
        overflows.push(error);
        outbox.stop();
      },
    },
  );
  port.open({ bytes: () => {}, ended: () => {}, broken: () => {}, closed: () => {}, drained: () => outbox.drained() });
  return { outbox, port, failures, overflows };
}

/** The text messages that left; others by the name of their type. */
export function sentTexts(port: KernelPort): string[] {
  const names: Record<number, string> = { 0: 'continuation', 8: 'close', 9: 'ping', 10: 'pong' };
  return port.frames.map(({ opcode, payload }) => names[opcode] ?? payload.toString());
}
