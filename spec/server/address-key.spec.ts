import { addressKey } from '../../src/server/address-key.js';

describe('an address of IPv4', () => {
  it.each(['192.0.2.1', '127.0.0.1', '0.0.0.0'])('counts as itself: %s', (address) => {
    expect(addressKey(address, 64)).toBe(address);
  });

  it.each(['::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:ffff:192.0.2.1'])(
    'counts as itself when IPv6 carries it (RFC 4291 §2.5.5.2): %s',
    (address) => {
      expect(addressKey(address, 64)).toBe('192.0.2.1');
      expect(addressKey(address, 128)).toBe('192.0.2.1');
    },
  );

  it.each(['::192.0.2.1', '::fffe:192.0.2.1', '::1:ffff:192.0.2.1', '64:ff9b::192.0.2.1'])(
    'is none where its bits stand in another address: %s',
    (address) => {
      expect(addressKey(address, 128)).toMatch(/c000:201\/128$/);
    },
  );
});

describe('an address of IPv6', () => {
  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:db8::1', '2001:db8:0:0:1::'],
    ['::1', '::2'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['2001:DB8::1', '2001:db8::2'],
  ])('counts as its network of 64 bits: %s and %s', (one, other) => {
    expect(addressKey(one, 64)).toBe(addressKey(other, 64));
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['2001:db8::1', '2001:db9::1'],
    ['::1', '0:0:0:1::1'],
  ])('is another one in another network: %s and %s', (one, other) => {
    expect(addressKey(one, 64)).not.toBe(addressKey(other, 64));
  });

  it.each([
    [128, '2001:db8:1:2:3:4:5:6/128'],
    [127, '2001:db8:1:2:3:4:5:6/127'],
    [112, '2001:db8:1:2:3:4:5:0/112'],
    [64, '2001:db8:1:2:0:0:0:0/64'],
    [63, '2001:db8:1:2:0:0:0:0/63'],
    [56, '2001:db8:1:0:0:0:0:0/56'],
    [48, '2001:db8:1:0:0:0:0:0/48'],
    [31, '2001:db8:0:0:0:0:0:0/31'],
    [29, '2001:db8:0:0:0:0:0:0/29'],
    [1, '0:0:0:0:0:0:0:0/1'],
  ])('counts as its first %i bits', (bits, key) => {
    expect(addressKey('2001:db8:1:2:3:4:5:6', bits)).toBe(key);
  });

  it.each(['', ':', '::', 'nonsense:', '1:2', '::::', 'a.b:c'])('never throws for what is none: %p', (address) => {
    expect(typeof addressKey(address, 64)).toBe('string');
  });
});
