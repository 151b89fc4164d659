/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A non-canonical address raises a general protection fault: SIGSEGV too.
 * cflags: -fno-sanitize=all
 * expect-status: 139
 * expect-stderr-contains: segmentation fault
 */
int main(void) {
    volatile char *p = (char *)0x8123456789abcdef;
    return *p;
}
