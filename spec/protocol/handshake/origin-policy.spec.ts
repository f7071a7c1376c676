import fc from 'fast-check';
import {
  checkOriginPolicy,
  judgesOrigin,
  type OriginFacts,
  type OriginPolicy,
  originRefusal,
} from '../../../src/protocol/handshake/origin-policy.js';
import { isRejection } from '../../../src/protocol/handshake/rejection.js';
import { anyText } from '../../support/any-text.js';
import { runs } from '../../support/long.js';

const facts: OriginFacts = {
  origin: 'https://example.com',
  host: 'example.com',
  hasCredentials: false,
  localAddress: '192.0.2.1',
  secure: false,
  secFetchSite: undefined,
};

const isAllowed = (policy: OriginPolicy, found: Partial<OriginFacts> = {}): boolean =>
  originRefusal(policy, { ...facts, ...found }) === undefined;

const closed: readonly OriginPolicy[] = ['auto', 'same-origin', ['https://example.com'], /^https:/, () => true];

describe('an Origin (RFC 6454 §7)', () => {
  it.each([
    '',
    '://',
    'http://[',
    'http://',
    'example.com',
    'http:example.com',
    'http://example.com/',
    'http://example.com/path',
    'http://user@example.com',
    'http://example.com:',
    'http://example.com:65536',
    'http://example.com:123456',
    'http://example.com:8o',
    'http://a b',
    'http://a, http://b',
    'https://example.com https://example.com',
    'https://example.com\u0000',
    'https://ex\u00e4mple.com',
    'https://example.com\u00a0',
    'https://\u212aelvin.example',
    'NULL',
    `https://${'a'.repeat(8_192)}`,
    `https://example.com${' '.repeat(8_192)}`,
  ])('that is malformed is refused by every policy but *: %j', (origin) => {
    for (const policy of closed) {
      const refusal = originRefusal(policy, { ...facts, origin });
      expect(refusal?.status).toBe(403);
      expect(refusal?.body).toContain('is not a serialized origin');
      expect(refusal?.body.length).toBeLessThan(700);
    }
    expect(isAllowed('*', { origin })).toBe(true);
  });

  it.each(['auto', '*', 'same-origin', [], ['https://a'], /^$/] satisfies OriginPolicy[])(
    'that is absent is no browser, and allowed by %p',
    (policy) => {
      const found = { origin: undefined, hasCredentials: true, localAddress: '127.0.0.1' };
      expect(isAllowed(policy, found)).toBe(true);
    },
  );
});

