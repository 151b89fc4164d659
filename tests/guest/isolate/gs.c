/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An isolated app has a GS of its own: arch_prctl sets it, a selector loaded
 * into it is no concern of the kernel's, and each thread has another.
 * cflags: -fno-sanitize=all
 * zuk: --isolate
 * isolate: no it is by itself
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { SET_GS = 0x1001, GET_GS = 0x1004, TURNS = 200 };

static uint64_t read_gs(void) {
    uint64_t v;
    __asm__ volatile("mov %%gs:8, %0" : "=r"(v));
    return v;
}

static void *own(void *arg) {
    uint64_t mine[2] = {0, (uint64_t)(uintptr_t)arg};
    CHECK_EQ(syscall(SYS_arch_prctl, SET_GS, mine), 0);
    for (int i = 0; i < TURNS; i++) {
        CHECK_EQ(read_gs(), mine[1]);
        sched_yield();
    }
    return NULL;
}

int main(void) {
    uint64_t base = 1, here[2] = {1, 42};
    CHECK_EQ(syscall(SYS_arch_prctl, GET_GS, &base), 0);
    CHECK_EQ(base, 0);
    CHECK_ERRNO(syscall(SYS_arch_prctl, SET_GS, 0xffffffff80100000), EPERM);
    CHECK_ERRNO(syscall(SYS_arch_prctl, SET_GS, 0x8000000000000000), EPERM);
    CHECK_ERRNO(syscall(SYS_arch_prctl, GET_GS, 8), EFAULT);
    CHECK_EQ(syscall(SYS_arch_prctl, SET_GS, here), 0);
    CHECK_EQ(read_gs(), 42);
    pthread_t t[2];
    for (uintptr_t i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, own, (void *)(i + 1)), 0);
    }
    own((void *)7);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    /* A selector: the base becomes 0, and system calls and faults still work. */
    for (int i = 0; i < 3; i++) {
        static const uint16_t selectors[] = {0x2b, 0, 3};
        __asm__ volatile("mov %0, %%gs" : : "r"(selectors[i]));
        CHECK_EQ(getppid() >= 0, 1);
        char *fresh = (char *)__builtin_alloca(70000);
        fresh[0] = 1;
        __asm__ volatile("" : : "r"(fresh) : "memory");
    }
    return check_done();
}
