/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls with hostile arguments, the same for the same seed wherever it
 * runs: tests/conform/hostile compares what Linux and the guest answer.
 *
 *     hostile compare SEED EPISODES [FIRST [each]]   a line for each call;
 *                                             each: written before it is made
 *     hostile numbers SEED ROUNDS             every call number, only "done"
 *     hostile list                            the names of the calls
 *
 * An episode is CALLS calls from a fresh state (files, descriptors, mappings,
 * signals), so that one difference does not make all that follows different.
 * What is drawn never depends on what a call answered.  No call may block, and
 * none can harm the program itself: its memory, its log, its handlers.
 *
 * A line is `NAME(arguments) = result`; results that no two systems share
 * (times, new addresses, ids) are "ok".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define CALLS 32
#define LOG_FD 200
#define WORK "/w"

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

/* ---- the table ------------------------------------------------------------------------ */

struct argument {
    char letter;
    unsigned long (*make)(void);
    const unsigned long *pool;
    unsigned count;
};

static unsigned long far_pair(void) {
    return far_time(4);
}

#define POOL(letter, array)                                                                        \
    { letter, NULL, array, COUNT(array) }
static const struct argument arguments[] = {
    {'f', descriptor, NULL, 0},
    {'D', folder, NULL, 0},
    {'p', path, NULL, 0},
    {'b', buffer, NULL, 0},
    {'T', short_time, NULL, 0},
    {'d', short_select, NULL, 0},
    {'I', far_pair, NULL, 0},
    {'t', file_times, NULL, 0},
    {'S', signal_set, NULL, 0},
    {'A', signal_action, NULL, 0},
    {'K', signal_stack, NULL, 0},
    {'v', vectors, NULL, 0},
    {'P', polled, NULL, 0},
    {'L', lock, NULL, 0},
    {']', offset_at, NULL, 0},
    {'`', selected, NULL, 0},
    {'[', watch, NULL, 0},
    {'r', limit, NULL, 0},
    {'h', open_how, NULL, 0},
    {'q', signal_value, NULL, 0},
    {'E', timer_event, NULL, 0},
    {'C', scheduling, NULL, 0},
    {'k', capability, NULL, 0},
    {'1', flag, NULL, 0},
    {'w', word, NULL, 0},
    {'x', bad_pointer, NULL, 0},
    POOL('z', sizes),
    POOL('o', offsets),
    POOL('n', numbers),
    POOL('c', counts),
    POOL('O', open_flags),
    POOL('m', modes),
    POOL('M', node_modes),
    POOL('a', accesses),
    POOL('F', path_flags),
    POOL('y', masks),
    POOL('W', whences),
    POOL('R', write_flags),
    POOL('e', rename_flags),
    POOL('u', owners),
    POOL('s', space_modes),
    POOL('Z', space_offsets),
    POOL('l', locks),
    POOL('@', field_at),
    POOL('#', field_sizes),
    POOL('/', advised),
    POOL('!', protections),
    POOL('+', map_flags),
    POOL('=', file_offsets),
    POOL('Y', advices),
    POOL('j', sync_flags),
    POOL('J', remap_flags),
    POOL('g', signals),
    POOL('G', fixed_signals),
    POOL('8', set_sizes),
    POOL('H', mask_hows),
    POOL('i', ids),
    POOL('X', clocks),
    POOL('\\', sleep_clocks),
    POOL('V', clock_flags),
    POOL('N', descriptors_new),
    POOL('&', copy_flags),
    POOL('<', firsts),
    POOL('>', lasts),
    POOL('-', range_flags),
    POOL('B', limits),
    POOL('?', whos),
    POOL('Q', requests),
    POOL('*', controls),
    POOL('U', options),
    POOL('^', futex_ops),
    POOL('%', random_flags),
    POOL('$', policies),
    POOL('~', families),
    POOL('.', poll_counts),
    POOL(',', set_counts),
    POOL('|', timer_flags),
    POOL(';', settime_flags),
    POOL(':', commands_of_clock),
    POOL('_', barriers),
    POOL('"', names_max),
    POOL('\'', portions),
    POOL('\t', copy_how),
};

enum result {
    NUMBER,    /* as it is */
    FINE,      /* "ok" */
    BYTES,     /* as many bytes at the second argument: their hash too */
    OPENED,    /* a descriptor, which takes a slot */
    MAPPED,    /* an address: of the field as it is, others given back */
    STATUS_AT, /* struct stat at the argument `where` */
    PAIR,      /* two descriptors at the first argument, which take slots */
    TIMER,     /* a timer's number at the third argument */
};

