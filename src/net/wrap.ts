import { checkNames, checkOneOf } from '../base/check.js';
import { describe } from '../base/describe.js';
import { connectionOver } from '../channel/open.js';
import { CONNECTION_OPTIONS, type ConnectionOptions, connectionSettings } from '../channel/settings.js';
import type { BinaryType, Connection, MessageOf } from '../connection/connection.js';
import type { Duplex } from '../connection/incoming-message.js';
import { UsageError } from '../protocol/errors.js';
import { SocketPort } from './socket-port.js';
import { isTaken, markTaken } from './take-upgrade.js';

/** Options of {@link wrap}. */
export interface WrapOptions<Data = undefined, B extends BinaryType = 'nodebuffer'> extends ConnectionOptions<B> {
  /** The role of this end: a client masks its frames, a server does not. RFC 6455 §5.1. */
  readonly role: 'server' | 'client';
  /** Bytes that were read after the handshake. @default none */
  readonly head?: Buffer;
  /** The agreed subprotocol, which becomes `conn.protocol`. @default '' */
  readonly protocol?: string;
  /** The URL, which becomes `conn.url`. @default '' */
  readonly url?: string;
  /** The value of `conn.data`. @default undefined */
  readonly data?: Data;
}

/**
 * Runs the protocol over any Duplex whose handshake is done elsewhere. The connection owns the stream from then on, and ends and
 * destroys it.
 *
 * @throws TypeError or RangeError if an option is invalid; `UsageError` ALREADY_UPGRADED if another connection uses the stream.
 * @example const conn = wrap(socket, { role: 'server', head });
 */
export function wrap<Data = undefined, B extends BinaryType = 'nodebuffer'>(
  duplex: Duplex,
  options: WrapOptions<Data, B>,
): Connection<Data, MessageOf<B>> {
  checkNames(options, [...CONNECTION_OPTIONS, 'role', 'head', 'protocol', 'url', 'data']);
  checkOneOf('role', options.role, ['server', 'client']);
  if (typeof duplex?.pipe !== 'function' || typeof duplex.write !== 'function') {
    throw new TypeError(`duplex must be a Duplex stream, got ${describe(duplex)}`);
  }
  const { role, head = Buffer.alloc(0), protocol = '', url = '', data } = options;
  if (!Buffer.isBuffer(head)) throw new TypeError(`head must be a Buffer, got ${describe(head)}`);
  const settings = connectionSettings(options, role);
  if (isTaken(duplex)) {
    throw new UsageError('ALREADY_UPGRADED', 'duplex must not be in use by another connection of sluice');
  }
  markTaken(duplex);
  const facts = {
    role,
    data: data as Data,
    url,
    protocol,
    extensions: [],
    protocolVersion: 13,
    remoteAddress: 'remoteAddress' in duplex ? (duplex.remoteAddress as string | undefined) : undefined,
  };
  const port = new SocketPort(duplex, head);
  const connection = connectionOver<Data, MessageOf<B>>(port, facts, settings);
  connection.start();
  return connection;
}
