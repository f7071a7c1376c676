/* wsload: a small WebSocket load generator (one thread, epoll), cheap enough that the process under test is the bottleneck.
 * It opens C connections, keeps D messages of S bytes in flight on each, and counts the messages that come back.
 *   cc -O2 -o wsload wsload.c -lz
 *   wsload PORT -c CONNECTIONS -s BYTES -d DEPTH -t SECONDS [-b] [-z] [-w WARMUP_S] [-P PID] [-r RATE] [-n] [-p PATH]
 *     -b binary messages (default text, ASCII); -z offer permessage-deflate and send compressed messages (JSON-like payload)
 *     -P the process under test: its CPU time is read where counting begins and where it ends
 *     -r paced: RATE messages a second in all, one connection after the other, at most D in flight on each
 *     -n the echo may have any content, as that of a server that does not read what it answers; otherwise the first one of each
 *        connection must be what was sent
 *     -B broadcast: only the first connection sends, D messages in flight, and the server must deliver each one to all C connections;
 *        deliveries are counted
 *     -1 sends D messages on each connection, prints "open" once all are echoed, and holds the connections open
 *     -d 0 sends nothing and only holds the connections open; it prints "open" once all of them are
 *   wsload -S -c CONNECTIONS ... is the server: it prints "port N", waits for C clients that echo, and measures them
 * The warm-up is of the CPU time of the process under test, if that is not paced and not much longer than the time itself.
 * Prints one JSON line of the time after the warm-up: messages that came back whole, their number per second, the CPU time of the process
 * under test in microseconds, latency p50/p99/max in microseconds (from sending a message to its complete echo).
 * Exits 1 when a connection fails, a frame is malformed, or an echo has the wrong type, length (unless it is compressed) or content.
 */
#define _GNU_SOURCE
#include "accept-key.h"
#include "peer.h"
#include <zlib.h>

typedef struct {
  int fd;
  uint64_t queued, sent_bytes_in_frame;                  /* frames still to write; offset inside the frame being written */
  unsigned char hdr[14]; int hdr_len, hdr_need;          /* incoming header, as far as it came */
  int control, fin, inside, compressed;                  /* of the frame that comes; of the message that it belongs to */
  uint64_t left, at, message_len;                        /* of the frame: what is to come, what came; of the message so far */
  unsigned char *copy, key[4]; uint64_t copied; int checked; /* of the first message */
  uint64_t *stamps; uint32_t head, tail;                 /* send times of the messages in flight */
} Conn;

static uint64_t size = 64, rate; static int depth = 1, conns = 1, binary, deflate_on, fanout, once, serving, any_content, pid;
static const char *path = "/"; static double secs = 5, warm = 1;
static unsigned char *payload, *frame, *batch; static size_t frame_len, batch_frames;
static Conn *first; static uint64_t deliveries, rounds;
static uint64_t done, total; static int measuring;
static uint32_t hist[1 << 22]; static uint64_t max_us;

static void read_options(int argc, char **argv, int *port) {
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] != '-') { *port = atoi(argv[i]); continue; }
    char option = argv[i][1]; const char *value = "";
    if (strchr("cstwdprP", option)) { if (++i == argc) die("an option lacks its value"); value = argv[i]; }
    switch (option) {
      case 'c': conns = atoi(value); break;
      case 's': size = atoll(value); break;
      case 'd': depth = atoi(value); break;
      case 't': secs = atof(value); break;
      case 'w': warm = atof(value); break;
      case 'p': path = value; break;
      case 'r': rate = atoll(value); break;
      case 'P': pid = atoi(value); break;
      case 'b': binary = 1; break;
      case 'z': deflate_on = 1; break;
      case 'n': any_content = 1; break;
      case 'B': fanout = 1; break;
      case '1': once = 1; break;
      case 'S': serving = 1; break;
      default: die("unknown option");
    }
  }
  if (!*port && !serving) die("usage: wsload PORT | -S [-c N] [-s BYTES] [-d DEPTH] [-t SECONDS] [-w WARMUP] [-P PID] [-r RATE] [-b] [-z] [-n] [-B] [-1] [-p PATH]");
}

