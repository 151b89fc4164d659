/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ethernet frames into the stack, sockets of all kinds above it: whatever
 * comes, nothing is touched that is not the stack's, and memory comes back.
 *
 * An input is a list of steps.  A frame is raw, or has its headers mended (our
 * addresses, IPv4's checksum), or is a TCP segment whose numbers follow what
 * the stack sent last, so that connections get somewhere.
 *
 * links: kernel/net/socket.c kernel/net/lwip/inet.c kernel/net/lwip/tcp.c
 * links: kernel/net/lwip/tcp_options.c kernel/net/lwip/tcp_input.c kernel/net/lwip/icmp.c
 * links: kernel/net/lwip/datagram.c kernel/net/lwip/netif.c kernel/net/lwip/port.c
 * links: kernel/net/lwip/names.c kernel/net/lwip/interfaces.c kernel/net/lwip/output.c
 * links: build/source/lwip/src/core/def.c build/source/lwip/src/core/inet_chksum.c
 * links: build/source/lwip/src/core/init.c build/source/lwip/src/core/ip.c
 * links: build/source/lwip/src/core/mem.c build/source/lwip/src/core/memp.c
 * links: build/source/lwip/src/core/netif.c build/source/lwip/src/core/pbuf.c
 * links: build/source/lwip/src/core/raw.c build/source/lwip/src/core/tcp.c
 * links: build/source/lwip/src/core/tcp_in.c build/source/lwip/src/core/tcp_out.c
 * links: build/source/lwip/src/core/timeouts.c build/source/lwip/src/core/udp.c
 * links: build/source/lwip/src/core/ipv4/dhcp.c build/source/lwip/src/core/ipv4/etharp.c
 * links: build/source/lwip/src/core/ipv4/icmp.c build/source/lwip/src/core/ipv4/igmp.c
 * links: build/source/lwip/src/core/ipv4/ip4.c build/source/lwip/src/core/ipv4/ip4_addr.c
 * links: build/source/lwip/src/core/ipv4/ip4_frag.c build/source/lwip/src/core/ipv6/ethip6.c
 * links: build/source/lwip/src/core/ipv6/icmp6.c build/source/lwip/src/core/ipv6/ip6.c
 * links: build/source/lwip/src/core/ipv6/ip6_addr.c build/source/lwip/src/core/ipv6/ip6_frag.c
 * links: build/source/lwip/src/core/ipv6/mld6.c build/source/lwip/src/core/ipv6/nd6.c
 * links: build/source/lwip/src/netif/ethernet.c
 */
#include <stdlib.h>
#include <string.h>

#include <lwip/inet_chksum.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>

#include "boot/bootinfo.h"
#include "clock/clock.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/random.h"
#include "net/lwip/inet.h"
#include "net/lwip/stack.h"
#include "net/socket.h"
#include "netdev/netdev.h"
#include "tests/unit/model_kernel.h"

/* ---- what the kernel is to the stack ------------------------------------- */

static long in_use; /* bytes of memory */
static uint64_t now = 1000000000;

struct bootinfo bootinfo = {.cmdline =
                                "ip=10.0.0.2::10.0.0.1:255.255.255.0:host:eth0:off:10.0.0.3"};

void *heap_alloc(size_t size) {
    in_use += (long)size;
    return calloc(1, size);
}
void *heap_alloc_dirty(size_t size) {
    in_use += (long)size;
    return memset(malloc(size), 0xd1, size);
}
void heap_free(void *p, size_t size) {
    if (p)
        in_use -= (long)size;
    free(p);
}
paddr_t frame_alloc(void) {
    in_use += PAGE_SIZE;
    return virt_to_phys(aligned_alloc(PAGE_SIZE, PAGE_SIZE));
}
paddr_t frame_find_run(size_t count) {
    (void)count;
    return 0; /* packets above a page: memory is out */
}
void frame_free(paddr_t frame) {
    in_use -= PAGE_SIZE;
    free(phys_to_virt(frame));
}
void random_bytes(void *p, size_t size) {
    memset(p, 0x5a, size);
}
uint64_t clock_monotonic(void) {
    return now;
}
uint64_t clock_realtime(void) {
    return now;
}
void timer_arm(struct timer *t, uint64_t deadline) {
    (void)t, (void)deadline;
}
int wait_on(struct wait_queue *q, uint64_t deadline) {
    (void)q, (void)deadline;
    return -EINTR;
}
void wake_all(struct wait_queue *q) {
    (void)q;
}
void signal_broken_pipe(void) {}
paddr_t arch_mapped_phys(const void *v) {
    (void)v;
    abort(); /* no kernel stack is here */
}
paddr_t user_page(vaddr_t va, unsigned prot) {
    (void)prot;
    return virt_to_phys((void *)(va - va % PAGE_SIZE));
}
struct file *file_new(const struct file_ops *ops, uint32_t flags, void *data) {
    (void)ops, (void)flags, (void)data;
    return NULL;
}

/* ---- the card ------------------------------------------------------------ */

static uint32_t next_seq, next_ack; /* of the other side, by the last segment that we saw */

static unsigned card_room(struct netdev *dev, unsigned wanted) {
    (void)dev, (void)wanted;
    return NETDEV_PIECES;
}
static int card_send(struct netdev *dev, const struct net_piece *pieces, unsigned count,
                     const struct net_offload *offload, void *token) {
    static uint8_t b[65536 + 14];
    size_t size = 0, most = offload->segment ? sizeof b : 1514;
    if (offload->segment && (!offload->start || offload->headers < 54))
        panic("segments need a checksum and headers");
    for (unsigned i = 0; i < count; i++) {
        if (size + pieces[i].size > most)
            panic("a frame is too long");
        memcpy(b + size, phys_to_virt(pieces[i].paddr), pieces[i].size);
        size += pieces[i].size;
    }
    if (size >= 54 && b[12] == 8 && b[13] == 0 && b[23] == PROTO_TCP) {
        const uint8_t *t = b + 14 + (b[14] & 15) * 4;
        uint32_t seq = (uint32_t)t[4] << 24 | t[5] << 16 | t[6] << 8 | t[7];
        uint32_t ack = (uint32_t)t[8] << 24 | t[9] << 16 | t[10] << 8 | t[11];
        size_t data = size - (size_t)(t - b) - (size_t)(t[12] >> 4) * 4;
        next_ack = seq + (uint32_t)data + (t[13] & 3 ? 1 : 0); /* SYN, FIN */
        next_seq = ack;
    }
    dev->stack->sent(dev, token);
    return 0;
}
static void card_flush(struct netdev *dev) {
    (void)dev;
}
static void card_release(struct netdev *dev, void *buffer) {
    (void)dev;
    free(buffer);
}
static bool card_link(struct netdev *dev) {
    (void)dev;
    return true;
}
static const struct netdev_ops card_ops = {card_room,    card_send, card_flush,
                                           card_release, card_link, NULL};
static struct netdev card = {.ops = &card_ops,
                             .mac = {2, 0, 0, 0, 0, 2},
                             .mtu = 1500,
                             .checksums_out = true,
                             .segments4 = true,
                             .segments6 = true};

static struct netdev *card_find(unsigned nth) {
    return nth ? NULL : &card;
}
static int card_start(struct netdev *dev) {
    (void)dev;
    return 0;
}
static const struct netdev_driver driver = {card_find, card_start};
__attribute__((used)) static const struct netdev_driver *const drivers[] = {&driver};
/* The linker script's, in the kernel. */
__asm__(".globl netdev_drivers_start, netdev_drivers_end\n"
        ".set netdev_drivers_start, drivers\n"
        ".set netdev_drivers_end, drivers + 8\n");

/* ---- steps --------------------------------------------------------------- */

static const uint8_t *input;
static size_t left;

static uint8_t byte(void) {
    return left ? left--, *input++ : 0;
}

static void deliver(const uint8_t *frame, size_t size) {
    /* So that ASan sees its end.  lwIP reads the byte behind a TCP option that is
     * cut off; a card's buffer is longer than any frame.  Long ones come in parts. */
    struct net_part parts[16];
    unsigned count = 0;
    for (size_t at = 0, n; at < size; at += n) {
        n = size - at < 120 || count == 15 ? size - at : 100;
        uint8_t *copy = malloc(n + 1);
        memcpy(copy, frame + at, n);
        parts[count++] = (struct net_part){copy, copy, n};
    }
    if (!count)
        return;
    card.stack->received(&card, parts, count, true);
    card.stack->idle(&card);
}

/* Our addresses and a header that adds up. */
static void mend(uint8_t *f, size_t size) {
    static const uint8_t six[16] = {0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 2};
    memcpy(f, card.mac, 6);
    if (size >= 34 && f[12] == 8 && f[13] == 0) {
        size_t header = (size_t)(f[14] & 15) * 4;
        memcpy(f + 30, (const uint8_t[]){10, 0, 0, 2}, 4);
        if (header < 20 || 14 + header > size)
            return;
        f[24] = f[25] = 0;
        uint16_t sum = inet_chksum(f + 14, (u16_t)header);
        memcpy(f + 24, &sum, 2);
    } else if (size >= 54 && f[12] == 0x86 && f[13] == 0xdd && !(f[14 + 24] == 0xff)) {
        memcpy(f + 38, six, sizeof six);
        f[38 + 8] = 0;
    }
}

/* A segment to port 80 (or what we dialled from): flags, distances, data. */
static void segment(uint16_t port) {
    uint8_t f[14 + 20 + 20 + 40 + 255] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};
    uint8_t flags = byte(), options = byte() % 11, size = byte();
    uint32_t seq = next_seq + (uint32_t)(int8_t)byte(), ack = next_ack + (uint32_t)(int8_t)byte();
    size_t total = 20u + 20 + options * 4u + size;
    f[16] = (uint8_t)(total >> 8), f[17] = (uint8_t)total;
    f[22] = 64, f[23] = PROTO_TCP;
    memcpy(f + 26, (const uint8_t[]){10, 0, 0, 1}, 4);
    uint8_t *t = f + 34;
    t[0] = 0x30, t[1] = 0x39, t[2] = (uint8_t)(port >> 8), t[3] = (uint8_t)port;
    for (int i = 0; i < 4; i++) {
        t[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
        t[8 + i] = (uint8_t)(ack >> (24 - 8 * i));
    }
    t[12] = (uint8_t)((5 + options) << 4), t[13] = flags, t[14] = byte(), t[15] = byte();
    for (size_t i = 0; i < options * 4u + size; i++)
        t[20 + i] = i < options * 4u ? byte() : (uint8_t)i;
    mend(f, 14 + total);
    deliver(f, 14 + total);
}

enum { SOCKETS = 6 };
static struct socket *sockets[SOCKETS + 1];

static void transfer(struct socket *s, unsigned what) {
    static _Alignas(4096) uint8_t buffer[4096];
    struct io_piece piece = {(vaddr_t)buffer, 1 + byte() * 16u};
    unsigned bits = byte();
    struct message m = {.pieces = &piece, .count = 1, .size = piece.size};
    m.flags = (bits & (MSG_PEEK | MSG_TRUNC)) | (bits & 0x40 ? MSG_ERRQUEUE : 0);
    struct socket *new;
    switch (what) {
    case 0:
        s->ops->send(s, &m);
        break;
    case 1:
        s->ops->receive(s, &m);
        break;
    case 2:
        s->ops->shutdown(s, byte() % 3);
        break;
    case 3:
        (void)s->ops->poll(s);
        break;
    default:
        if (s->ops->accept && !s->ops->accept(s, &new, 0)) {
            if (sockets[SOCKETS])
                sockets[SOCKETS]->ops->close(sockets[SOCKETS]);
            sockets[SOCKETS] = new;
        }
    }
}

static struct socket_address address(uint16_t port, uint32_t ip) {
    struct socket_address a = {.size = 16};
    uint8_t b[8] = {AF_INET,
                    0,
                    (uint8_t)(port >> 8),
                    (uint8_t)port,
                    (uint8_t)(ip >> 24),
                    (uint8_t)(ip >> 16),
                    (uint8_t)(ip >> 8),
                    (uint8_t)ip};
    memcpy(a.bytes, b, sizeof b);
    return a;
}

static void open_all(void) {
    struct socket_address any = address(80, 0), out = address(12345, 0x0a000001);
    tcp_socket_create(AF_INET, PROTO_TCP, &sockets[0]);
    sockets[0]->ops->bind(sockets[0], &any);
    sockets[0]->ops->listen(sockets[0], 4);
    datagram_socket_create(AF_INET, SOCK_DGRAM, PROTO_UDP, &sockets[1]);
    sockets[1]->ops->bind(sockets[1], &any);
    tcp_socket_create(AF_INET, PROTO_TCP, &sockets[2]);
    sockets[2]->ops->connect(sockets[2], &out, 0);
    datagram_socket_create(AF_INET6, SOCK_DGRAM, PROTO_UDP, &sockets[3]);
    datagram_socket_create(AF_INET, SOCK_RAW, PROTO_ICMP, &sockets[4]);
    tcp_socket_create(AF_INET6, PROTO_TCP, &sockets[5]);
    sockets[5]->ops->listen(sockets[5], 4);
    /* IP_RECVERR, IPV6_RECVERR */
    static const int on = 1;
    sockets[1]->ops->set_option(sockets[1], SOL_IP, 11, &on, sizeof on);
    sockets[3]->ops->set_option(sockets[3], SOL_IPV6, 25, &on, sizeof on);
    sockets[4]->ops->set_option(sockets[4], SOL_IP, 11, &on, sizeof on);
    sockets[1]->peek_offset = sockets[0]->peek_offset = 0;
}

static void pass(unsigned ms) {
    now += ms * 1000000ull;
    sys_check_timeouts();
    net_settle();
}

static void close_all(void) {
    for (unsigned i = 0; i <= SOCKETS; i++) {
        if (sockets[i])
            sockets[i]->ops->close(sockets[i]);
        sockets[i] = NULL;
    }
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
    while (tcp_tw_pcbs)
        tcp_abort(tcp_tw_pcbs);
    for (unsigned i = 0; i < 70; i++) /* reassembly, address resolution: given up */
        pass(1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t frame[1514];
    static bool begun;
    if (!begun) {
        begun = true;
        net_up();
        pass(3000);
    }
    input = data;
    left = size;
    open_all();
    for (unsigned steps = 0; left && steps < 200; steps++) {
        uint8_t step = byte();
        uint16_t length;
        switch (step % 8) {
        case 0:
        case 1:
            length = (uint16_t)(byte() << 8 | byte()) % (sizeof frame + 1);
            length = length > left ? (uint16_t)left : length;
            memcpy(frame, input, length);
            input += length, left -= length;
            if (step % 8 && length >= 14)
                mend(frame, length);
            deliver(frame, length);
            break;
        case 2:
        case 3:
            segment(80);
            break;
        case 4:
            segment(sockets[2] ? tcp_active_pcbs ? tcp_active_pcbs->local_port : 80 : 80);
            break;
        case 5:
            pass(byte() * 8u);
            break;
        default:
            length = byte() % (SOCKETS + 1);
            if (sockets[length])
                transfer(sockets[length], byte() % 5);
        }
    }
    close_all();
    if (in_use > 64 * 1024) { /* tables of neighbours, groups: bounded */
        fprintf(stderr, "%ld bytes are still in use\n", in_use);
        abort();
    }
    return 0;
}
