/**
 * Transfers one file over one connection: its bytes in binary messages, then the end marker, a text message with their count and their
 * SHA-256. The receiver answers with the same text once it has stored the file, so neither end mistakes a cut transfer for a complete one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { lastValueFrom } from 'rxjs';
import { type Connection, iterate } from 'sluice';

/** A transfer that this end gives up, with the close code for the other end. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The longest message, in bytes. A stream may give chunks of any length, and the peer accepts messages of 1 MiB by default. */
const PIECE = 65_536;

/** The count and the hash of the bytes so far. */
class Tally {
  length = 0;
  readonly #hash = createHash('sha256');

  add(chunk: Uint8Array): void {
    this.length += chunk.length;
    this.#hash.update(chunk);
  }

  /** Must be called only once, at the end. */
  marker(): string {
    return JSON.stringify({ length: this.length, sha256: this.#hash.digest('hex') });
  }
}

/**
 * Sends the bytes of `source`, and waits until the peer has stored them. Returns their length.
 *
 * @throws ConnectionClosedError if the peer is lost or refuses; Error if it closes without a receipt; the error of `source`.
 */
export async function sendFile(conn: Connection, source: Readable): Promise<number> {
  const tally = new Tally();
  let marker = '';
  async function* messages(): AsyncGenerator<Uint8Array | string> {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      tally.add(chunk);
      for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE);
    }
    marker = tally.marker();
    yield marker;
  }
  try {
    // Pulls only while the peer reads. If the connection ends before the source does, the loop below finds out how.
    await lastValueFrom(conn.sendFrom(messages()));
    for await (const receipt of iterate(conn)) {
      if (receipt === marker) return tally.length;
      throw new Refused(4000, 'the receipt does not match');
    }
    throw new Error('the peer left without a receipt');
  } finally {
    // A source that waits for its next chunk would keep the process alive.
    source.destroy();
  }
}

/**
 * Stores the data that the peer sends as `path`: all of it, or nothing. Returns its length.
 *
 * @throws ConnectionClosedError if the peer is lost; Error if it closes without the end marker; Refused for more than `maxLength` bytes,
 *   and for a marker that does not match.
 */
export async function receiveFile(conn: Connection, path: string, maxLength: number): Promise<number> {
  // In the same directory, because a rename is atomic only within a file system, and with a unique name, because two peers may send at once.
  const part = join(dirname(path), `.${randomUUID()}.part`);
  const file = await open(part, 'wx');
  try {
    const tally = new Tally();
    const marker = await store(conn, { file, tally, maxLength });
    if (marker !== tally.marker()) throw new Refused(4000, 'length or hash does not match the data');
    // The data must be on the disk, not in its cache, before the file gets its name and the sender gets the receipt.
    await file.sync();
    await rename(part, path);
    conn.send.next(marker);
    return tally.length;
  } finally {
    await file.close();
    await rm(part, { force: true });
  }
}

/** Writes messages until the end marker, and returns the marker. */
async function store(
  conn: Connection,
  { file, tally, maxLength }: { file: FileHandle; tally: Tally; maxLength: number },
): Promise<string> {
  // `iterate` throws if the connection is lost. `for await (... of conn)` would end as if everything had arrived.
  for await (const message of iterate(conn)) {
    if (typeof message === 'string') return message;
    tally.add(message);
    if (tally.length > maxLength) throw new Refused(1009, `more than ${maxLength} bytes`);
    // The connection is held meanwhile, so a slow disk slows the peer down.
    await file.appendFile(message);
  }
  throw new Error('closed without the end marker');
}
