/**
 * What an application reads when it calls sluice wrongly: the sentences, as a table to be read as prose. Mistakes that are noticed later,
 * in hooks and handlers, are in spec/server/mistakes.spec.ts.
 */
import { of } from 'rxjs';
import {
  ask,
  connect,
  demandMap,
  fragments,
  handleConnections,
  json,
  keepAlive,
  limitRate,
  message,
  persistent,
  reconnect,
  redirectMistakes,
  reject,
  serve,
  toDuplex,
  withCodec,
  wrap,
} from 'sluice';
import { connectionPair } from 'sluice/testing';

/** Whatever a program without types may pass. */
const any = (value: unknown): never => value as never;
const conn = connectionPair().client;

/** A sentence that ends with `...` goes on with the list of all options. */
const calls: readonly (readonly [code: string, call: () => unknown, sentence: string])[] = [
  // Servers
  ['serve()', () => serve(any(undefined)), 'serve(): options must be an object or a port, got undefined'],
  ["serve('8080')", () => serve(any('8080')), 'serve(): options must be an object or a port, got "8080"'],
  ['serve({})', () => serve({}), 'specify exactly one of port, socketPath, server, noServer: got none'],
  [
    'serve({ port: 80, noServer: true })',
    () => serve({ port: 80, noServer: true }),
    'specify exactly one of port, socketPath, server, noServer: got port and noServer',
  ],
  ['serve(70000)', () => serve(70_000), 'port must be an integer from 0 to 65535, got 70000'],
  [
    "serve({ port: '8080' })",
    () => serve({ port: any('8080') }),
    'port must be an integer from 0 to 65535, got "8080"',
  ],
  [
    'serve({ maxPaylod: 1 })',
    () => serve(any({ port: 0, maxPaylod: 1 })),
    'unknown option "maxPaylod": did you mean "maxPayload"? expected one of ...',
  ],
  [
    'serve({ authentification: check })',
    () => serve(any({ port: 0, authentification: any })),
    'unknown option "authentification": did you mean "authenticate"? expected one of ...',
  ],
  [
    "serve({ path: 'chat' })",
    () => serve({ port: 0, path: 'chat' }),
    'path must be the path of a URL, such as \'/chat\', got "chat"',
  ],
  [
    'serve({ verifyClient: (info, callback) => ... })',
    () => serve({ port: 0, verifyClient: any((_info: unknown, _callback: unknown) => true) }),
    'verifyClient must be a function of one parameter, got one that takes a callback: return true, false or reject(...), or a Promise of it',
  ],
  [
    'serve({ verifyClient: true })',
    () => serve({ port: 0, verifyClient: any(true) }),
    'verifyClient must be a function, got true',
  ],
  [
    "serve({ origins: ['example.com'] })",
    () => serve({ port: 0, origins: ['example.com'] }),
    'origins must contain origins such as \'https://example.com:8443\', without wildcards, got "example.com"',
  ],
  [
    "serve({ noServer: true, host: 'a' })",
    () => serve({ noServer: true, host: 'a' }),
    'host cannot be combined with server or noServer: it is for servers that listen on a port themselves',
  ],
  [
    'serve({ limitBy: {} })',
    () => serve({ port: 0, limitBy: any({}) }),
    'limitBy.max must be an integer from 1 to 2147483647, got undefined',
  ],
  [
    'serve({ limitBy: { max: 1, dataKey } })',
    () => serve({ port: 0, limitBy: { max: 1, dataKey: () => 'a' } }),
    'limitBy.dataKey requires authenticate: it is called with what authenticate returned',
  ],
  [
    'serve({ perMessageDeflate: { zlibDeflateOptions } })',
    () => serve({ port: 0, perMessageDeflate: any({ zlibDeflateOptions: {} }) }),
    'unknown option "perMessageDeflate.zlibDeflateOptions": set perMessageDeflate.level and memLevel instead; expected one of ...',
  ],
  [
    'serve({ heartbeat: true })',
    () => serve({ port: 0, heartbeat: any(true) }),
    'heartbeat must be false or { interval, timeout, stalledTimeout }, got true',
  ],
  [
    "serve({ overflow: 'drop' })",
    () => serve({ port: 0, overflow: any('drop') }),
    'overflow must be one of "terminate", "drop-newest", "drop-oldest", got "drop"',
  ],
  [
    'serve({ signal: new AbortController() })',
    () => serve({ port: 0, signal: any(new AbortController()) }),
    'signal must be an AbortSignal, got an AbortController',
  ],
  ['reject(200)', () => reject(200), 'status must be an integer from 300 to 599, got 200'],
  [
    'handleConnections(f, { concurrency: 0 })',
    () => handleConnections(() => of(1), { concurrency: 0 }),
    'concurrency must be a number of at least 1, got 0',
  ],
  // Clients
  [
    "connect('localhost:8080')",
    () => connect('localhost:8080'),
    'the scheme of the URL must be one of ws: wss: http: https: ws+unix: wss+unix:, got "localhost:"',
  ],
  ["connect('ws://a/#b')", () => connect('ws://a/#b'), 'the URL must not have a fragment (RFC 6455 §3), got "#b"'],
  [
    'connect()',
    () => connect(any(undefined)),
    'target must be a URL, { url, ... } or a function that returns one of them, got undefined',
  ],
  [
    "connect(url, ['a', 'a'])",
    () => connect('ws://a', ['a', 'a']),
    'protocols: each subprotocol may appear once, got "a" twice',
  ],
  [
    "connect(url, 'a b')",
    () => connect('ws://a', 'a b'),
    'protocols: subprotocols must be tokens (RFC 9110 §5.6.2), got "a b"',
  ],
  [
    "connect(url, [], { headers: { Upgrade: 'x' } })",
    () => connect('ws://a', [], { headers: { Upgrade: 'x' } }),
    'header "Upgrade" cannot be set: it is always "websocket"',
  ],
  [
    'connect(url, [], { agent: {} })',
    () => connect('ws://a', [], { agent: any({}) }),
    'agent must be an Agent of node:http or node:https, got an object',
  ],
  [
    'connect(url, [], { protocolVersion: 12 })',
    () => connect('ws://a', [], { protocolVersion: any(12) }),
    'protocolVersion must be one of 8, 13, got 12',
  ],
  [
    'persistent(url, { reconect: {} })',
    () => persistent('ws://a', any({ reconect: {} })),
    'unknown option "reconect": did you mean "reconnect"? expected one of ...',
  ],
  [
    'reconnect({ maxAttempts: -1 })',
    () => reconnect({ maxAttempts: -1 }),
    'maxAttempts must be a number of at least 0, got -1',
  ],
  [
    "wrap({}, { role: 'server' })",
    () => wrap(any({}), { role: 'server' }),
    'duplex must be a Duplex stream, got an object',
  ],
  ['wrap(duplex, {})', () => wrap(any({}), any({})), 'role must be one of "server", "client", got undefined'],
  // Sending and closing
  [
    'trySend(undefined)',
    () => conn.trySend(any(undefined)),
    'cannot send undefined: send a string, ArrayBuffer, ArrayBufferView, Blob, message(...) or fragments(...)',
  ],
  [
    'trySend({ a: 1 })',
    () => conn.trySend(any({ a: 1 })),
    'cannot send an object: send a string or bytes, or use withCodec(json())',
  ],
  [
    'trySend(of(1))',
    () => conn.trySend(any(of(1))),
    'cannot send an Observable: flatten it, for example with mergeMap, or send it as one message with fragments(...)',
  ],
  [
    "trySend(Promise.resolve('a'))",
    () => conn.trySend(any(Promise.resolve('a'))),
    'cannot send a Promise: await it, or flatten it, for example with concatMap',
  ],
  [
    "message('a', { binary: 'yes' })",
    () => message('a', any({ binary: 'yes' })),
    'binary must be true or false, got "yes"',
  ],
  [
    "fragments('abc')",
    () => fragments(any('abc')),
    'chunks must be an Observable, iterable, async iterable or Promise of parts, got "abc"',
  ],
  ['close(999)', () => conn.close(999), 'close code must be 1000 to 1003, 1007 to 1014 or 3000 to 4999, got 999'],
  ['close(1005)', () => conn.close(1005), 'close code must be 1000 to 1003, 1007 to 1014 or 3000 to 4999, got 1005'],
  [
    "close(1000, 'x'.repeat(200))",
    () => conn.close(1000, 'x'.repeat(200)),
    'close reason must be at most 123 bytes, got 200',
  ],
  ["ping('x'.repeat(126))", () => conn.ping('x'.repeat(126)), 'data must be at most 125 bytes, got 126'],
  // Operators
  [
    'demandMap(f, { concurency: 4 })',
    () => demandMap(() => of(1), any({ concurency: 4 })),
    'unknown option "concurency": did you mean "concurrency"? expected one of concurrency, on',
  ],
  [
    'limitRate({ max: 1 })',
    () => limitRate(any({ max: 1 })),
    'unknown option "max": expected one of messages, perMs, on, scheduler',
  ],
  [
    'handleConnections(f, { onEror: log })',
    () => handleConnections(() => of(1), any({ onEror: any })),
    'unknown option "onEror": did you mean "onError"? expected one of concurrency, maxWaiting, closeTimeout, onError, scheduler',
  ],
  [
    "keepAlive(conn, { message: 'p', intervall: 1 })",
    () => keepAlive(conn, any({ message: 'p', intervall: 1 })),
    'unknown option "intervall": did you mean "interval"? expected one of message, interval, timeout, stalledTimeout, isAnswer, scheduler',
  ],
  ['demandMap(f, 0)', () => demandMap(() => of(1), 0), 'concurrency must be a number of at least 1, got 0'],
  ['limitRate({})', () => limitRate(any({})), 'messages must be a number of at least 1, got undefined'],
  [
    'keepAlive(conn, {})',
    () => keepAlive(conn, any({})),
    'message must be something that the connection can send, got undefined',
  ],
  ['ask(conn, value, {})', () => ask(conn, 'a', any({})), 'specify match or key, a function: got neither'],
  [
    'toDuplex(conn, { objectmode: true })',
    () => toDuplex(conn, any({ objectmode: true })),
    'unknown option "objectmode": did you mean "objectMode"? expected one of objectMode, highWaterMark, maxMessageSize, encoding',
  ],
  ['withCodec(json)', () => withCodec(any(json)), 'decode of a codec must be a function, got undefined'],
  ["redirectMistakes('x')", () => redirectMistakes(any('x')), 'to must be a function, got "x"'],
];

describe('a wrong call', () => {
  it.each(calls)('%s throws', (_code, call, sentence) => {
    expect(sentenceOf(call)).toBe(sentence);
  });
});

function sentenceOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message.replace(/(expected one of )(?:\w+, ){6,}\w+$/, '$1...');
  }
  return 'nothing was thrown';
}
