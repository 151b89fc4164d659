/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Constants are not writable.
 * cflags: -fno-omit-frame-pointer -fno-sanitize=all
 * expect-status: 139
 * expect-stderr-contains: write_rodata.c:@LINE:here@
 */
static const char text[] = "constant";

int main(int argc, char **argv) {
    (void)argv;
    volatile char *p = (char *)text;
    p[argc] = 'x'; // here
    return 0;
}
