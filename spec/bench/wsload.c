/* wsload: a small closed-loop WebSocket load generator (one thread, epoll), cheap enough that the server is the bottleneck.
 * It opens C connections, keeps D messages of S bytes in flight on each against an echo server, and counts the messages echoed.
 *   cc -O2 -o wsload wsload.c -lz
 *   wsload PORT -c CONNECTIONS -s BYTES -d DEPTH -t SECONDS [-b] [-z] [-w WARMUP_S] [-p PATH]
 *     -b binary frames (default text, ASCII); -z offer permessage-deflate and send compressed messages (JSON-like payload)
 *     -B broadcast: only the first connection sends, D messages in flight, and the server must deliver each one to all C connections;
 *        msgs_per_s then counts deliveries
 *     -1 sends D messages on each connection, prints "open" once all are echoed, and holds the connections open
 *     -d 0 sends nothing and only holds the connections open; it prints "open" once all of them are
 * Prints one JSON line: messages in all (warm-up included), messages per second, MB/s of payload, latency p50/p99/max in microseconds
 * (send to complete echo).
 * Exits 1 when a connection fails, a frame is malformed or an echo has the wrong length (without -z).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

typedef struct {
  int fd, open, want_out;
  uint64_t queued, sent_bytes_in_frame; /* frames still to write; offset inside the frame being written */
  unsigned char hdr[14]; int hdr_len, hdr_need, control; uint64_t left; /* incoming frame parser */
  uint64_t *stamps; uint32_t head, tail; /* send times of the frames in flight */
  char hs[2048]; int hs_len;
} Conn;

static unsigned char *frame; static size_t frame_len; static unsigned char *batch; static size_t batch_frames;
static uint64_t size = 64; static int depth = 1, conns = 1, binary = 0, deflate_on = 0, fanout = 0, once = 0; static Conn *first; static uint64_t deliveries, rounds;
static uint64_t done, total; static int measuring; static uint64_t expect_len;
static uint32_t hist[1 << 22]; static uint64_t max_us;
static uint64_t now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static void die(const char *m) { fprintf(stderr, "wsload: %s\n", m); exit(1); }

static void pump(Conn *c) {
  while (c->queued) {
    size_t off = c->sent_bytes_in_frame, n = c->queued < batch_frames ? c->queued : batch_frames;
    ssize_t w = send(c->fd, batch + off, n * frame_len - off, MSG_NOSIGNAL);
    if (w < 0) { if (errno == EAGAIN) return; die("send failed: the server closed the connection"); }
    uint64_t total = off + w, t = now_ns();
    for (uint64_t k = 0; k < total / frame_len; k++) { c->stamps[c->head++ % (depth + 1)] = t; c->queued--; }
    c->sent_bytes_in_frame = total % frame_len;
  }
}
static void complete(Conn *c) {
  total++;
  if (fanout) {
    if (measuring) done++;
    if (++deliveries == (rounds + 1) * (uint64_t)conns) { rounds++; uint64_t us = (now_ns() - first->stamps[first->tail++ % (depth + 1)]) / 1000; if (measuring) { hist[us < (1 << 22) ? us : (1 << 22) - 1]++; if (us > max_us) max_us = us; } first->queued++; pump(first); }
    return;
  }
  if (once) { if (total == (uint64_t)conns * depth) { puts("open"); fflush(stdout); } return; }
  uint64_t us = (now_ns() - c->stamps[c->tail++ % (depth + 1)]) / 1000;
  if (measuring) { done++; hist[us < (1 << 22) ? us : (1 << 22) - 1]++; if (us > max_us) max_us = us; }
  c->queued++;
}
static void feed(Conn *c, unsigned char *p, size_t n) {
  while (n) {
    if (c->left) { uint64_t k = c->left < n ? c->left : n; c->left -= k; p += k; n -= k; if (!c->left && !c->control) complete(c); continue; }
    c->hdr[c->hdr_len++] = *p++; n--;
    if (c->hdr_len == 2) { int l = c->hdr[1] & 127; if (c->hdr[1] & 128) die("masked frame from server"); c->hdr_need = l == 126 ? 4 : l == 127 ? 10 : 2; }
    if (c->hdr_len >= 2 && c->hdr_len == c->hdr_need) {
      uint64_t l = c->hdr[1] & 127; int op = c->hdr[0] & 15;
      if (l == 126) l = c->hdr[2] << 8 | c->hdr[3];
      else if (l == 127) { l = 0; for (int i = 2; i < 10; i++) l = l << 8 | c->hdr[i]; }
      c->control = op == 9 || op == 10; /* a server may ping: what we send anyway shows that we live */
      if (op != 1 && op != 2 && !c->control) die(op == 8 ? "close frame from server" : "unexpected opcode from server");
      if (!deflate_on && !c->control && l != expect_len) die("echo has the wrong length");
      c->left = l; c->hdr_len = 0; if (!l && !c->control) complete(c);
    }
  }
}
static int percentile(double q) { uint64_t total = 0; for (int i = 0; i < (1 << 22); i++) total += hist[i]; if (!total) return -1; uint64_t acc = 0; for (int i = 0; i < (1 << 22); i++) { acc += hist[i]; if (acc >= q * total) return i; } return -1; }

