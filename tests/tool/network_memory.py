#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The N-th piece of memory refused (--fail N) while a program uses sockets of every
# kind, three times over: calls of one round may fail for want of memory, but nothing
# hangs, what arrives is right, and the last round takes no more memory.
# Every few N; all of them with --full (network_memory_full.sh).
# timeout: 300
import concurrent.futures
import os
import subprocess
import sys

ZUK, ZIG, TMP = os.environ["ZUK"], os.environ["ZIG"], os.environ["TMP"]
FULL = "--full" in sys.argv
PROGRAM = r"""
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <unistd.h>
static int wrong; /* what no want of memory excuses */
static int failed; /* calls */
static int bad(const char *what, int error) {
    int excused = error == ENOMEM || error == ENOBUFS || error == EAGAIN || error == ETIMEDOUT ||
                  error == ECONNRESET || error == ECONNREFUSED || error == ECONNABORTED ||
                  error == EPIPE;
    failed++;
    if (!excused) {
        wrong++;
        printf("%s: %s\n", what, strerror(error));
    }
    return -1;
}
static void limit(int fd) {
    struct timeval t = {8, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}
static char out[20000], in[20000];
static void carry(const char *what, int a, int b, size_t size, size_t step) {
    for (size_t done = 0; done < size;) {
        size_t n = size - done < step ? size - done : step, got = 0;
        ssize_t r = send(a, out + done, n, MSG_NOSIGNAL);
        if (r <= 0) {
            bad(what, r ? errno : EPIPE);
            return;
        }
        while (got < (size_t)r) {
            ssize_t m = recv(b, in + got, (size_t)r - got, 0);
            if (m <= 0) {
                bad(what, m ? errno : ECONNRESET);
                return;
            }
            got += (size_t)m;
        }
        if (memcmp(in, out + done, got)) {
            wrong++;
            printf("%s: other bytes than were sent\n", what);
        }
        done += got;
    }
}
static void stream(const struct sockaddr *a, socklen_t size) {
    struct sockaddr_storage here;
    int l = socket(a->sa_family, SOCK_STREAM, 0), c = socket(a->sa_family, SOCK_STREAM, 0), s = -1;
    if (l < 0 || c < 0)
        bad("socket", errno);
    else if (limit(l), limit(c), bind(l, a, size) || listen(l, 4) ||
             getsockname(l, (void *)&here, &size))
        bad("listen", errno);
    else if (connect(c, (void *)&here, size))
        bad("connect", errno);
    else if ((s = accept(l, NULL, NULL)) < 0)
        bad("accept", errno);
    else {
        limit(s);
        carry("TCP", c, s, sizeof out, 7000);
        carry("TCP back", s, c, 9000, 1300);
        shutdown(c, SHUT_WR);
        if (recv(s, in, 1, 0) > 0)
            wrong++, puts("bytes after the end");
    }
    struct linger now = {1, 0}; /* nothing waits for its time */
    int all[] = {l, c, s};
    for (int i = 0; i < 3; i++) {
        if (all[i] >= 0) {
            setsockopt(all[i], SOL_SOCKET, SO_LINGER, &now, sizeof now);
            close(all[i]);
        }
    }
}
static void datagrams(const struct sockaddr *a, socklen_t size) {
    struct sockaddr_storage here;
    int u = socket(a->sa_family, SOCK_DGRAM, 0), v = socket(a->sa_family, SOCK_DGRAM, 0);
    if (u < 0 || v < 0)
        bad("socket", errno);
    else if (bind(u, a, size) || getsockname(u, (void *)&here, &size) ||
             connect(v, (void *)&here, size))
        bad("bind", errno);
    else {
        static const size_t sizes[] = {0, 100, 3000, 15000};
        for (int i = 0; i < 4; i++) { /* what is lost is lost */
            struct pollfd p = {.fd = u, .events = POLLIN};
            if (send(v, out, sizes[i], 0) != (ssize_t)sizes[i])
                bad("send", errno);
            else if (poll(&p, 1, 100) != 1)
                failed++;
            else if (recv(u, in, sizeof in, 0) != (ssize_t)sizes[i] || memcmp(in, out, sizes[i]))
                bad("another datagram", EINVAL);
        }
    }
    if (u >= 0)
        close(u);
    if (v >= 0)
        close(v);
}
static void pairs(void) {
    int p[2];
    for (int i = 0; i < 2; i++) {
        if (socketpair(AF_UNIX, i ? SOCK_SEQPACKET : SOCK_STREAM, 0, p)) {
            bad("socketpair", errno);
            continue;
        }
        limit(p[0]), limit(p[1]);
        carry("a pair", p[0], p[1], 12000, 3000);
        close(p[0]), close(p[1]);
    }
}
static void once(void) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    failed = 0;
    stream((void *)&four, sizeof four);
    stream((void *)&six, sizeof six);
    datagrams((void *)&four, sizeof four);
    datagrams((void *)&six, sizeof six);
    pairs();
}
static unsigned long unused(void) {
    struct sysinfo s;
    sysinfo(&s);
    return s.freeram * s.mem_unit;
}
int main(int count, char **words) {
    (void)words;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(i * 7 + i / 251);
    memset(in, 1, sizeof in);
    int rounds = 0; /* with a call that failed: one piece of memory was refused, once */
    unsigned long before = 0, after = 0;
    for (int i = 0; i < 3; i++) {
        once();
        rounds += failed > 0;
        before = after;
        after = unused();
    }
    if (rounds > 1)
        wrong++, printf("calls fail in %d rounds\n", rounds);
    if (count == 1 && before > after + 16384) /* with a word: on a busy host */
        wrong++, printf("the last round took %lu bytes\n", before - after);
    printf("%s\n", wrong ? "wrong" : "well");
    return wrong != 0;
}
"""
with open(f"{TMP}/sockets.c", "w") as f:
    f.write(PROGRAM)
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-o", f"{TMP}/sockets",
                f"{TMP}/sockets.c"], check=True, timeout=200)
r = subprocess.run([f"{TMP}/sockets", "here"], capture_output=True, text=True, timeout=60)
if (r.returncode, r.stdout) != (0, "well\n"):
    print("on Linux:", r)
    sys.exit(1)


def refuse(n):
    words = [ZUK, "exec", "-v", "--timeout", "60", *(["--fail", str(n)] if n else []), f"{TMP}/sockets"]
    r = subprocess.run(words, capture_output=True, text=True, timeout=100)
    # What becomes of the program itself is not the network's: no memory for a page of it.
    page = r.returncode == 137
    sound = page or r.returncode == 0 and r.stdout == "well\n"
    return n, sound, "is refused" in r.stderr, r


failed = runs = last = 0
n, sound, _, r = refuse(0)
if not sound:
    print("without a refusal:", r)
    sys.exit(1)
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    step = 1 if FULL else 43
    at, more = 1, True
    while more:
        for n, sound, refused, r in pool.map(refuse, range(at, at + 8 * step, step)):
            more = more and refused
            if refused:
                runs, last = runs + 1, n
                if not sound:
                    failed += 1
                    print(f"FAILED: --fail {n}: status {r.returncode}\n{r.stdout}{r.stderr}")
        at += 8 * step
print(f"{runs} runs, up to piece {last}")
if last < 100:
    failed += 1
    print("FAILED: so few pieces of memory cannot be")
sys.exit(1 if failed else 0)
