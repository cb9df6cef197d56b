// The lower bound of the bench "bridge": RTP <-> SRTP in C with the system calls and the libcrypto calls of the
// native media plane (recvmmsg, sendmmsg, epoll, one EVP context per key), latching, replay windows and counters.
// No RTCP, no rekeying, no limits: it is not meant to be used.
//   cc -O2 -o bridge bridge.c -lcrypto;  bridge gcm|gcm256|sha1 GATHER_US < CALLS
// One call per line: SSRC_IN KEY_IN SALT_IN AUTH_IN SSRC_OUT KEY_OUT SALT_OUT AUTH_OUT PEER_PORT (hex, AUTH "-" for gcm).
// Prints "hop PORT" and one line "plain PORT" per call, then runs until stdin is closed and a signal comes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define QUEUE 2048
#define SLOT 1600
#define MAX_CALLS 4096

typedef struct { EVP_CIPHER_CTX *ctx; EVP_MAC_CTX *mac; uint8_t salt[14]; } Key;
typedef struct {
  uint32_t ssrcIn, ssrcOut;
  Key in, out;
  int64_t highest, next;        // packet indices
  uint64_t window;
  struct sockaddr_in client, peer;
  int latched, plain, plainLatched;
  uint16_t plainSeq;
  uint64_t packets, octets, forged, replayed;
  double jitter; uint32_t lastTransit;
} Call;

static Call calls[MAX_CALLS];
static int count, gcm, hop, ep, saltLen;
static const char *gcmName;
static uint8_t rx[BATCH][2048], tx[QUEUE][SLOT];
static struct mmsghdr rxm[BATCH], txm[QUEUE];
static struct iovec rxv[BATCH], txv[QUEUE];
static struct sockaddr_in rxa[BATCH], txa[QUEUE];
static int queued;
static int byHash[65536];

