/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/scan.c, code.c and decode.c on small programs.  Each program is assembled
 * here, wrapped in an ELF file in memory, and scanned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tool_scan.h"
#include "zuk/code.h"
#include "zuk/decode.h"
#include "zuk/elf_file.h"
#include "zuk/ops.h"
#include "zuk/scan.h"

PROGRAM(direct, "mov $39, %eax; syscall; mov $60, %eax; syscall; ud2");
static void test_direct(void **state) {
    (void)state;
    struct scan scan = SCAN(direct);
    CALLS(&scan, 39, 60);
    assert_int_equal(scan.instruction_count, 2);
}

/* clone.s of musl: the number in two steps. */
PROGRAM(partial, "xor %eax, %eax; mov $56, %al; syscall; test %eax, %eax; jnz 1f;"
                 "xor %eax, %eax; mov $60, %al; syscall; 1: ret");
static void test_partial(void **state) {
    (void)state;
    struct scan scan = SCAN(partial);
    CALLS(&scan, 56, 60);
}

PROGRAM(pushed, "push $12; push %rbx; pop %rcx; pop %rax; syscall; ret");
static void test_push_pop(void **state) {
    (void)state;
    struct scan scan = SCAN(pushed);
    CALLS(&scan, 12);
}

/* Which call asks for the network, and what of it is unknown. */
static void assert_network(const struct scan *scan, unsigned call, const char *unknown) {
    assert_false(scan->unknown);
    assert_int_equal(scan->network, call);
    if (unknown == NULL) {
        assert_null(scan->network_unknown);
    } else {
        assert_string_equal(scan->network_unknown, unknown);
    }
}

/* socket(AF_UNIX) and socket(AF_UNIX or AF_INET), by musl's socket(). */
#define MUSL_SOCKET                                                                                \
    "2: push %rbx; mov %esi, %ebx; movslq %edi, %rdi; mov $41, %eax; syscall; cmp $-22, %eax;"     \
    "jne 3f; mov %ebx, %eax; and $0xfff7f7ff, %eax; movslq %eax, %rsi; mov $41, %eax; syscall;"    \
    "3: pop %rbx; ret;"
PROGRAM(unix_only, "mov $1, %edi; mov $2, %esi; call 2f; mov $1, %edi; call 2f; ret;" MUSL_SOCKET);
PROGRAM(unix_or_inet, "mov $1, %edi; mov $2, %ecx; test %rsi, %rsi; cmovne %ecx, %edi; call 2f;"
                      "mov $1, %edi; call 2f; ret;" MUSL_SOCKET);
PROGRAM(any_family, "mov $1, %edi; call 2f; mov (%rsi), %edi; call 2f; ret;" MUSL_SOCKET);
/* The unknown one first: the known one says more. */
PROGRAM(any_and_inet6, "mov (%rsi), %edi; mov $41, %eax; syscall; mov $10, %edi; mov $41, %eax;"
                       "syscall; ret");
static void test_families(void **state) {
    (void)state;
    struct scan scan = SCAN(unix_only);
    CALLS(&scan, 41);
    assert_network(&scan, 0, NULL);
    scan = SCAN(unix_or_inet);
    assert_network(&scan, 41, NULL);
    scan = SCAN(any_family);
    assert_network(&scan, 41, "family");
    scan = SCAN(any_and_inet6);
    assert_network(&scan, 41, NULL);
}

/* One instruction for all calls: its first argument is no family, so not known. */
PROGRAM(any_call, "mov $3, %edi; mov (%rcx), %esi; call 2f; mov $41, %edi; mov $1, %esi; call 2f;"
                  "ret; 2: mov %rdi, %rax; mov %rsi, %rdi; syscall; ret");
/* Two instructions for one number, and a family at each. */
extern const uint8_t pair_main[], pair_inner[];
PROGRAM(pair, ".globl pair_main, pair_inner; pair_main: mov $41, %edi; call pair_inner; ret;"
              "pair_inner: mov %rdi, %rax; test %esi, %esi; jne 1f; mov $1, %edi; syscall; ret;"
              "1: mov $2, %edi; syscall; ret");
static void test_family_of_wrapper(void **state) {
    (void)state;
    struct scan scan = SCAN(any_call);
    CALLS(&scan, 3, 41);
    assert_network(&scan, 41, "family");
    const struct function functions[] = {{"main", pair_main}, {"inner", pair_inner}, {NULL, NULL}};
    scan = scan_program(pair_start, pair_end, NULL, 0, functions);
    CALLS(&scan, 41);
    assert_network(&scan, 41, NULL);
}

