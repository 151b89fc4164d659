/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A system call with a garbage stack pointer works: the kernel uses its own.
 * expect-status: 17
 * expect-stdout: no stack
 */
static const char text[] = "no stack\n";

int main(void) {
    __asm__ volatile("mov $0x10, %%rsp; syscall; mov $231, %%eax; mov $17, %%edi; syscall"
                     :
                     : "a"(1), "D"(1), "S"(text), "d"(9)
                     : "memory");
    __builtin_unreachable();
}
