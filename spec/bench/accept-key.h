/* The answer to Sec-WebSocket-Key (RFC 6455 4.2.2): SHA-1 (FIPS 180-4) and Base64 (RFC 4648). */
#ifndef ACCEPT_KEY_H
#define ACCEPT_KEY_H
#include <stdint.h>
#include <string.h>

static uint32_t rotate_left(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

/* One block of 64 bytes into the state. */
static void sha1_block(uint32_t state[5], const unsigned char *block) {
  uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 80; i++) w[i] = rotate_left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1 : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
    uint32_t next = rotate_left(a, 5) + f + e + w[i];
    e = d; d = c; c = rotate_left(b, 30); b = a; a = next;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e;
}

/* Writes the 28 characters that answer a key of 24. */
static void accept_key(const char *key, char out[29]) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char text[128] = {0}, digest[21] = {0};
  uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  memcpy(text, key, 24); memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
  text[60] = 0x80; text[126] = 60 * 8 >> 8; text[127] = 60 * 8 & 255;
  sha1_block(state, text); sha1_block(state, text + 64);
  for (int i = 0; i < 20; i++) digest[i] = state[i / 4] >> (24 - i % 4 * 8);
  for (int i = 0; i < 7; i++) {
    uint32_t three = digest[3 * i] << 16 | digest[3 * i + 1] << 8 | digest[3 * i + 2];
    for (int k = 0; k < 4; k++) out[4 * i + k] = digits[three >> (18 - 6 * k) & 63];
  }
  out[27] = '='; out[28] = 0;
}
#endif
