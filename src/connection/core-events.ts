import type { InternalError, UsageError } from '../protocol/errors.js';
import type { CloseInfo } from './connection.js';

/** What a core tells the connection around it. */
export interface CoreEvents {
  ping(payload: Buffer): void;
  pong(payload: Buffer): void;
  /** The connection has ended: nothing can be sent any more. First of the three. */
  ended(info: CloseInfo): void;
  /** What could be delivered was delivered. Second. */
  settled(info: CloseInfo): void;
  /** Nothing is held back any more, or was for longer than `closeTimeout`. Last. */
  finished(info: CloseInfo): void;
  /** A value could not be sent. */
  unsendable(error: UsageError): void;
  /** What came could not be taken in, by no fault of the peer. */
  broke(error: InternalError): void;
}
