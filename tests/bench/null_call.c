/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a system call that does nothing (getpid) costs, in time stamp cycles,
 * beside a bare `syscall; jmp *%rcx`: for that the app, which runs at CPL 0,
 * points LSTAR at its own two bytes with interrupts off, and then back.  With
 * --isolate it may not, and its bare call is 0.
 * Prints the least and the median of each over all batches.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCHES = 41, CALLS = 20000, LSTAR = 0xc0000082 };

static inline uint64_t now(void) {
    return __builtin_ia32_rdtsc();
}

__attribute__((noinline)) static uint64_t calls(void) {
    uint64_t start = now();
    for (int i = 0; i < CALLS; i++) {
        long r;
        __asm__ volatile("syscall" : "=a"(r) : "a"(39) : "rcx", "r11", "memory");
    }
    return now() - start;
}

static uint64_t read_msr(uint32_t msr) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static void write_msr(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr"
                     :
                     : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr)
                     : "memory");
}

__asm__(".text\nbare_return: jmp *%rcx\n");
extern char bare_return[];

static int at_ring_0(void) {
    uint16_t cs;
    __asm__("mov %%cs, %0" : "=r"(cs));
    return (cs & 3) == 0;
}

static uint64_t bare_calls(void) {
    uint64_t kernels = read_msr(LSTAR), flags;
    __asm__ volatile("pushfq; pop %0; cli" : "=r"(flags) : : "memory");
    write_msr(LSTAR, (uint64_t)(uintptr_t)bare_return);
    uint64_t took = calls();
    write_msr(LSTAR, kernels);
    __asm__ volatile("push %0; popfq" : : "r"(flags) : "memory", "cc");
    return took;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(void) {
    static uint64_t bare[BATCHES], null[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        bare[i] = at_ring_0() ? bare_calls() : 0;
        null[i] = calls();
    }
    qsort(bare, BATCHES, sizeof *bare, by_value);
    qsort(null, BATCHES, sizeof *null, by_value);
    printf("bare %.1f %.1f null %.1f %.1f\n", (double)bare[0] / CALLS,
           (double)bare[BATCHES / 2] / CALLS, (double)null[0] / CALLS,
           (double)null[BATCHES / 2] / CALLS);
    return 0;
}
