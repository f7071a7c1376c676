/* wshandshake: opens WebSocket connections and closes them again, C at a time, and counts those that were closed cleanly.
 *   cc -O2 -o wshandshake wshandshake.c
 *   wshandshake PORT -c CONNECTIONS -t SECONDS -w WARMUP_S [-P PID]
 * Each one: connect, upgrade, wait for the 101, send a close frame, wait for the server's and for the end of its stream.
 * Prints one JSON line as wsload does, of handshakes instead of messages. Exits 1 when a connection fails.
 */
#include "peer.h"

typedef struct { int fd, len, upgraded; unsigned char in[2048]; uint64_t began; } Conn;

static int port, conns = 16, pid, measuring, places; static double secs = 5, warm = 1;
static char request[512]; static int request_len;
static uint64_t done; static uint32_t hist[1 << 20];

static void begin(Conn *c, int ep) {
  c->len = c->upgraded = 0; c->began = now_ns();
  c->fd = dial(port, places++ % 64, SOCK_NONBLOCK);
  struct epoll_event e = {.events = EPOLLOUT, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

static void send_all(int fd, const void *bytes, int len) {
  if (send(fd, bytes, len, MSG_NOSIGNAL) != len) die("send failed: the server closed the connection");
}

/* Its answer to the upgrade is complete: sends the close frame. */
static void upgraded(Conn *c) {
  static const unsigned char close_frame[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};
  c->in[c->len] = 0;
  if (!strstr((char *)c->in, " 101 ") || !strstr((char *)c->in, sample_accept)) { fprintf(stderr, "%s", c->in); die("handshake refused"); }
  send_all(c->fd, close_frame, sizeof close_frame);
  c->upgraded = 1; c->len = 0;
}

static void closed(Conn *c, int ep) {
  if (!c->upgraded || c->len < 2 || c->in[0] != 0x88 || c->len != 2 + c->in[1]) die("the connection ended without a close frame");
  close(c->fd);
  if (measuring) { uint64_t us = (now_ns() - c->began) / 1000; done++; hist[us < (1 << 20) ? us : (1 << 20) - 1]++; }
  begin(c, ep);
}

static void readable(Conn *c, int ep) {
  ssize_t r = read(c->fd, c->in + c->len, sizeof c->in - 1 - c->len);
  if (r == 0) { closed(c, ep); return; }
  if (r < 0) die("read failed");
  c->len += r;
  if (c->len == sizeof c->in - 1) die("too much came");
  if (!c->upgraded && c->len >= 4 && !memcmp(c->in + c->len - 4, "\r\n\r\n", 4)) upgraded(c);
}

static void writable(Conn *c, int ep) {
  int error = 0; socklen_t len = sizeof error;
  if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) || error) die("cannot connect");
  send_all(c->fd, request, request_len);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static int percentile(double q) {
  uint64_t below = 0;
  for (int i = 0; done && i < (1 << 20); i++) { below += hist[i]; if (below >= q * done) return i; }
  return -1;
}

int main(int argc, char **argv) {
  if (argc < 2) die("usage: wshandshake PORT [-c N] [-t SECONDS] [-w WARMUP] [-P PID]");
  port = atoi(argv[1]);
  for (int i = 2; i + 1 < argc; i += 2) switch (argv[i][1]) {
    case 'c': conns = atoi(argv[i + 1]); break;
    case 't': secs = atof(argv[i + 1]); break;
    case 'w': warm = atof(argv[i + 1]); break;
    case 'P': pid = atoi(argv[i + 1]); break;
    default: die("unknown option");
  }
  request_len = write_request(request, sizeof request, "/", port, "");
  int ep = epoll_create1(0); Conn *cs = calloc(conns, sizeof *cs);
  uint64_t t0 = now_ns(), t, began = 0, end = UINT64_MAX, cpu = cpu_ns(pid);
  for (int i = 0; i < conns; i++) begin(cs + i, ep);
  for (;;) {
    t = now_ns();
    if (!measuring && is_warm(pid, warm, t0, cpu, t)) { measuring = 1; began = t; end = t + (uint64_t)(secs * 1e9); cpu = cpu_ns(pid); }
    if (t >= end) break;
    struct epoll_event evs[64]; int n = epoll_wait(ep, evs, 64, 100);
    for (int i = 0; i < n; i++) {
      Conn *c = evs[i].data.ptr;
      if (evs[i].events & EPOLLOUT) writable(c, ep); else readable(c, ep);
    }
  }
  cpu = cpu_ns(pid) - cpu;
  printf("{\"messages\":%llu,\"per_s\":%.0f,\"cpu_us\":%.1f,\"p50_us\":%d,\"p99_us\":%d}\n", (unsigned long long)done, done / ((t - began) / 1e9), cpu / 1e3, percentile(.5), percentile(.99));
  return 0;
}
