import type { DeflateParameters } from '../protocol/deflate-negotiation.js';
import { MessageDeflater } from '../protocol/message-deflater.js';
import { MessageInflater } from '../protocol/message-inflater.js';
import type { Role } from '../protocol/session.js';
import { Compressor } from './compressor.js';
import type { ConnectionSettings } from './connection-settings.js';

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
    compressor: new Compressor(new MessageDeflater(agreed, role, deflate), deflate.compress),
  };
}
