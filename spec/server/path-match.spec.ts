import type { IncomingMessage } from 'node:http';
import { matchesPath } from '../../src/server/path-match.js';
import type { PathOption } from '../../src/server/server-options.js';

/** Whether `path` takes a request for `url`. */
function takes(path: PathOption | undefined, url: string): unknown {
  return matchesPath(path, url, () => ({ url }) as IncomingMessage);
}

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
    expect(takes(path, url)).toBe(true);
    expect(takes(path, url)).toBe(true);
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
    expect(takes(path, url)).toBe(false);
  });

  it('may be a predicate of the path without its query, and of the request', () => {
    const asked: unknown[] = [];
    const predicate = (path: string, of: IncomingMessage): boolean => asked.push([path, of.url]) > 0;
    expect(takes(predicate, '/a?b')).toBe(true);
    expect(asked).toEqual([['/a', '/a?b']]);
  });

  it('asks for the request only to show it to a predicate', () => {
    const request = jest.fn();
    for (const path of ['/a', /a/, undefined]) expect(matchesPath(path, '/a', request)).toBe(true);
    expect(request).not.toHaveBeenCalled();
  });
});
