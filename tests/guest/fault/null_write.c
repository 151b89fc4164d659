/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing through NULL plus a little.
 * cflags: -fno-omit-frame-pointer -fno-sanitize=all
 * expect-status: 139
 * expect-stderr-contains: null_write.c:@LINE:here@
 * expect-stderr-contains: 0x18
 * isolate: test
 */
struct s {
    int a[6], b;
};

__attribute__((noinline)) static void write_through(volatile struct s *p) {
    p->b = 1; // here
}

int main(void) {
    write_through((void *)0);
    return 0;
}
