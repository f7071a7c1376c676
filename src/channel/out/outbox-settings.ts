import type { SchedulerLike } from 'rxjs';
import type { Overflow } from '../../connection/channel.js';
import type { BackpressureError, UsageError } from '../../protocol/errors.js';
import type { Compressor } from './deflating.js';
import type { WireSettings } from './wire.js';

/** How much may wait, and what else an outbox needs. Sizes in bytes. */
export interface OutboxSettings extends WireSettings {
  readonly maxBufferedAmount: number;
  readonly overflow: Overflow;
  readonly scheduler: SchedulerLike;
  /** Compresses what is sent, where permessage-deflate was agreed to. */
  readonly compressor: Compressor | undefined;
}

/** Whom an outbox tells what it cannot do. */
export interface OutboxOwner {
  /** The overflow policy says to give up. */
  overflowed(error: BackpressureError): void;
  /** A message that was accepted cannot be finished. */
  failed(error: UsageError): void;
}
