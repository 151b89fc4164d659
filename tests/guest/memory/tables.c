/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Page tables go with what they mapped: touching a page here and there in huge areas,
 * again and again somewhere else, costs nothing in the end, though threads on all CPUs
 * do so beside each other, and what lies next to an area stays.
 * cpus: 1 4
 * zuk: -m 32M
 * timeout: 60
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096, THREADS = 4, ROUNDS = 100, TOUCHED = 8 };
#define RW (PROT_READ | PROT_WRITE)
#define SPARSE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
#define SPAN (1ul << 33) /* every touch takes two tables */
#define OURS 0x200000000000ul

static long free_pages(void) {
    struct sysinfo s;
    return sysinfo(&s) == 0 ? (long)(s.freeram / PAGE) : -1;
}

static void *roam(void *arg) {
    uintptr_t number = (uintptr_t)arg;
    for (uintptr_t i = 0; i < ROUNDS; i++) {
        /* Of each thread's 8 TiB a part, which begins anywhere in a table. */
        char *at = (char *)(OURS + (number << 43) + i * (SPAN + (3ul << 20)));
        char *p = mmap(at, SPAN, RW, SPARSE | MAP_FIXED_NOREPLACE, -1, 0);
        CHECK(p == at);
        if (p != at)
            return NULL;
        for (uintptr_t k = 0; k < TOUCHED; k++) {
            char *q = p + k * (SPAN / TOUCHED) + i % 2 * PAGE;
            CHECK(*q == 0);
            *q = (char)(i + number + 1);
        }
        /* The first quarter stays for a moment, beside what goes. */
        CHECK_EQ(munmap(p + SPAN / 4, SPAN - SPAN / 4), 0);
        for (uintptr_t k = 0; k < TOUCHED / 4; k++)
            CHECK(p[k * (SPAN / TOUCHED) + i % 2 * PAGE] == (char)(i + number + 1));
        char *moved = mremap(p, SPAN / 4, SPAN / 4, MREMAP_MAYMOVE | MREMAP_FIXED,
                             OURS + (number << 43) + (1ul << 42));
        CHECK(moved != MAP_FAILED);
        CHECK(moved[i % 2 * PAGE] == (char)(i + number + 1));
        CHECK_EQ(munmap(moved, SPAN / 4), 0);
    }
    return NULL;
}

static void all_roam(void) {
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, roam, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

int main(void) {
    struct utsname u;
    CHECK_EQ(uname(&u), 0);
    all_roam(); /* stacks and small objects are there */
    long before = free_pages();
    all_roam();
    long lost = before - free_pages();
    if (strstr(u.release, "zuk") && lost > 48) {
        printf("%ld pages are missing\n", lost);
        return 1;
    }
    return check_done();
}