describe('the same origin', () => {
  it.each([
    ['https://example.com', 'example.com'],
    ['http://example.com', 'example.com'],
    ['https://EXAMPLE.com', 'Example.COM'],
    ['https://example.com', 'example.com:443'],
    ['http://example.com', 'example.com:80'],
    ['https://example.com:443', 'example.com'],
    ['https://example.com', 'example.com:'],
    ['http://example.com:8080', 'example.com:8080'],
    ['https://example.com:8080', 'example.com:8080'],
    ['wss://example.com', 'example.com:443'],
    ['http://[::1]:8080', '[::1]:8080'],
    ['http://[2001:db8::a]', '[2001:DB8::A]'],
    ['http://my_service', 'my_service'],
    ['app://example.com', 'example.com'],
    ['app://example.com:1', 'example.com:1'],
  ])('is %s at Host %s', (origin, host) => {
    expect(isAllowed('same-origin', { origin, host })).toBe(true);
    expect(isAllowed('auto', { origin, host, hasCredentials: true, localAddress: '127.0.0.1' })).toBe(true);
  });

  it.each([
    ['https://evil.test', 'example.com'],
    ['https://sub.example.com', 'example.com'],
    ['https://example.com', 'sub.example.com'],
    ['https://example.com.evil.test', 'example.com'],
    ['https://example.com', 'example.com:80'],
    ['http://example.com:8080', 'example.com'],
    ['http://example.com', 'example.com:8080'],
    ['http://example.com:443', 'example.com'],
    ['app://example.com', 'example.com:80'],
    ['chrome-extension://abcdefghijklmnop', 'example.com'],
    ['https://example.com', 'example.com@evil'],
    ['https://example.com', ''],
    ['null', 'null'],
    ['null', 'example.com'],
  ])('is not %s at Host %s', (origin, host) => {
    const refusal = originRefusal('same-origin', { ...facts, origin, host });
    expect(refusal).toMatchObject({ status: 403, reason: 'Forbidden' });
    expect(isAllowed('auto', { origin, host, hasCredentials: true })).toBe(false);
  });

  it.each([
    ['https://example.com', 'example.com', true],
    ['HTTPS://example.com:443', 'example.com', true],
    ['https://example.com', 'example.com:443', true],
    ['https://example.com:8443', 'example.com:8443', true],
    ['wss://example.com', 'example.com', true],
    ['http://example.com', 'example.com', false],
    ['http://example.com:443', 'example.com:443', false],
    ['http://example.com:8443', 'example.com:8443', false],
    ['ws://example.com', 'example.com', false],
    ['foo://example.com', 'example.com', false],
    ['foo://example.com:8443', 'example.com:8443', false],
    ['httpss://example.com', 'example.com', false],
    ['https://evil.test', 'example.com', false],
    ['https://example.com', 'example.com:8443', false],
    ['null', 'example.com', false],
  ])('has the scheme https over TLS: %s at Host %s is %p', (origin, host, isSame) => {
    const found = { origin, host, secure: true, hasCredentials: true };
    expect(isAllowed('same-origin', found)).toBe(isSame);
    expect(isAllowed('auto', found)).toBe(isSame);
    expect(isAllowed('auto', { ...found, localAddress: '127.0.0.1' })).toBe(isSame);
  });

  it.each(['http://example.com', 'https://example.com', 'foo://example.com'])(
    'has any scheme without TLS, which a proxy may have ended: %s',
    (origin) => {
      expect(isAllowed('same-origin', { origin })).toBe(true);
      expect(isAllowed('auto', { origin, hasCredentials: true })).toBe(true);
    },
  );

  it('over TLS is named so in the refusal', () => {
    expect(originRefusal('same-origin', { ...facts, origin: 'http://example.com', secure: true })?.body).toBe(
      `Origin "http://example.com" is not allowed for Host "example.com" over TLS: origins is 'same-origin' (option origins)\n`,
    );
  });

  it.each([
    [['http://example.com'], 'http://example.com'],
    [/^foo:/, 'foo://example.com'],
  ])('is not what a list or a RegExp asks for, over TLS either: %p', (policy, origin) => {
    expect(isAllowed(policy, { origin, secure: true, hasCredentials: true })).toBe(true);
  });

  it('is not taken from Sec-Fetch-Site by the policy same-origin', () => {
    expect(isAllowed('same-origin', { host: 'backend', secFetchSite: 'same-origin' })).toBe(false);
  });
});

