/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mprotect: takes effect at once, splits areas, keeps contents; errors.
 * cflags: -fno-sanitize=all
 * isolate: test
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf back;

static void handler(int sig) {
    (void)sig;
    siglongjmp(back, 1);
}

static int can_read(volatile char *p) {
    if (sigsetjmp(back, 1) != 0) {
        return 0;
    }
    (void)*p;
    return 1;
}

static int can_write(volatile char *p) {
    if (sigsetjmp(back, 1) != 0) {
        return 0;
    }
    *p = *p;
    return 1;
}

static int can_run(char *p) {
    if (sigsetjmp(back, 1) != 0) {
        return 0;
    }
    ((void (*)(void))(void *)p)();
    return 1;
}

enum { RW = PROT_READ | PROT_WRITE };

int main(void) {
    signal(SIGSEGV, handler);
    char *p = mmap(NULL, 5 * 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 5; i++) {
        p[i * 4096] = (char)0xc3; /* ret */
    }
    CHECK(can_read(p) && can_write(p) && !can_run(p));
    CHECK_EQ(mprotect(p + 4096, 4096, PROT_READ), 0);
    CHECK(can_read(p + 4096) && !can_write(p + 4096) && !can_run(p + 4096));
    CHECK(can_write(p) && can_write(p + 2 * 4096));
    CHECK_EQ(mprotect(p + 2 * 4096, 4096, PROT_NONE), 0);
    CHECK(!can_read(p + 2 * 4096) && !can_write(p + 2 * 4096));
    CHECK_EQ(mprotect(p + 3 * 4096, 4096, PROT_READ | PROT_EXEC), 0);
    CHECK(can_read(p + 3 * 4096) && !can_write(p + 3 * 4096) && can_run(p + 3 * 4096));
    CHECK_EQ(mprotect(p, 5 * 4096, RW), 0);
    for (int i = 0; i < 5; i++) {
        CHECK(can_write(p + i * 4096) && !can_run(p + i * 4096));
        CHECK_EQ((unsigned char)p[i * 4096], 0xc3);
    }
    CHECK_EQ(mprotect(p, 0, PROT_READ), 0);
    CHECK_EQ(mprotect(p, 1, PROT_READ), 0);
    CHECK(!can_write(p + 4095) && can_write(p + 4096));
    CHECK_ERRNO(syscall(SYS_mprotect, p + 1, 4096, PROT_READ), EINVAL); /* musl would round */
    CHECK_EQ(munmap(p + 3 * 4096, 4096), 0);
    CHECK_ERRNO(mprotect(p, 5 * 4096, RW), ENOMEM); /* the hole; what is before it has changed */
    CHECK(can_write(p));
    CHECK_ERRNO(mprotect((void *)0x12345000, 4096, RW), ENOMEM);
    /* pages never touched */
    p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(!can_read(p));
    CHECK_EQ(mprotect(p, 4096, PROT_READ), 0);
    CHECK(can_read(p) && !can_write(p));
    CHECK_EQ(p[77], 0);
    CHECK_EQ(mprotect(p, 4096, RW), 0);
    CHECK(can_write(p));
    CHECK_EQ(p[77], 0);
    return check_done();
}
