/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ud2: SIGILL.
 * cflags: -fno-omit-frame-pointer
 * expect-status: 132
 * expect-stderr-contains: illegal instruction
 * expect-stderr-contains: illegal.c:@LINE:here@
 */
int main(void) {
    __asm__ volatile("ud2"); // here
    return 0;
}