/* FIONREAD, SIOCGIFINDEX, and one from memory; without socket() they do not count. */
#define UNIX_SOCKET "mov $1, %edi; mov $41, %eax; syscall;"
PROGRAM(reads, UNIX_SOCKET "mov $0x541b, %esi; mov $16, %eax; syscall; ret");
PROGRAM(interfaces, UNIX_SOCKET "mov $0x8933, %esi; mov $16, %eax; syscall; ret");
PROGRAM(any_request, UNIX_SOCKET "mov (%rdx), %esi; mov $16, %eax; syscall; ret");
PROGRAM(no_socket, "mov $0x8933, %esi; mov $16, %eax; syscall; ret");
static void test_requests(void **state) {
    (void)state;
    struct scan scan = SCAN(reads);
    assert_network(&scan, 0, NULL);
    scan = SCAN(interfaces);
    assert_network(&scan, 16, NULL);
    scan = SCAN(any_request);
    assert_network(&scan, 16, "request");
    scan = SCAN(no_socket);
    assert_network(&scan, 0, NULL);
}

PROGRAM(slots, "push %rbp; mov %rsp, %rbp; sub $0x40, %rsp; movq $0x9e, -0x20(%rbp);"
               "mov $7, %eax; mov %eax, 0x8(%rsp); mov -0x20(%rbp), %rax; syscall;"
               "mov 0x8(%rsp), %eax; syscall; leave; ret");
static void test_stack_slots(void **state) {
    (void)state;
    struct scan scan = SCAN(slots);
    CALLS(&scan, 0x9e, 7);
}

PROGRAM(ways, "mov $1, %eax; mov $20, %ecx; test %rsi, %rsi; cmovne %ecx, %eax; je 1f;"
              "mov $3, %eax; 1: syscall; ret");
static void test_ways_meet(void **state) {
    (void)state;
    struct scan scan = SCAN(ways);
    CALLS(&scan, 1, 20, 3);
}

PROGRAM(arithmetic, "mov $10, %ecx; lea 1(%rcx), %eax; inc %eax; sub $2, %eax; add $5, %eax;"
                    "syscall; ret");
static void test_arithmetic(void **state) {
    (void)state;
    struct scan scan = SCAN(arithmetic);
    CALLS(&scan, 15);
}

/* A loop that tries again: the number stays in rsi over the call. */
PROGRAM(again, "mov $202, %esi; 1: mov %rsi, %rax; syscall; cmp $-4, %rax; je 1b; ret");
static void test_loop(void **state) {
    (void)state;
    struct scan scan = SCAN(again);
    CALLS(&scan, 202);
}

/* os.linux.syscall1 of a Debug build, called twice, through a second wrapper
 * too; the number in rdi, in a slot, on the stack. */
extern const uint8_t wrap_outer[], wrap_inner[], wrap_main[];
PROGRAM(wrap,
        ".globl wrap_main, wrap_outer, wrap_inner;"
        "wrap_main: mov $0x101, %edi; call wrap_inner; push $5; call wrap_outer; pop %rax; ret;"
        "wrap_outer: push %rbp; mov %rsp, %rbp; mov 0x10(%rbp), %rdi; pop %rbp;"
        "jmp wrap_inner;"
        "wrap_inner: push %rbp; mov %rsp, %rbp; sub $0x10, %rsp; mov %rdi, -8(%rbp);"
        "mov -8(%rbp), %rax; syscall; leave; ret");
static void test_wrapper(void **state) {
    (void)state;
    struct scan scan = SCAN(wrap);
    CALLS(&scan, 0x101, 5);
    const struct function functions[] = {
        {"main", wrap_main}, {"outer", wrap_outer}, {"inner", wrap_inner}, {NULL, NULL}};
    scan = scan_program(wrap_start, wrap_end, NULL, 0, functions);
    CALLS(&scan, 0x101, 5);
    assert_string_equal(scan.from[0x101], "main");
    assert_true(scan.reachable_only);
}

/* Written by hand: a function that runs on into the next one, over padding and with the
 * number on the stack, where nothing else leads; and a call before the next that does
 * not return. */
extern const uint8_t falls_main[], falls_first[], falls_second[], falls_third[], falls_abort[];
PROGRAM(falls, ".globl falls_main, falls_first, falls_second, falls_third, falls_abort;"
               "falls_main: call falls_first; mov $110, %edi; call falls_abort;"
               "falls_first: mov $39, %edi; nop; nop; nop;"
               "falls_second: mov %rdi, %rax; syscall; push $102;"
               "falls_third: pop %rax; syscall; ret;"
               "falls_abort: mov $60, %eax; syscall; hlt");
static void test_falls_through(void **state) {
    (void)state;
    const struct function functions[] = {{"main", falls_main},     {"first", falls_first},
                                         {"second", falls_second}, {"third", falls_third},
                                         {"abort", falls_abort},   {NULL, NULL}};
    struct scan scan = scan_program(falls_start, falls_end, NULL, 0, functions);
    CALLS(&scan, 39, 102, 60);
    const struct function some[] = {
        {"main", falls_main}, {"first", falls_first}, {NULL, falls_second}};
    scan = scan_program(falls_start, falls_end, NULL, 0, some);
    CALLS(&scan, 39, 102, 60);
}

