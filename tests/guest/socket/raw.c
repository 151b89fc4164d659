/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Raw sockets: ICMP and ICMPv6 echoes of ourselves, what a filter of types lets
 * through; whom an ICMP message about a TCP segment concerns; joining IPv6
 * multicast groups; refusals.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#ifndef ICMP_FILTER /* linux/icmp.h */
#define ICMP_FILTER 1
struct icmp_filter {
    uint32_t data;
};
#endif

static uint16_t sum(const void *data, size_t size) {
    const uint8_t *p = data;
    uint32_t total = 0;
    for (size_t i = 0; i < size; i++)
        total += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return htons((uint16_t)~total);
}

/* Linux shows what others on the host send, too: what is told apart by this is ours. */
static uint16_t own_id(void) {
    return htons((uint16_t)getpid());
}

static int ready(int fd, int ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms);
}

static void ping4(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       from;
    socklen_t length = sizeof from;
    uint8_t b[256];
    struct {
        struct icmphdr h;
        char data[40];
    } echo = {.h = {.type = ICMP_ECHO, .un.echo = {own_id(), htons(7)}}, .data = "who is there"};
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), replies = 0,
        other = socket(AF_INET, SOCK_RAW, 253); /* for experiments: nobody sends it */
    CHECK(s >= 0 && other >= 0);
    echo.h.checksum = sum(&echo, sizeof echo);
    CHECK_EQ(sendto(s, &echo, sizeof echo, 0, (void *)&to, sizeof to), sizeof echo);
    /* Both the request and its answer come by: they are for this host. */
    while (replies == 0 && ready(s, 3000) == 1) {
        ssize_t n = recvfrom(s, b, sizeof b, 0, (void *)&from, &length);
        struct iphdr *ip = (void *)b;
        struct icmphdr *h = (void *)(b + ip->ihl * 4);
        if (h->un.echo.id != own_id())
            continue;
        CHECK_EQ(n, 20 + (ssize_t)sizeof echo);
        CHECK_EQ(from.sin_addr.s_addr, to.sin_addr.s_addr);
        CHECK(ip->protocol == IPPROTO_ICMP && ip->version == 4);
        replies += h->type == ICMP_ECHOREPLY && h->un.echo.sequence == htons(7) &&
                   !strcmp((char *)(h + 1), "who is there");
    }
    CHECK_EQ(replies, 1);
    CHECK_EQ(ready(other, 0), 0); /* another protocol's */
    struct icmp_filter none = {.data = ~0u}, was;
    length = sizeof was;
    CHECK_EQ(setsockopt(s, SOL_RAW, ICMP_FILTER, &none, sizeof none), 0);
    CHECK_EQ(getsockopt(s, SOL_RAW, ICMP_FILTER, &was, &length), 0);
    CHECK(was.data == none.data && length == sizeof was);
    CHECK_EQ(sendto(s, &echo, sizeof echo, 0, (void *)&to, sizeof to), sizeof echo);
    CHECK_EQ(ready(s, 100), 0);
    CHECK_ERRNO(setsockopt(other, SOL_RAW, ICMP_FILTER, &none, sizeof none), EOPNOTSUPP);
    close(other);
    close(s);
}

