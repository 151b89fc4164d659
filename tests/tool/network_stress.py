#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# A server in a guest that is treated badly, over tap interfaces in a network
# namespace of its own, which ends with the test: long transfers both ways, also
# over a path that loses, repeats, reorders and damages frames; connections opened
# and closed in a loop, many at once, slow readers, ends and resets at every stage,
# half-open attempts, datagrams to closed ports.  Each is done twice: the second
# time must take no more of the guest's memory.  tests/tool/network_stress_full.sh
# does more of it (--full).
# timeout: 300
import os
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import checks  # noqa: E402
from checks import TMP, ZIG, ZUK, check  # noqa: E402

checks.own_network("ip link set lo up && for t in zs0 zs1 zs2; do ip tuntap add $t mode tap || exit 1; "
                   "ip link set $t up || exit 1; done && ip addr add 10.77.0.1/24 dev zs0 && "
                   "ip addr add 10.78.0.1/24 dev zs1 && "
                   "for t in zs1 zs2; do echo 1 >/proc/sys/net/ipv6/conf/$t/disable_ipv6; done")

FULL = "--full" in sys.argv
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
random.seed(7)
# TCP port 80: the first byte says what is done.  E: echo.  R and a size: so many
# bytes are received, their adler32 is the answer.  S and a size: so many bytes are
# sent, the same million over and over.  UDP port 53: "mem" is answered with the free
# memory and the number of connections, "end" ends.
SERVER = r"""
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#define PATTERN 1000003
struct conn {
    int fd, mode;
    uint64_t size, done;
    unsigned head, pending;  /* bytes of the request; to be echoed */
    uint32_t a, b;
    unsigned char request[9];
    char data[4096];
};
static unsigned char pattern[PATTERN];
static int ep, live;
static void end(struct conn *c) {
    close(c->fd);
    free(c);
    live--;
}
static void want(struct conn *c, unsigned events) {
    struct epoll_event e = {.events = events, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
/* 0: later, -1: it is over */
static int send_some(struct conn *c) {
    while (c->done < c->size) {
        size_t at = c->done % PATTERN, n = PATTERN - at;
        if (n > c->size - c->done)
            n = c->size - c->done;
        ssize_t r = write(c->fd, pattern + at, n);
        if (r < 0)
            return errno == EAGAIN ? 0 : -1;
        c->done += (uint64_t)r;
    }
    shutdown(c->fd, SHUT_WR);
    want(c, EPOLLIN);
    c->mode = 'D';
    return 0;
}
static int receive_some(struct conn *c) {
    static unsigned char b[65536];
    while (c->done < c->size) {
        size_t n = c->size - c->done < sizeof b ? c->size - c->done : sizeof b;
        ssize_t r = read(c->fd, b, n);
        if (r <= 0)
            return r < 0 && errno == EAGAIN ? 0 : -1;
        for (ssize_t i = 0; i < r;) {
            for (ssize_t stop = i + 3800 < r ? i + 3800 : r; i < stop; i++) {
                c->a += b[i];
                c->b += c->a;
            }
            c->a %= 65521, c->b %= 65521;
        }
        c->done += (uint64_t)r;
    }
    uint32_t sum = c->b << 16 | c->a;
    if (write(c->fd, &sum, 4) != 4)
        return -1;
    c->mode = 'D';
    return 0;
}
static int echo_some(struct conn *c) {
    for (;;) {
        while (c->pending) {
            ssize_t r = write(c->fd, c->data, c->pending);
            if (r < 0) {
                want(c, EPOLLOUT);
                return errno == EAGAIN ? 0 : -1;
            }
            memmove(c->data, c->data + r, c->pending -= (unsigned)r);
        }
        ssize_t r = read(c->fd, c->data, sizeof c->data);
        if (r <= 0) {
            want(c, EPOLLIN);
            return r < 0 && errno == EAGAIN ? 0 : -1;
        }
        c->pending = (unsigned)r;
    }
}
static int step(struct conn *c) {
    while (!c->mode) {
        unsigned whole = c->head && c->request[0] != 'E' ? 9 : 1;
        if (c->head == whole) {
            c->mode = c->request[0];
            memcpy(&c->size, c->request + 1, 8);
            if (c->mode == 'S')
                want(c, EPOLLOUT);
            break;
        }
        ssize_t r = read(c->fd, c->request + c->head, whole - c->head);
        if (r <= 0)
            return r < 0 && errno == EAGAIN ? 0 : -1;
        c->head += (unsigned)r;
    }
    switch (c->mode) {
    case 'S':
        return send_some(c);
    case 'R':
        return receive_some(c);
    case 'E':
        return echo_some(c);
    default: /* until the other side closes too */
        for (ssize_t r; (r = read(c->fd, c->data, sizeof c->data)) <= 0;)
            return r < 0 && errno == EAGAIN ? 0 : -1;
        return 0;
    }
}
static void take_all(int l) {
    for (int fd; (fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct conn *c = calloc(1, sizeof *c);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        c->fd = fd;
        c->a = 1;
        live++;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
}
static int command(int u) {
    char b[2048];
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    ssize_t n = recvfrom(u, b, sizeof b, 0, (void *)&a, &size);
    if (n == 3 && !memcmp(b, "end", 3))
        return 1;
    if (n == 3 && !memcmp(b, "mem", 3)) {
        struct sysinfo s;
        sysinfo(&s);
        uint64_t out[2] = {s.freeram * s.mem_unit, (uint64_t)live};
        sendto(u, out, sizeof out, 0, (void *)&a, size);
    }
    return 0;
}
int main(void) {
    struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53)};
    struct rlimit many = {4096, 4096};
    int l = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
    uint32_t x = 1;
    for (unsigned i = 0; i < PATTERN; i++) {
        x = x * 1103515245 + 12345;
        pattern[i] = (unsigned char)(x >> 16);
    }
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_NOFILE, &many);
    if (bind(l, (void *)&all, sizeof all) || listen(l, 1024) || bind(u, (void *)&a, sizeof a))
        return 1;
    ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &l};
    epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
    e.data.ptr = &u;
    epoll_ctl(ep, EPOLL_CTL_ADD, u, &e);
    puts("ready"), fflush(stdout);
    for (;;) {
        struct epoll_event all[64];
        int n = epoll_wait(ep, all, 64, -1);
        for (int i = 0; i < n; i++) {
            void *p = all[i].data.ptr;
            if (p == &l)
                take_all(l);
            else if (p == &u && command(u))
                return 0;
            else if (p != &u && step(p) < 0)
                end(p);
        }
    }
}
"""
with open(f"{TMP}/server.c", "w") as f:
    f.write(SERVER)
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O2", "-o", f"{TMP}/server",
                f"{TMP}/server.c"], check=True, timeout=200)