extern const uint8_t dead_main[], dead_never[], dead_table[];
PROGRAM(dead, ".globl dead_main, dead_never, dead_table;"
              "dead_main: mov $60, %eax; syscall; ud2;"
              "dead_never: mov $41, %eax; syscall; ret;"
              "dead_table: mov $42, %eax; syscall; ret");
static void test_unreachable(void **state) {
    (void)state;
    const struct function functions[] = {
        {"main", dead_main}, {"never", dead_never}, {"table", dead_table}, {NULL, NULL}};
    uint64_t pointer = BASE + (uint64_t)(dead_table - dead_start);
    struct scan scan = scan_program(dead_start, dead_end, NULL, 0, functions);
    CALLS(&scan, 60);
    scan = scan_program(dead_start, dead_end, &pointer, 1, functions);
    CALLS(&scan, 60, 42);
    scan = SCAN(dead); /* without symbols nobody knows */
    CALLS(&scan, 60, 41, 42);
}

extern const uint8_t taken_main[], taken_inner[];
PROGRAM(taken, ".globl taken_main, taken_inner;"
               "taken_main: mov $3, %edi; call taken_inner; lea taken_inner(%rip), %rdi;"
               "call *%rbx; ret;"
               "taken_inner: mov %rdi, %rax; syscall; ret");
static void test_address_taken(void **state) {
    (void)state;
    const struct function functions[] = {
        {"main", taken_main}, {"inner", taken_inner}, {NULL, NULL}};
    struct scan scan = scan_program(taken_start, taken_end, NULL, 0, functions);
    assert_unknown(&scan, "address is taken");
    assert_string_equal(scan.sites[0].function, "inner");
}

/* The address as a number: stored in a variable, and as compilers do not take it. */
extern const uint8_t stored_main[], stored_inner[], absolute_main[], absolute_inner[];
PROGRAM(stored, ".globl stored_main, stored_inner;"
                "stored_main: mov $3, %edi; movq $0x400000 + stored_inner - stored_start,"
                "0x200000(%rip); call *0x200000(%rip); ret;"
                "stored_inner: mov %rdi, %rax; syscall; ret");
PROGRAM(absolute, ".globl absolute_main, absolute_inner;"
                  "absolute_main: mov $3, %edi; lea 0x400000 + absolute_inner - absolute_start,"
                  "%rbx; mov %rbx, (%rsi); call *%rbx; ret;"
                  "absolute_inner: mov %rdi, %rax; syscall; ret");
static void test_address_stored(void **state) {
    (void)state;
    const struct function stored[] = {{"main", stored_main}, {"inner", stored_inner}, {NULL, NULL}};
    struct scan scan = scan_program(stored_start, stored_end, NULL, 0, stored);
    assert_unknown(&scan, "address is taken");
    const struct function absolute[] = {
        {"main", absolute_main}, {"inner", absolute_inner}, {NULL, NULL}};
    scan = scan_program(absolute_start, absolute_end, NULL, 0, absolute);
    assert_unknown(&scan, "address is taken");
}

/* A function that calls itself with another number. */
extern const uint8_t itself_main[], itself_inner[];
PROGRAM(itself, ".globl itself_main, itself_inner;"
                "itself_main: mov $3, %edi; call itself_inner; ret;"
                "itself_inner: mov %rdi, %rax; syscall; test %rax, %rax; je 1f;"
                "mov $102, %edi; call itself_inner; inc %rax; 1: ret");
static void test_calls_itself(void **state) {
    (void)state;
    const struct function functions[] = {
        {"main", itself_main}, {"inner", itself_inner}, {NULL, NULL}};
    struct scan scan = scan_program(itself_start, itself_end, NULL, 0, functions);
    CALLS(&scan, 3, 102);
}

/* Read-only data beside the code (-z noseparate-code, gold): pointers in it. */
extern const uint8_t beside_main[], beside_called[], beside_argument[], beside_data[];
PROGRAM(beside, ".globl beside_main, beside_called, beside_argument, beside_data;"
                "beside_main: call *0x400000 + beside_data - beside_start(,%rcx,8); ret;"
                "beside_called: mov $102, %eax; syscall; ret;"
                "beside_argument: mov %rdi, %rax; syscall; ret;"
                ".balign 8; beside_data: .quad 0x400000 + beside_called - beside_start");
PROGRAM(both, ".globl both_main, both_argument, both_data;"
              "both_main: mov $3, %edi; call *0x400000 + both_data - both_start(,%rcx,8); ret;"
              "both_argument: mov %rdi, %rax; syscall; ret;"
              ".balign 8; both_data: .quad 0x400000 + both_argument - both_start");
