/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The red zone survives page faults and timer interrupts: a leaf computes in
 * it while it touches fresh pages, with a sleep's timer armed before.
 * timeout: 60
 * modes: O1
 * cflags: -fno-sanitize=all
 * isolate: test
 */
#include <stdint.h>
#include <sys/mman.h>

#include "check.h"

/* Fills the red zone with a pattern, touches a page, sums the red zone up. */
__attribute__((naked)) static uint64_t leaf(__attribute__((unused)) char *page,
                                            __attribute__((unused)) uint64_t pattern) {
    __asm__("mov %rsi, -8(%rsp)\n\t"
            "mov %rsi, -64(%rsp)\n\t"
            "mov %rsi, -128(%rsp)\n\t"
            "movb $1, (%rdi)\n\t"
            "mov $200, %ecx\n"
            "1: dec %ecx\n\t"
            "jnz 1b\n\t"
            "mov -8(%rsp), %rax\n\t"
            "add -64(%rsp), %rax\n\t"
            "add -128(%rsp), %rax\n\t"
            "ret");
}

int main(void) {
    for (int round = 0; round < 4; round++) {
        enum { N = 4000 };
        char *p =
            mmap(NULL, N * 4096UL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(p != MAP_FAILED);
        for (uint64_t i = 0; i < N; i++) {
            CHECK_EQ(leaf(p + i * 4096, i * 0x123456789), 3 * i * 0x123456789);
        }
        CHECK_EQ(munmap(p, N * 4096UL), 0);
    }
    return check_done();
}
