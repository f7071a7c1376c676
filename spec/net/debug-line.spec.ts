import { connectionPair } from 'sluice/testing';
import { debugLine } from '../../src/net/debug-line.js';

describe('a line for debugging', () => {
  it('has one number for each connection', () => {
    const [first, second] = [{}, {}];
    const line = (connection: object): string => debugLine('connection-error', { connection, error: new Error('e') });
    const [a, b, again] = [line(first), line(second), line(first)];
    expect(a).toMatch(/^#\d+ error: e$/);
    expect(b).not.toBe(a);
    expect(again).toBe(a);
  });

  it.each([
    [new Error('found ws://me:pw@host/x?token=secret and https://a/b'), 'found ws://host/x?... and https://a/b'],
    [new Error('two\nlines'), 'two\\u000alines'],
    [undefined, 'undefined'],
    [Object.create(null), 'an object without text'],
  ])('has what was thrown in one line, and nothing of a URL that is for its server alone: %p', (error, text) => {
    expect(debugLine('server-error', { error })).toBe(`server error: ${text}`);
    expect(debugLine('dial-error', { url: undefined, error })).toBe(`dialing a target failed: ${text}`);
  });

  it('says that a connection comes to an end as it should, and is made again', () => {
    expect(debugLine('reconnect', { attempt: 2, delay: 10.4 })).toBe('attempt 2 in 10 ms, after a normal end');
  });

  it('says how a connection has ended', () => {
    const { client: connection } = connectionPair();
    const ended = (info: object): string =>
      debugLine('close', { connection, info: info as never }).replace(/^#\d+ |\d+ ms/g, '');
    expect([
      ended({ code: 1000, reason: '', wasClean: true, initiator: 'local' }),
      ended({ code: 4000, reason: 'a"b', wasClean: true, initiator: 'peer' }),
      ended({ code: 1006, reason: '', wasClean: false, initiator: 'peer', error: new Error('reset') }),
    ]).toEqual([
      'closed with 1000 by us, after ',
      'closed with 4000 "a\\"b" by the peer, after ',
      'closed with 1006 by the peer, not clean, after : reset',
    ]);
  });

  it('says what a client has connected to, and what came from nowhere', () => {
    const { client: connection } = connectionPair({ url: '/x?token=1' });
    expect(debugLine('open', { connection })).toMatch(/^#\d+ connected to \/x\?\.\.\., permessage-deflate$/);
    const request = { url: undefined, headers: {}, socket: {} } as never;
    expect(debugLine('refuse', { request, status: 404, body: 'no\n' })).toBe(
      'refused  from an unknown address with 404: no',
    );
  });

  it('says what it knows of a frame that nothing is known of', () => {
    const { client: connection } = connectionPair();
    const frame = { connection, direction: 'in', opcode: 8, fin: true, compressed: false, length: 1 } as const;
    const line = debugLine('frame', { ...frame, server: undefined, masked: false, payload: Buffer.from([1]) });
    expect(line).toMatch(/^#\d+ <- close, 1 bytes$/);
  });
});
