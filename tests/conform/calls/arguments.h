/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What hostile.c gives to system calls: chance, the memory that is there and that is
 * not, descriptors, paths, numbers, structures.
 */
#ifndef CALLS_ARGUMENTS_H
#define CALLS_ARGUMENTS_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- chance --------------------------------------------------------------- */

static uint64_t chance_state;

static uint64_t chance(void) { /* splitmix64 */
    uint64_t z = chance_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(unsigned n) {
    return (unsigned)(chance() >> 33) % n;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PICK(a) ((a)[below(COUNT(a))])

/* ---- memory ---------------------------------------------------------------- */

#define PAGE 4096ul
#define ARENA 0x100000000000ul /* buffers: where they lie is the same everywhere */
#define READ_WRITE ARENA       /* 4 pages, then a hole */
#define READ_ONLY (ARENA + 8 * PAGE)
#define NO_ACCESS (ARENA + 12 * PAGE)
#define HOLE (ARENA + 4 * PAGE)
#define FIELD 0x200000000000ul /* what mmap and its kind work on */
#define FIELD_PAGES 16

static void map(unsigned long at, size_t size, int prot) {
    if (mmap((void *)at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
        (void *)at) {
        _exit(90);
    }
}

static unsigned long bad_pointer(void) {
    static const unsigned long pool[] = {
        0,
        1,
        HOLE,
        HOLE + 123,
        NO_ACCESS,
        0x7ffffffff000,     /* the last page below the border is no page */
        0x800000000000,     /* not canonical */
        0xdeadbeefdeadbeef, /* nor this */
        0xffff800000000000, /* the kernel's half */
        0xffffffff80000000,
        0xffffffff80200000,
        0xfffffffffffff000,
        ~0ul - 7,
        ~0ul,
    };
    return PICK(pool);
}

/* A buffer to fill or to read: mostly good. */
static unsigned long buffer(void) {
    switch (below(12)) {
    case 0:
        return READ_ONLY + below(64);
    case 1:
        return HOLE - 1 - below(300); /* runs into the hole */
    case 2:
    case 3:
        return bad_pointer();
    case 4:
        return READ_WRITE + 2 * PAGE + 1 + below(7);
    default:
        return READ_WRITE + 2 * PAGE + 64 * below(16);
    }
}

/* Where a structure stands that was filled in; sometimes it does not. */
static unsigned next_place;
static unsigned long place(const void *data, size_t size) {
    unsigned kind = below(10);
    if (kind == 0)
        return bad_pointer();
    if (kind == 1) { /* the end is missing */
        unsigned keep = below((unsigned)size);
        memcpy((void *)(HOLE - keep), data, keep);
        return HOLE - keep;
    }
    unsigned long at = READ_WRITE + 256 * (next_place++ % 16) + (kind == 2 ? 1 : 0);
    memcpy((void *)at, data, size);
    return at;
}

/* ---- descriptors ------------------------------------------------------------- */

#define SLOTS 8
static int slots[SLOTS];
static unsigned next_slot;

static unsigned long descriptor(void) {
    static const long pool[] = {-1, -100, 999, 1023, 1024, 0x7fffffff, -0x7fffffff - 1};
    unsigned kind = below(8);
    if (kind == 0)
        return (unsigned long)PICK(pool);
    if (kind == 1)
        return below(3);
    unsigned long fd = (unsigned long)slots[below(SLOTS)];
    return kind == 2 ? fd | 0x5a00000000 : fd; /* the upper half says nothing */
}

static unsigned long folder(void) {
    return below(3) ? (unsigned long)AT_FDCWD : descriptor();
}

/* ---- paths --------------------------------------------------------------------- */

static const char *const names[] = {
    "a",         "b",    "d",   "d/a", "d/b",  "l",          "loop",   "",       ".",      "..",
    "d/..",      "a/",   "d/",  "/",   "/w/a", "//w//d/./a", "a/b",    "none/x", "d/d",    "e",
    "dl",        "dl/a", "dl/", "l/",  "d/d/", "d/.",        "d/d/..", "/w/d/",  "b/",     "../w/a",
    "d/../../w", "none", "e/",  "d/e", "/w/b", "/w",         "dead",   "dead/",  "loop/a", "d/d/d",
};

static unsigned long path(void) {
    static char text[2 * PAGE];
    unsigned kind = below(24);
    const char *name = PICK(names);
    size_t length = strlen(name) + 1;
    if (kind == 0)
        return bad_pointer();
    if (kind <= 3) { /* long names, long paths */
        static const unsigned sizes[] = {254, 255, 256, 4094, 4095, 4096, 5000};
        unsigned size = kind == 1 ? sizes[below(3)] : PICK(sizes);
        memset(text, kind == 3 ? '/' : 'n', size);
        if (kind == 2) {
            for (unsigned i = 1; i < size; i += 2)
                text[i] = '/';
            memset(text, '.', 1);
            for (unsigned i = 0; i < size; i += 2)
                text[i] = '.';
        }
        text[size] = 0;
        memcpy((void *)READ_WRITE, text, size + 1);
        return READ_WRITE;
    }
    if (kind == 4) { /* no end before the hole */
        memcpy((void *)(HOLE - length + 1), name, length - 1);
        return HOLE - length + 1;
    }
    unsigned long at = READ_WRITE + 256 * (next_place++ % 16);
    memcpy((void *)at, name, length);
    return at;
}

/* ---- numbers -------------------------------------------------------------------- */

static const unsigned long sizes[] = {0,
                                      1,
                                      7,
                                      8,
                                      24,
                                      100,
                                      4095,
                                      4096,
                                      4097,
                                      8192,
                                      65536,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x100000000,
                                      0x7ffffffff000,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      ~0ul};
static const unsigned long offsets[] = {0,
                                        1,
                                        50,
                                        4095,
                                        4096,
                                        10000,
                                        0x100000,
                                        0x7fffffffffffffff,
                                        0x7ffffffffffff000,
                                        0x8000000000000000,
                                        ~0ul,
                                        ~0ul - 4095};
static const unsigned long numbers[] = {0,
                                        1,
                                        2,
                                        3,
                                        4,
                                        7,
                                        8,
                                        16,
                                        64,
                                        255,
                                        256,
                                        4096,
                                        0x7fffffff,
                                        0x80000000,
                                        0xffffffff,
                                        0x100000000,
                                        0x100000001,
                                        0x7fffffffffffffff,
                                        0x8000000000000000,
                                        ~0ul};
static const unsigned long counts[] = {0, 1, 2, 3, 4, 8, 1024, 1025, 0x7fffffff, 0x80000000, ~0ul};
static const unsigned long modes[] = {0, 0644, 0755, 0777, 01777, 0555, 0x1f1ff, ~06000ul};
static const unsigned long node_modes[] = {
    0,       0644,    0100600, 0010644,        0140755,
    0040755, 0120777, 0030644, 0170000 | 0644, ~0ul & ~0170000ul};
static const unsigned long accesses[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0x80000000, ~0ul};
static const unsigned long path_flags[] = {0,      0,      0,      0x100,  0x200,
                                           0x400,  0x800,  0x1000, 0x1100, 0x2000,
                                           0x6000, 0x8000, 0x1200, ~0ul,   0x80000000};
static const unsigned long masks[] = {0, 0x7ff, 0xfff, 1, 0x200, 0x80000000, 0xffffffff};
static const unsigned long whences[] = {0, 1, 2, 3, 4, 5, 0x7fffffff, 0xffffffff};
static const unsigned long write_flags[] = {0, 0, 0, 1, 2, 4, 6, 0x80000000, 0xffff0000};
static const unsigned long rename_flags[] = {0, 0, 0, 1, 1, 2, 2, 3, 8, 0x80000000};
static const unsigned long owners[] = {0, 0, ~0u, ~0ul};
static const unsigned long space_modes[] = {0, 0, 1, 1, 0x100, 0xff00, 0x80000000};
static const unsigned long space_offsets[] = {
    0, 1, 4096, 100000, 0x8000000000000000, ~0ul, 0x7fffffffffffffff};
static const unsigned long locks[] = {4, 5, 6, 12, 12, 13, 36, 0x80000004, 4 | 3};
static const unsigned long field_at[] = {FIELD,
                                         FIELD,
                                         FIELD + PAGE,
                                         FIELD + 2 * PAGE,
                                         FIELD + 3 * PAGE,
                                         FIELD + 5 * PAGE,
                                         FIELD + 7 * PAGE,
                                         FIELD + 8 * PAGE,
                                         FIELD + 15 * PAGE,
                                         FIELD + 16 * PAGE,
                                         FIELD + 1,
                                         FIELD + PAGE / 2,
                                         0x800000000000,
                                         0xffff800000000000,
                                         0xffffffff80000000,
                                         ~0ul,
                                         ~0ul - 4095};
static const unsigned long field_sizes[] = {0,
                                            1,
                                            PAGE,
                                            PAGE,
                                            2 * PAGE,
                                            3 * PAGE + 1,
                                            5 * PAGE,
                                            0x800000000000,
                                            0x8000000000000000,
                                            ~0ul,
                                            ~0ul - 4095,
                                            ~0ul - 4094};
static const unsigned long advised[] = {0,    1,          PAGE, PAGE, 2 * PAGE, 3 * PAGE + 1,
                                        ~0ul, ~0ul - 4095};
static const unsigned long protections[] = {0, 1, 1, 3,  3,         3,         5,
                                            2, 4, 7, 16, 0x1000003, 0x80000001};
static const unsigned long map_flags[] = {
    0x22, 0x22, 0x32, 0x32, 0x32, 0x21, 0x31, 0x31,     0x02,     0x12,     0x12,   0x01,
    0x11, 0x11, 0x13, 0x03, 0x20, 0x30, 0x00, 0x100022, 0x100032, 0x100022, 0x4032, 0x8032};
static const unsigned long file_offsets[] = {
    0, 0, PAGE, 2 * PAGE, 1, 100, ~0ul, 0x8000000000000000, 0x7ffffffffffff000};
static const unsigned long advices[] = {0,  1,  2,  3, 4, 4, 4,  10,         11,  16,
                                        17, 22, 23, 5, 6, 7, 99, 0x80000000, ~0ul};
static const unsigned long sync_flags[] = {0, 1, 2, 4, 5, 6, 3, 7, 8, 0x80000000, ~0ul};
static const unsigned long remap_flags[] = {0, 0, 1, 1, 1, 3, 3, 2, 8, 0x80000000, ~0ul};
static const unsigned long signals[] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  10, 11, 12, 13, 14, 15, 16,  17,         23,  24,
    25, 26, 27, 28, 29, 31, 32, 33, 34, 35, 50, 63, 64, 65, 66, 128, 0x80000000, ~0ul};
static const unsigned long fixed_signals[] = {9, 19, 0, 65, ~0ul, 0x80000000, 10, 34};
static const unsigned long set_sizes[] = {8, 8, 8, 8, 0, 1, 4, 7, 9, 16, 128, ~0ul};
static const unsigned long mask_hows[] = {0, 1, 2, 2, 3, 0x80000000, ~0ul};
static const unsigned long ids[] = {0, 0, ~0u, 0x7fffffff, 99999, 0x80000000};
static const unsigned long clocks[] = {0,  1,  2,  3,  4,  5,          6,          7,
                                       11, 10, 12, 16, 64, 0x7fffffff, 0x80000000, ~0ul};
/* The process's CPU clock stands still while it sleeps. */
static const unsigned long sleep_clocks[] = {0, 1, 3, 4, 5, 6, 7, 11, 10, 16, 0x7fffffff, ~0ul};
static const unsigned long clock_flags[] = {0, 0, 0, 1, 1, 2, 0x80000000, ~0ul};
static const unsigned long descriptors_new[] = {
    0, 1, 2, 3, 4, 5, 6, 7, 15, 16, 63, 255, 1023, 1024, 1025, 0x7fffffff, 0x80000000, ~0ul};
static const unsigned long copy_flags[] = {0, 0, 02000000, 04000, 1, ~0ul};
static const unsigned long firsts[] = {3, 5, 10, 199, 300, 0x7fffffff, ~0u, ~0ul};
static const unsigned long lasts[] = {2, 3, 4, 10, 199};
static const unsigned long range_flags[] = {0, 0, 4, 4, 1, 8, 0x80000000};
static const unsigned long limits[] = {4, 7, 7, 4, 16, 17, 0x7fffffff, 0x80000000, ~0ul};
static const unsigned long whos[] = {0, 1, ~0ul, ~1ul, 2, 0x7fffffff};
/* Without FIONBIO, which has rows of its own: a read must not block. */
static const unsigned long requests[] = {0x5401, 0x5402, 0x5413,     0x541b, 0x5450, 0x5451,
                                         0x5410, 0x540f, 0x12345678, 0,      ~0ul};
static const unsigned long controls[] = {1,  3,  8,  9,    10,   11,   12,         13,  15,
                                         16, 17, 99, 1025, 1031, 1032, 0x7fffffff, ~0ul};
static const unsigned long options[] = {2, 3, 21, 23, 30, 39, 1, 0x7fffffff, ~0ul, 99, 15, 16};
static const unsigned long futex_ops[] = {1, 1, 129, 10, 138, 3, 131, 4, 132, 15, 99, 0x400, ~0ul};
static const unsigned long random_flags[] = {0, 0, 1, 2, 4, 3, 8, 0x80000000, ~0ul};
static const unsigned long policies[] = {0, 0, 3, 3, 1, 2, 6, 7, 4, 99, 0x80000000, ~0ul};
static const unsigned long families[] = {0, 3, 46, 100, ~0ul, 0x7fffffff};
static const unsigned long poll_counts[] = {0, 1, 2, 3, 5, 1025, 0x7fffffff, ~0ul};
static const unsigned long set_counts[] = {0, 1, 8, 63, 64, 0x80000000, ~0ul};
static const unsigned long timer_flags[] = {04000, 04000, 02004000, 04001, ~0ul};
static const unsigned long settime_flags[] = {0, 0, 1, 2, 4, 8, ~0ul};
static const unsigned long commands_of_clock[] = {0, 1, 2, 3, ~0ul, 0x7fffffff};
static const unsigned long barriers[] = {0, 3, 1000, ~0ul};
/* Of copies, which a file that is copied to itself would make longer and longer. */
static const unsigned long portions[] = {0, 1, 100, 4096, 65536, 0x8000000000000000};
/* Each with SPLICE_F_NONBLOCK: a pipe of the sequence may be full or empty. */
static const unsigned long copy_how[] = {2, 2, 2, 2, 3, 6, 2 | 8, 2 | 16, 2 | 0x80000000};
static const unsigned long names_max[] = {0, 1, 2, 64, 65, ~0ul, 0x80000000};

/* ---- structures --------------------------------------------------------------------- */

static const long seconds[] = {0, 0, 0, -1, INT64_MIN};
static const long fractions[] = {0, 1, 1000, -1, 1000000000, INT64_MAX, INT64_MIN};

static unsigned long short_time(void) { /* a timeout that is over at once, or wrong */
    const long t[2] = {PICK(seconds), PICK(fractions)};
    unsigned long at = place(t, sizeof t);
    return at ? at : 1; /* none is for ever */
}

static unsigned long short_select(void) { /* any number of microseconds is fine there */
    const long t[2] = {PICK(seconds), (long)below(4) * 500 - 500};
    unsigned long at = place(t, sizeof t);
    return at ? at : 1;
}

static const long far[] = {0, 0, 5000, 1000000, -1, INT64_MAX, INT64_MIN};

static unsigned long far_time(unsigned count) { /* of a timer: it does not expire */
    long t[4];
    for (unsigned i = 0; i < count; i++)
        t[i] = i % 2 ? (below(3) ? 0 : PICK(fractions)) : PICK(far);
    for (unsigned i = 0; i < count; i += 2) {
        if (t[i] == 0)
            t[i + 1] = below(3) ? 0 : below(2) ? -1 : 1000000000;
    }
    return place(t, count * sizeof t[0]);
}

static unsigned long file_times(void) {
    static const long parts[] = {0,          1,  999999,     1000000,   999999999,
                                 1000000000, -1, 0x3fffffff, 0x3ffffffe};
    const long t[4] = {below(4) ? 1000 : -5, PICK(parts), below(4) ? 77777 : 1l << 40, PICK(parts)};
    return below(6) ? place(t, sizeof t) : 0;
}

static unsigned long signal_set(void) {
    static const uint64_t sets[] = {0, ~0ul, 1ul << 9, 1ul << 11, 1ul << 33, 0x40100, 0x80000000};
    uint64_t set = PICK(sets);
    return below(6) ? place(&set, sizeof set) : 0;
}

static void handler(int number);
void back(void); /* to where the handler was called */
__asm__(".pushsection .text\nback:\n    mov $15, %eax\n    syscall\n.popsection\n");

static unsigned long signal_action(void) {
    static const unsigned long flags[] = {0, 4, 0x10000000, 0x40000000, 0x50000004, 0x800, 2, 1};
    struct {
        void *handler;
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } a = {below(3) ? (void *)handler : (void *)1, PICK(flags) | 0x04000000, back,
           below(2) ? 0 : chance()};
    return below(6) ? place(&a, sizeof a) : 0;
}

static unsigned long signal_stack(void) {
    static const uint32_t flags[] = {0, 1, 2, 3, 4, 0x80000000, 0x80000002, 0x40000000};
    static const uint64_t stack_sizes[] = {0, 1, 2047, 65536, ~0ul};
    struct {
        uint64_t base;
        uint32_t flags, pad;
        uint64_t size;
    } s = {bad_pointer(), PICK(flags), 0, PICK(stack_sizes)};
    return below(6) ? place(&s, sizeof s) : 0;
}

static unsigned long vectors(void) {
    struct {
        unsigned long base, size;
    } v[8];
    for (unsigned i = 0; i < COUNT(v); i++) {
        v[i].base = buffer();
        v[i].size = below(4) ? below(200) : PICK(sizes);
    }
    /* What stands behind the pieces, where results go, is no piece. */
    memset((void *)(READ_WRITE + 2 * PAGE), 0, 2 * PAGE);
    return place(v, sizeof v);
}

static unsigned long polled(void) {
    static const short events[] = {0, 1, 4, 5, 0x3ff, -1};
    struct {
        int fd;
        short events, revents;
    } p[5];
    for (unsigned i = 0; i < COUNT(p); i++) {
        p[i].fd = (int)descriptor();
        p[i].events = PICK(events);
        p[i].revents = 0x55;
    }
    return place(p, sizeof p);
}

static unsigned long selected(void) {
    static const uint64_t sets[] = {0, 1, 6, 0xff, 0x3f8, 0x80, 1ul << 40, ~0ul};
    const uint64_t set = PICK(sets);
    return below(4) ? place(&set, sizeof set) : 0;
}

static unsigned long watch(void) {
    static const uint32_t events[] = {0, 1, 4, 5, 0x80000001, 0x40000001, 0x10000001, 0x20000005};
    const struct {
        uint32_t events;
        uint64_t data;
    } __attribute__((packed)) w = {PICK(events), 42};
    return place(&w, sizeof w);
}

static unsigned long offset_at(void) {
    const unsigned long offset = below(2) ? 0 : PICK(offsets);
    return below(3) ? place(&offset, sizeof offset) : 0;
}

static unsigned long lock(void) {
    static const short types[] = {0, 1, 2, 3, -1};
    static const short bases[] = {0, 1, 2, 3};
    static const long ranges[] = {0, 0, 1, 100, -1, INT64_MAX, INT64_MIN};
    struct {
        short type, whence;
        long start, length;
        int pid;
    } l = {PICK(types), PICK(bases), PICK(ranges), PICK(ranges), 0};
    return place(&l, sizeof l);
}

static unsigned long limit(void) { /* files and core sizes only; never less than is needed */
    static const uint64_t soft[] = {400, 1023, 1024, 512};
    uint64_t l[2] = {PICK(soft), 1024};
    if (below(4) == 0)
        l[0] = 2000; /* above the other */
    return place(l, sizeof l);
}

static const unsigned long open_flags[] = {
    0,       0,         1,         2,         2,        0101,      0102,      0102,
    0301,    01002,     02001,     02002,     04000,    0200000,   0400000,   010000000,
    0200001, 0400102,   0600000,   03,        0103,     010000102, 01000000,  0302,
    010102,  020200000, 020200002, 020200202, 02000000, 0200102,   040000002, ~0u & ~020000000u};

static unsigned long open_how(void) {
    uint64_t how[3] = {PICK(open_flags), below(2) ? 0 : PICK(modes), 0};
    static const uint64_t resolves[] = {0, 0, 1, 2, 4, 8, 16, 24, 12, 64, 1ul << 40};
    how[2] = PICK(resolves);
    if (below(8) == 0)
        how[0] |= 1ul << 40;
    return place(how, sizeof how);
}

static unsigned long signal_value(void) {
    int info[32] = {below(8) == 0 ? 0 : (int)below(40), 0, -(int)below(8)};
    return place(info, sizeof info);
}

static unsigned long timer_event(void) {
    static const int notifies[] = {0, 0, 1, 1, 2, 3, 4, 99};
    struct {
        uint64_t value;
        int signo, notify, tid, pad[11];
    } e = {7, (int)PICK(signals), PICK(notifies), 0, {0}};
    return below(6) ? place(&e, sizeof e) : 0;
}

static unsigned long scheduling(void) {
    static const int priorities[] = {0, 0, 0, 1, 99, 100, -1};
    const int p = PICK(priorities);
    return place(&p, sizeof p);
}

static unsigned long capability(void) {
    static const uint32_t versions[] = {0x20080522, 0x20080522, 0, 0x12345678, 0xffffffff};
    static const int pids[] = {0, 0, -1, 99999};
    struct {
        uint32_t version;
        int pid;
    } h = {PICK(versions), PICK(pids)};
    return place(&h, sizeof h);
}

static unsigned long flag(void) {
    const int on = 1;
    return place(&on, sizeof on);
}

static unsigned long word(void) {
    const int value = (int)below(3);
    return place(&value, sizeof value);
}

#endif
