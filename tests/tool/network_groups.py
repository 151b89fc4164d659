#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Multicast groups as the wire sees them: what a guest on a tap interface sends
# when a program joins groups of IPv6 (MLD, RFC 2710 and 3590) and IPv4 (IGMP, RFC
# 2236), when a router asks, when the first and the last of two sockets leave; and
# that what is sent to a group arrives.  In a network namespace of its own.
# timeout: 120
import os
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import ZUK, build, check, finish, own_network  # noqa: E402

own_network("ip tuntap add zg0 mode tap && ip addr add 10.79.0.1/24 dev zg0 && "
            "ip addr add fe80::1/64 dev zg0 nodad && ip link set zg0 up")

LINK, SITE, FOUR = "ff02::1:2345", "ff05::1234", "233.252.0.55"
# Two sockets join.  UDP port 53 takes words: "first" leaves with the first, "last" with
# the second, "end" ends; each is answered when it is done.  What comes to the groups'
# port goes back to who sent it.
GROUPS = build("groups", r"""
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
static int change(int six, int four, int join) {
    struct ipv6_mreq link = {.ipv6mr_interface = if_nametoindex("eth0")}, site = link;
    struct ip_mreqn group = {.imr_ifindex = (int)if_nametoindex("eth0")};
    inet_pton(AF_INET6, "ff02::1:2345", &link.ipv6mr_multiaddr);
    inet_pton(AF_INET6, "ff05::1234", &site.ipv6mr_multiaddr);
    inet_pton(AF_INET, "233.252.0.55", &group.imr_multiaddr);
    int name6 = join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
    int name4 = join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
    return setsockopt(six, IPPROTO_IPV6, name6, &link, sizeof link) ||
           setsockopt(six, IPPROTO_IPV6, name6, &site, sizeof site) ||
           setsockopt(four, IPPROTO_IP, name4, &group, sizeof group);
}
int main(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53)};
    struct sockaddr_in6 b = {.sin6_family = AF_INET6, .sin6_port = htons(54)}, from;
    int words = socket(AF_INET, SOCK_DGRAM, 0), all = socket(AF_INET6, SOCK_DGRAM, 0);
    int six = socket(AF_INET6, SOCK_DGRAM, 0), four = socket(AF_INET, SOCK_DGRAM, 0);
    char in[64];
    if (bind(words, (void *)&a, sizeof a) || bind(all, (void *)&b, sizeof b))
        return 1;
    if (change(all, words, 1) || change(six, four, 1))
        return 2;
    puts("ready"), fflush(stdout);
    for (;;) {
        struct pollfd p[2] = {{.fd = words, .events = POLLIN}, {.fd = all, .events = POLLIN}};
        poll(p, 2, -1);
        int fd = p[0].revents ? words : all;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(fd, in, sizeof in, 0, (void *)&from, &size);
        if (n == 5 && !memcmp(in, "first", 5) && change(all, words, 0))
            return 3;
        if (n == 4 && !memcmp(in, "last", 4) && change(six, four, 0))
            return 4;
        sendto(fd, in, (size_t)n, 0, (void *)&from, size);
        if (n == 3 && !memcmp(in, "end", 3))
            return 0;
    }
}
""")


def internet_sum(data):
    """The checksum of it; 0xffff when it holds the right one."""
    return int.from_bytes(data, "big") % 0xffff ^ 0xffff  # all have an even length


def six(text):
    return socket.inet_pton(socket.AF_INET6, text)


wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("zg0", 3))
wire.settimeout(0.1)


