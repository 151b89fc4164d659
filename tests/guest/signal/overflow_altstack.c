/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Handlers that interrupt each other on the alternate stack until it has no room:
 * the signal kills, and what lies below the stack is not written to.
 * isolate: test
 * expect-status: 139
 * expect-stdout: before
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, BELOW = 2 * PAGE, STACK = 8 * PAGE };

static char *memory;

static void handler(int sig) {
    char *end = memory + BELOW;
    if (memchr(end - PAGE, 0, PAGE)) {
        write(1, "below\n", 6);
        _exit(1);
    }
    raise(sig);
}

int main(void) {
    memory = mmap(NULL, BELOW + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, BELOW);
    stack_t s = {.ss_sp = memory + BELOW, .ss_size = STACK};
    sigaltstack(&s, NULL);
    struct sigaction a = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigaction(SIGUSR1, &a, NULL);
    puts("before");
    fflush(stdout);
    raise(SIGUSR1);
    puts("after");
    return 0;
}
