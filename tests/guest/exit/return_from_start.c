/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A program that forgets to exit returns to address argc: a crash that is
 * reported, not a silent end.
 * libc: no
 * cflags: -fno-stack-protector -fno-sanitize=all -fomit-frame-pointer
 * expect-status: 139
 * expect-stderr-contains: 0x1
 */
__attribute__((naked)) void _start(void) {
    __asm__("ret");
}