/* The message, compressed if asked, in one frame; masked unless we are the server; and as many of them as are worth one write. */
static void prepare_frame(void) {
  static const char word[] = "{\"id\":12345,\"name\":\"sensor\",\"value\":3.14159,\"unit\":\"celsius\",\"ok\":true},";
  static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  unsigned char *body = payload = malloc(size + 1); uint64_t len = size; int h = 2;
  for (uint64_t i = 0; i < size; i++) payload[i] = binary ? (i * 2654435761u) >> 13 : (unsigned char)word[i % (sizeof word - 1)];
  if (deflate_on) {
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, 0) != Z_OK) die("zlib");
    body = malloc(size + 1024); z.next_in = payload; z.avail_in = size; z.next_out = body; z.avail_out = size + 1024;
    deflate(&z, Z_SYNC_FLUSH); len = z.total_out - 4; deflateEnd(&z);
  }
  frame = malloc(len + 14); frame[0] = 0x80 | (binary ? 2 : 1) | (deflate_on ? 0x40 : 0);
  if (len < 126) frame[1] = len;
  else if (len < 65536) { frame[1] = 126; frame[2] = len >> 8; frame[3] = len; h = 4; }
  else { frame[1] = 127; for (int i = 0; i < 8; i++) frame[2 + i] = len >> (56 - 8 * i); h = 10; }
  if (!serving) { frame[1] |= 0x80; memcpy(frame + h, mask, 4); h += 4; }
  for (uint64_t i = 0; i < len; i++) frame[h + i] = serving ? body[i] : body[i] ^ mask[i & 3];
  frame_len = h + len;
  batch_frames = 65536 / frame_len; if (batch_frames < 1) batch_frames = 1; if (batch_frames > (size_t)depth) batch_frames = depth ? depth : 1;
  batch = malloc(batch_frames * frame_len);
  for (size_t i = 0; i < batch_frames; i++) memcpy(batch + i * frame_len, frame, frame_len);
}

static void pump(Conn *c) {
  while (c->queued) {
    size_t off = c->sent_bytes_in_frame, n = c->queued < batch_frames ? c->queued : batch_frames;
    ssize_t w = send(c->fd, batch + off, n * frame_len - off, MSG_NOSIGNAL);
    if (w < 0) { if (errno == EAGAIN) return; die("send failed: the peer closed the connection"); }
    uint64_t sent = off + w, t = now_ns();
    for (uint64_t k = 0; k < sent / frame_len; k++) { c->stamps[c->head++ % (depth + 1)] = t; c->queued--; }
    c->sent_bytes_in_frame = sent % frame_len;
  }
}

static void note_latency(uint64_t sent) {
  uint64_t us = (now_ns() - sent) / 1000;
  if (!measuring) return;
  hist[us < (1 << 22) ? us : (1 << 22) - 1]++;
  if (us > max_us) max_us = us;
}

/* Compares the first message of a connection with what was sent. */
static void check_content(Conn *c) {
  unsigned char *got = c->copy; uint64_t len = c->copied;
  if (c->compressed) {
    static const unsigned char tail[4] = {0, 0, 255, 255};
    z_stream z = {0}; unsigned char *out = malloc(size + 1);
    if (inflateInit2(&z, -15) != Z_OK) die("zlib");
    z.next_in = got; z.avail_in = len; z.next_out = out; z.avail_out = size + 1;
    inflate(&z, Z_SYNC_FLUSH);
    z.next_in = (unsigned char *)tail; z.avail_in = 4; inflate(&z, Z_SYNC_FLUSH);
    len = z.total_out; inflateEnd(&z); free(got); got = out;
  }
  if (len != size || memcmp(got, payload, size)) die("an echo has other content than the message");
  free(got); c->copy = NULL; c->checked = 1;
}

