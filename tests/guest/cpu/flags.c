/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flags at the start and over system calls: direction clear; a direction flag
 * that the app sets survives a call and does not disturb the kernel.
 * isolate: test
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    uint64_t f;
    __asm__ volatile("pushfq; pop %0" : "=r"(f));
    CHECK_EQ(f & 0x400, 0);
    static char name[400];
    long r;
    __asm__ volatile("std; syscall; pushfq; pop %1; cld"
                     : "=a"(r), "=r"(f)
                     : "a"(SYS_uname), "D"(name)
                     : "rcx", "r11", "memory");
    CHECK_EQ(r, 0);
    CHECK((f & 0x400) != 0);
    CHECK(strcmp(name, "Linux") == 0);
    return check_done();
}
