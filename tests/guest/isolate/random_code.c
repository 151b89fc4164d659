/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An isolated app runs random bytes, with the kernel's addresses, MSRs and ports
 * in its registers: whatever they do, the kernel goes on and serves what comes
 * after.  What the program itself needs lies out of the bytes' reach.  The seed
 * is the argument; system calls are not among the bytes (they would end the
 * app, or its mappings).
 * cflags: -fno-sanitize=all -fno-stack-protector -D_GNU_SOURCE -fPIE -pie
 * args: 1
 * zuk: --isolate
 * isolate: no it is by itself
 * native: skip the bytes may do to the host's process what they like
 * timeout: 60
 * expect-stdout: ok
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { PAGES = 60, STEP = 16, PAGE = 4096, SET_FS = 0x1002, GET_FS = 0x1003 };

static uint64_t state;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static long call(long number, long a, long b, long c) {
    long r;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return r;
}

static unsigned long fs_base;
static volatile sig_atomic_t inside;
static sigjmp_buf back;
uint64_t registers[16]; /* run_bytes loads them */
static unsigned faults, alarms;

/* The thread pointer first: the bytes have another. */
static void on_signal(int n, siginfo_t *info, void *context) {
    (void)info, (void)context;
    call(SYS_arch_prctl, SET_FS, (long)fs_base, 0);
    if (n == SIGALRM && !inside)
        return;
    if (!inside) { /* the bytes have spoilt the program around them */
        signal(n, SIG_DFL);
        return;
    }
    n == SIGALRM ? alarms++ : faults++;
    siglongjmp(back, 1);
}

void run_bytes(void *code, void *stack);
__asm__(".text\n.globl run_bytes\nrun_bytes:\n"
        "mov %rdi, registers+128-8(%rip)\n"
        "mov %rsi, %rsp\n"
        "mov registers(%rip), %rax\n"
        "mov registers+8(%rip), %rbx\n"
        "mov registers+16(%rip), %rcx\n"
        "mov registers+24(%rip), %rdx\n"
        "mov registers+32(%rip), %rsi\n"
        "mov registers+40(%rip), %rdi\n"
        "mov registers+48(%rip), %rbp\n"
        "mov registers+56(%rip), %r8\n"
        "mov registers+64(%rip), %r9\n"
        "mov registers+72(%rip), %r10\n"
        "mov registers+80(%rip), %r11\n"
        "mov registers+88(%rip), %r12\n"
        "mov registers+96(%rip), %r13\n"
        "mov registers+104(%rip), %r14\n"
        "mov registers+112(%rip), %r15\n"
        "jmp *registers+120(%rip)\n");

static uint64_t interesting(void *scratch) {
    static const uint64_t some[] = {
        0xffffffff80100000,
        0xffffffff80101000,
        0xffffffff80110000,
        0xffff800000100000,
        0xffff800001000000,
        0xffffff0000001000,
        0xc0000080,
        0xc0000081,
        0xc0000082,
        0xc0000101,
        0xc0000102,
        0x1b,
        0x3f8,
        0x501,
        0x505,
        0x604,
        0x08,
        0x10,
        0x18,
        0x2b,
        0x33,
        0x8000000000000000,
        0x0000800000000000,
        0,
    };
    unsigned n = sizeof some / sizeof some[0];
    unsigned which = (unsigned)(next() % (n + 8));
    return which < n       ? some[which] + (next() % 4 == 0 ? next() % PAGE : 0)
           : which < n + 6 ? (uint64_t)(uintptr_t)scratch + next() % PAGE
                           : next();
}

static uint8_t *map(uintptr_t at, size_t size) {
    return mmap((void *)at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0);
}

static void *other_thread(void *arg) {
    (void)arg;
    for (;;)
        usleep(500);
}

int main(int argc, char **argv) {
    state = 0x9e3779b97f4a7c15u ^ (argc > 1 ? strtoull(argv[1], NULL, 10) : 1);
    int pages = argc > 2 ? atoi(argv[2]) : PAGES;
    call(SYS_arch_prctl, GET_FS, (long)&fs_base, 0);
    static char alternate[32768];
    stack_t alt = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&alt, NULL);
    struct sigaction act = {.sa_sigaction = on_signal,
                            .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGALRM};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &act, NULL);
    pthread_t t; /* a switch now and then, with what the bytes left in the registers */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    pthread_create(&t, NULL, other_thread, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    uint8_t *code = map(0x200000000000, PAGE), *scratch = map(0x300000000000, 16 * PAGE);
    const struct itimerval often = {{0, 3000}, {0, 3000}};
    setitimer(ITIMER_REAL, &often, NULL);
    for (int page = 0; page < pages; page++) {
        mprotect(code, PAGE, PROT_READ | PROT_WRITE);
        for (int i = 0; i < PAGE; i += 8) {
            uint64_t v = next();
            memcpy(code + i, &v, sizeof v);
            if (i % STEP == 0 && v & 1) /* one of the CPU's own instructions */
                code[i] = 0x0f;
        }
        for (int i = 0; i + 1 < PAGE; i++) {
            uint8_t second = code[i + 1]; /* QEMU 7.2 itself dies of some after 0f 38, 0f 3a */
            if (code[i] == 0x0f && (second == 0x05 || second == 0x38 || second == 0x3a))
                code[i + 1] = 0x0b;
        }
        for (int i = 0; i < PAGE; i++) { /* nor does it like some with VEX and EVEX prefixes */
            if (code[i] == 0xc4 || code[i] == 0xc5 || code[i] == 0x62)
                code[i] = 0x8c;
        }
        code[PAGE - 1] = 0xf4;
        mprotect(code, PAGE, PROT_READ | PROT_EXEC);
        for (volatile int at = 0; at < PAGE; at += STEP) {
            for (int i = 0; i < 15; i++)
                registers[i] = interesting(scratch);
            if (sigsetjmp(back, 0) == 0) {
                inside = 1;
                call(SYS_arch_prctl, SET_FS, (long)scratch, 0);
                run_bytes(code + at, scratch + 8 * PAGE);
            }
            inside = 0;
            const unsigned mxcsr = 0x1f80;
            __asm__ volatile("cld; fninit; ldmxcsr %0; pushfq; andq $~0x44100, (%%rsp); popfq"
                             :
                             : "m"(mxcsr)
                             : "memory", "cc");
        }
    }
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    fprintf(stderr, "%u faults, %u endless loops\n", faults, alarms);
    /* The kernel is as it was. */
    char *fresh = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(fresh, 1, 64 * PAGE);
    puts(getpid() > 0 && faults > 1000u ? "ok" : "not run");
    return 0;
}
