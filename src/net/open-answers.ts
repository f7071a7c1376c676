import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import type { Duplex, IncomingMessage, UpgradeArguments } from '../connection/incoming-message.js';
import { EARLY_LIMIT } from './socket-upgrade.js';

/** Under this symbol a socket of an HTTP server carries its latest response, until that has been sent. */
const answerSymbol: unique symbol = Symbol('answer');

interface AnsweringSocket {
  [answerSymbol]?: ServerResponse | undefined;
}

/** A message of Node's channels about HTTP servers. */
interface Exchange {
  readonly response: ServerResponse;
  readonly socket: object;
}

/** How many need to know of open responses. */
let followers = 0;

/**
 * Notes, from now on, the responses of all HTTP servers of this process, so that {@link afterAnswers} knows of them. Node tells of each
 * on `node:diagnostics_channel`, also of those for which there is no 'request' event. It costs each request one property of its socket.
 *
 * @returns how to stop.
 */
export function followAnswers(): () => void {
  if (followers++ === 0) {
    subscribe('http.server.request.start', onStart);
    subscribe('http.server.response.finish', onFinish);
  }
  let isFollowing = true;
  return () => {
    if (!isFollowing) return;
    isFollowing = false;
    if (--followers > 0) return;
    unsubscribe('http.server.request.start', onStart);
    unsubscribe('http.server.response.finish', onFinish);
  };
}

/** Notes that `response` is the latest on `socket`. */
export function noteAnswer(socket: object, response: ServerResponse): void {
  (socket as AnsweringSocket)[answerSymbol] = response;
}

function onStart(message: unknown): void {
  const { socket, response } = message as Exchange;
  noteAnswer(socket, response);
}

function onFinish(message: unknown): void {
  const { socket, response } = message as Exchange;
  // A later one waits for this: it is the one to wait for.
  if ((socket as AnsweringSocket)[answerSymbol] === response) (socket as AnsweringSocket)[answerSymbol] = undefined;
}

/**
 * Calls `then` once the responses to earlier requests on the connection have been sent: at once, unless the peer pipelines. They leave in
 * the order of the requests (RFC 9112 §9.3.2), so the latest is the last. Never calls it if the socket is gone by then. Touches nothing;
 * `socket` has an error listener while it waits.
 *
 * @param socket what the 'upgrade' event gave for `request`.
 */
export function afterAnswers(request: IncomingMessage, socket: Duplex, then: () => void): void {
  const answer = openAnswer(request);
  if (answer === undefined) then();
  else waitFor(answer, socket, then);
}

/** As {@link afterAnswers}, for a socket that is ours: reads meanwhile, a bounded amount, so that it is told when the peer ends. */
export function afterAnswersRead(
  [request, socket, head]: UpgradeArguments,
  then: (head: Buffer, isFirst: boolean) => void,
): void {
  const answer = openAnswer(request);
  if (answer === undefined) {
    then(head, true);
    return;
  }
  const stopReading = readEarly(socket, head);
  waitFor(answer, socket, () => then(stopReading(), false));
}

/** The latest response on the connection of `request`; undefined if it has been sent. */
function openAnswer({ socket }: IncomingMessage): ServerResponse | undefined {
  // Not always the one of the event: newer versions of Node put a stream around the socket of a request with a body.
  const answer = (socket as AnsweringSocket | undefined)?.[answerSymbol];
  return answer === undefined || answer.writableFinished || answer.destroyed ? undefined : answer;
}

function waitFor(answer: ServerResponse, socket: Duplex, then: () => void): void {
  socket.on('error', ignore);
  const go = (): void => {
    // Node closes the response that is being written with its socket, and forgets those behind it.
    answer.off('close', go);
    socket.off('close', go);
    if (socket.destroyed) return;
    then();
    socket.off('error', ignore);
  };
  answer.once('close', go);
  socket.once('close', go);
}

/** Returns how to stop, which gives all that came behind the request. */
function readEarly(socket: Duplex, head: Buffer): () => Buffer {
  const early = [head];
  let size = head.length;
  const onData = (chunk: Buffer): void => {
    early.push(chunk);
    size += chunk.length;
    if (size >= EARLY_LIMIT) socket.pause();
  };
  // As Node does at the FIN of a client, whatever is not answered by then.
  const onEnd = (): void => void socket.end();
  socket.on('data', onData).once('end', onEnd);
  return () => {
    socket.off('data', onData).off('end', onEnd);
    socket.pause();
    return Buffer.concat(early);
  };
}

/** An error listener: without any an error would end the process. 'close' follows. */
export function ignore(): void {}
