/* What the load generators share: time, the CPU time of the process under test, and sockets of the loopback interface. */
#ifndef PEER_H
#define PEER_H
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

static const char sample_key[] = "dGhlIHNhbXBsZSBub25jZQ==", sample_accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; /* RFC 6455 1.3 */

static void die(const char *message) { fprintf(stderr, "load: %s\n", message); exit(1); }

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t)) die("cannot read a clock: is the process under test gone?");
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

/* User and system time of all threads of `pid` so far. Exact: /proc/PID/stat counts in steps of 10 ms. */
static uint64_t cpu_ns(int pid) {
  clockid_t clock;
  if (!pid) return 0;
  if (clock_getcpuclockid(pid, &clock)) die("no such process to measure");
  return clock_ns(clock);
}

/* Whether the process has had `seconds` of CPU since it had `cpu`, at `t0`: where others use the machine too, time alone warms nothing up.
 * One that waits for the load is warm after three times as long. */
static int is_warm(int pid, double seconds, uint64_t t0, uint64_t cpu, uint64_t t) {
  uint64_t wanted = seconds * 1e9, elapsed = t - t0;
  if (elapsed < wanted) return 0;
  return !pid || elapsed >= 3 * wanted || cpu_ns(pid) - cpu >= wanted * 8 / 10;
}

/* A socket to `port`. `place` chooses among 127.0.0.1, 127.0.0.2, ...: each has port numbers of its own. */
static int dial(int port, int place, int flags) {
  int fd = socket(AF_INET, SOCK_STREAM | flags, 0), one = 1;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK + place)};
  if (fd < 0) die("cannot make a socket: too many open files?");
  if (connect(fd, (void *)&to, sizeof to) && errno != EINPROGRESS) die("cannot connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static int write_request(char *out, size_t size, const char *path, int port, const char *more) {
  return snprintf(out, size, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, port, sample_key, more);
}
#endif