extern const uint8_t both_main[], both_argument[], both_data[];
static void test_data_beside_code(void **state) {
    (void)state;
    const struct function functions[] = {{"main", beside_main},
                                         {"called", beside_called},
                                         {"argument", beside_argument},
                                         {NULL, beside_data}};
    struct scan scan = scan_program(beside_start, beside_end, NULL, 0, functions);
    CALLS(&scan, 102);
    const struct function both[] = {
        {"main", both_main}, {"argument", both_argument}, {NULL, both_data}};
    scan = scan_program(both_start, both_end, NULL, 0, both);
    assert_unknown(&scan, "address stands in data");
}

/* musl's __setxid and do_setxid. */
extern const uint8_t context_main[], context_set[], context_do[], context_all[];
PROGRAM(context, ".globl context_main, context_set, context_do, context_all;"
                 "context_main: mov $105, %edi; call context_set; ret;"
                 "context_set: sub $0x28, %rsp; lea 0xc(%rsp), %rbx; mov %esi, (%rbx);"
                 "mov %edi, 0xc(%rbx); lea context_do(%rip), %rdi; mov %rbx, %rsi;"
                 "call context_all; add $0x28, %rsp; ret;"
                 "context_do: movslq 0xc(%rdi), %rax; movslq (%rdi), %rdi; syscall; ret;"
                 "context_all: mov %rdi, %rax; mov %rsi, %rdi; jmp *%rax");
static void test_callback_context(void **state) {
    (void)state;
    const struct function functions[] = {{"main", context_main},
                                         {"set", context_set},
                                         {"callback", context_do},
                                         {"all", context_all},
                                         {NULL, NULL}};
    struct scan scan = scan_program(context_start, context_end, NULL, 0, functions);
    CALLS(&scan, 105);
    scan = SCAN(context);
    CALLS(&scan, 105);
}

/* A switch: the number is set before it, a label jumps back. */
extern const uint8_t table_a[], table_b[], table_c[];
PROGRAM(table, ".globl table_a, table_b, table_c;"
               "mov $4, %esi; table_a: mov %rsi, %rax; syscall; cmp $3, %eax; ja 1f;"
               "jmp *0x600000(,%rax,8); table_b: mov $8, %eax; syscall; 1: ret;"
               "table_c: mov $6, %esi; jmp table_a");
static void test_jump_table(void **state) {
    (void)state;
    const uint64_t labels[] = {BASE + (uint64_t)(table_a - table_start),
                               BASE + (uint64_t)(table_b - table_start),
                               BASE + (uint64_t)(table_c - table_start)};
    struct scan scan = scan_program(table_start, table_end, labels, 3, NULL);
    CALLS(&scan, 4, 8, 6);
}

/* Go's unix.IsNonblock and syscall.Syscall: the number stands in a variable, and is
 * spilled to the stack across a call. */
extern const uint8_t go_main[], go_nonblock[], go_syscall[], go_enter[], go_syscall6[];
extern const uint8_t go_open[];
#define GO_NONBLOCK                                                                                \
    "go_nonblock: sub $0x28, %rsp; mov 0x600000, %rdx; mov %rax, %rbx; mov $3, %ecx;"              \
    "mov %rdx, %rax; call go_syscall; add $0x28, %rsp; ret;"
PROGRAM(go,
        ".globl go_main, go_nonblock, go_syscall, go_enter, go_syscall6, go_open;"
        "go_main: call go_nonblock; call go_open; ret;" GO_NONBLOCK
        "go_syscall: sub $0x68, %rsp; mov %rbp, 0x60(%rsp); lea 0x60(%rsp), %rbp;"
        "mov %rdi, 0x58(%rsp); mov %rcx, 0x50(%rsp); mov %rbx, 0x48(%rsp); mov %rax, 0x40(%rsp);"
        "call go_enter; mov 0x40(%rsp), %rax; mov 0x48(%rsp), %rbx; mov 0x50(%rsp), %rcx;"
        "mov 0x58(%rsp), %rdi; xor %esi, %esi; call go_syscall6; mov 0x60(%rsp), %rbp;"
        "add $0x68, %rsp; ret;"
        "go_enter: xor %eax, %eax; xor %ebx, %ebx; ret;"
        "go_syscall6: mov %rdi, %rdx; mov %rcx, %rsi; mov %rbx, %rdi; syscall; ret;"
        "go_open: mov $257, %eax; call go_syscall; ret");
