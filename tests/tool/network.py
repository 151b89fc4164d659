#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The guest's network from outside: ports published with -p on every machine,
# many connections and long transfers, UDP, names by DNS and by DHCP, a tap
# interface, --pcap, a port that is taken.  All of it in a network namespace of
# its own, which ends with the test.
# timeout: 300
import contextlib
import hashlib
import os
import random
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import checks  # noqa: E402
from checks import TMP, ZUK, build, check, finish  # noqa: E402

checks.own_network("ip link set lo up")


# Echoes TCP on port 80 (a thread for each connection) and UDP on port 53, until
# a datagram says "end".
ECHO = build("echo", r"""
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static void *serve(void *arg) {
    int fd = (int)(intptr_t)arg;
    static __thread char b[16384];
    for (ssize_t n; (n = read(fd, b, sizeof b)) > 0;)
        for (ssize_t done = 0, r; done < n; done += r)
            if ((r = write(fd, b + done, (size_t)(n - done))) <= 0)
                break;
    close(fd);
    return NULL;
}
static void *listen_all(void *arg) {
    int l = (int)(intptr_t)arg;
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 65536);
    for (int fd; (fd = accept(l, NULL, NULL)) >= 0;) {
        pthread_t t;
        if (pthread_create(&t, &a, serve, (void *)(intptr_t)fd) != 0)
            close(fd);
        else
            pthread_detach(t);
    }
    perror("accept");
    return NULL;
}
int main(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
    int l = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
    char b[2048];
    pthread_t t;
    if (bind(l, (void *)&a, sizeof a) || listen(l, 512))
        return 1;
    a.sin_port = htons(53);
    if (bind(u, (void *)&a, sizeof a))
        return 1;
    pthread_create(&t, NULL, listen_all, (void *)(intptr_t)l);
    puts("ready"), fflush(stdout);
    for (;;) {
        socklen_t size = sizeof a;
        ssize_t n = recvfrom(u, b, sizeof b, 0, (void *)&a, &size);
        if (n < 0)
            return 2;
        if (n == 3 && !memcmp(b, "end", 3))
            return 0;
        sendto(u, b, (size_t)n, 0, (void *)&a, size);
    }
}
""")
NAMES = build("names", r"""
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
        int r = getaddrinfo(argv[i], NULL, &hints, &all);
        printf("%s:%s", argv[i], r ? gai_strerror(r) : "");
        for (struct addrinfo *a = all; a; a = a->ai_next) {
            char text[64];
            getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
            printf(" %s", text);
        }
        putchar('\n');
    }
    char line[256];
    FILE *f = fopen("/etc/hosts", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "10.", 3))
            fputs(line, stdout);
    return 0;
}
""")


