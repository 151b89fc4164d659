/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Integer division by zero: SIGFPE.
 * cflags: -fno-sanitize=all -fno-omit-frame-pointer
 * expect-status: 136
 * expect-stderr-contains: division by zero
 * expect-stderr-contains: divide.c:@LINE:here@
 */
int main(int argc, char **argv) {
    (void)argv;
    volatile int zero = argc - 1;
    int r;
    __asm__ volatile("cltd; idivl %2" : "=a"(r) : "a"(7), "m"(zero) : "edx"); // here
    return r;
}