static uint32_t be32(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static uint16_t be16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static void put32(uint8_t *p, uint32_t v) { p[0] = v >> 24; p[1] = v >> 16; p[2] = v >> 8; p[3] = v; }
static void put16(uint8_t *p, uint16_t v) { p[0] = v >> 8; p[1] = v; }

static Call *bySsrc(uint32_t ssrc) {
  for (int h = (ssrc * 2654435761u) >> 16; byHash[h]; h = (h + 1) & 0xffff) if (calls[byHash[h] - 1].ssrcIn == ssrc) return &calls[byHash[h] - 1];
  return NULL;
}
static void setIv(uint8_t *iv, const Key *k, uint32_t ssrc, int64_t index) {
  int to = gcm ? 2 : 4;
  memset(iv, 0, 16);
  put32(iv + to, ssrc); put32(iv + to + 4, index >> 16); put16(iv + to + 8, index);
  for (int i = 0; i < saltLen; i++) iv[i] ^= k->salt[i];
}
static void digest(Key *k, uint8_t *p, int len, int64_t index, uint8_t *out) {
  put32(p + len, index >> 16);
  size_t n;
  EVP_MAC_init(k->mac, NULL, 0, NULL); EVP_MAC_update(k->mac, p, len + 4); EVP_MAC_final(k->mac, out, &n, 20);
}
// In place; the new length.
static int seal(Call *c, uint8_t *p, int len, int64_t index) {
  uint8_t iv[16]; int n;
  setIv(iv, &c->out, c->ssrcOut, index);
  EVP_CipherInit_ex(c->out.ctx, NULL, NULL, NULL, iv, 1);
  if (gcm) {
    EVP_CipherUpdate(c->out.ctx, NULL, &n, p, 12);
    EVP_CipherUpdate(c->out.ctx, p + 12, &n, p + 12, len - 12);
    EVP_CipherFinal_ex(c->out.ctx, p + len, &n);
    EVP_CIPHER_CTX_ctrl(c->out.ctx, EVP_CTRL_AEAD_GET_TAG, 16, p + len);
    return len + 16;
  }
  uint8_t tag[20];
  EVP_CipherUpdate(c->out.ctx, p + 12, &n, p + 12, len - 12);
  digest(&c->out, p, len, index, tag);
  memcpy(p + len, tag, 10);
  return len + 10;
}
static int open_(Call *c, uint8_t *p, int len, int64_t index) {
  uint8_t iv[16]; int n;
  setIv(iv, &c->in, c->ssrcIn, index);
  if (gcm) {
    EVP_CipherInit_ex(c->in.ctx, NULL, NULL, NULL, iv, 0);
    EVP_CipherUpdate(c->in.ctx, NULL, &n, p, 12);
    EVP_CipherUpdate(c->in.ctx, p + 12, &n, p + 12, len - 28);
    EVP_CIPHER_CTX_ctrl(c->in.ctx, EVP_CTRL_AEAD_SET_TAG, 16, p + len - 16);
    return EVP_CipherFinal_ex(c->in.ctx, p + len - 16, &n) == 1 ? len - 16 : -1;
  }
  uint8_t tag[20], got[10];
  memcpy(got, p + len - 10, 10);
  digest(&c->in, p, len - 10, index, tag);
  if (CRYPTO_memcmp(tag, got, 10)) return -1;
  EVP_CipherInit_ex(c->in.ctx, NULL, NULL, NULL, iv, 1);
  EVP_CipherUpdate(c->in.ctx, p + 12, &n, p + 12, len - 22);
  return len - 10;
}
static int64_t estimate(int64_t highest, uint16_t seq) {
  if (highest < 0) return seq;
  int64_t rolled = highest & ~0xffffll; int d = seq - (int)(highest & 0xffff);
  if (d > 0x8000 && rolled > 0) return rolled - 0x10000 + seq;
  if (d < -0x8000) return rolled + 0x10000 + seq;
  return rolled + seq;
}
static void flushFd(int fd, int from, int n) {
  while (n > 0) {
    int k = sendmmsg(fd, txm + from, n, MSG_DONTWAIT);
    if (k <= 0) { if (errno == EINTR) continue; k = 1; }
    from += k; n -= k;
  }
}
static int fds[QUEUE];
static void flush(void) {
  for (int i = 0; i < queued;) { int j = i + 1; while (j < queued && fds[j] == fds[i]) j++; flushFd(fds[i], i, j - i); i = j; }
  queued = 0;
}
static void queue(int fd, int len, const struct sockaddr_in *to) {
  txv[queued].iov_len = len; txa[queued] = *to; fds[queued] = fd;
  if (++queued == QUEUE) flush();
}
static void statistics(Call *c, const uint8_t *p, int len) {
  struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
  uint32_t transit = (uint32_t)(t.tv_sec * 8000 + t.tv_nsec / 125000) - be32(p + 4);
  int32_t d = (int32_t)(transit - c->lastTransit);
  c->jitter += ((d < 0 ? -d : d) - c->jitter) / 16; c->lastTransit = transit;
  c->packets++; c->octets += len;
}
static void fromHop(uint8_t *p, int len, const struct sockaddr_in *from) {
  Call *c;
  if (len < 38 || p[0] >> 6 != 2 || !(c = bySsrc(be32(p + 8)))) return;
  int64_t index = estimate(c->highest, be16(p + 2)), back = c->highest - index;
  if (c->highest >= 0 && back >= 0 && (back >= 64 || (c->window >> back & 1))) { c->replayed++; return; }
  int n = open_(c, p, len, index);
  if (n < 0) { c->forged++; return; }
  if (index > c->highest) {
    c->window = c->highest < 0 || index - c->highest >= 64 ? 1 : c->window << (index - c->highest) | 1;
    c->highest = index; c->client = *from; c->latched = 1;
  } else c->window |= 1ull << back;
  statistics(c, p, len);
  uint8_t *slot = tx[queued];
  memcpy(slot, p, n);
  put32(slot + 8, c->ssrcOut ^ 0x55555555);
  queue(c->plain, n, &c->peer);
}
static void fromPlain(Call *c, uint8_t *p, int len, const struct sockaddr_in *from) {
  if (len < 12 || len > 1500 || p[0] >> 6 != 2 || !c->latched) return;
  if (!c->plainLatched) { c->peer = *from; c->plainLatched = 1; }
  else if (from->sin_port != c->peer.sin_port || from->sin_addr.s_addr != c->peer.sin_addr.s_addr) return;
  statistics(c, p, len);
  uint8_t *slot = tx[queued];
  memcpy(slot, p, len);
  int64_t index = c->next++;
  put16(slot + 2, index); put32(slot + 8, c->ssrcOut);
  queue(hop, seal(c, slot, len, index), &c->client);
}
static int receive(int fd, Call *c) {
  for (int i = 0; i < BATCH; i++) rxm[i].msg_hdr.msg_namelen = sizeof rxa[i];
  int n = recvmmsg(fd, rxm, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < n; i++) if (c) fromPlain(c, rx[i], rxm[i].msg_len, &rxa[i]); else fromHop(rx[i], rxm[i].msg_len, &rxa[i]);
  return n < 0 ? 0 : n;
}
static int unhex(const char *s, uint8_t *out) {
  int n = 0;
  for (; s[2 * n] && s[2 * n] != '-'; n++) { unsigned v; sscanf(s + 2 * n, "%2x", &v); out[n] = v; }
  return n;
}
static int bindUdp(int *port, int octets) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), tos = 0xb8;
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t n = sizeof a;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof octets);
  setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
  if (bind(fd, (struct sockaddr *)&a, sizeof a)) { perror("bind"); exit(1); }
  getsockname(fd, (struct sockaddr *)&a, &n);
  *port = ntohs(a.sin_port);
  return fd;
}
static void makeKey(Key *k, const char *key, const char *salt, const char *auth, int encrypt) {
  static EVP_CIPHER *cipher; static EVP_MAC *hmac;
  if (!cipher) { cipher = EVP_CIPHER_fetch(NULL, gcm ? gcmName : "AES-128-CTR", NULL); hmac = EVP_MAC_fetch(NULL, "HMAC", NULL); }
  uint8_t b[64];
  unhex(salt, k->salt); unhex(key, b);
  k->ctx = EVP_CIPHER_CTX_new();
  EVP_CipherInit_ex(k->ctx, cipher, NULL, b, NULL, encrypt);
  if (gcm) return;
  int n = unhex(auth, b);
  OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA1", 0), OSSL_PARAM_construct_end() };
  k->mac = EVP_MAC_CTX_new(hmac);
  EVP_MAC_init(k->mac, b, n, params);
}
int main(int argc, char **argv) {
  char ki[80], si[40], ai[60], ko[80], so[40], ao[60], line[512]; int peer, port;
  if (argc < 3) return 64;
  gcm = !strncmp(argv[1], "gcm", 3); gcmName = strcmp(argv[1], "gcm256") ? "AES-128-GCM" : "AES-256-GCM"; saltLen = gcm ? 12 : 14;
  long gather = atol(argv[2]);
  ep = epoll_create1(0);
  hop = bindUdp(&port, 32 << 20);
  printf("hop %d\n", port);
  struct epoll_event e = { .events = EPOLLIN, .data.u32 = 0xffffffff }, events[256];
  epoll_ctl(ep, EPOLL_CTL_ADD, hop, &e);
  while (count < MAX_CALLS && fgets(line, sizeof line, stdin) && line[0] != '\n') {
    Call *c = &calls[count];
    if (sscanf(line, "%x %79s %39s %59s %x %79s %39s %59s %d", &c->ssrcIn, ki, si, ai, &c->ssrcOut, ko, so, ao, &peer) != 9) return 65;
    makeKey(&c->in, ki, si, ai, gcm ? 0 : 1); makeKey(&c->out, ko, so, ao, 1);
    c->highest = -1;
    c->peer = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(peer), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    c->plain = bindUdp(&port, 1 << 18);
    e.data.u32 = count; epoll_ctl(ep, EPOLL_CTL_ADD, c->plain, &e);
    printf("plain %d\n", port);
    int h = (c->ssrcIn * 2654435761u) >> 16; while (byHash[h]) h = (h + 1) & 0xffff; byHash[h] = ++count;
  }
  printf("ready\n"); fflush(stdout);
  for (int i = 0; i < BATCH; i++) { rxv[i] = (struct iovec){ rx[i], sizeof rx[i] }; rxm[i].msg_hdr = (struct msghdr){ .msg_name = &rxa[i], .msg_namelen = sizeof rxa[i], .msg_iov = &rxv[i], .msg_iovlen = 1 }; }
  for (int i = 0; i < QUEUE; i++) { txv[i] = (struct iovec){ tx[i], 0 }; txm[i].msg_hdr = (struct msghdr){ .msg_name = &txa[i], .msg_namelen = sizeof txa[i], .msg_iov = &txv[i], .msg_iovlen = 1 }; }
  double rate = 0; long got = 0; struct timespec since; clock_gettime(CLOCK_MONOTONIC, &since);
  for (;;) {
    int n = epoll_wait(ep, events, 256, 500), all = 0;
    for (int i = 0; i < n; i++) {
      Call *c = events[i].data.u32 == 0xffffffff ? NULL : &calls[events[i].data.u32];
      int k, fd = c ? c->plain : hop;
      do { k = receive(fd, c); all += k; } while (k == BATCH);
    }
    flush();
    got += all;
    struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
    double s = t.tv_sec - since.tv_sec + (t.tv_nsec - since.tv_nsec) / 1e9;
    if (s >= 0.1) { rate = got / s; got = 0; since = t; }
    if (gather > 0 && all > 0 && rate >= 5000) { struct timespec w = { 0, gather * 1000 }; nanosleep(&w, NULL); }
  }
}