class Guest:
    def __init__(self, *words):
        self.p = subprocess.Popen([ZUK, "exec", "--timeout", "120", *words], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ready(self):
        line = self.p.stdout.readline()
        check(line == b"ready\n", f"the guest says {line!r}")
        return line == b"ready\n"

    def end(self, port):
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(100):
            u.sendto(b"end", ("127.0.0.1", port))
            try:
                status = self.p.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            self.p.kill()
            status = "none: it did not end"
        check(status == 0, f"the guest ends with {status}: {self.p.stdout.read()!r}")


def transfer(where, data, slow=0.0, one_by_one=contextlib.nullcontext()):
    """Sends and receives at once; is what comes back what was sent?"""
    with one_by_one:  # until the guest has it
        s = socket.create_connection(where, timeout=60)
        s.sendall(data[:1])
        first = s.recv(1)

    def send():
        s.sendall(data[1:])
        s.shutdown(socket.SHUT_WR)
    t = threading.Thread(target=send)
    t.start()
    got = hashlib.sha256(first)
    size = len(first)
    while part := s.recv(65536):
        got.update(part)
        size += len(part)
        if slow:
            time.sleep(slow)
    t.join()
    s.close()
    return size == len(data) and got.digest() == hashlib.sha256(data).digest()


def udp(port):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(5)
    for size in (0, 1, 100, 1400):
        data = random.randbytes(size)
        for _ in range(5):  # it may be lost
            u.sendto(data, ("127.0.0.1", port))
            try:
                check(u.recv(2048) == data, f"{size} bytes by UDP come back")
                break
            except TimeoutError:
                continue
        else:
            check(False, f"{size} bytes by UDP do not come back")


LOCAL = ("127.0.0.1", 8080)
random.seed(1)
for machine in ("microvm", "q35", "pc"):
    g = Guest("--machine", machine, "-p", "8080:80", "-p", "127.0.0.1:5353:53/udp", ECHO)
    if g.ready():
        check(transfer(LOCAL, random.randbytes(300000)), f"{machine}: 300 KB come back")
        udp(5353)
    g.end(5353)

def stress(where, count, one_by_one=contextlib.nullcontext()):
    """Long transfers, many at once, slow readers, ends of all kinds."""
    check(transfer(where, random.randbytes(4 << 20)), f"{where}: 4 MiB come back")
    ok = [False] * count
    blob = random.randbytes(30000)

    def one(i):
        try:
            ok[i] = transfer(where, blob[i:], 0.01 if i % 10 == 0 else 0, one_by_one)
        except OSError as e:
            print(f"connection {i}: {e}")
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(all(ok), f"{where}: {count} connections at once, {sum(ok)} are intact")
    for i in range(200):
        s = socket.create_connection(where, timeout=20)
        if i % 4:
            s.sendall(blob[:i * 50])
        if i % 4 == 2:
            s.recv(10)
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    check(transfer(where, random.randbytes(100000)), f"{where}: it answers after 200 ends")


# QEMU's user networking resets connections that come faster than it takes them; those that
# it has taken are used all at once.
pcap = f"{TMP}/frames.pcap"
g = Guest("--pcap", pcap, "-p", "8080:80", "-p", "5353:53/udp", ECHO)
if g.ready():
    stress(LOCAL, 10, threading.Lock())
g.end(5353)
with open(pcap, "rb") as f:
    head = f.read(24)
    check(head[:4] == b"\xd4\xc3\xb2\xa1" and os.path.getsize(pcap) > 4 << 20,
          "--pcap leaves a capture of all frames")

# A port that is taken: who has it is told, and nothing is started.
holder = socket.socket()
holder.bind(("127.0.0.1", 8080))
holder.listen()
r = subprocess.run([ZUK, "exec", "-p", "8080:80", ECHO], capture_output=True, text=True, timeout=60)
with open("/proc/self/comm") as f:
    comm = f.read().strip()
check(r.returncode == 5, f"a port in use: status {r.returncode}")
check("8080/tcp" in r.stderr and f"'{comm}' (process {os.getpid()})" in r.stderr and
      "hint:" in r.stderr, f"who has the port: {r.stderr!r}")
holder.close()


# Names: a resolver of our own at 10.0.2.2, which is the host's 127.0.0.1.
def resolver(u):
    answers = {(b"\4name\4test\0", 1): socket.inet_aton("198.51.100.7"),
               (b"\4name\4test\0", 28): socket.inet_pton(socket.AF_INET6, "2001:db8::7"),
               (b"\4four\4test\0", 1): socket.inet_aton("198.51.100.8")}
    while True:
        q, peer = u.recvfrom(2048)
        end = q.index(b"\0", 12) + 1
        kind = struct.unpack(">H", q[end:end + 2])[0]
        data = answers.get((q[12:end].lower(), kind))
        known = any(name == q[12:end].lower() for name, _ in answers)
        reply = q[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, 1 if data else 0, 0, 0)
        reply += q[12:end + 4]
        if data:
            reply += struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(data)) + data
        u.sendto(reply, peer)


u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 53))
threading.Thread(target=resolver, args=(u,), daemon=True).start()
os.makedirs(f"{TMP}/root/etc")
with open(f"{TMP}/root/etc/resolv.conf", "w") as f:
    f.write("nameserver 10.0.2.2\n")
r = subprocess.run([ZUK, "exec", "--net", "user", "--rootfs", f"{TMP}/root", NAMES, "name.test",
                    "four.test", "no.test", "localhost"], capture_output=True, text=True, timeout=60)
lines = r.stdout.splitlines()
check(r.returncode == 0 and len(lines) == 5, f"names: {r!r}")
if len(lines) == 5:
    check(sorted(lines[0].split()) == ["198.51.100.7", "2001:db8::7", "name.test:"], lines[0])
    check(lines[1] == "four.test: 198.51.100.8", lines[1])
    check(lines[2] == "no.test:Name does not resolve", lines[2])
    check(lines[3] == "localhost: ::1 127.0.0.1", lines[3])
    check(lines[4] == "10.0.2.15 names", lines[4])

# Nobody says the address beforehand: DHCP does.
line = subprocess.run([ZUK, "exec", "--dry-run", "--net", "user", NAMES], capture_output=True,
                      text=True, timeout=60, check=True).stdout
