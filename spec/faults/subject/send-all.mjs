/**
 * Sends as many bytes as the query of a path says, at once or bit by bit, without asking whether the peer reads. Each message is memory of
 * its own. Calls `done` when all is sent or the connection is not open any more.
 */
export function sendAll(query, { isOpen, send, done }) {
  const size = Number(query.get('size') ?? 65536);
  const every = Number(query.get('every') ?? 0);
  let left = Number(query.get('bytes'));
  const some = () => {
    const stop = every === 0 ? 0 : Math.max(0, left - 1_048_576);
    for (; left > stop && isOpen(); left -= size) send(Buffer.alloc(size, 'a'));
    if (left > 0 && isOpen()) setTimeout(some, every);
    else done();
  };
  some();
}
