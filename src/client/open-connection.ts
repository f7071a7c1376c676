import type { BinaryType, Connection, MessageOf } from '../connection/connection.js';
import { connect } from './connect.js';
import type { ConnectOptions, ConnectTarget } from './connect-options.js';

/**
 * `connect`, as a Promise of the open connection, for scripts and tests: it lives until it is closed. Rejects when there is no
 * connection; after that its end is in `close$` only. (`firstValueFrom(connect(...))` would close at once.)
 *
 * @throws TypeError, RangeError or SyntaxError at the call for a target or option that is not allowed.
 * @example const conn = await openConnection('ws://localhost:8080');
 */
export function openConnection<B extends BinaryType = 'nodebuffer'>(
  target: ConnectTarget<B>,
  protocols?: string | readonly string[] | ConnectOptions<B>,
  options?: ConnectOptions<B>,
): Promise<Connection<undefined, MessageOf<B>>> {
  const connection$ = connect(target, protocols, options);
  return new Promise((resolve, reject) => {
    connection$.subscribe({
      next: resolve,
      // Once it is open, both are without effect.
      error: reject,
      complete: () => reject(new DOMException('the dial was aborted', 'AbortError')),
    });
  });
}
