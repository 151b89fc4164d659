/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Privileged instructions of an isolated app are SIGSEGV, each of them, and
 * the app goes on; what Linux allows (rdtsc, cpuid, popfq without IF) works.
 * cflags: -fno-sanitize=all
 * zuk: --isolate
 * isolate: no it is by itself
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

#include "check.h"

static sigjmp_buf back;
static volatile int code;

static void on_fault(int n, siginfo_t *info, void *context) {
    (void)context;
    code = info->si_code;
    siglongjmp(back, n);
}

/* The signal that the instruction raises, 0: none. */
#define TRY(instruction)                                                                           \
    do {                                                                                           \
        int n_ = sigsetjmp(back, 1);                                                               \
        if (n_ == 0) {                                                                             \
            __asm__ volatile(instruction : : : "rax", "rbx", "rcx", "rdx", "memory", "cc");        \
        }                                                                                          \
        printf("%s: %d %d\n", instruction, n_, n_ ? code : 0);                                     \
    } while (0)

int main(void) {
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaction(signals[i], &act, NULL);
    }
    TRY("hlt");
    TRY("cli");
    TRY("sti");
    TRY("inb $0x60, %%al");
    TRY("outb %%al, $0x80");
    TRY("insb");
    TRY("mov %%cr0, %%rax");
    TRY("mov %%cr3, %%rax");
    TRY("mov %%rax, %%cr3");
    TRY("mov %%rax, %%cr4");
    TRY("mov %%rax, %%cr8");
    TRY("mov %%dr7, %%rax");
    TRY("mov $0xc0000082, %%ecx; rdmsr");
    TRY("mov $0xc0000082, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr");
    TRY("lgdt (%%rsp)");
    TRY("lidt (%%rsp)");
    TRY("mov $0x18, %%eax; ltr %%ax");
    TRY("xor %%eax, %%eax; lldt %%ax");
    TRY("invlpg (%%rsp)");
    TRY("wbinvd");
    TRY("clts");
    TRY("swapgs");
    TRY("xor %%ecx, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; xsetbv");
    TRY("sysretq");
    TRY("mov $8, %%eax; mov %%ax, %%fs");    /* the kernel's code */
    TRY("mov $0x10, %%eax; mov %%ax, %%ss"); /* its data */
    TRY("int $0x20");                        /* its interrupts */
    TRY("int $0x3c");
    TRY("int $0xff");
    TRY("int3");
    TRY("rdtsc");
    TRY("xor %%eax, %%eax; cpuid");
    /* Flags that are not the app's stay as they are. */
    uint64_t flags;
    __asm__ volatile("pushfq; andq $~0x200, (%%rsp); orq $0x3000, (%%rsp); popfq; pushfq; pop %0"
                     : "=r"(flags)
                     :
                     : "cc", "memory");
    CHECK((flags & 0x200) != 0);
    CHECK((flags & 0x3000) == 0);
    uint16_t cs, ss;
    __asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
    CHECK_EQ(cs, 0x33);
    CHECK_EQ(ss, 0x2b);
    return check_done();
}