describe("the policy 'auto' (RFC 6455 §10.2)", () => {
  const elsewhere = { origin: 'https://evil.test' };

  it('allows pages from elsewhere that carry no credentials', () => {
    expect(isAllowed('auto', elsewhere)).toBe(true);
    expect(isAllowed('auto', { origin: 'null' })).toBe(true);
  });

  it('refuses pages from elsewhere that carry credentials, and says how to allow them', () => {
    expect(originRefusal('auto', { ...facts, ...elsewhere, hasCredentials: true })?.body).toBe(
      `Origin "https://evil.test" is not allowed for Host "example.com": origins is 'auto', which refuses a cross-origin handshake ` +
        'with credentials; list it in origins to accept it (option origins)\n',
    );
    expect(isAllowed('auto', { origin: 'null', hasCredentials: true })).toBe(false);
  });

  it.each(['auto', 'same-origin'] as const)('says so when only the port is missing from Host: %s', (policy) => {
    const found = { ...facts, origin: 'http://EXAMPLE.com:8080', hasCredentials: true };
    const hint = 'a proxy seems to have dropped the port from Host, which nginx passes on with $http_host';
    expect(originRefusal(policy, found)?.body).toContain(hint);
    for (const origin of ['https://evil.test:8080', 'foo://evil.test', 'null']) {
      expect(originRefusal(policy, { ...found, origin })?.body).not.toContain(hint);
    }
    expect(originRefusal(policy, { ...found, host: 'example.com:80' })?.body).not.toContain(hint);
    expect(originRefusal(['http://a.test'], found)?.body).not.toContain(hint);
  });

  it('takes the word of the browser that the page is of the same origin', () => {
    const found = { ...elsewhere, hasCredentials: true, localAddress: '127.0.0.1' };
    expect(isAllowed('auto', { ...found, secFetchSite: 'same-origin' })).toBe(true);
    expect(isAllowed('auto', { ...found, secFetchSite: 'same-site' })).toBe(false);
    expect(isAllowed('auto', { ...found, secFetchSite: 'cross-site' })).toBe(false);
    expect(isAllowed('auto', { ...found, secFetchSite: 'none' })).toBe(false);
  });

  it.each([
    ['https://proxied.test', true, true],
    ['https://proxied.test', false, true],
    ['http://proxied.test', false, true],
    ['http://proxied.test', true, false],
    ['foo://example.com', true, false],
    ['null', true, false],
    ['null', false, false],
  ])('takes no word of a browser that its Origin contradicts: %s, TLS %p', (origin, secure, isSame) => {
    const found = { origin, secure, hasCredentials: true, secFetchSite: 'same-origin' };
    expect(isAllowed('auto', found)).toBe(isSame);
    expect(isAllowed('auto', { ...found, localAddress: '::1' })).toBe(isSame);
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'])(
    'refuses pages from elsewhere on a listener at %s',
    (localAddress) => {
      const refusal = originRefusal('auto', { ...facts, ...elsewhere, localAddress });
      expect(refusal?.status).toBe(403);
      expect(refusal?.body).toContain('from elsewhere on a loopback address');
      expect(isAllowed('auto', { origin: 'null', localAddress })).toBe(false);
    },
  );

  it.each(['192.0.2.1', '::ffff:192.0.2.1', '::2', '10.127.0.0', '::ffff:7e00:1', '2001:db8::127.0.0.1', undefined])(
    'allows pages from elsewhere on a listener at %s',
    (localAddress) => {
      expect(isAllowed('auto', { ...elsewhere, localAddress })).toBe(true);
    },
  );

  it.each([
    'http://localhost:3000',
    'http://LOCALHOST',
    'http://localhost.:3000',
    'http://app.localhost',
    'http://127.0.0.1:3000',
    'http://127.9.9.9',
    'http://[::1]:3000',
    'http://[::ffff:7f00:1]',
    'http://[::ffff:127.0.0.1]',
  ])('allows the page %s on a loopback listener, without credentials', (origin) => {
    const found = { origin, host: 'localhost:8080', localAddress: '127.0.0.1' };
    expect(isAllowed('auto', found)).toBe(true);
    expect(isAllowed('auto', { ...found, hasCredentials: true })).toBe(false);
  });

  it.each([
    'http://localhost.evil.test',
    'http://notlocalhost',
    'http://127.0.0.1.evil.test',
    'http://127.evil.test',
    'http://128.0.0.1',
    'http://[::2]',
    'http://[::1:1]',
  ])('refuses the page %s on a loopback listener', (origin) => {
    expect(isAllowed('auto', { origin, host: 'localhost:8080', localAddress: '127.0.0.1' })).toBe(false);
  });
});

describe('a list of origins', () => {
  const list = ['https://example.com', 'http://localhost:3000', 'https://b.test:443'];

  it.each([
    'https://example.com',
    'https://EXAMPLE.COM',
    'https://example.com:443',
    'http://localhost:3000',
    'https://b.test',
  ])('contains %s', (origin) => {
    expect(isAllowed(list, { origin, hasCredentials: true })).toBe(true);
  });

  it.each(['http://example.com', 'https://example.com:8443', 'https://sub.example.com', 'http://localhost', 'null'])(
    'does not contain %s',
    (origin) => {
      const refusal = originRefusal(list, { ...facts, origin });
      expect(refusal?.status).toBe(403);
      expect(refusal?.body).toContain('the list in origins does not contain it');
    },
  );

  it('may contain null', () => {
    expect(isAllowed(['null'], { origin: 'null' })).toBe(true);
    expect(isAllowed(['null'])).toBe(false);
  });

  it('that is empty contains nothing', () => {
    expect(isAllowed([])).toBe(false);
  });
});

describe('a RegExp for origins', () => {
  it.each([/^https:\/\/(?:.+\.)?example\.com$/, /^https:\/\/example\.com$/g, /https:\/\/example\.com$/y])(
    'decides the same every time: %p',
    (policy) => {
      policy.lastIndex = 7;
      for (let i = 0; i < 4; i++) {
        expect(isAllowed(policy)).toBe(true);
        expect(isAllowed(policy, { origin: 'https://evil.test' })).toBe(false);
      }
      expect(policy.lastIndex).toBe(7);
    },
  );

  it('says that it does not match', () => {
    expect(originRefusal(/^a/, facts)?.body).toContain('the RegExp in origins does not match it');
  });
});

describe('a predicate for origins', () => {
  it('is asked with the origin and the facts', () => {
    const policy = jest.fn(() => true);
    expect(isAllowed(policy)).toBe(true);
    expect(policy).toHaveBeenCalledWith('https://example.com', facts);
  });

  it('decides without an Origin too', () => {
    const refusal = originRefusal((origin) => origin !== undefined, { ...facts, origin: undefined });
    expect(refusal?.status).toBe(403);
    expect(refusal?.body).toContain(
      'a handshake without Origin is not allowed for Host "example.com": the function in origins',
    );
    expect(isAllowed(() => true, { origin: undefined })).toBe(true);
  });

  it('is not asked about a malformed Origin', () => {
    const policy = jest.fn(() => true);
    expect(isAllowed(policy, { origin: 'http://[' })).toBe(false);
    expect(policy).not.toHaveBeenCalled();
  });

  it('may throw: that is for the caller', () => {
    const error = new Error('no database');
    const policy = (): boolean => {
      throw error;
    };
    expect(() => originRefusal(policy, facts)).toThrow(error);
  });

  it.each([undefined, null, 1, 'yes', Promise.resolve(false)])('never opens by returning %p', (answer) => {
    const ask = () => originRefusal((() => answer) as unknown as OriginPolicy, facts);
    expect(ask).toThrow(TypeError);
    expect(ask).toThrow(/^origins returned .*: refused with 500; return true or false$/);
  });
});

describe('the option origins', () => {
  it.each<[OriginPolicy]>([
    ['auto'],
    ['*'],
    ['same-origin'],
    [[]],
    [['https://example.com', 'http://localhost:3000', 'http://[::1]:8080', 'null', 'chrome-extension://abc']],
    [/^https:/],
    [() => true],
  ])('may be %p', (policy) => {
    expect(() => checkOriginPolicy(policy)).not.toThrow();
  });

  it.each<[unknown, string | RegExp]>([
    ['none', `origins must be 'auto', '*', 'same-origin'`],
    ['https://example.com', 'origins must be'],
    [undefined, /^origins must be .*, got undefined$/],
    [null, /^origins must be .*, got null$/],
    [true, /^origins must be .*, got boolean$/],
    [{}, /^origins must be .*, got object$/],
    [['example.com'], 'origins must contain origins such as'],
    [['https://example.com/'], 'got "https://example.com/"'],
    [['*'], 'got "*"'],
    [['https://a', 'https://a/b'], 'got "https://a/b"'],
    [['https://*.example.com'], 'origins must contain origins such as'],
    [[/a/], 'got object'],
    [[undefined], 'got undefined'],
  ])('must not be %p', (policy, message) => {
    const check = () => checkOriginPolicy(policy as OriginPolicy);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(message);
  });
});

describe('a handshake whose Origin is not judged', () => {
  it.each([
    ['auto', undefined, false],
    ['same-origin', undefined, false],
    [[], undefined, false],
    [/x/, undefined, false],
    ['*', 'https://a.example', false],
    ['*', undefined, false],
    ['auto', 'null', true],
    [[], 'https://a.example', true],
    [() => true, undefined, true],
  ] as const)('is one that every policy would take: %p of %p', (policy, origin, isJudged) => {
    expect(judgesOrigin(policy, origin)).toBe(isJudged);
    if (!isJudged) expect(isAllowed(policy, { origin })).toBe(true);
  });
});

describe('any Origin and Host', () => {
  it('gets a decision and never a throw', () => {
    const text = fc.oneof(
      anyText(),
      fc.webUrl(),
      fc.webAuthority({ withPort: true, withIPv6: true }).map((authority) => `http://${authority}`),
    );
    fc.assert(
      fc.property(text, text, fc.boolean(), fc.constantFrom(...closed), (origin, host, flag, policy) => {
        const refusal = originRefusal(policy, { ...facts, origin, host, hasCredentials: flag, secure: flag });
        expect(refusal === undefined || (isRejection(refusal) && refusal.status === 403)).toBe(true);
      }),
      runs(500),
    );
  });
});