class Told:
    """A message about groups, from the guest: its kind and group; wrong: what is not
    as it should be."""

    def __init__(self, frame):
        self.kind = self.group = self.wrong = None
        ether, ip = frame[:14], frame[14:]
        if ether[12:] == b"\x86\xdd" and len(ip) >= 72 and ip[6] == 0:
            self.mld(ether, ip)
        elif ether[12:] == b"\x08\0" and len(ip) >= 28 and ip[9] == 2:
            self.igmp(ether, ip)

    def mld(self, ether, ip):
        options, icmp = ip[40:48], ip[48:40 + struct.unpack(">H", ip[4:6])[0]]
        if options[0] != 58 or icmp[0] not in (131, 132):
            return
        self.kind = {131: "report", 132: "done"}[icmp[0]]
        self.group = socket.inet_ntop(socket.AF_INET6, icmp[8:24])
        source, to = ip[8:24], ip[24:40]
        pseudo = source + to + struct.pack(">II", len(icmp), 58)
        if ip[7] != 1:
            self.wrong = f"hop limit {ip[7]}"
        elif options != b"\x3a\0\x05\x02\0\0\x01\0":  # router alert of MLD, PadN
            self.wrong = f"hop-by-hop options {options.hex()}"
        elif to != (icmp[8:24] if self.kind == "report" else six("ff02::2")):
            self.wrong = f"to {to.hex()}"
        elif ether[:6] != b"\x33\x33" + to[12:]:
            self.wrong = f"Ethernet to {ether[:6].hex()}"
        elif source[:8] != six("fe80::")[:8] and source != bytes(16):
            self.wrong = f"from {source.hex()}"
        elif len(icmp) != 24 or icmp[1] or icmp[4:8] != bytes(4):
            self.wrong = f"contents {icmp.hex()}"
        elif internet_sum(pseudo + icmp) != 0xffff:
            self.wrong = "the checksum"

    def igmp(self, ether, ip):
        header = (ip[0] & 15) * 4
        igmp = ip[header:struct.unpack(">H", ip[2:4])[0]]
        self.kind = {0x16: "report", 0x17: "done"}.get(igmp[0])
        self.group = socket.inet_ntoa(igmp[4:8])
        to = ip[16:20]
        if ip[8] != 1:
            self.wrong = f"TTL {ip[8]}"
        elif ip[20:header] != b"\x94\x04\0\0":  # router alert
            self.wrong = f"options {ip[20:header].hex()}"
        elif to != (igmp[4:8] if self.kind == "report" else bytes((224, 0, 0, 2))):
            self.wrong = f"to {socket.inet_ntoa(to)}"
        elif ether[:6] != b"\x01\0\x5e" + bytes((to[1] & 127, to[2], to[3])):
            self.wrong = f"Ethernet to {ether[:6].hex()}"
        elif internet_sum(ip[:header]) != 0xffff or internet_sum(igmp) != 0xffff:
            self.wrong = "a checksum"


def hear(seconds, wanted=()):
    """The messages of that time as {(kind, group)}; no longer than until all wanted are there."""
    seen, end = set(), time.monotonic() + seconds
    while time.monotonic() < end and not (wanted and seen >= set(wanted)):
        try:
            frame, where = wire.recvfrom(2048)
        except TimeoutError:
            continue
        told = Told(frame) if where[2] != 4 else None  # PACKET_OUTGOING
        if told and told.kind and told.group in (LINK, SITE, FOUR):
            check(told.wrong is None, f"the {told.kind} of {told.group}: {told.wrong}")
            seen.add((told.kind, told.group))
    return seen


u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.settimeout(1)


def say(word, where=("10.79.0.2", 53), on=u):
    for _ in range(20):
        on.sendto(word, where)
        try:
            return on.recv(64) == word
        except TimeoutError:
            continue
    return False


REPORTS = {("report", g) for g in (LINK, SITE, FOUR)}
DONE = {("done", g) for g in (LINK, SITE, FOUR)}
guest = subprocess.Popen([ZUK, "exec", "--timeout", "100", "--net",
                          "tap=zg0,ip=10.79.0.2/24,gw=10.79.0.1", GROUPS],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
line = guest.stdout.readline()
check(line == b"ready\n", f"the guest says {line!r}")
if line == b"ready\n":
    heard = hear(20, REPORTS)
    check(heard == REPORTS, f"joining tells {heard}")
    hear(12)  # it is said twice: the second time within ten seconds

    # A router asks which groups there are, with a second's time for the answer.
    query = bytes((130, 0, 0, 0)) + struct.pack(">HH", 1000, 0) + bytes(16)
    source, to = six("fe80::1"), six("ff02::1")
    query = query[:2] + struct.pack(">H", internet_sum(source + to + struct.pack(
        ">II", len(query), 58) + query)) + query[4:]
    own = wire.getsockname()[4]
    wire.send(b"\x33\x33\0\0\0\x01" + own + b"\x86\xdd" +
              struct.pack(">IHBB", 6 << 28, 8 + len(query), 0, 1) + source + to +
              b"\x3a\0\x05\x02\0\0\x01\0" + query)
    heard = hear(10, {("report", LINK), ("report", SITE)})
    check(heard == {("report", LINK), ("report", SITE)}, f"a query is answered by {heard}")

    # What is sent to the groups arrives.
    index = socket.if_nametoindex("zg0")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 2)
        for group in (LINK, SITE):
            check(say(b"to all of " + group.encode(), (group, 54, 0, index), s),
                  f"what is sent to {group} arrives")

    # One of two leaves, and nobody needs to know; then the other.
    check(say(b"first"), "the first socket leaves")
    heard = hear(2)
    check(not heard & DONE, f"a group that somebody is still in: {heard}")
    check(say(b"last"), "the second socket leaves")
    heard = hear(10, DONE)
    check(heard >= DONE, f"leaving tells {heard}")
    u.sendto(b"end", ("10.79.0.2", 53))
try:
    status = guest.wait(20)
except subprocess.TimeoutExpired:
    guest.kill()
    status = "none: it did not end"
check(status == 0, f"the guest ends with {status}: {guest.stdout.read()!r}")
finish()
