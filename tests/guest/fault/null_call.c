/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calling NULL: the report names the caller, since address 0 has no function.
 * cflags: -fno-omit-frame-pointer -fno-sanitize=all
 * expect-status: 139
 * expect-stderr-contains: call_through
 */
__attribute__((noinline)) static int call_through(int (*volatile f)(void)) {
    return f() + 1;
}

int main(void) {
    return call_through((void *)0);
}
