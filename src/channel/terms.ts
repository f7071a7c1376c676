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

/** What connections of the same options share when they came to the same agreement: it is made once for all of them. */
export interface ConnectionTerms {
  readonly role: Role;
  readonly settings: ConnectionSettings;
  readonly session: SessionOptions;
  readonly outbox: OutboxSettings;
  /** For the heartbeats and the ends of all of them. */
  readonly deadlines: DeadlineQueue;
}

/** The terms that are known, by what was agreed to. */
const known = new WeakMap<ConnectionSettings, Map<string, ConnectionTerms>>();

/**
 * The terms of a connection.
 *
 * @param agreed the parameters of permessage-deflate; nothing where it was not agreed to.
 */
export function connectionTerms(
  role: Role,
  settings: ConnectionSettings,
  agreed: DeflateParameters | undefined,
): ConnectionTerms {
  // Who keeps context has coders of its own.
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

/** Adds what may take the short way for messages to many. */
export function withLane(settings: Omit<OutboxSettings, 'lane'>): OutboxSettings {
  const { maskKey, highWaterMark, maxBufferedAmount, compressor } = settings;
  // §5.3: a masked frame is not the same for two connections.
  const limit = maskKey === undefined ? Math.min(highWaterMark, maxBufferedAmount) : 0;
  return { ...settings, lane: { limit, plainBelow: compressor?.deflater.threshold ?? Number.POSITIVE_INFINITY } };
}
