/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/symbolize.c on this very program: registers and stack taken in a deep
 * call give back the callers with file and line; rubbish gives nothing, in
 * bounded time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "zuk/symbolize.h"
#include "zuk/util.h"

enum { STACK = 64 << 10 };

static const char *self;
static struct symbolize_request request;
static uint8_t stack[STACK];

static int find_base(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size;
    *(uint64_t *)arg = info->dlpi_addr;
    return 1; /* the first is the program */
}

/* Not instrumented: ASan would find the reading of the stack odd. */
#define PLAIN __attribute__((noinline, no_sanitize("address", "undefined")))

/* A signal's registers and the stack at that moment, as the guest sends them. */
PLAIN static void capture(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const int order[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI,
                                REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP, REG_EFL};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        request.regs[i] = (uint64_t)g[order[i]];
    }
    request.stack_base = (uint64_t)g[REG_RSP];
    request.stack = stack;
    request.stack_size = 8 << 10;
    const volatile uint8_t *from = (const volatile uint8_t *)g[REG_RSP];
    for (size_t i = 0; i < request.stack_size; i++) {
        stack[i] = from[i];
    }
}

static volatile int sink;
static unsigned innermost_line, middle_line, outer_line;

PLAIN static void innermost(void) {
    innermost_line = __LINE__ + 1;
    __asm__ volatile("ud2" ::: "memory");
    sink++;
}

PLAIN static void middle(int n) {
    middle_line = __LINE__ + 1;
    innermost();
    sink += n;
}

PLAIN static void outer(void) {
    outer_line = __LINE__ + 1;
    middle(3);
    sink++;
}

