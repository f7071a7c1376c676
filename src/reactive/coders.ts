import type { DeflateParameters } from '../protocol/deflate-negotiation.js';
import { MessageDeflater } from '../protocol/message-deflater.js';
import { MessageInflater } from '../protocol/message-inflater.js';
import type { Role } from '../protocol/role.js';
import { Compressor } from './compressor.js';
import type { ConnectionSettings } from './connection-settings.js';
import type { DeflateSettings } from './deflate-options.js';

/** What compresses and inflates the messages of one connection; nothing where permessage-deflate was not agreed to. */
export interface Coders {
  readonly inflater: MessageInflater | undefined;
  readonly compressor: Compressor | undefined;
}

/** Makes the coders for what both ends agreed to. */
export function codersFor(agreed: DeflateParameters | undefined, role: Role, settings: ConnectionSettings): Coders {
  const { deflate, maxPayload } = settings;
  if (agreed === undefined || deflate === undefined) return { inflater: undefined, compressor: undefined };
  return {
    inflater: new MessageInflater(agreed, role, maxPayload),
    compressor: compressorFor(agreed, role, deflate),
  };
}

/** The compressors of connections without context, by their options: they keep nothing, and are one for all. */
const shared = new WeakMap<DeflateSettings, Map<string, Compressor>>();

function compressorFor(agreed: DeflateParameters, role: Role, settings: DeflateSettings): Compressor {
  const deflater = new MessageDeflater(agreed, role, settings);
  const compressor = new Compressor(deflater, settings.compress);
  if (deflater.keepsContext) return compressor;
  let known = shared.get(settings);
  if (known === undefined) {
    known = new Map();
    shared.set(settings, known);
  }
  const like = known.get(deflater.group);
  if (like !== undefined) return like;
  known.set(deflater.group, compressor);
  return compressor;
}
