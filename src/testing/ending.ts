import type { CloseInfo } from '../connection/connection.js';

/** How a connection ends that is lost. */
export const LOST: CloseInfo = { code: 1006, reason: '', wasClean: false, initiator: 'peer' };

/** The record of an end by the peer, of which only a part was given. */
export function infoOf(how: number | string | Partial<CloseInfo>): CloseInfo {
  const given = typeof how === 'object' ? how : { code: typeof how === 'number' ? how : 1000 };
  const { code = 1000 } = given;
  return { code, reason: '', wasClean: code !== 1006, initiator: 'peer', ...given };
}
