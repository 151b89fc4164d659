/* SPDX-License-Identifier: BSD-3-Clause
 *
 * atexit handlers and buffered output run before the machine goes off;
 * _exit skips both.
 * expect-status: 5
 * expect-stdout: body
 * expect-stdout: second
 * expect-stdout: first
 */
#include <stdio.h>
#include <stdlib.h>

static void first(void) {
    puts("first");
}

static void second(void) {
    puts("second");
}

int main(void) {
    atexit(first);
    atexit(second);
    printf("body\n");
    return 5;
}
