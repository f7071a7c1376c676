/**
 * The bytes that a drawing in the manner of RFC 6455 §5.2 shows: `bits('1 000 0001  0 0000101')` is FIN, a text frame, not
 * masked, 5 bytes. Spaces count for nothing.
 *
 * @throws TypeError when the drawing is not a whole number of bytes.
 */
export function bits(drawing: string): Buffer {
  const digits = drawing.replace(/\s/g, '');
  if (!/^([01]{8})*$/.test(digits)) throw new TypeError(`'${drawing}' does not draw whole bytes in 0 and 1`);
  return Buffer.from(digits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
}

/**
 * The bytes that hexadecimal digits show: `hex('88 02 03e8')`.
 *
 * @throws TypeError when they do not show a whole number of bytes.
 */
export function hex(digits: string): Buffer {
  const compact = digits.replace(/\s/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(compact)) throw new TypeError(`'${digits}' does not show whole bytes`);
  return Buffer.from(compact, 'hex');
}
