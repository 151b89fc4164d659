/* SPDX-License-Identifier: BSD-3-Clause
 *
 * No libc at all: _start, two system calls.  Ends by exit, not exit_group.
 * tier: quick
 * libc: no
 * cflags: -fno-stack-protector -fno-sanitize=all
 * machines: microvm q35 pc
 * expect-status: 21
 * expect-stdout: bare
 */
static long call(long n, long a, long b, long c) {
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
}

__attribute__((naked)) void _start(void) {
    __asm__("xor %ebp, %ebp; and $-16, %rsp; call begin; ud2");
}

void begin(void) {
    call(1, 1, (long)"bare\n", 5);
    call(60, 21, 0, 0);
}
