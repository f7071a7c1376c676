import { isFollowed } from '../base/report.js';
import type { Message } from '../connection/connection.js';
import type { ConnectionFacts } from '../connection/facts.js';
import { LiveConnection } from '../connection/live-connection.js';
import type { DeflateParameters } from '../protocol/deflate/deflate-negotiation.js';
import type { Role } from '../protocol/frame/opcode.js';
import type { BytePort } from './byte-port.js';
import { FrameChannel } from './frame-channel.js';
import type { ConnectionSettings } from './settings.js';
import { connectionTerms } from './terms.js';
import { TracedPort } from './traced-port.js';

/** Facts that are known from the handshake of an RFC 6455 connection. */
export interface FrameFacts<Data> extends ConnectionFacts<Data> {
  readonly role: Role;
  /** The parameters of permessage-deflate; undefined if it was not negotiated. */
  readonly deflate?: DeflateParameters | undefined;
}

/** Makes a connection over `port`. Nothing is read before its `start()`. */
export function connectionOver<Data, In = Message>(
  port: BytePort,
  facts: FrameFacts<Data>,
  settings: ConnectionSettings,
): LiveConnection<Data, In> {
  const terms = connectionTerms(facts.role, settings, facts.deflate);
  if (!isFollowed('frame')) return new LiveConnection<Data, In>(new FrameChannel<In>(port, terms), facts);
  const traced = new TracedPort(port);
  const connection = new LiveConnection<Data, In>(new FrameChannel<In>(traced, terms), facts);
  traced.traceFor(connection, settings.server);
  return connection;
}
