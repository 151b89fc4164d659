/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/net/lwip/output.c before a device that cuts segments as virtio's do:
 * what comes out on the wire is what lwIP gave, frame by frame, whatever was
 * joined, and every pbuf comes back.
 *
 * links: kernel/net/lwip/output.c kernel/net/lwip/port.c
 * links: build/source/lwip/src/core/pbuf.c build/source/lwip/src/core/inet_chksum.c
 * links: build/source/lwip/src/core/def.c build/source/lwip/src/core/mem.c
 * links: build/source/lwip/src/core/memp.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lwip/inet_chksum.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>

#include "clock/clock.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/random.h"
#include "net/lwip/output.h"
#include "net/lwip/stack.h"
#include "tests/unit/model_kernel.h"

/* ---- what the kernel is to it -------------------------------------------- */

static long in_use;
static long allowed; /* allocations until one fails; negative: none does */

void *heap_alloc_dirty(size_t size) {
    if (!allowed || size > PAGE_SIZE)
        return NULL;
    allowed -= allowed > 0;
    in_use++;
    size_t alignment = 16; /* as the kernel's: none lies across a page's end */
    while (alignment < size)
        alignment *= 2;
    void *p;
    return posix_memalign(&p, alignment, size) ? NULL : memset(p, 0xd1, size);
}
void *heap_alloc(size_t size) {
    void *p = heap_alloc_dirty(size);
    return p ? memset(p, 0, size) : NULL;
}
void heap_free(void *p, size_t size) {
    (void)size;
    in_use -= p != NULL;
    free(p);
}
paddr_t frame_find_run(size_t count) {
    if (!allowed)
        return 0;
    in_use++;
    return virt_to_phys(aligned_alloc(PAGE_SIZE, count * PAGE_SIZE));
}
void frame_free(paddr_t frame) {
    (void)frame;
    abort(); /* a run is freed page by page: no test has one */
}
void random_bytes(void *p, size_t size) {
    memset(p, 0, size);
}
uint64_t clock_monotonic(void) {
    return 0;
}
void timer_arm(struct timer *t, uint64_t deadline) {
    (void)t, (void)deadline;
}
paddr_t arch_mapped_phys(const void *v) {
    (void)v;
    abort();
}
void net_settle(void) {}
void net_look(void) {}

/* port.c asks them for lwIP's timers and for memory that is none of ours. */
const struct lwip_cyclic_timer lwip_cyclic_timers[1];
const int lwip_num_cyclic_timers = 0;
struct tcp_pcb *tcp_active_pcbs, *tcp_tw_pcbs;
struct tcp_seg *tcp_segs;
void tcp_free_ooseq(struct tcp_pcb *pcb) {
    (void)pcb;
}

/* ---- the device and the wire --------------------------------------------- */

enum { FRAMES = 4096 };
struct wire_frame {
    uint8_t *bytes;
    size_t size;
};
static struct wire_frame given[FRAMES], seen[FRAMES];
static unsigned given_count, seen_count, sends, largest;
static unsigned ring;        /* pieces that the device has room for */
static void *tokens[FRAMES]; /* not handed back yet */
static unsigned token_count;
static struct output o;

static void put(struct wire_frame *f, const uint8_t *bytes, size_t size) {
    f->bytes = memcpy(malloc(size), bytes, size);
    f->size = size;
}

static unsigned at16(const uint8_t *p) {
    return (unsigned)p[0] << 8 | p[1];
}