PATTERN = bytearray(1000003)
x = 1
for i in range(len(PATTERN)):
    x = (x * 1103515245 + 12345) & 0xffffffff
    PATTERN[i] = x >> 16 & 255
PATTERN = bytes(PATTERN)


class Guest:
    def __init__(self, tap, ip, gateway):
        self.ip, self.where = ip, (ip, 80)
        self.p = subprocess.Popen([ZUK, "exec", "--timeout", "3000", "--net",
                                   f"tap={tap},ip={ip}/24,gw={gateway}", f"{TMP}/server"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        line = self.p.stdout.readline()
        if line != b"ready\n":
            print(f"FAILED: the guest says {line!r} {self.p.stdout.read()!r}")
            sys.exit(1)

    def ask(self, word):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.settimeout(1)
            for _ in range(30):
                u.sendto(word, (self.ip, 53))
                try:
                    return u.recv(64)
                except TimeoutError:
                    continue
        return None

    def state(self):
        """Free bytes and connections, when the connections are gone, or don't go."""
        for _ in range(100):
            b = self.ask(b"mem")
            free, live = struct.unpack("QQ", b) if b else (0, -1)
            if live == 0:
                break
            time.sleep(0.1)
        return free, live

    def settled(self, enough):
        """The same, when that is enough, or memory comes back no more: a connection that the
        program has closed goes when its last segment has arrived, after a second try perhaps."""
        end, last = time.monotonic() + 20, None
        while True:
            now = self.state()
            if enough(now[0]) or now == last or time.monotonic() > end:
                return now
            last = now
            time.sleep(2)

    def end(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            for _ in range(50):
                u.sendto(b"end", (self.ip, 53))
                try:
                    status = self.p.wait(0.2)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                self.p.kill()
                status = "none: it did not end"
        check(status == 0, f"the guest ends with {status}: {self.p.stdout.read()!r}")

    def connect(self, timeout=60):
        return socket.create_connection(self.where, timeout=timeout)


def push(guest, size):
    """The guest receives `size` bytes; does it say the right sum?"""
    with guest.connect() as s:
        s.sendall(b"R" + struct.pack("Q", size))
        data, left, total = memoryview(PATTERN), size, 1
        while left:
            part = data[:min(left, len(data))]
            s.sendall(part)
            total = zlib.adler32(part, total)
            left -= len(part)
        s.shutdown(socket.SHUT_WR)
        answer = s.recv(4, socket.MSG_WAITALL)
        return answer == struct.pack("I", total) and s.recv(1) == b""


def pull(guest, size, pause=0.0, step=65536):
    """The guest sends `size` bytes; are they what they should be?"""
    with guest.connect() as s:
        if pause:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        s.sendall(b"S" + struct.pack("Q", size))
        s.shutdown(socket.SHUT_WR)
        done = 0
        while part := s.recv(step):
            at = done % len(PATTERN)
            wanted = PATTERN[at:at + len(part)]
            if len(wanted) < len(part):
                wanted += PATTERN[:len(part) - len(wanted)]
            if part != wanted:
                print(f"byte {done} and on are wrong")
                return False
            done += len(part)
            if pause:
                time.sleep(pause)
        return done == size


def echo(guest, data):
    with guest.connect(20) as s:
        s.sendall(b"E" + data)
        s.shutdown(socket.SHUT_WR)
        got = b""
        while part := s.recv(65536):
            got += part
        return got == data


class Lengths(threading.Thread):
    """How long the frames are that an interface gets from its guest."""

    def __init__(self, interface):
        super().__init__(daemon=True)
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.s.bind((interface, 3))
        self.s.settimeout(0.1)
        self.over, self.most = False, 0
        self.start()

    def run(self):
        while not self.over:
            try:
                frame, where = self.s.recvfrom(65600)
            except TimeoutError:
                continue
            if where[2] != 4:  # PACKET_OUTGOING
                self.most = max(self.most, len(frame))

    def end(self):
        self.over = True
        self.join()
        self.s.close()
        return self.most


def over_6(guest, interface):
    """The same guest at its link-local address, which its card's tells (zuk/net.c)."""
    _, b, c, d = guest.ip.split(".")
    guest.where = (f"fe80::5054:ff:fe{int(b):02x}:{int(c):x}{int(d):02x}%{interface}", 80)
    for _ in range(100):  # this side's address must show that nobody has it
        try:
            guest.connect(2).close()
            return
        except OSError:
            time.sleep(0.1)


def timed(name, size, how):
    begin = time.monotonic()
    check(how(), name)
    took = time.monotonic() - begin
    rate = f", {size / took / 1e6:.1f} MB/s" if size else ""
    print(f"{name}: {took:.1f} s{rate}", flush=True)


def loop(guest, count):
    for i in range(count):
        with guest.connect(20) as s:
            if i % 3:
                s.sendall(b"Ehello")
                if s.recv(5, socket.MSG_WAITALL) != b"hello":
                    return False
    return True


def at_once(guest, count):
    """All are open before the first is used; the answers come to each."""
    held = []
    try:
        for _ in range(count):
            held.append(guest.connect(30))
        for i, s in enumerate(held):
            s.sendall(b"E%06d" % i)
        return all(s.recv(6, socket.MSG_WAITALL) == b"%06d" % i for i, s in enumerate(held))
    finally:
        for s in held:
            s.close()


def slow_clients(guest, count):
    """Those who read slowly, or not at all, hold up nobody."""
    ok = [False] * count
    deaf = [guest.connect() for _ in range(count)]
    for s in deaf:
        s.sendall(b"S" + struct.pack("Q", 1 << 30))

    def one(i):
        ok[i] = pull(guest, 60000, 0.01, 2048)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    quick = echo(guest, b"quick" * 1000)
    for t in threads:
        t.join()
    for s in deaf:
        s.close()
    return quick and all(ok)


def together(guest, count, size):
    """So many transfers of `size` bytes at once, half of them each way."""
    ok = [False] * count

    def one(i):
        ok[i] = (pull if i % 2 else push)(guest, size)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return all(ok)


def ends(guest, count):
    """Closed and reset at every stage of a connection."""
    for i in range(count):
        s = socket.socket()
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if i % 16 < 2:  # on the way
            s.setblocking(False)
            s.connect_ex(guest.where)
            s.close()
            continue
        s.settimeout(20)
        s.connect(guest.where)
        stage = i % 16 // 2
        if stage == 2:  # a part of a request
            s.sendall(b"S1234")
        elif stage == 3:  # it is sending
            s.sendall(b"S" + struct.pack("Q", 1 << 24))
            s.recv(100)
        elif stage == 4:  # it is receiving
            s.sendall(b"R" + struct.pack("Q", 1 << 24) + bytes(10000))
        elif stage == 5:  # it echoes what nobody reads
            s.sendall(b"E" + bytes(30000))
        elif stage == 6:  # half closed
            s.sendall(b"Ehalf")
            s.shutdown(socket.SHUT_WR)
        elif stage == 7:  # it closed its half
            s.sendall(b"S" + struct.pack("Q", 1000))
            while s.recv(4096):
                pass
        s.close()
    return echo(guest, b"still there")


def raw_sum(data):
    if len(data) % 2:
        data += b"\0"
    return int.from_bytes(data, "big") % 0xffff ^ 0xffff


def segment(source, port, guest, flags, seq, ack=0, window=8192, data=b""):
    tcp = struct.pack(">HHIIBBHHH", port, 80, seq, ack, 0x50, flags, window, 0, 0) + data
    pseudo = source + socket.inet_aton(guest.ip) + struct.pack(">HH", 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", raw_sum(pseudo + tcp)) + tcp[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0)
    return head + source + socket.inet_aton(guest.ip) + tcp


def half_open(guest, count, rate=20000):
    """First segments from addresses that answer nothing, some taken back."""
    begin = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        for i in range(count):
            source = struct.pack(">BBH", 198, 18, i & 0xffff)
            port = 1024 + i // 7 % 60000
            s.sendto(segment(source, port, guest, 2, i), (guest.ip, 0))
            if i % 5 == 0:
                s.sendto(segment(source, port, guest, 4, i + 1), (guest.ip, 0))
            if i % 1000 == 999:  # while it goes on, the server is there
                time.sleep(max(0.0, begin + i / rate - time.monotonic()))
                if i % 10000 == 9999 and not echo(guest, b"in between"):
                    return False
    return echo(guest, b"after half-open ones")


def narrow(guest, interface):
    """A peer that opens no window at first, and then one of 100 bytes."""
    source, port, wanted = bytes([198, 19, 0, 1]), 4000, bytes(range(200)) + b"x"
    got, seq, ack = b"", 100, 0
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as out, \
            socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800)) as back:
        back.bind((interface, 0x800))
        back.settimeout(0.5)

        def say(flags, window, data=b""):
            nonlocal seq
            out.sendto(segment(source, port, guest, flags, seq, ack, window, data), (guest.ip, 0))
            seq += len(data) + (flags & 2) // 2

        say(2, 0)
        stages = [(0, b"E" + wanted[:200]), (100, b"x")]
        end = time.monotonic() + 30
        while len(got) < len(wanted) and time.monotonic() < end:
            try:
                ip = back.recv(2000)
            except TimeoutError:
                ip = b""
            tcp = ip[20:]
            if len(tcp) >= 20 and ip[16:20] == source and ip[9] == 6:
                number, flags = struct.unpack(">I", tcp[4:8])[0], tcp[13]
                data = ip[20 + (tcp[12] >> 4) * 4:struct.unpack(">H", ip[2:4])[0]]
                if flags & 4:
                    return False
                if flags & 2:
                    ack = number + 1
                elif data and number == ack:
                    got += data
                    ack += len(data)
            if ack:
                window, data = stages.pop(0) if stages else (100, b"")
                say(0x10, window, data)
        say(4, 0)
    return got == wanted and echo(guest, b"after a narrow one")


def closed_ports(guest, count, rate=20000):
    begin = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        for i in range(count):
            try:
                u.sendto(b"nobody" * (i % 200), (guest.ip, 1000 + i % 50000))
            except OSError:
                pass  # of one before
            if i % 1000 == 999:
                time.sleep(max(0.0, begin + i / rate - time.monotonic()))
    return echo(guest, b"after datagrams")


# ---- a bad path ----

VNET = 10  # bytes of struct virtio_net_hdr


def finish(frame):
    """A frame as a wire has it: cut into segments and with the checksum, which a sender
    left to the card.  IPv4 only."""
    flags, kind, headers, size, start, offset = struct.unpack("<BBHHHH", frame[:VNET])
    frame = frame[VNET:]
    if not flags & 1:
        return [frame]
    at = start + offset
    if not kind:
        return [frame[:at] + struct.pack(">H", raw_sum(frame[start:]) or 0xffff) + frame[at + 2:]]
    headers = start + (frame[start + 12] >> 4) * 4
    number, cut = struct.unpack(">I", frame[start + 4:start + 8])[0], []
    for done in range(0, len(frame) - headers, size):
        data = frame[headers + done:headers + done + size]
        last = headers + done + size >= len(frame)
        tcp = bytearray(frame[start:headers] + data)
        tcp[4:8] = struct.pack(">I", (number + done) & 0xffffffff)
        tcp[13] &= 0xff if last else 0xf6  # FIN, PSH
        tcp[16:18] = bytes(2)
        pseudo = frame[26:34] + struct.pack(">HH", 6, len(tcp))
        tcp[16:18] = struct.pack(">H", raw_sum(pseudo + tcp))
        ip = bytearray(frame[14:start])
        ip[2:4] = struct.pack(">H", len(ip) + len(tcp))
        ip[10:12] = bytes(2)
        ip[10:12] = struct.pack(">H", raw_sum(bytes(ip)))
        cut.append(frame[:14] + bytes(ip) + bytes(tcp))
    return cut


def bad_path():
    """Between zs1, where the host is, and zs2, where the guest is, for ever."""
    import fcntl
    rand = random.Random(3)
    a = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(a, 0x400454ca, struct.pack("16sH22x", b"zs1", 0x1002))  # TUNSETIFF: TAP, NO_PI
    b = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    b.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
    b.bind(("zs2", 3))
    b.setblocking(False)
    held = []

    def send(to_guest, frame):
        try:
            if to_guest:
                b.send(bytes(VNET) + frame)
            else:
                os.write(a, frame)
        except OSError:
            pass  # a full queue loses it, too

    def carry(to_guest, frame):
        luck = rand.random()
        if luck < 0.005:  # lost
            return
        if luck < 0.01:  # damaged, somewhere behind the Ethernet header
            at = rand.randrange(14, len(frame))
            frame = frame[:at] + bytes([frame[at] ^ 1 << rand.randrange(8)]) + frame[at + 1:]
        if luck < 0.02:  # late
            held.append((to_guest, frame))
            return
        send(to_guest, frame)
        if luck > 0.99:  # twice
            send(to_guest, frame)
        if held and rand.random() < 0.3:
            send(*held.pop(0))

    while True:
        ready = select.select([a, b], [], [], 0.005)[0]
        if not ready:
            for one in held:
                send(*one)
            held.clear()
        for fd in ready:
            for _ in range(64):
                try:
                    if fd is a:
                        frames = [os.read(a, 65536)]
                    else:
                        frame, where = b.recvfrom(65600)
                        if where[2] == 4:  # PACKET_OUTGOING: our own
                            continue
                        frames = finish(frame)
                except BlockingIOError:
                    break
                for frame in frames:
                    carry(fd is a, frame)


# ---- all of it ----

MB = 1000000
amount = 100 * MB if FULL else 8 * MB
guest = Guest("zs0", "10.77.0.2", "10.77.0.1")
timed(f"{amount // MB} MB to the guest", amount, lambda: push(guest, amount))
lengths = Lengths("zs0")
timed(f"{amount // MB} MB from the guest", amount, lambda: pull(guest, amount))
over_4 = guest.where
over_6(guest, "zs0")
timed(f"{amount // MB} MB to the guest by IPv6", amount, lambda: push(guest, amount))
timed(f"{amount // MB} MB from the guest by IPv6", amount, lambda: pull(guest, amount))
guest.where = over_4
most = lengths.end()
check(most > 30000, f"the guest leaves it to the card to cut segments: {most} bytes are its longest frame")
many, crowd, few = (10000, 1000, 20) if FULL else (300, 200, 5)
flood = 100000 if FULL else 3000
only = [a for a in sys.argv[1:] if not a.startswith("-")]
trials = [("opened and closed", loop, many), ("at once", at_once, crowd),
          ("slow clients", slow_clients, few), ("ends at every stage", ends, 800 if FULL else 160),
          ("half-open attempts", half_open, flood), ("datagrams to closed ports", closed_ports, flood)]
check(narrow(guest, "zs0"), "a peer that opens its window late and little")
for name, what, count in trials:
    if only and what.__name__ not in only:
        continue
    # The kernel's heap keeps what a first round needed, for later ones.
    check(what(guest, min(count, 2000)), f"{name}, first")
    before = guest.settled(lambda free: False)
    timed(f"{count} {name}", 0, lambda: what(guest, count))
    # How much is in flight at once depends on who was quick.
    slack = 1024 if what is slow_clients else 128
    after = guest.settled(lambda free: before[0] - free <= slack << 10)
    check(after[1] == 0, f"{name}: {after[1]} connections stay")
    check(before[0] - after[0] <= slack << 10,
          f"{name}: the second round took {(before[0] - after[0]) >> 10} KiB more")
guest.end()

path = os.fork()
if path == 0:
    try:
        bad_path()
    finally:
        os._exit(1)
try:
    amount = 100 * MB if FULL else 2 * MB
    guest = Guest("zs2", "10.78.0.2", "10.78.0.1")
    timed(f"{amount // MB} MB to the guest on a bad path", amount, lambda: push(guest, amount))
    timed(f"{amount // MB} MB from the guest on a bad path", amount, lambda: pull(guest, amount))
    side = 100 if FULL else 20
    timed(f"{amount // MB} MB by {side} connections at once on a bad path", amount,
          lambda: together(guest, side, amount // side))
    check(echo(guest, b"after it all"), "an answer after the bad path")
    guest.end()
finally:
    os.kill(path, signal.SIGKILL)
checks.finish()
