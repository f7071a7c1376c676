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

/** How an own server listens. */
export interface OwnServerOptions {
  readonly listen: ListenOptions;
  /** Makes it `wss:`. */
  readonly tls: TlsServerOptions | undefined;
  /** From the connect of the socket until the request is there, in milliseconds. */
  readonly handshakeTimeout: number;
  readonly scheduler: SchedulerLike;
}

/** Bytes that Node reads from a socket at a time. */
const READ_SIZE = 65_536;

/** What a plain request gets. RFC 9110 §15.5.22. */
const upgradeRequired = reject(426, undefined, { Upgrade: 'websocket' }, 'This is a WebSocket server.');

/** Listens with an HTTP server of our own, that answers everything else with 426. */
export function listenOwn(options: OwnServerOptions, events: ListenEvents): Listener {
  const deadlines = new HandshakeDeadlines(options.handshakeTimeout, options.scheduler, options.tls !== undefined);
  const server = options.tls === undefined ? createServer(httpOptions) : createSecure(options);
  // Node drops fields above a count without a word; the size of the head bounds them as well.
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
    // It has had its 408 or 426, and no hook need decide.
    if (!socket.writable) return;
    markTaken(socket);
    // `websocket/13` means a WebSocket too, and is told what is wrong with it.
    if (fieldValues(request.rawHeaders, 'Upgrade').some((value) => /websocket/i.test(value))) events.upgrade(upgrade);
    else endAndLinger(socket, encodeRefusal(upgradeRequired), options.scheduler);
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The deadline stands until the peer has read the answers to what it asked before.
    afterAnswers(request, socket, () => receive(request, socket, head));
  });
  server.once('listening', () => events.listening(addressOf(server)));
  server.on('drop', () =>
    events.fault(new Error('a connection was dropped: the server is at its limit of connections')),
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
 * Listens. On the path of a Unix socket that a dead process has left it listens once more when the file is out of the way.
 *
 * @returns how to stop that.
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

/** Asks before anything else is done for a socket, where there are limits. */
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

/** A response that an upgrade behind it waits for. */
class NotedResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  // Node gives more than the types say.
  constructor(...given: [Request]) {
    super(...given);
    noteAnswer(given[0].socket, this);
  }
}

/** Our own deadline covers the whole handshake: Node's are checked only every 30 s. */
const httpOptions = {
  ServerResponse: NotedResponse,
  highWaterMark: READ_SIZE,
  requestTimeout: 0,
  headersTimeout: 0,
  noDelay: true,
  // Whatever flag the process runs with: what is ambiguous could hide a second request.
  insecureHTTPParser: false,
} as const;

const malformed = encodeRefusal(reject(400));
const tooLong = encodeRefusal(reject(431));

/** What the parser of HTTP cannot take, and what became of the socket or of TLS before. Node's own answer is followed by a reset. */
function refuseMalformed({ code = '' }: NodeJS.ErrnoException, socket: Duplex, scheduler: SchedulerLike): void {
  if (!code.startsWith('HPE_')) socket.destroy();
  // Who has had an answer lingers, and the parser complains of what is thrown away.
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