int main(int argc, char **argv) {
  if (argc < 2) die("usage: wsload PORT [-c N] [-s BYTES] [-d DEPTH] [-t SECONDS] [-w WARMUP] [-b] [-z] [-1] [-p PATH]");
  int port = atoi(argv[1]); double secs = 5, warm = 1; const char *path = "/";
  for (int i = 2; i < argc; i++) {
    if (!strcmp(argv[i], "-c")) conns = atoi(argv[++i]); else if (!strcmp(argv[i], "-s")) size = atoll(argv[++i]);
    else if (!strcmp(argv[i], "-d")) depth = atoi(argv[++i]); else if (!strcmp(argv[i], "-t")) secs = atof(argv[++i]);
    else if (!strcmp(argv[i], "-w")) warm = atof(argv[++i]); else if (!strcmp(argv[i], "-b")) binary = 1;
    else if (!strcmp(argv[i], "-z")) deflate_on = 1; else if (!strcmp(argv[i], "-B")) fanout = 1; else if (!strcmp(argv[i], "-1")) once = 1; else if (!strcmp(argv[i], "-p")) path = argv[++i]; else die("unknown option");
  }
  unsigned char *payload = malloc(size + 64); uint64_t plen = size;
  if (binary) for (uint64_t i = 0; i < size; i++) payload[i] = (i * 2654435761u) >> 13;
  else { static const char word[] = "{\"id\":12345,\"name\":\"sensor\",\"value\":3.14159,\"unit\":\"celsius\",\"ok\":true},"; for (uint64_t i = 0; i < size; i++) payload[i] = word[i % (sizeof word - 1)]; }
  expect_len = size;
  if (deflate_on) {
    z_stream z = {0}; if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, 0) != Z_OK) die("zlib");
    unsigned char *out = malloc(size + 1024); z.next_in = payload; z.avail_in = size; z.next_out = out; z.avail_out = size + 1024;
    deflate(&z, Z_SYNC_FLUSH); plen = z.total_out - 4; payload = out;
  }
  frame = malloc(plen + 14); int h = 2; frame[0] = 0x80 | (binary ? 2 : 1) | (deflate_on ? 0x40 : 0);
  if (plen < 126) frame[1] = 0x80 | plen; else if (plen < 65536) { frame[1] = 0x80 | 126; frame[2] = plen >> 8; frame[3] = plen; h = 4; }
  else { frame[1] = 0x80 | 127; for (int i = 0; i < 8; i++) frame[2 + i] = plen >> (56 - 8 * i); h = 10; }
  static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d}; memcpy(frame + h, mask, 4); h += 4;
  for (uint64_t i = 0; i < plen; i++) frame[h + i] = payload[i] ^ mask[i & 3];
  frame_len = h + plen;
  batch_frames = 65536 / frame_len; if (batch_frames < 1) batch_frames = 1; if (batch_frames > (size_t)depth) batch_frames = depth;
  batch = malloc(batch_frames * frame_len); for (size_t i = 0; i < batch_frames; i++) memcpy(batch + i * frame_len, frame, frame_len);

  int ep = epoll_create1(0); Conn *cs = calloc(conns, sizeof *cs); first = cs;
  for (int i = 0; i < conns; i++) {
    Conn *c = cs + i; c->fd = socket(AF_INET, SOCK_STREAM, 0); c->stamps = calloc(depth + 1, 8);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (i / 20000))};
    if (connect(c->fd, (void *)&a, sizeof a)) die("cannot connect");
    int one = 1; setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char req[1024]; int n = snprintf(req, sizeof req, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, port, deflate_on ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    if (write(c->fd, req, n) != n) die("handshake write");
    for (;;) { ssize_t r = read(c->fd, c->hs + c->hs_len, 1); if (r <= 0) die("handshake: connection closed"); c->hs_len++; c->hs[c->hs_len] = 0; if (c->hs_len > 4 && !memcmp(c->hs + c->hs_len - 4, "\r\n\r\n", 4)) break; if (c->hs_len > 2000) die("handshake response too long"); }
    if (!strstr(c->hs, " 101 ")) { fprintf(stderr, "%s", c->hs); die("handshake refused"); }
    if (deflate_on && !strcasestr(c->hs, "permessage-deflate")) die("server did not accept permessage-deflate");
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    c->queued = fanout && i ? 0 : depth;
  }
  for (int i = 0; i < conns; i++) pump(cs + i);
  if (!depth) { puts("open"); fflush(stdout); }
  uint64_t t0 = now_ns(), start = t0 + (uint64_t)(warm * 1e9), end = start + (uint64_t)(secs * 1e9), began = 0;
  static unsigned char buf[1 << 18]; struct epoll_event evs[512];
  for (;;) {
    uint64_t t = now_ns(); if (t >= end) break; if (!measuring && t >= start) { measuring = 1; began = t; }
    int n = epoll_wait(ep, evs, 512, 100);
    for (int i = 0; i < n; i++) {
      Conn *c = evs[i].data.ptr;
      if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) for (;;) {
        ssize_t r = read(c->fd, buf, sizeof buf); if (r == 0) die("server closed the connection"); if (r < 0) { if (errno == EAGAIN) break; die("read failed"); }
        feed(c, buf, r);
        if (r < (ssize_t)sizeof buf) break;
      }
      pump(c);
    }
  }
  double el = (now_ns() - began) / 1e9;
  printf("{\"conns\":%d,\"size\":%llu,\"depth\":%d,\"deflate\":%d,\"total\":%llu,\"msgs_per_s\":%.0f,\"payload_MB_per_s\":%.1f,\"p50_us\":%d,\"p99_us\":%d,\"max_us\":%llu}\n", conns, (unsigned long long)size, depth, deflate_on, (unsigned long long)total, done / el, done / el * size / 1e6, percentile(.5), percentile(.99), (unsigned long long)max_us);
  return done || !depth ? 0 : 1;
}
