import { DeadlineQueue } from '../base/deadline-queue.js';
import type { DeflateParameters } from '../protocol/deflate/deflate-negotiation.js';
import { MessageDeflater } from '../protocol/deflate/message-deflater.js';
import { MessageInflater } from '../protocol/deflate/message-inflater.js';
import type { Role } from '../protocol/frame/opcode.js';
import type { SessionOptions } from '../protocol/message/session.js';
import { Compressor } from './out/deflating.js';
import type { OutboxSettings } from './out/outbox.js';
import { nextMaskKey } from './random.js';
import type { ConnectionSettings } from './settings.js';

/** State shared by connections with the same options and the same negotiated parameters. Made once for all of them. */
export interface ConnectionTerms {
  readonly role: Role;
  readonly settings: ConnectionSettings;
  readonly session: SessionOptions;
  readonly outbox: OutboxSettings;
  /** For the heartbeats and the ends of all these connections. */
  readonly deadlines: DeadlineQueue;
}

/** Terms made so far, by settings and negotiated parameters. */
const known = new WeakMap<ConnectionSettings, Map<string, ConnectionTerms>>();

/**
 * Returns the terms of a connection.
 *
 * @param agreed the negotiated parameters of permessage-deflate; undefined if it was not negotiated.
 */
export function connectionTerms(
  role: Role,
  settings: ConnectionSettings,
  agreed: DeflateParameters | undefined,
): ConnectionTerms {
  // A connection with context takeover has its own coders.
  if (agreed !== undefined && !(agreed.serverNoContextTakeover && agreed.clientNoContextTakeover)) {
    return makeTerms(role, settings, agreed);
  }
  let like = known.get(settings);
  if (like === undefined) {
    like = new Map();
    known.set(settings, like);
  }
  const key = agreed === undefined ? role : `${role} ${agreed.serverMaxWindowBits} ${agreed.clientMaxWindowBits}`;
  const terms = like.get(key) ?? makeTerms(role, settings, agreed);
  like.set(key, terms);
  return terms;
}

function makeTerms(role: Role, settings: ConnectionSettings, agreed: DeflateParameters | undefined): ConnectionTerms {
  const { deflate, maxPayload, maxFragments, skipUTF8Validation } = settings;
  const { highWaterMark, maxBufferedAmount, overflow, scheduler } = settings;
  const isCompressed = agreed !== undefined && deflate !== undefined;
  const inflater = isCompressed ? new MessageInflater(agreed, role, maxPayload) : undefined;
  const compressor = isCompressed
    ? new Compressor(new MessageDeflater(agreed, role, deflate), deflate.compress)
    : undefined;
  const maskKey = role === 'client' ? nextMaskKey : undefined;
  return {
    role,
    settings,
    session: { role, inflater, maxPayload, maxFragments, skipUTF8Validation },
    outbox: withLane({ highWaterMark, maxBufferedAmount, overflow, scheduler, maskKey, compressor }),
    deadlines: DeadlineQueue.of(scheduler),
  };
}

/** Adds the limits of the fast path for broadcasts. */
export function withLane(settings: Omit<OutboxSettings, 'lane'>): OutboxSettings {
  const { maskKey, highWaterMark, maxBufferedAmount, compressor } = settings;
  // §5.3: masked frames differ between connections.
  const limit = maskKey === undefined ? Math.min(highWaterMark, maxBufferedAmount) : 0;
  return { ...settings, lane: { limit, plainBelow: compressor?.deflater.threshold ?? Number.POSITIVE_INFINITY } };
}
