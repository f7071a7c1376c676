import type { Observable } from 'rxjs';
import { close, text } from './frames.js';
import type { Marbles } from './marbles.js';
import { type MemoryConnection, memoryConnection } from './memory-connection.js';

/** A connection in virtual time. */
export interface MarbleConnection extends MemoryConnection {
  /** What it sends, as it is handed over. Expect it before what makes it send. */
  readonly sent$: Observable<unknown>;
}

/**
 * A connection whose peer does what `received` draws: each letter is a text message, `|` closes with 1000, `#` is a loss.
 *
 * @param options of the connection.
 */
export function marbleConnection(
  { hot, scheduler }: Marbles,
  received: string,
  options: Parameters<typeof memoryConnection>[0] = {},
): MarbleConnection {
  const memory = memoryConnection({ scheduler, ...options });
  hot(received).subscribe({
    next: (message) => memory.peer(text(message)),
    error: () => memory.port.reset(),
    complete: () => {
      memory.peer(close(1000));
      memory.port.finish();
    },
  });
  return { ...memory, sent$: memory.connection.send.asObservable() };
}
