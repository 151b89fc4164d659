/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A bad stack pointer: the fault is reported, not a triple fault.
 * cflags: -fno-sanitize=all
 * expect-status: 139
 */
int main(void) {
    __asm__ volatile("mov $0x10, %%rsp; push %%rax" : : : "memory");
    __builtin_unreachable();
}
