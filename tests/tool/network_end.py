#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# What a program sent arrives although the program has ended: the rest of a
# stream whose reader is slow, with its end, closed or not; datagrams.
# timeout: 120
import socket
import subprocess
import time

from checks import ZUK, build, check, finish

SIZE = 6000000
PROGRAM = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
    static char b[4096];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
    if (!strcmp(argv[1], "datagrams")) {
        int s = socket(AF_INET, SOCK_DGRAM, 0);
        a.sin_port = htons(atoi(argv[2]));
        inet_aton("10.0.2.2", &a.sin_addr);
        for (int i = 0; i < 20; i++)
            if (sendto(s, b, 1000 + i, 0, (void *)&a, sizeof a) != 1000 + i)
                return 1;
        return 0;
    }
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(s, (void *)&a, sizeof a) || listen(s, 5))
        return 1;
    int c = accept(s, 0, 0);
    for (size_t n = 0, size = atoi(argv[2]); n < size;) {
        memset(b, 'a' + n / sizeof b % 26, sizeof b);
        long r = write(c, b, size - n < sizeof b ? size - n : sizeof b);
        if (r != (size - n < sizeof b ? size - n : sizeof b))
            return 1;
        n += r;
    }
    if (!strcmp(argv[1], "abort"))
        abort();
    return strcmp(argv[1], "close") ? 0 : close(c);
}
"""


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port, until):
    """A connection on which the first bytes have come."""
    while time.monotonic() < until:
        try:
            s = socket.create_connection(("127.0.0.1", port), 30)
            first = s.recv(1)
            if first:
                return s, first
            s.close()
        except OSError:
            pass
        time.sleep(0.02)
    raise SystemExit("FAILED: no connection")


def stream(app, how, status, *flags):
    port = free_port(socket.SOCK_STREAM)
    zuk = subprocess.Popen([ZUK, "exec", "--timeout", "60", "-p", f"{port}:8080", *flags, app, how, str(SIZE)],
                           stderr=subprocess.DEVNULL)
    s, got = connect(port, time.monotonic() + 40)
    time.sleep(1)
    data = bytearray(got)
    try:
        while part := s.recv(1 << 16):
            data += part
    except OSError as e:
        check(False, f"{how} {flags}: {e} after {len(data)} bytes")
    want = b"".join(bytes([97 + i % 26]) * 4096 for i in range(SIZE // 4096 + 1))[:SIZE]
    check(data == want, f"{how} {flags}: {len(data)} bytes came, of {SIZE}, or others")
    check(zuk.wait(60) == status, f"{how} {flags}: status {zuk.returncode}, not {status}")


def datagrams(app):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(5)
        zuk = subprocess.run([ZUK, "exec", "--timeout", "60", "--net", "user", app, "datagrams",
                              str(s.getsockname()[1])], timeout=90)
        check(zuk.returncode == 0, f"datagrams: status {zuk.returncode}")
        sizes = []
        try:
            while len(sizes) < 20:
                sizes.append(len(s.recv(2000)))
        except OSError:
            pass
        check(sorted(sizes) == list(range(1000, 1020)), f"datagrams: {sizes}")


program = build("end", PROGRAM)
stream(program, "close", 0)
stream(program, "leave", 0, "--isolate")
stream(program, "abort", 134)
datagrams(program)
finish()