static void complete(Conn *c) {
  if (!c->compressed && c->message_len != size) die("an echo has the wrong length");
  if (c->compressed && !deflate_on) die("a compressed message that was not agreed on");
  if (!c->checked && !any_content) check_content(c);
  total++; if (measuring) done++;
  if (fanout) {
    if (++deliveries == (rounds + 1) * (uint64_t)conns) { rounds++; note_latency(first->stamps[first->tail++ % (depth + 1)]); first->queued++; pump(first); }
    return;
  }
  if (once) { if (total == (uint64_t)conns * depth) { puts("open"); fflush(stdout); } return; }
  if (c->tail == c->head) die("more messages came back than were sent");
  note_latency(c->stamps[c->tail++ % (depth + 1)]);
  if (!rate) c->queued++;
}

static void end_frame(Conn *c) {
  if (c->control) return;
  c->inside = !c->fin;
  if (c->fin) complete(c);
}

/* The header is complete. RFC 6455 5.2 */
static void begin_frame(Conn *c) {
  uint64_t l = c->hdr[1] & 127; int op = c->hdr[0] & 15, len_bytes = l == 127 ? 8 : l == 126 ? 2 : 0;
  if (len_bytes) { l = 0; for (int i = 0; i < len_bytes; i++) l = l << 8 | c->hdr[2 + i]; }
  c->hdr_len = 0; c->left = l; c->at = 0; c->control = op == 9 || op == 10; memcpy(c->key, c->hdr + c->hdr_need - 4, 4);
  if (op == 8) die("a close frame came");
  if (!c->control) { /* a peer may ping: what we send anyway shows that we live */
    if (c->inside ? op != 0 : op != (binary ? 2 : 1)) die("an echo has the wrong type");
    if (!c->inside) { c->compressed = (c->hdr[0] & 0x40) != 0; c->message_len = 0; }
    c->fin = c->hdr[0] >> 7; c->message_len += l;
    if (!c->compressed && c->message_len > size) die("an echo has the wrong length");
    if (!c->checked && !any_content) c->copy = realloc(c->copy, c->copied + l + 1);
  }
  if (!l) end_frame(c);
}

static void feed(Conn *c, unsigned char *p, size_t n) {
  while (n) {
    if (c->left) {
      uint64_t k = c->left < n ? c->left : n;
      if (!c->control && !c->checked && !any_content) for (uint64_t i = 0; i < k; i++) c->copy[c->copied++] = serving ? p[i] ^ c->key[(c->at + i) & 3] : p[i];
      c->left -= k; c->at += k; p += k; n -= k;
      if (!c->left) end_frame(c);
      continue;
    }
    c->hdr[c->hdr_len++] = *p++; n--;
    if (c->hdr_len == 2) {
      int l = c->hdr[1] & 127;
      if ((c->hdr[1] >> 7) != serving) die(serving ? "a frame that is not masked came from a client" : "a masked frame came from a server");
      c->hdr_need = (l == 126 ? 4 : l == 127 ? 10 : 2) + (serving ? 4 : 0);
    }
    if (c->hdr_len >= 2 && c->hdr_len == c->hdr_need) begin_frame(c);
  }
}

/* Reads until the empty line, byte by byte: what follows it is left for later. */
static void read_head(int fd, char *head, size_t most) {
  for (size_t len = 0;;) {
    if (read(fd, head + len, 1) != 1) die("handshake: the connection was closed");
    head[++len] = 0;
    if (len >= 4 && !memcmp(head + len - 4, "\r\n\r\n", 4)) return;
    if (len + 1 >= most) die("handshake: too long");
  }
}

