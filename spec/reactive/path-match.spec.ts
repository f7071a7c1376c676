import type { IncomingMessage } from 'node:http';
import { matchesPath } from '../../src/reactive/path-match.js';

const request = (url?: string): IncomingMessage => ({ url }) as IncomingMessage;

describe('a path', () => {
  it.each([
    ['/ws', '/ws'],
    ['/ws', '/ws?x=1'],
    ['/ws', '/ws?'],
    ['/', '/?/ws'],
    ['/%77s', '/%77s'],
    [/^\/room\/\d+$/, '/room/7?x'],
    [/room/g, '/room'],
    ['/ws', 'http://example.com:80/ws?x'],
    ['/ws', 'HTTPS://example.com/ws'],
    [undefined, '/anything'],
    [undefined, '*'],
  ])('%p takes %s', (path, url) => {
    expect(matchesPath(path, request(url))).toBe(true);
    expect(matchesPath(path, request(url))).toBe(true);
  });

  it.each([
    ['/ws', '/ws/'],
    ['/ws', '//ws'],
    ['/ws', '/WS'],
    ['/ws', '/%77s'],
    ['/ws', '/ws%00'],
    ['/ws', '/ws#a'],
    ['/ws', '/a/../ws'],
    ['/ws', 'http://a/other'],
    ['/ws', 'http://a/b/ws'],
    ['/ws', ''],
    ['/ws', '/?/ws'],
    [/^\/room\/\d+$/, '/room/x?/room/7'],
  ])('%p does not take %s', (path, url) => {
    expect(matchesPath(path, request(url))).toBe(false);
  });

  it('may be a predicate of the path without its query, and of the request', () => {
    const asked: unknown[] = [];
    const predicate = (path: string, of: IncomingMessage): boolean => asked.push([path, of.url]) > 0;
    expect(matchesPath(predicate, request('/a?b'))).toBe(true);
    expect(asked).toEqual([['/a', '/a?b']]);
  });

  it('takes a request without a URL for the empty path', () => {
    expect(matchesPath('/', request())).toBe(false);
  });
});
