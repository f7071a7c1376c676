/** Data that compresses like that of applications, the same in each run. */

/** Numbers from 0 to 1 that look random: mulberry32. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** ASCII in the shape of JSON, of `size` bytes. */
export function jsonText(size: number, seed = 1): string {
  const next = numbersFrom(seed);
  let text = '';
  while (text.length < size) {
    text += `{"id":${Math.floor(next() * 1e6)},"name":"sensor ${Math.floor(next() * 50)}","value":${next()},"unit":"celsius","ok":true},`;
  }
  return text.slice(0, size);
}

/** Bytes that do not compress. */
export function noise(size: number, seed = 1): Buffer {
  const next = numbersFrom(seed);
  return Buffer.from(Array.from({ length: size }, () => Math.floor(next() * 256)));
}
