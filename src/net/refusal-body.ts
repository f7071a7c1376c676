import type { IncomingMessage } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import { HandshakeError } from '../protocol/errors.js';
import { toHeaderRecord } from '../protocol/handshake/header-fields.js';

/** How much of the body of a refusal is kept, in bytes. */
const BODY_LIMIT = 65_536;

/** How long to wait for the body, in milliseconds. What has arrived by then is used. */
const BODY_TIMEOUT = 1_000;

/** Reads the response to a handshake that was refused, and calls `done` once with an error that describes it. */
export function readRefusal(
  response: IncomingMessage,
  scheduler: SchedulerLike,
  done: (error: HandshakeError) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (): void => {
    timer.unsubscribe();
    response.removeAllListeners('data');
    const status = response.statusCode as number;
    done(
      new HandshakeError(
        'UNEXPECTED_STATUS',
        `expected 101 Switching Protocols, got ${status} ${response.statusMessage}`,
        {
          status,
          headers: toHeaderRecord(response.rawHeaders),
          body: Buffer.concat(chunks).subarray(0, BODY_LIMIT),
        },
      ),
    );
  };
  const timer = scheduler.schedule(finish, BODY_TIMEOUT);
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= BODY_LIMIT) finish();
  });
  response.on('error', finish);
  response.once('close', finish);
  response.once('end', finish);
}
