/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A fault inside libc (no line there): the stack leads back to the app's line.
 * cflags: -fno-sanitize=all -fno-omit-frame-pointer -fno-builtin
 * expect-status: 139
 * expect-stderr-contains: strlen
 * expect-stderr-contains: measure
 */
#include <string.h>

__attribute__((noinline)) static unsigned long measure(const char *s) {
    unsigned long n = strlen(s);
    __asm__ volatile("" : "+r"(n));
    return n;
}

int main(void) {
    return (int)measure((const char *)16);
}