static void ping6(void) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct {
        struct icmp6_hdr h;
        char data[40];
    } echo = {.h = {.icmp6_type = ICMP6_ECHO_REQUEST}, .data = "and here"}, in;
    struct icmp6_filter only;
    int s = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    CHECK(s >= 0);
    ICMP6_FILTER_SETBLOCKALL(&only);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
    CHECK_EQ(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof only), 0);
    echo.h.icmp6_id = own_id(), echo.h.icmp6_seq = htons(3);
    /* the kernel makes the checksum */
    CHECK_EQ(sendto(s, &echo, sizeof echo, 0, (void *)&to, sizeof to), sizeof echo);
    CHECK_EQ(ready(s, 3000), 1);
    do {
        CHECK_EQ(recv(s, &in, sizeof in, 0), sizeof echo); /* no IPv6 header */
        CHECK_EQ(in.h.icmp6_type, ICMP6_ECHO_REPLY);       /* and the request was not let through */
    } while (in.h.icmp6_id != own_id() && ready(s, 3000) == 1);
    CHECK(in.h.icmp6_id == own_id() && !strcmp(in.data, "and here"));
    close(s);
}

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static socklen_t size_of(int family) {
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int dial(union address *to) {
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERRNO(connect(fd, &to->any, size_of(to->any.sa_family)), EINPROGRESS);
    return fd;
}

/* The number that the first segment between these ports had. */
static uint32_t first_number(int raw, int family, in_port_t from, in_port_t to) {
    uint8_t b[256] = {0};
    struct tcphdr h;
    for (ssize_t n; ready(raw, 3000) == 1;) {
        n = recv(raw, b, sizeof b, 0);
        size_t at = family == AF_INET ? (b[0] & 15u) * 4 : 0;
        if (n < (ssize_t)(at + sizeof h))
            continue;
        memcpy(&h, b + at, sizeof h);
        if (h.th_sport == from && h.th_dport == to && h.th_flags == TH_SYN)
            return ntohl(h.th_seq);
    }
    CHECK(!"a first segment came");
    return 0;
}

/* Says that a segment of ours, with that number and from the address that ends in
 * `last`, came to a port that is nobody's. */
static void tell(int family, in_port_t from, in_port_t to, uint32_t number, uint8_t last) {
    union address self = {.any.sa_family = (sa_family_t)family};
    struct {
        uint8_t type, code;
        uint16_t sum;
        uint32_t unused;
        uint8_t quoted[sizeof(struct ip6_hdr) + 8];
    } m = {.type = family == AF_INET ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH,
           .code = family == AF_INET ? ICMP_PORT_UNREACH : ICMP6_DST_UNREACH_NOPORT};
    uint32_t seq = htonl(number);
    size_t header = family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
    size_t size = 8 + header + 8;
    if (family == AF_INET) {
        struct iphdr ip = {.version = 4, .ihl = 5, .tot_len = htons(40), .ttl = 64, .protocol = 6};
        ip.saddr = htonl(0x7f000000u | last);
        ip.daddr = self.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        memcpy(m.quoted, &ip, sizeof ip);
    } else {
        struct ip6_hdr ip = {.ip6_dst = in6addr_loopback};
        ip.ip6_flow = htonl(6u << 28), ip.ip6_plen = htons(20), ip.ip6_nxt = 6, ip.ip6_hlim = 64;
        ip.ip6_src.s6_addr[15] = last;
        self.six.sin6_addr = in6addr_loopback;
        memcpy(m.quoted, &ip, sizeof ip);
    }
    memcpy(m.quoted + header, &from, sizeof from);
    memcpy(m.quoted + header + 2, &to, sizeof to);
    memcpy(m.quoted + header + 4, &seq, sizeof seq);
    int s = socket(family, SOCK_RAW, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    m.sum = family == AF_INET ? sum(&m, size) : 0; /* of ICMPv6 the kernel makes it */
    CHECK_EQ(sendto(s, &m, size, 0, &self.any, size_of(family)), (ssize_t)size);
    close(s);
}

/* An attempt to connect that nobody answers ends by a message that quotes what it sent,
 * not by one whose sender only knows addresses and ports (RFC 5927). */
static void attempts(int family) {
    union address to = {.any.sa_family = (sa_family_t)family}, own;
    socklen_t size = size_of(family);
    int l = socket(family, SOCK_STREAM, 0), raw = socket(family, SOCK_RAW, IPPROTO_TCP);
    if (family == AF_INET)
        to.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        to.six.sin6_addr = in6addr_loopback;
    CHECK_EQ(bind(l, &to.any, size), 0);
    CHECK_EQ(listen(l, 0), 0);
    CHECK_EQ(getsockname(l, &to.any, &size), 0);
    int full = dial(&to); /* with it the room is used up */
    CHECK_EQ(ready(l, 3000), 1);
    int fd = dial(&to), error = -1;
    CHECK_EQ(getsockname(fd, &own.any, &size), 0);
    in_port_t from = own.four.sin_port, port = to.four.sin_port; /* in the same place */
    uint32_t number = first_number(raw, family, from, port);
    close(raw);
    tell(family, from, port, number - 1, 1);
    tell(family, from, port, number + 2, 1);
    tell(family, from, port, number + 0x80000000u, 1);
    tell(family, from, port, number, 2);
    CHECK_EQ(ready(fd, 100), 0);
    tell(family, from, port, number, 1);
    CHECK_EQ(ready(fd, 3000), 1);
    size = sizeof error;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    CHECK_EQ(error, ECONNREFUSED);
    close(fd), close(full), close(l);
}

static void groups(void) {
    struct ipv6_mreq r = {.ipv6mr_interface = if_nametoindex("lo")};
    int s = socket(AF_INET6, SOCK_DGRAM, 0);
    unsigned out = r.ipv6mr_interface;
    inet_pton(AF_INET6, "ff02::1234", &r.ipv6mr_multiaddr);
    CHECK_EQ(setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof r), 0);
    CHECK_ERRNO(setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof r), EADDRINUSE);
    CHECK_EQ(setsockopt(s, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &r, sizeof r), 0);
    CHECK_ERRNO(setsockopt(s, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &r, sizeof r), EADDRNOTAVAIL);
    r.ipv6mr_interface = 4000;
    CHECK_ERRNO(setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof r), ENODEV);
    inet_pton(AF_INET6, "fe80::1", &r.ipv6mr_multiaddr);
    r.ipv6mr_interface = out;
    CHECK_ERRNO(setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof r), EINVAL);
    CHECK_ERRNO(setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, 4), EINVAL);
    close(s);
}

static void refusals(void) {
    char b[64];
    const struct icmp_filter none = {.data = ~0u};
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    CHECK_ERRNO(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET6, SOCK_RAW, 0), EPROTONOSUPPORT);
    CHECK_ERRNO(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, b, 32), ENOPROTOOPT);
    CHECK_ERRNO(listen(s, 1), EOPNOTSUPP);
    CHECK_ERRNO(send(s, b, sizeof b, 0), EDESTADDRREQ);
    CHECK_EQ(setsockopt(s, SOL_RAW, ICMP_FILTER, &none, sizeof none), 0);
    CHECK_ERRNO(recv(s, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    CHECK_ERRNO(recv(s, b, sizeof b, MSG_ERRQUEUE), EAGAIN);
    CHECK_ERRNO(recv(s, b, sizeof b, MSG_OOB), EOPNOTSUPP);
    close(s);
}

int main(void) {
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (s < 0 && errno == EPERM && getuid() != 0)
        return check_done(); /* on a host that does not let everybody */
    CHECK(s >= 0);
    close(s);
    ping4();
    ping6();
    attempts(AF_INET);
    attempts(AF_INET6);
    groups();
    refusals();
    return check_done();
}