static const struct call {
    const char *name;
    int number;
    const char *args; /* a letter each; {N}: that number */
    enum result result;
    int where;
} calls[] = {
#define C(name, args, ...)                                                                         \
    { #name, SYS_##name, args, __VA_ARGS__ }
    C(read, "fbz", BYTES, 0),
    C(write, "fbz", NUMBER, 0),
    C(pread64, "fbzo", BYTES, 0),
    C(pwrite64, "fbzo", NUMBER, 0),
    C(readv, "fvc", NUMBER, 0),
    C(writev, "fvc", NUMBER, 0),
    C(preadv, "fvco{0}", NUMBER, 0),
    C(pwritev, "fvco{0}", NUMBER, 0),
    C(preadv2, "fvco{0}R", NUMBER, 0),
    C(pwritev2, "fvco{0}R", NUMBER, 0),
    C(open, "pOm", OPENED, 0),
    C(open, "pOm", OPENED, 0),
    C(creat, "pm", OPENED, 0),
    C(openat, "DpOm", OPENED, 0),
    C(openat, "DpOm", OPENED, 0),
    C(openat2, "Dph{24}", OPENED, 0),
    C(openat2, "Dphz", OPENED, 0),
    C(close, "f", NUMBER, 0),
    C(stat, "pb", STATUS_AT, 1),
    C(lstat, "pb", STATUS_AT, 1),
    C(fstat, "fb", STATUS_AT, 1),
    C(newfstatat, "DpbF", STATUS_AT, 2),
    C(statx, "DpFyb", NUMBER, 0),
    C(access, "pa", NUMBER, 0),
    C(faccessat, "Dpa", NUMBER, 0),
    C(faccessat2, "DpaF", NUMBER, 0),
    C(lseek, "foW", NUMBER, 0),
    C(poll, "P.{0}", NUMBER, 0),
    C(ppoll, "P.TS8", NUMBER, 0),
    C(select, ",```d", FINE, 0),
    C(pselect6, ",```Tx", FINE, 0),
    C(mmap, "@#!+f=", MAPPED, 0),
    C(mmap, "@#!+f=", MAPPED, 0),
    C(munmap, "@#", NUMBER, 0),
    C(mprotect, "@#!", NUMBER, 0),
    C(mremap, "@##J@", MAPPED, 0),
    C(msync, "@#j", NUMBER, 0),
    C(mincore, "@#b", NUMBER, 0),
    C(madvise, "@/Y", NUMBER, 0),
    C(mlock, "@#", NUMBER, 0),
    C(mlock2, "@#n", NUMBER, 0),
    C(munlock, "@#", NUMBER, 0),
    C(munlockall, "", NUMBER, 0),
    C(brk, "x", FINE, 0),
    C(rt_sigaction, "gAb8", NUMBER, 0),
    C(rt_sigaction, "GAb8", NUMBER, 0),
    C(rt_sigprocmask, "HSb8", NUMBER, 0),
    C(rt_sigpending, "b8", NUMBER, 0),
    C(rt_sigtimedwait, "SbT8", NUMBER, 0),
    C(sigaltstack, "Kb", NUMBER, 0),
    C(kill, "{0}g", NUMBER, 0),
    C(kill, "ig", NUMBER, 0),
    C(tkill, "{1}g", NUMBER, 0),
    C(tkill, "ig", NUMBER, 0),
    C(tgkill, "{1}{1}g", NUMBER, 0),
    C(tgkill, "iig", NUMBER, 0),
    C(rt_sigqueueinfo, "{1}gq", NUMBER, 0),
    C(rt_sigqueueinfo, "igq", NUMBER, 0),
    C(rt_tgsigqueueinfo, "{1}{1}gq", NUMBER, 0),
    C(nanosleep, "Tb", NUMBER, 0),
    C(clock_nanosleep, "\\VTb", NUMBER, 0),
    C(clock_gettime, "Xb", NUMBER, 0),
    C(clock_getres, "Xb", NUMBER, 0),
    C(gettimeofday, "bb", NUMBER, 0),
    C(time, "b", FINE, 0),
    C(getitimer, ":b", NUMBER, 0),
    C(setitimer, ":Ib", NUMBER, 0),
    C(alarm, "{5000}", FINE, 0),
    C(alarm, "{0}", FINE, 0),
    C(timer_create, "XEb", TIMER, 0),
    C(timer_settime, "n;Ib", FINE, 0),
    C(timer_gettime, "{70000}b", NUMBER, 0),
    C(timer_getoverrun, "{70000}", NUMBER, 0),
    C(timer_delete, "{70000}", NUMBER, 0),
    C(timerfd_create, "X|", OPENED, 0),
    C(timerfd_settime, "f;Ib", NUMBER, 0),
    C(timerfd_gettime, "fb", NUMBER, 0),
    C(pipe2, "b|", PAIR, 0),
    C(eventfd2, "n|", OPENED, 0),
    C(epoll_create, "n", OPENED, 0),
    C(epoll_create1, "&", OPENED, 0),
    C(epoll_ctl, "fef[", NUMBER, 0),
    C(epoll_ctl, "f{1}f[", NUMBER, 0),
    C(epoll_wait, "fbc{0}", NUMBER, 0),
    C(epoll_pwait, "fbc{0}S8", NUMBER, 0),
    {"epoll_pwait2", 441, "fbcTS8", NUMBER, 0},
    C(signalfd4, "fS8|", OPENED, 0),
    C(signalfd4, "{4294967295}S{8}{2048}", OPENED, 0),
    C(memfd_create, "p&", OPENED, 0),
    C(sendfile, "ff]'", NUMBER, 0),
    C(splice, "f]f]'\t", NUMBER, 0),
    C(tee, "ff'\t", NUMBER, 0),
    C(vmsplice, "fvc\t", NUMBER, 0),
    C(copy_file_range, "f]f]'n", NUMBER, 0),
    C(dup, "f", OPENED, 0),
    C(dup2, "fN", OPENED, 0),
    C(dup3, "fN&", OPENED, 0),
    C(fcntl, "f{0}N", OPENED, 0),
    C(fcntl, "f{1030}N", OPENED, 0),
    C(fcntl, "f{2}n", NUMBER, 0),
    C(fcntl, "f{4}{2048}", NUMBER, 0),
    C(fcntl, "f{4}{3072}", NUMBER, 0),
    C(fcntl, "f{5}L", NUMBER, 0),
    C(fcntl, "f{6}L", NUMBER, 0),
    C(fcntl, "f{36}L", NUMBER, 0),
    C(fcntl, "f{37}L", NUMBER, 0),
    C(fcntl, "f*n", NUMBER, 0),
    C(close_range, "<>-", NUMBER, 0),
    C(fsync, "f", NUMBER, 0),
    C(fdatasync, "f", NUMBER, 0),
    C(flock, "fl", NUMBER, 0),
    C(truncate, "po", NUMBER, 0),
    C(ftruncate, "fo", NUMBER, 0),
    C(fallocate, "fsZZ", NUMBER, 0),
    C(getdents64, "fbz", FINE, 0),
    C(getdents, "fbz", FINE, 0),
    C(getcwd, "bz", NUMBER, 0),
    C(chdir, "p", NUMBER, 0),
    C(fchdir, "f", NUMBER, 0),
    C(rename, "pp", NUMBER, 0),
    C(renameat, "DpDp", NUMBER, 0),
    C(renameat2, "DpDpe", NUMBER, 0),
    C(mkdir, "pm", NUMBER, 0),
    C(mkdirat, "Dpm", NUMBER, 0),
    C(rmdir, "p", NUMBER, 0),
    C(link, "pp", NUMBER, 0),
    C(linkat, "DpDpF", NUMBER, 0),
    C(unlink, "p", NUMBER, 0),
    C(unlinkat, "DpF", NUMBER, 0),
    C(symlink, "pp", NUMBER, 0),
    C(symlinkat, "pDp", NUMBER, 0),
    C(readlink, "pbz", BYTES, 0),
    C(readlinkat, "Dpbz", NUMBER, 0),
    C(chmod, "pm", NUMBER, 0),
    C(fchmod, "fm", NUMBER, 0),
    C(fchmodat, "Dpm", NUMBER, 0),
    {"fchmodat2", 452, "DpmF", NUMBER, 0},
    C(chown, "puu", NUMBER, 0),
    C(lchown, "puu", NUMBER, 0),
    C(fchown, "fuu", NUMBER, 0),
    C(fchownat, "DpuuF", NUMBER, 0),
    C(umask, "m", NUMBER, 0),
    C(mknod, "pMn", NUMBER, 0),
    C(mknodat, "DpMn", NUMBER, 0),
    C(utime, "pt", NUMBER, 0),
    C(utimes, "pt", NUMBER, 0),
    C(futimesat, "Dpt", NUMBER, 0),
    C(utimensat, "DptF", NUMBER, 0),
    C(statfs, "pb", NUMBER, 0),
    C(fstatfs, "fb", NUMBER, 0),
    C(syncfs, "f", NUMBER, 0),
    C(fadvise64, "foon", NUMBER, 0),
    C(ioctl, "fQb", NUMBER, 0),
    C(ioctl, "f{21537}1", NUMBER, 0),
    C(ioctl, "f{21537}x", NUMBER, 0),
    C(getpid, "", NUMBER, 0),
    C(gettid, "", NUMBER, 0),
    C(getppid, "", NUMBER, 0),
    C(getpgrp, "", FINE, 0),
    C(getpgid, "i", FINE, 0),
    C(getsid, "i", FINE, 0),
    C(getuid, "", NUMBER, 0),
    C(geteuid, "", NUMBER, 0),
    C(getgid, "", NUMBER, 0),
    C(getegid, "", NUMBER, 0),
    C(setuid, "u", NUMBER, 0),
    C(setgid, "u", NUMBER, 0),
    C(setreuid, "uu", NUMBER, 0),
    C(setregid, "uu", NUMBER, 0),
    C(setresuid, "uuu", NUMBER, 0),
    C(setresgid, "uuu", NUMBER, 0),
    C(setfsuid, "u", NUMBER, 0),
    C(setfsgid, "u", NUMBER, 0),
    C(getresuid, "bbb", NUMBER, 0),
    C(getresgid, "bbb", NUMBER, 0),
    C(getgroups, "nb", FINE, 0),
    C(capget, "kb", NUMBER, 0),
    C(getpriority, "ni", NUMBER, 0),
    C(setpriority, "ni{0}", NUMBER, 0),
    C(getrlimit, "Bb", NUMBER, 0),
    C(setrlimit, "Br", NUMBER, 0),
    C(prlimit64, "iBrb", NUMBER, 0),
    C(prlimit64, "iB{0}b", NUMBER, 0),
    C(getrusage, "?b", NUMBER, 0),
    C(times, "b", FINE, 0),
    C(sysinfo, "b", NUMBER, 0),
    C(uname, "b", NUMBER, 0),
    C(sched_yield, "", NUMBER, 0),
    C(sched_getscheduler, "i", NUMBER, 0),
    C(sched_setscheduler, "i$C", NUMBER, 0),
    C(sched_setparam, "iC", NUMBER, 0),
    C(sched_getparam, "ib", NUMBER, 0),
    C(sched_get_priority_max, "$", NUMBER, 0),
    C(sched_get_priority_min, "$", NUMBER, 0),
    C(sched_rr_get_interval, "ib", NUMBER, 0),
    C(sched_getaffinity, "izb", FINE, 0),
    C(getcpu, "bb", NUMBER, 0),
    C(prctl, "Unnnn", FINE, 0),
    C(prctl, "{15}b{0}{0}{0}", NUMBER, 0),
    C(prctl, "{16}b{0}{0}{0}", NUMBER, 0),
    C(personality, "{4294967295}", NUMBER, 0),
    C(arch_prctl, "{4099}b", NUMBER, 0),
    C(set_robust_list, "bz", NUMBER, 0),
    C(futex, "w{0}{77}T{0}{0}", NUMBER, 0),
    C(futex, "b^nTbn", NUMBER, 0),
    C(getrandom, "bz%", FINE, 0),
    C(membarrier, "_nn", FINE, 0),
    C(socket, "~nn", OPENED, 0),
    C(bind, "fbz", NUMBER, 0),
    C(connect, "fbz", NUMBER, 0),
    C(listen, "fn", NUMBER, 0),
    C(accept, "fbb", NUMBER, 0),
    C(accept4, "fbbn", NUMBER, 0),
    C(getsockname, "fbb", NUMBER, 0),
    C(getpeername, "fbb", NUMBER, 0),
    C(sendto, "fbznbz", NUMBER, 0),
    C(recvfrom, "fbznbb", NUMBER, 0),
    C(sendmsg, "fvn", NUMBER, 0),
    C(recvmsg, "fvn", NUMBER, 0),
    C(sendmmsg, "fvcn", NUMBER, 0),
    C(recvmmsg, "fvcnT", NUMBER, 0),
    C(socketpair, "~nnb", NUMBER, 0),
    C(shutdown, "fn", NUMBER, 0),
    C(setsockopt, "fnnbz", NUMBER, 0),
    C(getsockopt, "fnnbb", NUMBER, 0),
#undef C
};

/* ---- the log ------------------------------------------------------------------------------ */

static char text[1 << 16];
static size_t text_size;

static void flush(void) {
    for (size_t done = 0; done < text_size;) {
        ssize_t n = write(LOG_FD, text + done, text_size - done);
        if (n <= 0)
            _exit(91);
        done += (size_t)n;
    }
    text_size = 0;
}

__attribute__((format(printf, 1, 2))) static void say(const char *form, ...) {
    va_list list;
    va_start(list, form);
    text_size += (size_t)vsnprintf(text + text_size, 512, form, list);
    va_end(list);
    if (text_size > sizeof text - 1024)
        flush();
}

static const struct {
    int number;
    const char *name;
} errors[] = {
#define E(name)                                                                                    \
    { name, #name }
    E(EPERM),      E(ENOENT),        E(ESRCH),           E(EINTR),
    E(EIO),        E(ENXIO),         E(E2BIG),           E(EBADF),
    E(EAGAIN),     E(ENOMEM),        E(EACCES),          E(EFAULT),
    E(EBUSY),      E(EEXIST),        E(EXDEV),           E(ENODEV),
    E(ENOTDIR),    E(EISDIR),        E(EINVAL),          E(EMFILE),
    E(ENOTTY),     E(ETXTBSY),       E(EFBIG),           E(ENOSPC),
    E(ESPIPE),     E(EROFS),         E(EMLINK),          E(EPIPE),
    E(EDOM),       E(ERANGE),        E(EDEADLK),         E(ENAMETOOLONG),
    E(ENOLCK),     E(ENOSYS),        E(ENOTEMPTY),       E(ELOOP),
    E(EOVERFLOW),  E(ENOTSOCK),      E(EDESTADDRREQ),    E(EMSGSIZE),
    E(EOPNOTSUPP), E(EAFNOSUPPORT),  E(ESOCKTNOSUPPORT), E(EPROTONOSUPPORT),
    E(EPROTOTYPE), E(ENOPROTOOPT),   E(ENOTCONN),        E(ETIMEDOUT),
    E(EADDRINUSE), E(EADDRNOTAVAIL), E(ECONNREFUSED),    E(EISCONN),
    E(ECANCELED),  E(ENODATA),
#undef E
};

static void say_error(int number) {
    for (unsigned i = 0; i < COUNT(errors); i++) {
        if (errors[i].number == number) {
            say("%s", errors[i].name);
            return;
        }
    }
    say("E%d", number);
}

/* ---- running one call --------------------------------------------------------------------- */

static ino_t root_inode; /* more stands there in the guest */
static volatile unsigned caught;

static void handler(int number) {
    (void)number;
    caught++;
}

static long call(long number, const unsigned long a[6]) {
    register unsigned long r10 __asm__("r10") = a[3];
    register unsigned long r8 __asm__("r8") = a[4];
    register unsigned long r9 __asm__("r9") = a[5];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static bool in_buffers(unsigned long at, unsigned long size) {
    return at >= READ_WRITE && at < HOLE && size <= HOLE - at;
}

static unsigned hash(unsigned long at, unsigned long size) {
    unsigned h = 2166136261u;
    for (unsigned long i = 0; i < size; i++)
        h = (h ^ ((const unsigned char *)at)[i]) * 16777619u;
    return h;
}

static void say_success(const struct call *c, long result, const unsigned long a[6]) {
    switch (c->result) {
    case NUMBER:
        say("%ld", result);
        break;
    case FINE:
        say("ok");
        break;
    case BYTES:
        say("%ld", result);
        if (in_buffers(a[1], (unsigned long)result))
            say(" %08x", hash(a[1], (unsigned long)result));
        break;
    case OPENED:
        say("%ld", result);
        slots[next_slot++ % SLOTS] = (int)result;
        break;
    case MAPPED: {
        unsigned long at = (unsigned long)result;
        if (at >= FIELD && at < FIELD + FIELD_PAGES * PAGE) {
            say("%#lx", at);
        } else {
            say("ok");
            munmap((void *)at, strcmp(c->name, "mremap") ? a[1] : a[2]);
        }
        break;
    }
    case STATUS_AT:
        say("%ld", result);
        if (in_buffers(a[c->where], sizeof(struct stat))) {
            struct stat s;
            memcpy(&s, (void *)a[c->where], sizeof s);
            if (s.st_ino != root_inode)
                say(" mode %o owner %u:%u links %lu", s.st_mode, s.st_uid, s.st_gid,
                    (unsigned long)s.st_nlink);
            if (!S_ISDIR(s.st_mode))
                say(" size %ld", (long)s.st_size);
        }
        break;
    case PAIR:
        say("ok");
        if (in_buffers(a[0], 2 * sizeof(int))) {
            int pair[2];
            memcpy(pair, (void *)a[0], sizeof pair);
            say(" %d %d", pair[0], pair[1]);
            slots[next_slot++ % SLOTS] = pair[0];
            slots[next_slot++ % SLOTS] = pair[1];
        }
        break;
    case TIMER:
        say("ok");
        if (in_buffers(a[2], 4)) {
            int id;
            memcpy(&id, (void *)a[2], 4);
            const unsigned long one[6] = {(unsigned long)id};
            call(SYS_timer_delete, one);
        }
        break;
    }
}

enum { RESULT = 1u << 16 };

/* What successful calls tell of the machine or the moment, which is no part of what is
 * compared: a later call shall not see it. */
static const struct {
    int number, at;
    unsigned size; /* in bytes; RESULT | N: N bytes for each that the result counts */
} told[] = {
    {SYS_stat, 1, sizeof(struct stat)},
    {SYS_lstat, 1, sizeof(struct stat)},
    {SYS_fstat, 1, sizeof(struct stat)},
    {SYS_newfstatat, 2, sizeof(struct stat)},
    {SYS_statx, 4, 256},
    {SYS_statfs, 1, 120},
    {SYS_fstatfs, 1, 120},
    {SYS_getdents, 1, RESULT | 1},
    {SYS_getdents64, 1, RESULT | 1},
    {SYS_clock_gettime, 1, 16},
    {SYS_gettimeofday, 0, 16},
    {SYS_gettimeofday, 1, 8},
    {SYS_time, 0, 8},
    {SYS_times, 0, 32},
    {SYS_getitimer, 1, 32},
    {SYS_setitimer, 2, 32},
    {SYS_timer_gettime, 1, 32},
    {SYS_timer_settime, 3, 32},
    {SYS_timerfd_gettime, 1, 32},
    {SYS_timerfd_settime, 3, 32},
    {SYS_sched_rr_get_interval, 1, 16},
    {SYS_getrlimit, 1, 16},
    {SYS_prlimit64, 3, 16},
    {SYS_getrusage, 1, 144},
    {SYS_sysinfo, 0, 112},
    {SYS_uname, 0, 390},
    {SYS_getgroups, 1, RESULT | 4},
    {SYS_sched_getaffinity, 2, RESULT | 1},
    {SYS_getcpu, 0, 4},
    {SYS_getcpu, 1, 4},
    {SYS_getrandom, 0, RESULT | 1},
};

static void forget(int number, long result, const unsigned long a[6]) {
    for (unsigned i = 0; i < COUNT(told); i++) {
        unsigned long size = told[i].size & ~RESULT;
        if (told[i].size & RESULT)
            size *= (unsigned long)result;
        if (told[i].number == number && size > 0 && in_buffers(a[told[i].at], size))
            memset((void *)a[told[i].at], 0, size);
    }
}

static unsigned long draw(const char **form) {
    char letter = *(*form)++;
    if (letter == '{') {
        char *end;
        unsigned long value = strtoul(*form, &end, 10);
        *form = end + 1;
        return value;
    }
    for (unsigned i = 0; i < COUNT(arguments); i++) {
        const struct argument *arg = &arguments[i];
        if (arg->letter == letter)
            return arg->make ? arg->make() : arg->pool[below(arg->count)];
    }
    _exit(92); /* the table names a letter that there is not */
}

/* Would it open a FIFO?  That may wait for a partner, who never comes. */
static bool opens_fifo(const struct call *c, const unsigned long a[6]) {
    bool here = c->args[0] == 'p';
    struct stat s;
    const unsigned long look[6] = {here ? (unsigned long)AT_FDCWD : a[0], here ? a[0] : a[1],
                                   (unsigned long)&s};
    return c->result == OPENED && strchr(c->args, 'p') && call(SYS_newfstatat, look) == 0 &&
           S_ISFIFO(s.st_mode);
}

static void one(bool before) {
    const struct call *c = &PICK(calls);
    unsigned long a[6] = {0};
    unsigned n = 0;
    next_place = 0;
    for (const char *form = c->args; *form; n++)
        a[n] = draw(&form);
    say("%s(", c->name);
    for (unsigned i = 0; i < n; i++) {
        if (a[i] > 0xffffffffffff0000)
            say("%s%ld", i ? ", " : "", (long)a[i]);
        else
            say(a[i] < 4096 ? "%s%lu" : "%s%#lx", i ? ", " : "", a[i]);
        /* The path itself, where it is short. */
        if (in_buffers(a[i], 256) && strchr("D", c->args[0]) && i < 2 && c->args[i] == 'p')
            say(" '%.20s'", (const char *)a[i]);
        else if (in_buffers(a[i], 256) && c->args[i] == 'p')
            say(" '%.20s'", (const char *)a[i]);
    }
    say(") = ");
    if (before)
        flush();
    if (opens_fifo(c, a)) {
        say("not tried\n");
        return;
    }
    caught = 0;
    long result = call(c->number, a);
    if (result < 0 && result > -4096)
        say_error((int)-result);
    else {
        say_success(c, result, a);
        forget(c->number, result, a);
    }
    if (caught)
        say(" caught %u", caught);
    say("\n");
}

/* ---- episodes ------------------------------------------------------------------------------- */

static void empty(const char *dir) {
    DIR *d = opendir(dir);
    struct dirent *e;
    char name[600];
    while (d && (e = readdir(d)) != NULL) {
        struct stat s;
        snprintf(name, sizeof name, "%s/%s", dir, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || lstat(name, &s))
            continue;
        if (S_ISDIR(s.st_mode)) {
            empty(name);
            rmdir(name);
        } else {
            unlink(name);
        }
    }
    if (d)
        closedir(d);
}

static void file(const char *name, size_t size) {
    static char bytes[6000];
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    memset(bytes, 'x', sizeof bytes);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        _exit(93);
    close(fd);
}

static void fresh(void) {
    const uint64_t none = 0;
    const unsigned long unmask[6] = {2, (unsigned long)&none, 0, 8};
    const struct itimerval off = {{0, 0}, {0, 0}};
    for (int i = 0; i < 3; i++)
        setitimer(i, &off, NULL);
    for (int i = 1; i < 65; i++) {
        const struct {
            void (*handler)(int);
            unsigned long flags;
            void (*restorer)(void);
            uint64_t mask;
        } action = {handler, 0x04000000, back, 0};
        const unsigned long set[6] = {(unsigned long)i, (unsigned long)&action, 0, 8};
        call(SYS_rt_sigaction, set);
    }
    call(SYS_rt_sigprocmask, unmask);
    const stack_t no_stack = {.ss_flags = SS_DISABLE};
    sigaltstack(&no_stack, NULL);
    const unsigned long dumpable[6] = {4, 1};
    call(SYS_prctl, dumpable);
    const int usual = 0;
    const unsigned long policy[6] = {0, 0, (unsigned long)&usual};
    call(SYS_sched_setscheduler, policy);
    const unsigned long limits_of_files[6] = {0, 7, (unsigned long)(const uint64_t[]){1024, 1024}};
    call(SYS_prlimit64, limits_of_files);
    const unsigned long range[6] = {3, LOG_FD - 1}, above[6] = {LOG_FD + 1, ~0u};
    call(SYS_close_range, range);
    call(SYS_close_range, above);
    umask(0);
    munmap((void *)(FIELD - PAGE), (FIELD_PAGES + 34) * PAGE);
    map(FIELD, 8 * PAGE, PROT_READ | PROT_WRITE);
    map(FIELD + 3 * PAGE, PAGE, PROT_READ);
    memset((void *)READ_WRITE, 0, 4 * PAGE);
    if (chdir("/") || (mkdir(WORK, 0755) && errno != EEXIST) || chmod(WORK, 0755))
        _exit(94);
    empty(WORK);
    if (chdir(WORK) || mkdir("d", 0755) || mkdir("d/d", 0755) || mkdir("e", 0755) ||
        symlink("a", "l") || symlink("d", "dl") || symlink("loop", "loop") ||
        symlink("nowhere", "dead"))
        _exit(95);
    file("a", 5000);
    file("d/a", 10);
    for (int i = 0; i < 3; i++) {
        int fd = open("/null", O_RDWR | O_CREAT | O_TRUNC, 0600);
        dup2(fd, i);
        if (fd > 2)
            close(fd);
    }
    slots[0] = open("a", O_RDWR);
    slots[1] = open("d", O_RDONLY | O_DIRECTORY);
    slots[2] = open("a", O_RDONLY);
    slots[3] = open("a", O_PATH);
    slots[4] = open("b", O_WRONLY | O_CREAT | O_APPEND, 0644);
    slots[5] = (int)syscall(SYS_timerfd_create, 1, 04000);
    slots[6] = open(".", O_RDONLY);
    slots[7] = 77;
    next_slot = 5;
    umask(022);
}

static void compare(uint64_t seed, unsigned long first, unsigned long count, bool each) {
    for (unsigned long e = first; e < first + count; e++) {
        fresh();
        chance_state = seed * 0x1000193 + e * 0x9e3779b1;
        say("episode %lu\n", e);
        for (unsigned i = 0; i < CALLS; i++) {
            one(each);
            if (each)
                flush();
        }
        flush();
    }
}

/* Every number with garbage; what ends or stops the program is left out, and who
 * it is, or its limits could not be raised again. */
static void every_number(uint64_t seed, unsigned long rounds) {
    static const int left_out[] = {SYS_exit,
                                   SYS_exit_group,
                                   SYS_rt_sigreturn,
                                   SYS_clone,
                                   SYS_fork,
                                   SYS_vfork,
                                   SYS_kill,
                                   SYS_tkill,
                                   SYS_tgkill,
                                   SYS_close_range,
                                   SYS_rt_sigqueueinfo,
                                   SYS_rt_tgsigqueueinfo,
                                   SYS_rt_sigaction,
                                   SYS_setuid,
                                   SYS_setreuid,
                                   SYS_setresuid};
    const struct itimerval tick = {{0, 20000}, {0, 20000}};
    for (unsigned long r = 0; r < rounds; r++) {
        fresh();
        chance_state = seed + r;
        setitimer(ITIMER_REAL, &tick, NULL); /* whatever sleeps is woken */
        for (long number = -3; number < 520; number++) {
            unsigned long a[6];
            bool skip = false;
            for (unsigned i = 0; i < 6; i++) {
                a[i] = below(3) ? bad_pointer() : PICK(numbers);
                if (below(8) == 0)
                    a[i] = READ_WRITE + below(4096);
                skip |= a[i] == LOG_FD;
            }
            for (unsigned i = 0; i < COUNT(left_out); i++)
                skip |= left_out[i] == number;
            /* What is mapped stays: only the field may be named. */
            if (number == SYS_munmap || number == SYS_mprotect || number == SYS_mremap ||
                number == SYS_mmap || number == SYS_madvise || number == SYS_brk ||
                number == SYS_arch_prctl || number == SYS_shmat || number == SYS_pkey_mprotect ||
                number == SYS_remap_file_pages) {
                a[0] = PICK(field_at);
                a[1] = number == SYS_madvise ? PICK(advised) : PICK(field_sizes);
                if (number == SYS_mremap)
                    a[2] = PICK(field_sizes), a[4] = PICK(field_at);
                skip |= number == SYS_arch_prctl;
            }
            if (skip)
                continue;
            long result = call(number, a);
            if (result >= 0 && number == SYS_mmap)
                munmap((void *)result, a[1]);
            if (number == SYS_setitimer || number == SYS_alarm || number == SYS_rt_sigprocmask)
                setitimer(ITIMER_REAL, &tick, NULL);
            if (number == SYS_rt_sigprocmask || number == SYS_rt_sigsuspend ||
                number == SYS_ppoll) {
                const uint64_t none = 0;
                const unsigned long unmask[6] = {2, (unsigned long)&none, 0, 8};
                call(SYS_rt_sigprocmask, unmask);
            }
        }
    }
    fresh();
    say("done\n");
    flush();
}

static unsigned long argument(int argc, char **argv, int i, unsigned long other) {
    return i < argc ? strtoul(argv[i], NULL, 0) : other;
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "list") == 0) {
        for (unsigned i = 0; i < COUNT(calls); i++)
            puts(calls[i].name);
        return 0;
    }
    struct stat root;
    if (stat("/", &root) == 0)
        root_inode = root.st_ino;
    setsid(); /* process group 0 is nobody else */
    if (dup2(1, LOG_FD) != LOG_FD)
        return 96;
    map(READ_WRITE, 4 * PAGE, PROT_READ | PROT_WRITE);
    map(READ_ONLY, PAGE, PROT_READ);
    map(NO_ACCESS, PAGE, PROT_NONE);
    if (strcmp(verb, "compare") == 0) {
        compare(argument(argc, argv, 2, 1), argument(argc, argv, 4, 0), argument(argc, argv, 3, 10),
                argc > 5);
    } else if (strcmp(verb, "numbers") == 0) {
        every_number(argument(argc, argv, 2, 1), argument(argc, argv, 3, 1));
    } else {
        return 2;
    }
    return 0;
}