static void ask_server(int fd, int port) {
  char head[2048]; int n = write_request(head, sizeof head, path, port, deflate_on ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
  if (write(fd, head, n) != n) die("handshake: cannot write");
  read_head(fd, head, sizeof head);
  if (!strstr(head, " 101 ") || !strstr(head, sample_accept)) { fprintf(stderr, "%s", head); die("handshake refused"); }
  if (deflate_on && !strcasestr(head, "permessage-deflate")) die("the server did not accept permessage-deflate");
}

static void answer_client(int fd) {
  static const char name[] = "\r\nSec-WebSocket-Key:";
  char head[4096], key[29]; read_head(fd, head, sizeof head);
  char *at = strcasestr(head, name);
  if (!at) die("handshake: no key");
  at += sizeof name - 1; at += strspn(at, " ");
  if (strcspn(at, " \r") != 24) die("handshake: a key of another length than 24");
  accept_key(at, key);
  int n = snprintf(head, sizeof head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", key);
  if (write(fd, head, n) != n) die("handshake: cannot write");
}

static int listen_anywhere(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}; socklen_t len = sizeof at;
  if (bind(fd, (void *)&at, sizeof at) || listen(fd, 4096) || getsockname(fd, (void *)&at, &len)) die("cannot listen");
  printf("port %d\n", ntohs(at.sin_port)); fflush(stdout);
  return fd;
}

static Conn *open_all(int port, int ep) {
  Conn *cs = calloc(conns, sizeof *cs); int listener = serving ? listen_anywhere() : 0, one = 1; first = cs;
  for (int i = 0; i < conns; i++) {
    Conn *c = cs + i; c->stamps = calloc(depth + 1, 8);
    if (serving) {
      if ((c->fd = accept(listener, NULL, NULL)) < 0) die("cannot accept");
      setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); answer_client(c->fd);
    } else { c->fd = dial(port, i / 20000, 0); ask_server(c->fd, port); }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    c->queued = rate || (fanout && i) ? 0 : depth;
  }
  return cs;
}

/* Sends what is due at `t`, each message on the next connection; one that is still busy with D of them is left out. */
static void pace(Conn *cs, uint64_t t0, uint64_t t) {
  static uint64_t sent; static int next;
  for (uint64_t due = (t - t0) * rate / 1000000000u; sent < due; sent++) {
    Conn *c = cs + next; next = (next + 1) % conns;
    if (c->head - c->tail + c->queued < (uint64_t)depth) { c->queued++; pump(c); }
  }
}

static void drain(Conn *c) {
  static unsigned char buf[1 << 18];
  for (;;) {
    ssize_t r = read(c->fd, buf, sizeof buf);
    if (r == 0) die("the peer closed the connection");
    if (r < 0) { if (errno == EAGAIN) return; die("read failed"); }
    feed(c, buf, r);
    if (r < (ssize_t)sizeof buf) return;
  }
}

static int percentile(double q) {
  uint64_t all = 0, below = 0;
  for (int i = 0; i < (1 << 22); i++) all += hist[i];
  for (int i = 0; all && i < (1 << 22); i++) { below += hist[i]; if (below >= q * all) return i; }
  return -1;
}

int main(int argc, char **argv) {
  int port = 0; read_options(argc, argv, &port); prepare_frame();
  int ep = epoll_create1(0); Conn *cs = open_all(port, ep);
  uint64_t t0 = now_ns(), t, began = 0, end = UINT64_MAX, cpu = cpu_ns(pid);
  for (int i = 0; i < conns; i++) pump(cs + i);
  if (!depth) { puts("open"); fflush(stdout); }
  struct epoll_event evs[512];
  for (;;) {
    t = now_ns();
    if (!measuring && is_warm(rate ? 0 : pid, warm, t0, cpu, t)) { measuring = 1; began = t; end = t + (uint64_t)(secs * 1e9); cpu = cpu_ns(pid); }
    if (t >= end) break;
    if (rate) pace(cs, t0, t);
    int n = epoll_wait(ep, evs, 512, rate ? 0 : 100); /* paced, it must not sleep: a millisecond is the least it could */
    for (int i = 0; i < n; i++) {
      Conn *c = evs[i].data.ptr;
      if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) drain(c);
      pump(c);
    }
  }
  cpu = cpu_ns(pid) - cpu;
  double seconds = (t - began) / 1e9;
  printf("{\"messages\":%llu,\"per_s\":%.0f,\"cpu_us\":%.1f,\"p50_us\":%d,\"p99_us\":%d,\"max_us\":%llu}\n", (unsigned long long)done, done / seconds, cpu / 1e3, percentile(.5), percentile(.99), (unsigned long long)max_us);
  return 0;
}
