import fc from 'fast-check';
import { parseTarget, type Target } from '../../../src/protocol/handshake/target-url.js';
import { anyText } from '../../support/any-text.js';
import { runs } from '../../support/long.js';

describe('the URL of a server (RFC 6455 §3)', () => {
  it('is read into all that dialing needs', () => {
    expect(parseTarget('ws://server.example.com:8080/chat?room=1')).toEqual({
      secure: false,
      host: 'server.example.com',
      port: 8080,
      path: '/chat?room=1',
      href: 'ws://server.example.com:8080/chat?room=1',
      authority: 'server.example.com:8080',
    });
  });

  it.each<[string, Partial<Target>]>([
    ['ws://a', { secure: false, port: 80, path: '/', authority: 'a', href: 'ws://a/' }],
    ['wss://a', { secure: true, port: 443, path: '/', authority: 'a', href: 'wss://a/' }],
    ['http://a:8080', { secure: false, port: 8080, href: 'ws://a:8080/' }],
    ['https://a/b', { secure: true, port: 443, path: '/b', href: 'wss://a/b' }],
    ['ws://a:80', { port: 80, authority: 'a' }],
    ['wss://a:443', { port: 443, authority: 'a' }],
    ['ws://a:443', { secure: false, port: 443, authority: 'a:443' }],
    ['https://a:80', { secure: true, port: 80, authority: 'a:80', href: 'wss://a:80/' }],
    ['WS://EXAMPLE.com', { host: 'example.com', href: 'ws://example.com/' }],
    ['ws://[::1]:8080/', { host: '::1', port: 8080, authority: '[::1]:8080' }],
    ['wss://[2001:DB8::1]', { host: '2001:db8::1', authority: '[2001:db8::1]' }],
    ['ws://127.1', { host: '127.0.0.1', authority: '127.0.0.1' }],
    ['ws://b\u00fccher.example', { host: 'xn--bcher-kva.example' }],
    ['ws://a?b=c', { path: '/?b=c' }],
    ['ws://a/b c/\u00fc?d=\u00fc e', { path: '/b%20c/%C3%BC?d=%C3%BC%20e' }],
    ['ws://a/%23', { path: '/%23' }],
    ['ws://a//b/../c', { path: '//c' }],
    ['  ws://a/b  ', { path: '/b' }],
  ])('reads %s', (url, target) => {
    expect(parseTarget(url)).toMatchObject(target);
  });

  it('may be a URL object, which stays as it is', () => {
    const url = new URL('http://a/b');
    expect(parseTarget(url)).toMatchObject({ host: 'a', path: '/b' });
    expect(url.href).toBe('http://a/b');
  });

  it('has no socket path and no authorization unless it says so', () => {
    const target = parseTarget('ws://a');
    expect(target).not.toHaveProperty('socketPath');
    expect(target).not.toHaveProperty('authorization');
  });

  it.each([
    ['ws://user:pass@a', 'user:pass'],
    ['ws://user@a', 'user:'],
    ['ws://:pass@a', ':pass'],
    ['ws://us%20er:p%3Aa%40ss@a', 'us er:p:a@ss'],
    ['ws://J%C3%BCrgen:%E2%82%AC@a', 'J\u00fcrgen:\u20ac'],
  ])('authorizes %s as %s (RFC 7617)', (url, pair) => {
    expect(parseTarget(url)).toMatchObject({
      host: 'a',
      authority: 'a',
      authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`,
    });
  });
});

describe('the URL of a Unix domain socket', () => {
  it.each<[string, Partial<Target>]>([
    ['ws+unix:/run/app.sock', { secure: false, socketPath: '/run/app.sock', path: '/' }],
    ['ws+unix:/run/app.sock:/', { socketPath: '/run/app.sock', path: '/' }],
    ['ws+unix:/run/app.sock:/chat?room=1', { socketPath: '/run/app.sock', path: '/chat?room=1' }],
    ['ws+unix:/run/app.sock?room=1', { socketPath: '/run/app.sock', path: '/?room=1' }],
    ['ws+unix:///run/app.sock:/chat', { socketPath: '/run/app.sock', path: '/chat' }],
    ['wss+unix:/run/app.sock:/a:/b', { secure: true, socketPath: '/run/app.sock', path: '/a:/b' }],
    ['ws+unix:/run/a:b.sock:/c', { socketPath: '/run/a:b.sock', path: '/c' }],
    ['ws+unix:/run/a b/\u00fc.sock:/c', { socketPath: '/run/a b/\u00fc.sock', path: '/c' }],
  ])('reads %s', (url, target) => {
    expect(parseTarget(url)).toMatchObject({ host: 'localhost', authority: 'localhost', ...target });
  });

  it.each([
    ['ws+unix:', 'the socket path must be absolute'],
    ['ws+unix:app.sock:/a', 'got "app.sock:/a"'],
    ['ws+unix://run/app.sock', 'got "//run/app.sock"'],
    ['ws+unix:/run/%zz', 'the socket path of the URL must be percent-encoded UTF-8'],
    ['ws+unix:/run/a%00', 'the socket path of the URL must be percent-encoded UTF-8'],
  ])('refuses %s and says: %s', (url, message) => {
    expect(() => parseTarget(url)).toThrow(SyntaxError);
    expect(() => parseTarget(url)).toThrow(message);
  });
});

describe('a URL that is refused', () => {
  it.each<[unknown, string]>([
    ['', 'the URL must be absolute'],
    ['a', 'got "a"'],
    ['//a/b', 'got "//a/b"'],
    ['ws://', 'got "ws://"'],
    ['ws://a:65536', 'got "ws://a:65536"'],
    ['ws://[::1', 'got "ws://[::1"'],
    ['ws://a b', 'got "ws://a b"'],
    ['ws://a:0', 'the port of the URL must be from 1 to 65535, got 0'],
    ['ftp://a', 'the scheme of the URL must be one of ws: wss: http: https: ws+unix: wss+unix:, got "ftp:"'],
    ['javascript:alert(1)', 'got "javascript:"'],
    ['localhost:8080', 'got "localhost:"'],
    ['ws://a/#b', 'the URL must not have a fragment (RFC 6455 §3), got "#b"'],
    ['ws://a/#', 'must not have a fragment (RFC 6455 §3), got "#"'],
    ['ws+unix:/run/app.sock:/a#b', 'must not have a fragment (RFC 6455 §3), got "#b"'],
    ['ws://a/b\r\nX: y', 'the URL must not contain control characters'],
    ['ws://a\t/', 'the URL must not contain control characters'],
    ['ws://a/\u0000', 'the URL must not contain control characters'],
    ['ws://a/\u007f', 'the URL must not contain control characters'],
    ['ws://%zz@a', 'the user of the URL must be percent-encoded UTF-8'],
    ['ws://a:%ff@a', 'the password of the URL must be percent-encoded UTF-8'],
    ['ws://a:%0d%0a@a', 'the password of the URL must be percent-encoded UTF-8'],
    ['ws://a%3ab:c@a', 'the user of the URL must not contain a colon'],
    [undefined, 'the URL must be a string or a URL, got undefined'],
    [null, 'got undefined'],
    [8080, 'got undefined'],
    [{ href: 8080 }, 'got number'],
  ])('%p, and says: %s', (url, message) => {
    const parse = () => parseTarget(url as string);
    expect(parse).toThrow(SyntaxError);
    expect(parse).toThrow(message);
  });

  it('is quoted without its password, and cut', () => {
    expect(() => parseTarget('ws://user:secret@a:99999/b')).toThrow(/, got "\.\.\.@a:99999\/b"$/);
    expect(() => parseTarget(`/${'a'.repeat(16_000)}`)).toThrow(/^.{1,160}$/);
  });

  it('is refused with nothing but a SyntaxError', () => {
    const text = fc.oneof(
      fc.webUrl({ validSchemes: ['ws', 'wss', 'ftp'], withFragments: true, withQueryParameters: true }),
      anyText().map((rest) => `ws://${rest}`),
      anyText().map((rest) => `ws+unix:/${rest}`),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (url) => {
        try {
          const { path, authority, port } = parseTarget(url);
          expect(path).toMatch(/^\/[\x21-\x7e]*$/);
          expect(authority).toMatch(/^[\x21-\x7e]+$/);
          expect(port).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      runs(1_000),
    );
  });

  it('is never one that was written from a target', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['ws', 'wss'], withQueryParameters: true }), (url) => {
        const target = parseTarget(url);
        expect(parseTarget(target.href)).toEqual(target);
      }),
    );
  });
});
