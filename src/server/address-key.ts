/** How many groups of 16 bits an IPv6 address has. RFC 4291 §2.2. */
const GROUPS = 8;

/**
 * Returns the key under which connections from an IP address are counted: an IPv4 address itself, also if it is mapped to IPv6
 * (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2), and the first `prefix6` bits of an IPv6 address, since a client with one address of a
 * network may have all of them.
 *
 * @param address as the operating system formats it, with or without a zone (`fe80::1%eth0`).
 */
export function addressKey(address: string, prefix6: number): string {
  if (!address.includes(':')) return address;
  const groups = groupsOf(address.split('%', 1)[0] as string);
  if (isMapped(groups)) return dotted(groups);
  return `${groups.map((group, index) => masked(group, prefix6 - 16 * index).toString(16)).join(':')}/${prefix6}`;
}

function groupsOf(address: string): number[] {
  const [before, after] = address.split('::') as [string, string?];
  const head = parts(before);
  if (after === undefined) return head;
  const tail = parts(after);
  return [...head, ...new Array<number>(Math.max(0, GROUPS - head.length - tail.length)).fill(0), ...tail];
}

function parts(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a, b, c, d] = part.split('.').map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

function dotted(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** Keeps the first `bits` bits of a group: none if `bits` is negative, all from 16 on. */
function masked(group: number, bits: number): number {
  return group & (0xffff << (16 - Math.min(16, Math.max(0, bits))));
}
