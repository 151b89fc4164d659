/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SS_AUTODISARM: in the handler there is no alternate stack, after it there is.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>

#include "check.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static char stack[65536], other[65536];
static int inside, replaced;

static void handler(int sig) {
    (void)sig;
    stack_t s, o = {.ss_sp = other, .ss_size = sizeof other};
    sigaltstack(NULL, &s);
    inside = s.ss_flags;
    replaced = sigaltstack(&o, NULL);
    sigaltstack(&s, NULL);
}

int main(void) {
    stack_t s = {.ss_sp = stack, .ss_size = sizeof stack, .ss_flags = (int)SS_AUTODISARM}, old;
    CHECK_EQ(sigaltstack(&s, NULL), 0);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, (int)SS_AUTODISARM);
    struct sigaction a = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    CHECK_EQ(sigaction(SIGUSR1, &a, NULL), 0);
    raise(SIGUSR1);
    CHECK_EQ(inside, SS_DISABLE);
    CHECK_EQ(replaced, 0);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK(old.ss_sp == stack && old.ss_size == sizeof stack);
    CHECK_EQ(old.ss_flags, (int)SS_AUTODISARM);
    stack_t odd = {.ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 3};
    CHECK_ERRNO(sigaltstack(&odd, NULL), EINVAL);
    return check_done();
}
