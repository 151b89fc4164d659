/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What things cost in the guest, on zuk and on Linux: the same static binary,
 * an app of the one and /init of the other.  Prints `NAME NANOSECONDS` for each,
 * the median over its batches, per call, round trip, thread, page or KiB;
 * `NAME none ERRNO` where the system refuses.  Words: `hello` measures nothing,
 * `restart` restarts the machine at the end, as /init has to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 9, PAGE = 4096, KIB = 1024 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each batch returns how many operations it did, or -1 with errno. */
static void measure(const char *name, int (*batch)(void)) {
    double took[BATCHES];
    for (int i = -1; i < BATCHES; i++) { /* the first warms up */
        double start = now();
        int n = batch();
        if (n <= 0) {
            printf("%s none %d\n", name, errno);
            return;
        }
        if (i >= 0)
            took[i] = (now() - start) / n;
    }
    qsort(took, BATCHES, sizeof *took, by_value);
    printf("%s %.1f\n", name, took[BATCHES / 2]);
}

static int null_call(void) {
    for (int i = 0; i < 20000; i++)
        syscall(SYS_getppid);
    return 20000;
}

static _Atomic int turn;

static void hand_over(int mine, int other) {
    while (turn != mine)
        syscall(SYS_futex, &turn, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, other, NULL);
    turn = other;
    syscall(SYS_futex, &turn, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

enum { ROUND_TRIPS = 2000 };

static void *pong(void *unused) {
    for (int i = 0; i < ROUND_TRIPS; i++)
        hand_over(1, 0);
    return unused;
}

static int ping_pong(void) {
    pthread_t other;
    turn = 0;
    errno = pthread_create(&other, NULL, pong, NULL);
    if (errno)
        return -1;
    for (int i = 0; i < ROUND_TRIPS; i++)
        hand_over(0, 1);
    pthread_join(other, NULL);
    return ROUND_TRIPS;
}

static void *nothing(void *unused) {
    return unused;
}

static int create_and_join(void) {
    for (int i = 0; i < 200; i++) {
        pthread_t other;
        errno = pthread_create(&other, NULL, nothing, NULL);
        if (errno)
            return -1;
        pthread_join(other, NULL);
    }
    return 200;
}

static int map_and_touch(void) {
    enum { PAGES = 1024 };
    char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return -1;
    for (int i = 0; i < PAGES; i++)
        ((volatile char *)p)[i * PAGE] = 1;
    return munmap(p, PAGES * PAGE) ? -1 : PAGES;
}

static char block[64 * KIB];
static int ends[2];
enum { BLOCKS = 64 };

static void *write_blocks(void *unused) {
    for (int i = 0; i < BLOCKS; i++)
        for (size_t at = 0; at < sizeof block;) {
            ssize_t n = write(ends[1], block + at, sizeof block - at);
            if (n <= 0)
                break;
            at += (size_t)n;
        }
    close(ends[1]);
    return unused;
}

static int through_pipe(void) {
    static char in[sizeof block];
    pthread_t other;
    if (pipe(ends))
        return -1;
    errno = pthread_create(&other, NULL, write_blocks, NULL);
    if (errno)
        return -1;
    size_t sum = 0;
    ssize_t n;
    while ((n = read(ends[0], in, sizeof in)) > 0)
        sum += (size_t)n;
    pthread_join(other, NULL);
    close(ends[0]);
    errno = EIO;
    return sum == BLOCKS * sizeof block ? (int)(sum / KIB) : -1;
}

static int read_file(void) {
    enum { TIMES = 4 };
    static char in[sizeof block];
    static int fd = -1;
    if (fd < 0) {
        mkdir("/tmp", 0777);
        fd = open("/tmp/bench", O_RDWR | O_CREAT | O_TRUNC, 0600);
        for (int i = 0; fd >= 0 && i < BLOCKS; i++)
            if (write(fd, block, sizeof block) != (ssize_t)sizeof block)
                return -1;
    }
    for (int i = 0; i < TIMES; i++)
        for (int k = 0; k < BLOCKS; k++)
            if (pread(fd, in, sizeof in, (off_t)k * (off_t)sizeof in) != (ssize_t)sizeof in)
                return -1;
    return TIMES * BLOCKS * (int)(sizeof in / KIB);
}

static bool has_word(char **argv, const char *word) {
    while (*++argv)
        if (strcmp(*argv, word) == 0)
            return true;
    return false;
}

int main(int argc, char **argv) {
    (void)argc;
    memset(block, 'x', sizeof block);
    if (!has_word(argv, "hello")) {
        measure("call", null_call);
        measure("futex", ping_pong);
        measure("thread", create_and_join);
        measure("touch", map_and_touch);
        measure("pipe", through_pipe);
        measure("read", read_file);
    }
    printf("hello, world\n");
    fflush(stdout);
    if (has_word(argv, "restart"))
        reboot(RB_AUTOBOOT);
    return 0;
}