static void test_go_variable(void **state) {
    (void)state;
    const struct function functions[] = {{"main.main", go_main},
                                         {"unix.IsNonblock", go_nonblock},
                                         {"syscall.Syscall", go_syscall},
                                         {"runtime.entersyscall", go_enter},
                                         {"syscall.Syscall6", go_syscall6},
                                         {"syscall.openat", go_open},
                                         {NULL, NULL}};
    uint64_t words[3] = {72, 0, 0};
    struct scan scan = scan_program(go_start, go_end, words, 3, functions);
    assert_unknown(&scan, "memory"); /* part of anything */
    assert_true(scan.calls[257]);    /* the others are told all the same */
    assert_false(scan.calls[72]);
    symbols_too[0] = (struct symbol){DATA, 8, NULL};
    scan = scan_program(go_start, go_end, words, 3, functions);
    CALLS(&scan, 72, 257);
    assert_string_equal(scan.from[72], "unix.IsNonblock");
    symbols_too[0].size = 24;
    scan = scan_program(go_start, go_end, words, 3, functions);
    assert_unknown(&scan, "memory"); /* an array's addresses may lie beside it */
    symbols_too[0].size = 8;
    symbols_too[1] = (struct symbol){DATA, 16, NULL};
    scan = scan_program(go_start, go_end, words, 3, functions);
    assert_unknown(&scan, "memory"); /* of two minds */
    symbols_too[1].address = 0;
    words[2] = DATA + 4;
    scan = scan_program(go_start, go_end, words, 3, functions);
    assert_unknown(&scan, "memory"); /* a pointer to it */
    words[2] = DATA + 8;
    scan = scan_program(go_start, go_end, words, 3, functions);
    CALLS(&scan, 72, 257);
    symbols_too[0].size = 2;
    scan = scan_program(go_start, go_end, words, 3, functions);
    assert_unknown(&scan, "memory"); /* shorter than what is read */
    symbols_too[0].address = 0;
    constant = true; /* needs no name */
    scan = scan_program(go_start, go_end, words, 3, functions);
    CALLS(&scan, 72, 257);
    constant = false;
}

/* How a Go program is known. */
static const char build_information[] = "\xff Go buildinf:";

/* A method that only a type's table leads to, by its offset in the code; and one that
 * gets the number. */
extern const uint8_t methods_main[], methods_method[], methods_argument[];
PROGRAM(methods, ".globl methods_main, methods_method, methods_argument;"
                 "methods_main: mov $60, %eax; syscall; ud2; .balign 16;"
                 "methods_method: mov $40, %eax; syscall; ret; .balign 16;"
                 "methods_argument: mov %rdi, %rax; syscall; ret");
static void test_go_methods(void **state) {
    (void)state;
    const struct function functions[] = {{"main.main", methods_main},
                                         {"main.T.Read", methods_method},
                                         {"main.T.Call", methods_argument},
                                         {NULL, NULL}};
    const uint32_t method = (uint32_t)(methods_method - methods_start);
    const uint32_t argument = (uint32_t)(methods_argument - methods_start);
    uint64_t words[4] = {0};
    memcpy(words, build_information, 14);
    symbols_too[0] = (struct symbol){BASE, 0, "runtime.text"};
    symbols_too[1] =
        (struct symbol){BASE + (uint64_t)(methods_end - methods_start), 0, "runtime.etext"};
    symbols_too[2] = (struct symbol){DATA + 16, 0, "runtime.types"};
    symbols_too[3] = (struct symbol){DATA + 32, 0, "runtime.etypes"};
    words[3] = UINT32_MAX | (uint64_t)method << 32; /* not for interfaces: none is filled */
    struct scan scan = scan_program(methods_start, methods_end, words, 4, functions);
    CALLS(&scan, 60);
    words[3] = method | (uint64_t)method << 32;
    scan = scan_program(methods_start, methods_end, words, 4, functions);
    CALLS(&scan, 60, 40);
    words[3] = argument | (uint64_t)method << 32;
    scan = scan_program(methods_start, methods_end, words, 4, functions);
    assert_unknown(&scan, "address stands in data");
    assert_true(scan.calls[40]);
}

/* AllThreadsSyscall: what the other threads do comes from memory, and has been done. */
extern const uint8_t threads_main[], threads_all[], threads_each[];
PROGRAM(threads, ".globl threads_main, threads_all, threads_each;"
                 "threads_main: mov $105, %eax; call threads_all; call threads_each; ret;"
                 "threads_all: mov %rax, %rcx; syscall; mov %rcx, 0x600000; ret;"
                 "threads_each: mov 0x600000, %rax; syscall; ret");
static void test_go_threads(void **state) {
    (void)state;
    struct function functions[] = {{"main.main", threads_main},
                                   {"syscall.runtime_doAllThreadsSyscall", threads_all},
                                   {"runtime.runPerThreadSyscall", threads_each},
                                   {NULL, NULL}};
    struct scan scan = scan_program(threads_start, threads_end, NULL, 0, functions);
    CALLS(&scan, 105);
    functions[2].name = "main.another";
    scan = scan_program(threads_start, threads_end, NULL, 0, functions);
    assert_unknown(&scan, "memory");
}

/* All that may write to the variable, or lead to it, in every encoding of its address;
 * what only reads there, or never runs, does not count. */
/* DATA is 0x200000 above BASE, less what the program is long so far. */
#define VARIABLE(name, text)                                                                       \
    PROGRAM(name, "mov 0x600000, %eax; syscall;" text "; ret; mov $60, %eax; syscall; ret")