words = shlex.split(line)
at = words.index("-append")
check(words[at + 1].startswith("ip=10.0.2.15::10.0.2.2:255.255.255.0:names:eth0:off:10.0.2.3"), line)
words[at + 1] = " ".join(w for w in words[at + 1].split() if not w.startswith("ip="))
r = subprocess.run(words, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
check("10.0.2.15 zuk" in r.stdout, f"an address by DHCP: {r.stdout!r} {r.stderr!r}")

# A device that offers packed rings, on either bus.
for machine, device in (("microvm", "virtio-net-device"), ("q35", "virtio-net-pci")):
    line = subprocess.run([ZUK, "exec", "--dry-run", "--machine", machine, "--net", "user", NAMES],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    r = subprocess.run([*shlex.split(line), "-global", f"{device}.packed=on"], capture_output=True,
                       text=True, timeout=60, stdin=subprocess.DEVNULL)
    check("10.0.2.15 names" in r.stdout, f"packed rings on {machine}: {r.stdout!r} {r.stderr!r}")

# A tap interface, addresses given.
made = subprocess.run(["sh", "-c", "ip tuntap add zuktest mode tap && ip addr add 10.77.0.1/24 dev "
                       "zuktest && ip link set zuktest up"], capture_output=True, text=True)
if not made.returncode:
    g = Guest("--net", "tap=zuktest,ip=10.77.0.2/24,gw=10.77.0.1", "--pcap", pcap, ECHO)
    if g.ready():
        s = socket.create_connection(("10.77.0.2", 80), timeout=20)
        s.sendall(b"over the tap")
        check(s.recv(64) == b"over the tap", "a tap interface carries TCP")
        s.close()
        stress(("10.77.0.2", 80), 100)
        u.close()
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.sendto(b"end", ("10.77.0.2", 53))
    try:
        check(g.p.wait(20) == 0, "a guest on a tap ends")
    except subprocess.TimeoutExpired:
        g.p.kill()
        check(False, "a guest on a tap does not end")
    with open(pcap, "rb") as f:
        f.read(24)
        kinds, longest = set(), 0
        while head := f.read(16):
            frame = f.read(struct.unpack("<8xI4x", head)[0])
            kinds.add(frame[12:14].hex())
            longest = max(longest, len(frame))
    check(kinds <= {"0800", "0806", "86dd"} and longest == 1514,
          f"--pcap on a tap has frames as on a wire: kinds {kinds}, up to {longest} bytes")

# A tap interface of several queues, for several CPUs and for one.
many = subprocess.run(["sh", "-c", "ip tuntap add zukmany mode tap multi_queue && ip addr add "
                       "10.78.0.1/24 dev zukmany && ip link set zukmany up"], capture_output=True)
if not many.returncode:
    tap = ["--net", "tap=zukmany,ip=10.78.0.2/24"]
    for cpus in ("2", "1"):
        g = Guest("--cpus", cpus, *tap, ECHO)
        if g.ready():
            stress(("10.78.0.2", 80), 30)
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            u.sendto(b"end", ("10.78.0.2", 53))
        try:
            check(g.p.wait(20) == 0, f"a guest of {cpus} CPUs on a tap of several queues ends")
        except subprocess.TimeoutExpired:
            g.p.kill()
            check(False, f"a guest of {cpus} CPUs on a tap of several queues does not end")
    r = subprocess.run([ZUK, "exec", *tap, "--pcap", pcap, ECHO], capture_output=True, text=True,
                       timeout=60)
    check(r.returncode == 2 and "several queues" in r.stderr and "hint:" in r.stderr, repr(r))

# What has no use is said.
HELLO = build("hello", "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n")
r = subprocess.run([ZUK, "exec", "-p", "8080:80", HELLO], capture_output=True, text=True, timeout=60)
check(r.returncode == 0 and r.stdout == "hello\n" and "-p has no use" in r.stderr, repr(r))
for wrong in (["-p", "80"], ["-p", "0:80"], ["-p", "70000:80"], ["-p", "80:80/sctp"],
              ["-p", "host:80:80"], ["-p", "80:80", "-p", "127.0.0.1:80:81"],
              ["-p", "80:80", "--net", "none"], ["--net", "bridge"], ["--net", "tap=t,gw=10.0.0.1"],
              ["--net", "none", "--pcap", "x"]):
    r = subprocess.run([ZUK, "exec", *wrong, HELLO], capture_output=True, text=True, timeout=60)
    check(r.returncode == 2 and "zuk: error:" in r.stderr, f"{wrong}: {r!r}")
if made.returncode and not checks.failed:
    print("all but the tap interface, which cannot be made here, passed:", made.stderr.strip())
    sys.exit(77)
finish()