static void skip_and_capture(int number, siginfo_t *info, void *context) {
    capture(number, info, context);
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

PLAIN static void take_stack_of(void (*call)(void)) {
    uint8_t room[16 << 10]; /* capture() reads that far up */
    __asm__ volatile("" ::"r"(room) : "memory");
    struct sigaction act = {.sa_sigaction = skip_and_capture, .sa_flags = SA_SIGINFO}, old;
    memset(&request, 0, sizeof request);
    sigaction(SIGILL, &act, &old);
    call();
    sigaction(SIGILL, &old, NULL);
    uint64_t base = 0;
    dl_iterate_phdr(find_base, &base);
    request.app_base = base;
    request.app_path = self;
    request.limit_ms = 60000;
}

static void take_stack(void) {
    take_stack_of(outer);
}

static void expect(const struct symbol_frame *f, const char *function, unsigned line) {
    assert_non_null(f->function);
    assert_string_equal(f->function, function);
    assert_non_null(f->file);
    assert_non_null(strstr(f->file, "tool_symbolize.c"));
    assert_int_equal(f->line, line);
    assert_false(f->kernel);
    assert_false(f->guessed);
}

static void check_stack(void) {
    struct symbol_frame *frames;
    size_t count;
    assert_true(symbolize_stack(&request, &frames, &count));
    assert_true(count >= 4);
    expect(&frames[0], "innermost", innermost_line);
    expect(&frames[1], "middle", middle_line);
    expect(&frames[2], "outer", outer_line);
    assert_string_equal(frames[3].function, "take_stack_of");
}

static void test_stack(void **state) {
    (void)state;
    take_stack();
    check_stack();
}

/* The app's ELF inside another file. */
static void test_inside_image(void **state) {
    (void)state;
    take_stack();
    char path[] = "/tmp/zuk-symbolize-XXXXXX";
    int out = mkstemp(path);
    struct file_map map;
    assert_true(file_map(self, &map));
    assert_int_equal(write(out, "padding", 7), 7);
    for (size_t done = 0; done < map.size;) {
        ssize_t n = write(out, map.data + done, map.size - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    close(out);
    request.app_path = NULL;
    request.image_path = path;
    request.app_offset = 7;
    request.app_size = map.size;
    file_unmap(&map);
    check_stack();
    unlink(path);
}

static void test_kernel_mark(void **state) {
    (void)state;
    take_stack();
    struct symbol_frame f;
    assert_true(symbolize_address(&request, (uint64_t)(uintptr_t)take_stack + 4, &f));
    assert_string_equal(f.function, "take_stack");
    assert_false(f.kernel);
    request.app_path = NULL;
    request.kernel_path = self;
    struct symbol_frame k;
    assert_true(
        symbolize_address(&request, (uint64_t)(uintptr_t)take_stack + 4 - request.app_base, &k));
    assert_string_equal(k.function, "take_stack");
    assert_true(k.kernel);
}

/* A stub: the caller's address is on top of the stack. */
static void test_skip_first(void **state) {
    (void)state;
    take_stack();
    struct symbol_frame *frames;
    size_t count;
    uint64_t word = request.regs[16];
    request.regs[7] -= 8; /* as if innermost had called the stub */
    static uint8_t deeper[STACK];
    memcpy(deeper, &word, 8);
    memcpy(deeper + 8, stack, request.stack_size);
    request.stack = deeper;
    request.stack_size += 8;
    request.stack_base -= 8;
    request.regs[16] = 0x70000000;
    request.skip_first = true;
    assert_true(symbolize_stack(&request, &frames, &count));
    assert_true(count >= 3);
    assert_string_equal(frames[0].function, "innermost");
    assert_string_equal(frames[1].function, "middle");
    /* a jump to nowhere shows the place, then the caller */
    request.skip_first = false;
    assert_true(symbolize_stack(&request, &frames, &count));
    assert_true(count >= 3);
    assert_int_equal(frames[0].address, 0x70000000);
    assert_null(frames[0].function);
    assert_string_equal(frames[1].function, "innermost");
}

/* A handler's callers are its trampoline, then what the signal interrupted.
 * The trampoline is this program's own: the libc's lies outside of it. */
void restorer(void);
__asm__(".text\n.type restorer, @function\nrestorer: mov $15, %eax\n syscall\n.size restorer, "
        ".-restorer\n");

PLAIN static void handler(int number) {
    (void)number;
    innermost();
    sink++;
}

PLAIN static void interrupted(void) {
    /* in line: the libc's wrapper lies outside of this program */
    long result = SYS_tgkill;
    register long r_pid __asm__("rdi") = getpid();
    register long r_tid __asm__("rsi") = gettid();
    register long r_signal __asm__("rdx") = SIGUSR1;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "r"(r_pid), "r"(r_tid), "r"(r_signal)
                     : "rcx", "r11", "memory");
    sink += (int)result;
}

static void test_signal_handler(void **state) {
    (void)state;
    const struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } act = {handler, 0x04000000, restorer, 0};
    assert_int_equal(syscall(SYS_rt_sigaction, SIGUSR1, &act, NULL, 8), 0);
    take_stack_of(interrupted);
    struct symbol_frame *frames;
    size_t count;
    assert_true(symbolize_stack(&request, &frames, &count));
    assert_true(count >= 4);
    assert_string_equal(frames[0].function, "innermost");
    assert_string_equal(frames[1].function, "handler");
    assert_string_equal(frames[2].function, "(signal handler)");
    assert_string_equal(frames[3].function, "interrupted");
}

static void test_no_stack(void **state) {
    (void)state;
    take_stack();
    request.stack_size = 0;
    struct symbol_frame *frames;
    size_t count;
    assert_true(symbolize_stack(&request, &frames, &count));
    assert_true(count >= 1);
    expect(&frames[0], "innermost", innermost_line);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* This program with bytes of its debug sections changed: an answer or none,
 * never a crash of ours, never longer than the limit. */
static void test_damaged(void **state) {
    (void)state;
    take_stack();
    struct file_map map;
    assert_true(file_map(self, &map));
    uint8_t *copy = malloc(map.size);
    memcpy(copy, map.data, map.size);
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)copy;
    const Elf64_Shdr *sh = (const Elf64_Shdr *)(copy + e->e_shoff);
    const char *names = (const char *)copy + sh[e->e_shstrndx].sh_offset;
    char path[] = "/tmp/zuk-symbolize-XXXXXX";
    int out = mkstemp(path);
    request.app_path = path;
    request.limit_ms = 3000;
    uint32_t seed = 12345;
    for (int round = 0; round < 6; round++) {
        for (unsigned i = 0; i < e->e_shnum; i++) {
            if (strncmp(names + sh[i].sh_name, ".debug", 6) != 0 &&
                strcmp(names + sh[i].sh_name, ".eh_frame") != 0) {
                continue;
            }
            for (uint64_t n = 0; n < sh[i].sh_size / 200 + 1; n++) {
                seed = seed * 1103515245 + 12345;
                copy[sh[i].sh_offset + (seed >> 4) % (sh[i].sh_size + 1)] = (uint8_t)(seed >> 16);
            }
        }
        assert_int_equal(pwrite(out, copy, map.size, 0), (ssize_t)map.size);
        struct symbol_frame *frames;
        size_t count;
        double start = seconds();
        (void)symbolize_stack(&request, &frames, &count);
        assert_true(seconds() - start < 10);
        assert_true(count <= 64 + 16);
    }
    close(out);
    unlink(path);
    free(copy);
    file_unmap(&map);
}

static void test_nothing(void **state) {
    (void)state;
    struct symbolize_request none = {.app_path = "/nonexistent"};
    struct symbol_frame *frames;
    size_t count = 99;
    assert_false(symbolize_stack(&none, &frames, &count));
    assert_int_equal(count, 0);
}

int main(void) {
    self = realpath("/proc/self/exe", NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack),          cmocka_unit_test(test_inside_image),
        cmocka_unit_test(test_kernel_mark),    cmocka_unit_test(test_skip_first),
        cmocka_unit_test(test_signal_handler), cmocka_unit_test(test_no_stack),
        cmocka_unit_test(test_damaged),        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
