import { createServer, type Server as HttpServer, type IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import type { ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';
import { fieldValues } from '../protocol/handshake/header-fields.js';
import { reject } from '../protocol/handshake/rejection.js';
import { encodeRefusal } from '../protocol/handshake/write-response.js';
import { HandshakeDeadlines } from './handshake-deadlines.js';
import { endAndLinger } from './linger.js';
import type { ListenAddress, ListenEvents, Listener } from './listener.js';
import { afterAnswers, noteAnswer } from './open-answers.js';
import { SocketAdmission } from './socket-admission.js';
import { SocketUpgrade } from './socket-upgrade.js';
import { isSocketFile, removeStaleSocket } from './stale-socket.js';
import { markTaken } from './take-upgrade.js';

/** Options of {@link listenOwn}. */
export interface OwnServerOptions {
  readonly listen: ListenOptions;
  /** TLS options; with them the server serves `wss:`. */
  readonly tls: TlsServerOptions | undefined;
  /** The time from the TCP connection until the request has arrived, in milliseconds. */
  readonly handshakeTimeout: number;
  readonly scheduler: SchedulerLike;
}

/** How many bytes Node reads from a socket at a time. */
const READ_SIZE = 65_536;

/** The answer to a request that is not an upgrade. RFC 9110 §15.5.22. */
const upgradeRequired = reject(426, undefined, { Upgrade: 'websocket' }, 'This is a WebSocket server.');

/** Listens with an HTTP server of its own, which answers all other requests with 426. */
export function listenOwn(options: OwnServerOptions, events: ListenEvents): Listener {
  const deadlines = new HandshakeDeadlines(options.handshakeTimeout, options.scheduler, options.tls !== undefined);
  const server = options.tls === undefined ? createServer(httpOptions) : createSecure(options);
  // With a limit Node would drop excess fields silently. The size of the head bounds them already.
  server.maxHeadersCount = 0;
  server.on('connection', (socket: Socket) => deadlines.begin(socket));
  server.on('secureConnection', (socket: Socket) => deadlines.secured(socket));
  guard(server, options, events);
  server.on('request', refuseRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    deadlines.end(socket);
    refuseMalformed(error, socket, options.scheduler);
  });
  const receive = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const startedAt = deadlines.end(socket);
    const upgrade = new SocketUpgrade(request, socket, head, options.scheduler, startedAt);
    // The peer has received 408 or 426, and no hook needs to decide.
    if (!socket.writable) return;
    markTaken(socket);
    // `websocket/13` asks for a WebSocket too, and gets an answer that says what is wrong with it.
    if (fieldValues(request.rawHeaders, 'Upgrade').some((value) => /websocket/i.test(value))) events.upgrade(upgrade);
    else endAndLinger(socket, encodeRefusal(upgradeRequired), options.scheduler);
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The deadline applies until the responses to earlier requests have been sent.
    afterAnswers(request, socket, () => receive(request, socket, head));
  });
  server.once('listening', () => events.listening(addressOf(server)));
  server.on('drop', () =>
    events.fault(new Error('a connection was dropped: the server has reached its connection limit')),
  );
  const stop = begin(server, options.listen, events);
  return {
    address: () => addressOf(server),
    close() {
      stop();
      server.removeAllListeners('listening').removeAllListeners('error');
      server.on('error', () => {});
      server.close();
      deadlines.clear();
    },
  };
}

/**
 * Listens. If a dead process has left a Unix socket at the path, removes it and listens again.
 *
 * @returns a function that stops it.
 */
function begin(server: HttpServer, listen: ListenOptions, events: ListenEvents): () => void {
  const { path } = listen;
  let mayBeStale = path !== undefined && isSocketFile(path);
  let isStopped = false;
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (server.listening) events.fault(error);
    else if (path !== undefined && mayBeStale && error.code === 'EADDRINUSE') {
      mayBeStale = false;
      removeStaleSocket(path, (isFree) => {
        if (isStopped) return;
        if (isFree) server.listen(listen);
        else events.failed(error);
      });
    } else events.failed(error);
  });
  server.listen(listen);
  return () => {
    isStopped = true;
  };
}

/** Checks the limits, if any, before anything else is done for a socket. */
function guard(
  server: HttpServer,
  { tls, scheduler }: OwnServerOptions,
  { admit, fault, refused }: ListenEvents,
): void {
  if (admit === undefined) return;
  new SocketAdmission(server, {
    admit,
    secure: tls !== undefined,
    scheduler,
    refused: (address, { status, body }) => {
      refused(status);
      fault(new Error(`a connection of ${address ?? 'an unknown address'} was refused: ${status} ${body}`));
    },
  });
}

/** A response that a later upgrade on the same connection waits for. */
class NotedResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  // Node passes more arguments than the types say.
  constructor(...given: [Request]) {
    super(...given);
    noteAnswer(given[0].socket, this);
  }
}

/** Our own deadline covers the whole handshake. Node checks its deadlines only every 30 s. */
const httpOptions = {
  ServerResponse: NotedResponse,
  highWaterMark: READ_SIZE,
  requestTimeout: 0,
  headersTimeout: 0,
  noDelay: true,
  // Regardless of the flags of the process: an ambiguous request could hide a second one.
  insecureHTTPParser: false,
} as const;

const malformed = encodeRefusal(reject(400));
const tooLong = encodeRefusal(reject(431));

/** Answers input that the HTTP parser rejects, and destroys the socket after other errors. Node's own answer is followed by a reset. */
function refuseMalformed({ code = '' }: NodeJS.ErrnoException, socket: Duplex, scheduler: SchedulerLike): void {
  if (!code.startsWith('HPE_')) socket.destroy();
  // A peer that has received an answer lingers, and the parser reports errors in the discarded bytes.
  else if (socket.writable) endAndLinger(socket, code === 'HPE_HEADER_OVERFLOW' ? tooLong : malformed, scheduler);
}

function createSecure({ tls, handshakeTimeout }: OwnServerOptions): HttpServer {
  return createTlsServer({ handshakeTimeout, ...tls, ...httpOptions });
}

function addressOf(server: HttpServer): ListenAddress {
  return server.address();
}

function refuseRequest(_request: IncomingMessage, response: ServerResponse): void {
  const { status, reason, headers, body } = upgradeRequired;
  response.writeHead(status, reason, {
    Upgrade: headers.Upgrade as string,
    Connection: 'close, Upgrade',
    'Content-Type': 'text/plain; charset=utf-8',
  });
  response.end(body);
}
