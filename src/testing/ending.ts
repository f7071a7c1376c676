import type { CloseInfo } from '../connection/connection.js';

/** The end of a lost connection. */
export const LOST: CloseInfo = { code: 1006, reason: '', wasClean: false, initiator: 'peer' };

/** Completes a partial record of an end by the peer. */
export function infoOf(how: number | string | Partial<CloseInfo>): CloseInfo {
  const given = typeof how === 'object' ? how : { code: typeof how === 'number' ? how : 1000 };
  const { code = 1000 } = given;
  return { code, reason: '', wasClean: code !== 1006, initiator: 'peer', ...given };
}