/* The checksum as a receiver looks at it: 0 when it is right. */
static uint16_t transport_sum(const uint8_t *f, size_t size) {
    bool four = at16(f + 12) == 0x800;
    size_t at = four ? 34 : 54;
    uint32_t sum = (uint32_t)(size - at) + 6;
    for (size_t i = four ? 26 : 22; i < at; i += 2)
        sum += at16(f + i);
    for (size_t i = at; i < size; i++)
        sum += i - at & 1 ? f[i] : (uint32_t)f[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Finishes the checksum as the device does: what stands there is the sum of the
 * pseudo header. */
static void finish(uint8_t *f, size_t size, const struct net_offload *off) {
    if (!off->start)
        return;
    uint32_t sum = 0;
    for (size_t i = off->start; i < size; i++)
        sum += i - off->start & 1 ? f[i] : (uint32_t)f[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    sum = ~sum & 0xffff;
    f[off->start + off->offset] = (uint8_t)(sum >> 8);
    f[off->start + off->offset + 1] = (uint8_t)sum;
}

/* Cuts a frame as virtio 1.1, 5.1.6.2 and Linux's TCP say. */
static void cut(const uint8_t *f, size_t size, const struct net_offload *off) {
    bool four = at16(f + 12) == 0x800;
    size_t data = size - off->headers;
    assert_int_equal(off->six, !four);
    assert_int_equal(off->offset, 16);
    assert_true(off->start && data > off->segment && off->headers > off->start);
    for (size_t at = 0, n; at < data; at += n) {
        n = data - at < off->segment ? data - at : off->segment;
        uint8_t one[2000];
        size_t whole = off->headers + n;
        assert_true(whole <= 1514);
        memcpy(one, f, off->headers);
        memcpy(one + off->headers, f + off->headers + at, n);
        uint32_t less = (uint32_t)(data - n);
        if (four) {
            unsigned id = at16(one + 18) + (unsigned)(at / off->segment);
            one[16] = (uint8_t)((whole - 14) >> 8), one[17] = (uint8_t)(whole - 14);
            one[18] = (uint8_t)(id >> 8), one[19] = (uint8_t)id;
            one[24] = one[25] = 0;
            uint16_t sum = inet_chksum(one + 14, 20);
            memcpy(one + 24, &sum, 2);
        } else {
            one[18] = (uint8_t)((whole - 54) >> 8), one[19] = (uint8_t)(whole - 54);
        }
        uint8_t *t = one + off->start;
        uint32_t number = (at16(t + 4) << 16 | at16(t + 6)) + (uint32_t)at;
        t[4] = (uint8_t)(number >> 24), t[5] = (uint8_t)(number >> 16);
        t[6] = (uint8_t)(number >> 8), t[7] = (uint8_t)number;
        if (at + n < data)
            t[13] &= (uint8_t) ~(TCP_PSH | TCP_FIN);
        /* the pseudo header's length is this segment's */
        uint32_t pseudo = at16(t + 16) + 0xffff - (less & 0xffff);
        pseudo = (pseudo & 0xffff) + (pseudo >> 16);
        t[16] = (uint8_t)(pseudo >> 8), t[17] = (uint8_t)pseudo;
        finish(one, whole, off);
        put(&seen[seen_count++], one, whole);
    }
}

static unsigned room(struct netdev *dev, unsigned wanted) {
    (void)dev, (void)wanted;
    return ring;
}

static int send(struct netdev *dev, const struct net_piece *pieces, unsigned count,
                const struct net_offload *off, void *token) {
    static uint8_t f[70000];
    size_t size = 0;
    (void)dev;
    assert_true(count <= ring && count <= NETDEV_PIECES);
    for (unsigned i = 0; i < count; i++) {
        paddr_t end = pieces[i].paddr + pieces[i].size - 1;
        assert_true(pieces[i].size && pieces[i].paddr / PAGE_SIZE == end / PAGE_SIZE);
        memcpy(f + size, phys_to_virt(pieces[i].paddr), pieces[i].size);
        size += pieces[i].size;
    }
    sends++;
    largest = size > largest ? (unsigned)size : largest;
    if (off->segment) {
        assert_true(size <= 65535 + 14);
        if (at16(f + 12) == 0x800) {
            assert_int_equal(inet_chksum(f + 14, 20), 0);
            assert_int_equal(at16(f + 16), size - 14);
        } else {
            assert_int_equal(at16(f + 18), size - 54);
        }
        cut(f, size, off);
    } else {
        finish(f, size, off);
        put(&seen[seen_count++], f, size);
    }
    ring -= count;
    tokens[token_count++] = token;
    return 0;
}

static const struct netdev_ops ops = {.room = room, .send = send};
static struct netdev dev = {
    .ops = &ops, .mtu = 1500, .checksums_out = true, .segments4 = true, .segments6 = true};

static void reap(void) {
    while (token_count)
        output_done(&dev, tokens[--token_count]);
    ring = 256;
}

static int begin(void **state) {
    (void)state;
    memset(&o, 0, sizeof o);
    o.dev = &dev;
    dev.segments4 = dev.segments6 = dev.checksums_out = true;
    allowed = -1;
    ring = 256;
    given_count = seen_count = sends = largest = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    output_flush(&o);
    reap();
    for (unsigned i = 0; i < given_count; i++)
        free(given[i].bytes);
    for (unsigned i = 0; i < seen_count; i++)
        free(seen[i].bytes);
    assert_int_equal(output_in_flight(), 0);
    assert_int_equal(in_use, 0);
    return 0;
}

/* ---- frames -------------------------------------------------------------- */

struct flow {
    bool six;
    uint16_t port;
    uint32_t number, ack;
    uint16_t id, window;
    uint8_t options; /* words */
};

/* A segment of `f`, its data in pbufs of `part` bytes; the flow goes on behind it. */
static err_t segment(struct flow *f, size_t size, uint8_t flags, size_t part) {
    uint8_t b[2000] = {2, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2};
    size_t ip = f->six ? 40 : 20, at = 14 + ip, head = at + 20 + f->options * 4u,
           whole = head + size;
    b[12] = f->six ? 0x86 : 8, b[13] = f->six ? 0xdd : 0;
    if (f->six) {
        b[14] = 0x60, b[18] = (uint8_t)((whole - 54) >> 8), b[19] = (uint8_t)(whole - 54);
        b[20] = IP_PROTO_TCP, b[21] = 64;
        b[22] = b[38] = 0xfd, b[37] = 1, b[53] = 2;
    } else {
        b[14] = 0x45, b[16] = (uint8_t)((whole - 14) >> 8), b[17] = (uint8_t)(whole - 14);
        b[18] = (uint8_t)(f->id >> 8), b[19] = (uint8_t)f->id;
        b[22] = 64, b[23] = IP_PROTO_TCP, b[26] = b[30] = 10, b[29] = 1, b[33] = 2;
        uint16_t sum = inet_chksum(b + 14, 20);
        memcpy(b + 24, &sum, 2);
    }
    uint8_t *t = b + at;
    t[0] = 0x1f, t[2] = (uint8_t)(f->port >> 8), t[3] = (uint8_t)f->port;
    for (int i = 0; i < 4; i++) {
        t[4 + i] = (uint8_t)(f->number >> (24 - 8 * i));
        t[8 + i] = (uint8_t)(f->ack >> (24 - 8 * i));
    }
    t[12] = (uint8_t)((5 + f->options) << 4), t[13] = flags;
    t[14] = (uint8_t)(f->window >> 8), t[15] = (uint8_t)f->window;
    memset(t + 20, 1, f->options * 4u);
    for (size_t i = 0; i < size; i++)
        b[head + i] = (uint8_t)((f->number + i) * 31 >> 3);

    /* the headers with the first of the data, as lwIP makes them */
    struct pbuf *p = NULL;
    for (size_t done = 0, n; done < whole; done += n) {
        n = whole - done < (done ? part : head + part) ? whole - done : done ? part : head + part;
        struct pbuf *q = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);
        if (!q) {
            if (p)
                pbuf_free(p);
            return ERR_BUF; /* not output's refusal */
        }
        memcpy(q->payload, b + done, n);
        if (p)
            pbuf_cat(p, q);
        else
            p = q;
    }
    err_t error = output_frame(&o, p);
    pbuf_free(p);
    if (error)
        return error;
    uint16_t sum = transport_sum(b, whole); /* of a frame whose sum is 0 yet */
    t[16] = (uint8_t)(sum >> 8), t[17] = (uint8_t)sum;
    put(&given[given_count++], b, whole);
    f->number += (uint32_t)size + (flags & TCP_FIN ? 1 : 0);
    f->id++;
    return 0;
}

/* The wire saw what was given, in that order, apart from what may differ: PSH, and the
 * numbers of IPv4's packets. */
static void compare(void) {
    assert_int_equal(seen_count, given_count);
    for (unsigned i = 0; i < seen_count; i++) {
        uint8_t *a = given[i].bytes, *b = seen[i].bytes;
        bool four = at16(a + 12) == 0x800;
        unsigned at = four ? 34 : 54;
        assert_int_equal(given[i].size, seen[i].size);
        assert_int_equal(transport_sum(b, seen[i].size), 0);
        if (four) {
            assert_int_equal(inet_chksum(b + 14, 20), 0);
            memset(a + 18, 0, 2), memset(b + 18, 0, 2);
            memset(a + 24, 0, 2), memset(b + 24, 0, 2);
        }
        a[at + 13] &= (uint8_t)~TCP_PSH, b[at + 13] &= (uint8_t)~TCP_PSH;
        memset(a + at + 16, 0, 2), memset(b + at + 16, 0, 2);
        assert_memory_equal(a, b, given[i].size);
    }
}

/* ---- tests --------------------------------------------------------------- */

static void long_runs(void **state) {
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct flow f = {.six = six, .port = 80, .number = 0xffffff00, .ack = 5, .window = 1000};
        unsigned before = sends, size = six ? 1440 : 1460;
        for (int i = 0; i < 100; i++)
            assert_int_equal(
                segment(&f, i == 99 ? 77 : size, i == 99 ? TCP_ACK | TCP_PSH : TCP_ACK, size),
                ERR_OK);
        output_flush(&o);
        assert_int_equal(sends - before, 3);
        assert_true(largest > 60000);
        reap();
    }
    compare();
}

/* What each of these says differs from what the others say. */
static void what_ends_a_run(void **state) {
    (void)state;
    struct flow f = {.port = 80, .number = 1, .ack = 5, .window = 1000};
    for (unsigned i = 0; i < 9; i++) {
        unsigned before = sends;
        segment(&f, 1460, TCP_ACK, 1460);
        switch (i) {
        case 0:
            f.number += 1460; /* a hole */
            break;
        case 1:
            f.number -= 1460; /* the same once more */
            break;
        case 2:
            f.ack++;
            break;
        case 3:
            f.window++;
            break;
        case 4:
            f.port++;
            break;
        case 5:
            f.options = 1;
            break;
        case 6:
            f.six = true;
            break;
        case 7:
            segment(&f, 900, TCP_ACK, 1460); /* joins, and nothing joins it */
            break;
        default:
            segment(&f, 1460, TCP_ACK | TCP_FIN, 1460); /* the same */
        }
        size_t size = i == 5 ? 1456 : i >= 6 ? 1440 : 1460;
        segment(&f, size, TCP_ACK, 1460);
        output_flush(&o);
        assert_int_equal(sends - before, 2);
        if (i == 5)
            f.options = 0;
        if (i == 6)
            f.six = false;
        reap();
    }
    compare();
}

static void devices_that_do_not_cut(void **state) {
    (void)state;
    struct flow f = {.port = 80, .number = 1};
    dev.segments4 = dev.segments6 = false;
    for (int i = 0; i < 20; i++) {
        f.six = i & 1;
        segment(&f, 1400, TCP_ACK, 1460);
        assert_int_equal(sends, i + 1); /* at once: nothing is held back */
        reap();
    }
    compare();
}

/* The ring is full: a frame is refused, or what it would join is sent without it;
 * none is lost. */
static void little_room(void **state) {
    (void)state;
    for (unsigned least = 0; least < 12; least++) {
        struct flow f = {.port = 80, .number = 1};
        ring = least;
        unsigned taken = 0;
        while (taken < 64 && segment(&f, 1460, TCP_ACK, 700) == ERR_OK)
            taken++;
        output_flush(&o);
        reap();
        assert_true(taken < 20);
    }
    compare();
}

/* An allocation fails: the frames go alone, or are refused. */
static void no_memory(void **state) {
    (void)state;
    for (long n = 0; n < 60; n++) {
        struct flow f = {.port = 80, .number = 1};
        for (int i = 0; i < 20; i++) {
            allowed = i == 10 ? n % 6 : -1;
            if (segment(&f, 1460, TCP_ACK, n % 2 ? 1460 : 40) == ERR_MEM)
                f.number += 1460;
        }
        allowed = -1;
        output_flush(&o);
        reap();
    }
    compare();
}

static void random_streams(void **state) {
    (void)state;
    srand(4);
    struct flow flows[3] = {
        {.port = 1, .number = 0xfffff000}, {.port = 2, .six = true}, {.port = 3}};
    while (given_count < FRAMES - 100) {
        struct flow *f = &flows[rand() % 3];
        unsigned run = 1u + (unsigned)rand() % 60, max = f->six ? 1440 : 1460;
        f->options = rand() % 4 ? 0 : (uint8_t)(rand() % 4);
        f->window = (uint16_t)rand();
        max -= f->options * 4u;
        unsigned size = rand() % 3 ? max : 536;
        for (unsigned i = 0; i < run && given_count < FRAMES - 100; i++) {
            unsigned n = rand() % 10 ? size : 1 + (unsigned)rand() % size;
            uint8_t flags = TCP_ACK | (rand() % 5 ? 0 : TCP_PSH) | (rand() % 40 ? 0 : TCP_FIN);
            size_t part = rand() % 4 ? 1460 : 30 + (size_t)rand() % 400;
            if (segment(f, n, rand() % 50 ? flags : TCP_ACK | TCP_RST, part) == ERR_MEM)
                reap();
            if (rand() % 40 == 0)
                f->number += (uint32_t)(rand() % 5000);
        }
        if (rand() % 2) {
            output_flush(&o);
            if (rand() % 2)
                reap();
        }
    }
    output_flush(&o);
    compare();
    assert_true(sends < seen_count / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(long_runs, begin, end),
        cmocka_unit_test_setup_teardown(what_ends_a_run, begin, end),
        cmocka_unit_test_setup_teardown(devices_that_do_not_cut, begin, end),
        cmocka_unit_test_setup_teardown(little_room, begin, end),
        cmocka_unit_test_setup_teardown(no_memory, begin, end),
        cmocka_unit_test_setup_teardown(random_streams, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