VARIABLE(v_reads, "mov 0x600000, %rax; cmpl $3, 0x600000; mov 0x600004, %eax; test %eax, 0x600000;"
                  "movzwl 0x600000, %ecx; cmovne 0x600000, %ecx; mov %eax, 0x600008;"
                  "lea 0x600008, %rax; mov $0x5fffff, %eax");
VARIABLE(v_stores, "mov %ecx, 0x600000");
VARIABLE(v_relative, "mov %ecx, 0x1ffff1(%rip)");
VARIABLE(v_byte, "movb $1, 0x1ffff3(%rip)");
VARIABLE(v_word, "movw $1, 0x1ffff0(%rip)");
VARIABLE(v_long, "movl $1, 0x1fffed(%rip)");
VARIABLE(v_lea, "lea 0x1ffff7(%rip), %rbx");
VARIABLE(v_number, "mov $0x600000, %ebx");
VARIABLE(v_push, "push $0x600000");
VARIABLE(v_movabs, "movabs $0x600004, %rbx");
VARIABLE(v_moffs, "movabs %eax, 0x600000");
VARIABLE(v_indexed, "mov %ecx, 0x600000(,%rbx,4)");
VARIABLE(v_based, "mov 0x600000(%rbx), %ecx");
VARIABLE(v_adds, "incl 0x600000");
VARIABLE(v_swaps, "xchg %rbx, 0x600000");
VARIABLE(v_locked, "lock cmpxchg %rbx, 0x600000");
VARIABLE(v_vector, "movups %xmm0, 0x600000");
VARIABLE(v_wide, "vmovdqu %ymm0, 0x1fffef(%rip)");
static void test_variable(void **state) {
    (void)state;
    const uint64_t words[2] = {39, 0};
#define LOOK(name)                                                                                 \
    scan_program(name##_start, name##_end, words, 2,                                               \
                 (const struct function[]){{"main", name##_start}, {NULL, NULL}})
    symbols_too[0] = (struct symbol){DATA, 8, NULL};
    struct scan scan = LOOK(v_reads);
    CALLS(&scan, 39, 60);
#define WRITTEN(name)                                                                              \
    do {                                                                                           \
        scan = LOOK(name);                                                                         \
        assert_unknown(&scan, "memory");                                                           \
        assert_true(scan.calls[60]);                                                               \
        assert_false(scan.calls[39]);                                                              \
    } while (0)
    WRITTEN(v_stores);
    WRITTEN(v_relative);
    WRITTEN(v_byte);
    WRITTEN(v_word);
    WRITTEN(v_long);
    WRITTEN(v_lea);
    WRITTEN(v_number);
    WRITTEN(v_push);
    WRITTEN(v_movabs);
    WRITTEN(v_moffs);
    WRITTEN(v_indexed);
    WRITTEN(v_based);
    WRITTEN(v_adds);
    WRITTEN(v_swaps);
    WRITTEN(v_locked);
    WRITTEN(v_vector);
    WRITTEN(v_wide);
    symbols_too[0].address = 0;
}

/* Go's calls: results are in any register, not only C's, and some never return. */
extern const uint8_t results_main[], results_callee[], results_syscall[];
PROGRAM(results, ".globl results_main, results_callee, results_syscall;"
                 "results_main: mov $3, %ebx; call results_callee; mov %rbx, %rax;"
                 "call results_syscall; ret; results_callee: ret; results_syscall: syscall; ret");
static void test_go_results(void **state) {
    (void)state;
    struct function functions[] = {{"main.main", results_main},
                                   {"main.two", results_callee},
                                   {"syscall.Syscall6", results_syscall},
                                   {NULL, NULL}};
    uint64_t words[2] = {0};
    memcpy(words, build_information, 14);
    struct scan scan = scan_program(results_start, results_end, NULL, 0, functions);
    CALLS(&scan, 3); /* C: it comes through the call */
    scan = scan_program(results_start, results_end, words, 2, functions);
    assert_unknown(&scan, "Go's methods"); /* stripped of what tells where they are */
    const uint64_t etext = BASE + (uint64_t)(results_end - results_start);
    symbols_too[0] = (struct symbol){BASE, 0, "runtime.text"};
    symbols_too[1] = (struct symbol){etext, 0, "runtime.etext"};
    symbols_too[2] = (struct symbol){DATA, 0, "runtime.types"};
    symbols_too[3] = (struct symbol){DATA + 16, 0, "runtime.etypes"};
    scan = scan_program(results_start, results_end, words, 2, functions);
    assert_unknown(&scan, "result of a function");
    functions[1].name = "runtime.gopanic";
    scan = scan_program(results_start, results_end, words, 2, functions);
    assert_calls(&scan, 0, NULL); /* what is behind it never runs */
}

PROGRAM(computed, "mov $3, %eax; imul %ecx, %eax; syscall; ret");
PROGRAM(loaded, "mov 0x600000, %eax; syscall; ret");
PROGRAM(result, "mov $1, %eax; syscall; syscall; ret");
PROGRAM(vector, "sub $0x20, %rsp; movl $1, 8(%rsp); movaps %xmm0, (%rsp); mov 8(%rsp), %eax;"
                "syscall; ret");
PROGRAM(walked, "sub $0x18, %rsp; movl $3, (%rsp); movl $102, 4(%rsp); lea 8(%rsp), %rbx;"
                "mov %rsp, %rbp; 1: mov (%rbp), %eax; syscall; add $4, %rbp; cmp %rbp, %rbx;"
                "jne 1b; add $0x18, %rsp; ret");
static void test_unknown(void **state) {
    (void)state;
    struct scan scan = SCAN(computed);
    assert_unknown(&scan, "computed");
    scan = SCAN(loaded);
    assert_unknown(&scan, "memory");
    scan = SCAN(result);
    assert_unknown(&scan, "result of a system call");
    assert_true(scan.calls[1]);
    scan = SCAN(vector);
    assert_unknown(&scan, "computed");
    scan = SCAN(walked);
    assert_unknown(&scan, "memory");
}

PROGRAM(hidden, "mov $0x050f, %ecx; mov $39, %eax; syscall; ret");
static void test_not_an_instruction(void **state) {
    (void)state;
    struct scan scan = SCAN(hidden);
    CALLS(&scan, 39);
    assert_int_equal(scan.instruction_count, 1);
}

/* Clang's traps (-fsanitize-trap) in the middle of a function: ud1 has operands. */
PROGRAM(traps, "test %esi, %esi; jne 1f; .byte 0x67, 0x0f, 0xb9, 0x00; 1: mov $39, %eax; syscall;"
               "test %esi, %esi; jne 2f; .byte 0x67, 0x0f, 0xb9, 0x40, 0x16; 2: mov $60, %eax;"
               "test %esi, %esi; jne 3f; .byte 0x67, 0x0f, 0xb9, 0x80, 1, 2, 3, 4;"
               "3: syscall; ret");
static void test_traps(void **state) {
    (void)state;
    struct scan scan = SCAN(traps);
    CALLS(&scan, 39, 60);
    assert_int_equal(scan.instruction_count, 2);
}

/* musl's __init_libc: poll and open, in case of AT_SECURE only. */
PROGRAM(secure, "mov $7, %eax; syscall; test %eax, %eax; js 1f; mov $0x600000, %edi;"
                "mov $2, %eax; syscall; test %eax, %eax; js 1f; mov $3, %eax; syscall; ret;"
                "1: hlt");
static void test_secure_start(void **state) {
    (void)state;
    uint64_t name[2] = {0};
    memcpy(name, "/dev/null", 10);
    struct scan scan = scan_program(secure_start, secure_end, name, 2, NULL);
    CALLS(&scan, 3);
    scan = SCAN(secure); /* another file: counts */
    CALLS(&scan, 7, 2, 3);
}

/* Whatever the bytes: an answer, or an error. */
/* Made to be slow: each call, jump or store is looked at for each other one. */
extern const uint8_t stores_main[], stores_set[], stores_do[];
PROGRAM(many, ".rept 100000; syscall; .endr; ret");
PROGRAM(switches, "mov $60, %eax; syscall; .rept 100000; jmp *0x600000(,%rax,8); .endr");
PROGRAM(stores, ".globl stores_main, stores_set, stores_do;"
                "stores_main: call stores_set; ret;"
                "stores_set: lea stores_do(%rip), %rdi; sub $0x28, %rsp;"
                ".rept 100000; mov %esi, 8(%rsp); .endr; jmp *%rdi;"
                "stores_do: movslq 0xc(%rdi), %rax; syscall; ret");
static void test_made_to_be_slow(void **state) {
    (void)state;
    static uint64_t labels[4096];
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        labels[i] = BASE;
    }
    alarm(60); /* takes two seconds, or minutes */
    struct scan scan = SCAN(many);
    assert_unknown(&scan, "when the program starts");
    const struct function functions[] = {
        {"main", stores_main}, {"set", stores_set}, {"do", stores_do}, {NULL, NULL}};
    scan = scan_program(stores_start, stores_end, NULL, 0, functions);
    assert_unknown(&scan, "too much code");
    const struct function one[] = {{"main", switches_start}, {NULL, NULL}};
    scan = scan_program(switches_start, switches_end, labels, 4096, one);
    CALLS(&scan, 60);
    alarm(0);
}

static void test_damaged(void **state) {
    (void)state;
    const struct function functions[] = {
        {"main", wrap_main}, {"outer", wrap_outer}, {"inner", wrap_inner}, {NULL, NULL}};
    bend(make(wrap_start, wrap_end, NULL, 0, functions));
}

/* --- the decoder agrees with capstone ----------------------------------- */

static void compare_operand(const cs_x86_op *a, const cs_x86_op *b, uint64_t address) {
    if (a->type != b->type) {
        fail_msg("0x%llx: operand types differ", (unsigned long long)address);
    }
    bool same = true;
    if (a->type == X86_OP_REG && a->size <= 8) {
        same = a->reg == b->reg && a->size == b->size;
    } else if (a->type == X86_OP_IMM) {
        same = (uint32_t)a->imm == (uint32_t)b->imm || a->size < 4;
    } else if (a->type == X86_OP_MEM) {
        same = a->mem.base == b->mem.base && a->mem.index == b->mem.index &&
               a->mem.disp == b->mem.disp && a->mem.scale == b->mem.scale;
    }
    if (!same) {
        fail_msg("0x%llx: operands differ", (unsigned long long)address);
    }
}

static bool writes(const cs_insn *insn, x86_reg reg) {
    for (unsigned i = 0; i < insn->detail->regs_write_count; i++) {
        if (insn->detail->regs_write[i] == reg) {
            return true;
        }
    }
    return false;
}

/* Our own code: a hundred thousand instructions of a compiler. */
static void test_decoder(void **state) {
    (void)state;
    struct file_map map;
    struct elf_file file;
    const char *why;
    csh handle;
    assert_true(file_map("/proc/self/exe", &map));
    assert_true(elf_file_open(map.data, map.size, &file, &why));
    const Elf64_Shdr *text = elf_file_section(&file, ".text");
    assert_non_null(text);
    assert_int_equal(cs_open(CS_ARCH_X86, CS_MODE_64, &handle), CS_ERR_OK);
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    cs_option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);
    cs_insn *theirs = cs_malloc(handle), *ours = cs_malloc(handle);
    const uint8_t *p = map.data + text->sh_offset;
    size_t left = text->sh_size < 400000 ? text->sh_size : 400000, common = 0, all = 0;
    uint64_t address = text->sh_addr;
    while (left > 0) {
        unsigned size = decode_common(p, left, address, ours);
        assert_true(cs_disasm_iter(handle, &p, &left, &address, theirs));
        all++;
        if (size == 0 || theirs->id == 0 || (ours->id == X86_INS_UD2 && size > 2)) {
            continue;
        }
        common++;
        if (size != theirs->size) {
            fail_msg("0x%llx: %u bytes, not %u (%s)", (unsigned long long)theirs->address, size,
                     theirs->size, theirs->mnemonic);
        }
        bool exact =
            ours->id == X86_INS_MOV || ours->id == X86_INS_LEA || ours->id == X86_INS_PUSH ||
            ours->id == X86_INS_POP || ours->id == X86_INS_ADD || ours->id == X86_INS_SUB ||
            ours->id == X86_INS_CALL || ours->id == X86_INS_JMP || ours->id == X86_INS_MOVZX ||
            ours->id == X86_INS_MOVSXD || ours->id == X86_INS_XOR || ours->id == X86_INS_AND;
        if (exact) {
            if (ours->id != theirs->id &&
                !(ours->id == X86_INS_MOV && theirs->id == X86_INS_MOVABS)) {
                fail_msg("0x%llx: is %s", (unsigned long long)theirs->address, theirs->mnemonic);
            }
            for (unsigned i = 0; i < ours->detail->x86.op_count; i++) {
                compare_operand(&ours->detail->x86.operands[i], &theirs->detail->x86.operands[i],
                                theirs->address);
            }
        }
        if (writes(theirs, X86_REG_RAX) && ours->id != X86_INS_SYSCALL &&
            ours->id != X86_INS_CDQE && !writes(ours, X86_REG_RAX)) {
            fail_msg("0x%llx: %s changes rax", (unsigned long long)theirs->address,
                     theirs->mnemonic);
        }
    }
    assert_true(all > 10000);
    assert_true(common > all / 2);
    cs_free(theirs, 1);
    cs_free(ours, 1);
    cs_close(&handle);
    file_unmap(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direct),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_push_pop),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_family_of_wrapper),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_stack_slots),
        cmocka_unit_test(test_ways_meet),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_wrapper),
        cmocka_unit_test(test_falls_through),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_address_taken),
        cmocka_unit_test(test_address_stored),
        cmocka_unit_test(test_calls_itself),
        cmocka_unit_test(test_data_beside_code),
        cmocka_unit_test(test_callback_context),
        cmocka_unit_test(test_jump_table),
        cmocka_unit_test_teardown(test_go_variable, no_symbols),
        cmocka_unit_test_teardown(test_go_methods, no_symbols),
        cmocka_unit_test_teardown(test_go_threads, no_symbols),
        cmocka_unit_test_teardown(test_go_results, no_symbols),
        cmocka_unit_test_teardown(test_variable, no_symbols),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_not_an_instruction),
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_secure_start),
        cmocka_unit_test(test_made_to_be_slow),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_decoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
