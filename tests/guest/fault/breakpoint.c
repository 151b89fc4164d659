/* SPDX-License-Identifier: BSD-3-Clause
 *
 * int3 without a debugger: SIGTRAP.
 * expect-status: 133
 * expect-stderr-contains: breakpoint
 */
int main(void) {
    __asm__ volatile("int3");
    return 0;
}
