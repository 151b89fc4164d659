/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SSE and AVX registers survive page faults (the kernel zeroes pages and walks
 * tables meanwhile) and system calls of every kind.
 * cflags: -fno-sanitize=all
 * modes: O1
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

static uint64_t in[32] __attribute__((aligned(32))), out[32] __attribute__((aligned(32)));

__attribute__((target("avx"))) static void with_avx(char *fresh) {
    __asm__ volatile("vmovdqa (%0), %%ymm0; vmovdqa 32(%0), %%ymm3; vmovdqa 64(%0), %%ymm11\n\t"
                     "vmovdqa 96(%0), %%ymm15\n\t"
                     "movb $1, (%2); movb $1, 4096(%2); movb $1, 40960(%2)\n\t"
                     "mov $39, %%eax; syscall\n\t"
                     "vmovdqa %%ymm0, (%1); vmovdqa %%ymm3, 32(%1); vmovdqa %%ymm11, 64(%1)\n\t"
                     "vmovdqa %%ymm15, 96(%1)"
                     :
                     : "b"(in), "r"(out), "r"(fresh)
                     : "rax", "rcx", "r11", "xmm0", "xmm3", "xmm11", "xmm15", "memory");
}

static void with_sse(char *fresh) {
    __asm__ volatile("movdqa (%0), %%xmm0; movdqa 32(%0), %%xmm3; movdqa 64(%0), %%xmm11\n\t"
                     "movdqa 96(%0), %%xmm15\n\t"
                     "movb $1, (%2); movb $1, 4096(%2); movb $1, 40960(%2)\n\t"
                     "mov $39, %%eax; syscall\n\t"
                     "movdqa %%xmm0, (%1); movdqa %%xmm3, 32(%1); movdqa %%xmm11, 64(%1)\n\t"
                     "movdqa %%xmm15, 96(%1)"
                     :
                     : "b"(in), "r"(out), "r"(fresh)
                     : "rax", "rcx", "r11", "xmm0", "xmm3", "xmm11", "xmm15", "memory");
    for (int i = 0; i < 16; i += 4) {
        out[i + 2] = in[i + 2];
        out[i + 3] = in[i + 3];
    }
}

int main(void) {
    __builtin_cpu_init();
    for (unsigned i = 0; i < 16; i++) {
        in[i] = 0x0101010101010101 * (i + 1);
    }
    for (int round = 0; round < 50; round++) {
        char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(out, 0, sizeof out);
        if (__builtin_cpu_supports("avx")) {
            with_avx(p);
        } else {
            with_sse(p);
        }
        CHECK(memcmp(in, out, 128) == 0);
        munmap(p, 65536);
    }
    volatile double a = 1e308, b = 3;
    CHECK(a * 10 > a && 1 / b * b == 1);
    volatile long double c = 1.0L / 3;
    CHECK(c * 3 == 1.0L);
    return check_done();
}
