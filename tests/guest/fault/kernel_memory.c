/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel's half, read: SIGSEGV on Linux.  At ring 0 the page is there, so
 * the guest cannot promise the fault; what it promises is that its text is not
 * writable (docs/caveats.md).
 * cflags: -fno-sanitize=all
 * expect-status: 139
 */
int main(void) {
    volatile char *p = (char *)0xffffffff80101000;
    *p = 1;
    return 0;
}
