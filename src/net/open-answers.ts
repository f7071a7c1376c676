import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import type { Duplex, IncomingMessage, UpgradeArguments } from '../connection/incoming-message.js';
import { EARLY_LIMIT } from './socket-upgrade.js';

/** The symbol under which a socket of an HTTP server keeps its latest response until it has been sent. */
const answerSymbol: unique symbol = Symbol('answer');

interface AnsweringSocket {
  [answerSymbol]?: ServerResponse | undefined;
}

/** A message on Node's diagnostics channels for HTTP servers. */
interface Exchange {
  readonly response: ServerResponse;
  readonly socket: object;
}

/** How many callers follow open responses. */
let followers = 0;

/**
 * Starts tracking the responses of all HTTP servers of this process for {@link afterAnswers}. Node reports each response
 * on `node:diagnostics_channel`, even if there was no 'request' event. The cost is one property on the socket for each request.
 *
 * @returns a function that stops it.
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

/** Records `response` as the latest on `socket`. */
export function noteAnswer(socket: object, response: ServerResponse): void {
  (socket as AnsweringSocket)[answerSymbol] = response;
}

function onStart(message: unknown): void {
  const { socket, response } = message as Exchange;
  noteAnswer(socket, response);
}

function onFinish(message: unknown): void {
  const { socket, response } = message as Exchange;
  // A later response waits for this one, and is the one to wait for.
  if ((socket as AnsweringSocket)[answerSymbol] === response) (socket as AnsweringSocket)[answerSymbol] = undefined;
}

/**
 * Calls `then` once the responses to earlier requests on the connection have been sent: immediately, unless the peer pipelines. They are
 * sent in the order of the requests (RFC 9112 §9.3.2), so the latest is the last. Never calls `then` if the socket is gone by then. Changes
 * nothing, except that `socket` has an error listener while it waits.
 *
 * @param socket the socket from the 'upgrade' event of `request`.
 */
export function afterAnswers(request: IncomingMessage, socket: Duplex, then: () => void): void {
  const answer = openAnswer(request);
  if (answer === undefined) then();
  else waitFor(answer, socket, then);
}

/** Like {@link afterAnswers}, for a socket that we own. Reads a bounded amount while it waits, so that it notices when the peer ends. */
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

/** Returns the latest response on the connection of `request`; undefined if it has been sent. */
function openAnswer({ socket }: IncomingMessage): ServerResponse | undefined {
  // Not always the socket of the event: newer versions of Node wrap the socket of a request with a body in a stream.
  const answer = (socket as AnsweringSocket | undefined)?.[answerSymbol];
  return answer === undefined || answer.writableFinished || answer.destroyed ? undefined : answer;
}

function waitFor(answer: ServerResponse, socket: Duplex, then: () => void): void {
  socket.on('error', ignore);
  const go = (): void => {
    // Node closes the response in progress with its socket, and drops those that follow it.
    answer.off('close', go);
    socket.off('close', go);
    if (socket.destroyed) return;
    then();
    socket.off('error', ignore);
  };
  answer.once('close', go);
  socket.once('close', go);
}

/** Reads ahead. Returns a function that stops, and returns all bytes that followed the request. */
function readEarly(socket: Duplex, head: Buffer): () => Buffer {
  const early = [head];
  let size = head.length;
  const onData = (chunk: Buffer): void => {
    early.push(chunk);
    size += chunk.length;
    if (size >= EARLY_LIMIT) socket.pause();
  };
  // Node also ends at the client's FIN, even if requests are unanswered.
  const onEnd = (): void => void socket.end();
  socket.on('data', onData).once('end', onEnd);
  return () => {
    socket.off('data', onData).off('end', onEnd);
    socket.pause();
    return Buffer.concat(early);
  };
}

/** An error listener that does nothing. Without a listener an error would end the process. 'close' follows. */
export function ignore(): void {}
