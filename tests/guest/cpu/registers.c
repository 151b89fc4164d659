/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A system call keeps every register but rax, rcx and r11, and the flags; all
 * SSE registers too.
 * cflags: -fno-sanitize=all
 * isolate: test
 */
#include <stdint.h>

#include "check.h"

int main(void) {
    uint64_t out[16];
    uint64_t x[4] = {0x1111, 0x2222, 0x3333, 0x4444}, y[4] = {0};
    __asm__ volatile(
        "push %%rbp; push %%rbx\n\t"
        "movdqu (%1), %%xmm7; movdqu 16(%1), %%xmm15\n\t"
        "push %0; push %2\n\t"
        "mov $1, %%rbx; mov $2, %%rdx; mov $3, %%rsi; mov $4, %%rdi; mov $5, %%rbp\n\t"
        "mov $6, %%r8; mov $7, %%r9; mov $8, %%r10; mov $9, %%r12; mov $10, %%r13\n\t"
        "mov $11, %%r14; mov $12, %%r15\n\t"
        "mov $39, %%eax\n\t"
        "stc\n\t"
        "syscall\n\t"
        "pushfq; pop %%rax; and $1, %%eax; push %%r15\n\t"
        "mov 16(%%rsp), %%r15\n\t"
        "mov %%rbx, (%%r15); mov %%rdx, 8(%%r15); mov %%rsi, 16(%%r15); mov %%rdi, 24(%%r15)\n\t"
        "mov %%rbp, 32(%%r15); mov %%r8, 40(%%r15); mov %%r9, 48(%%r15); mov %%r10, 56(%%r15)\n\t"
        "mov %%r12, 64(%%r15); mov %%r13, 72(%%r15); mov %%r14, 80(%%r15)\n\t"
        "pop %%rbx; mov %%rbx, 88(%%r15); mov %%rax, 96(%%r15)\n\t"
        "pop %%rbx; movdqu %%xmm7, (%%rbx); movdqu %%xmm15, 16(%%rbx); pop %%rax\n\t"
        "pop %%rbx; pop %%rbp"
        :
        : "a"(out), "c"(x), "d"(y)
        : "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm7", "xmm15", "cc",
          "memory");
    for (int i = 0; i < 12; i++) {
        CHECK_EQ(out[i], i + 1);
    }
    CHECK_EQ(out[12], 1); /* carry */
    CHECK(memcmp(x, y, sizeof x) == 0);
    return check_done();
}
