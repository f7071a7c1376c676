/**
 * Uploads and downloads that detect a cut transfer: a file is stored completely, or not at all.
 *
 *     npx tsx examples/transfer/main.ts serve files
 *     npx tsx examples/transfer/main.ts put dump.sql                      # stored as dump.sql
 *     tar cz docs | npx tsx examples/transfer/main.ts put - docs.tgz      # from standard input
 *     npx tsx examples/transfer/main.ts get docs.tgz copy.tgz
 */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { lastValueFrom, merge, tap } from 'rxjs';
import { type Connection, handleConnections, isWebSocketError, openConnection, serve } from 'sluice';
import { Refused, receiveFile, sendFile } from './transfer.js';

const [, , command, first = '.', second = basename(first)] = process.argv;
const port = Number(process.env.PORT ?? 8080);
const url = process.env.URL ?? `ws://localhost:${port}`;
const maxLength = Number(process.env.MAX_LENGTH ?? 2 ** 30);

async function serveFiles(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  // Leftovers of a killed process. Names that begin with a dot cannot be requested.
  const left = (await readdir(directory)).filter((name) => /^\.[\w-]+\.part$/.test(name));
  for (const name of left) await rm(join(directory, name));

  // Other paths get 404, and no name that matches leaves the directory.
  const server = serve({ port, path: /^\/(put|get)\/\w[\w.-]*$/, perMessageDeflate: false });
  process.once('SIGTERM', () => server.close({ reason: 'restart' }));
  const ready$ = server.listening$.pipe(
    tap((address) => console.log(`file server listening on ws://localhost:${(address as AddressInfo).port}`)),
  );
  await lastValueFrom(merge(server.pipe(handleConnections((conn) => transfer(conn, directory))), ready$));
}

async function transfer(conn: Connection, directory: string): Promise<void> {
  const [, verb, name = ''] = new URL(conn.url, 'ws://localhost').pathname.split('/');
  const path = join(directory, name);
  try {
    const length = await (verb === 'put' ? receiveFile(conn, path, maxLength) : sendFile(conn, createReadStream(path)));
    console.log(`${verb} ${name}: done, ${length} bytes`);
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown };
    console.log(`${verb} ${name}: failed, nothing was kept: ${message}`);
    // A client that is lost, or breaks the rules, is not an error of this server. It may see these codes and reasons:
    if (error instanceof Refused) conn.close(error.code, message);
    else if (code === 'ENOENT') conn.close(4004, 'no such file');
    // For example a full disk: the handler fails, and its error is printed.
    else if (typeof code === 'string' && !isWebSocketError(error)) throw error;
  }
}

async function runClient(): Promise<void> {
  const [name, file] = command === 'put' ? [second, first] : [first, second];
  const conn = await openConnection(`${url}/${command}/${encodeURIComponent(name)}`);
  try {
    const length = await (command === 'put'
      ? sendFile(conn, file === '-' ? process.stdin : createReadStream(file))
      : receiveFile(conn, file, maxLength));
    console.log(`${command} ${name}: done, ${length} bytes`);
  } finally {
    // Without the end marker before it, a close does not mean that the file is complete.
    conn.close();
  }
}

const running = command === 'serve' ? serveFiles(first) : runClient();
running.catch((error: Error) => {
  console.error(`${command} ${first}: ${error.message}`);
  process.exitCode = 1;
});
