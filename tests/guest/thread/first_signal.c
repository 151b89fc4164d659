/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A signal for a thread that has not run yet comes all the same, though the thread
 * makes no system call.
 * isolate: test
 * cpus: 1 2
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 20, WAIT_MS = 5000 };

static char stack[16384] __attribute__((aligned(16)));
static atomic_int seen;
static int word;

static void handler(int sig) {
    seen = sig;
}

/* A thread with the caller's thread pointer, which touches nothing of it, until a
 * signal has come; the kernel clears `word` at its end. */
__attribute__((noinline)) static long start(void) {
    const long flags =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID;
    register long r10 __asm__("r10") = (long)&word;
    long id;
    __asm__ volatile("syscall\n\t"
                     "test %%eax, %%eax\n\t"
                     "jnz 2f\n\t"
                     "1: cmpl $0, %[seen]\n\t"
                     "je 1b\n\t"
                     "xorl %%edi, %%edi\n\t"
                     "movl %[exit], %%eax\n\t"
                     "syscall\n\t"
                     "2:"
                     : "=a"(id)
                     : "a"(SYS_clone), "D"(flags), "S"(stack + sizeof stack), "d"(0L),
                       "r"(r10), [seen] "m"(seen), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "memory");
    return id;
}

int main(void) {
    signal(SIGUSR1, handler);
    for (int i = 0; i < ROUNDS && !check_failures; i++) {
        const struct timespec step = {0, 1000000};
        volatile int *alive = &word;
        seen = 0;
        word = 1;
        long id = start();
        CHECK(id > 0);
        CHECK_EQ(syscall(SYS_tgkill, getpid(), id, SIGUSR1), 0);
        for (int ms = 0; *alive && ms < WAIT_MS; ms++)
            nanosleep(&step, NULL);
        CHECK_EQ(seen, SIGUSR1);
        CHECK_EQ(*alive, 0);
    }
    return check_done();
}
