/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A system call that nobody provides: a report that names it, its number, its
 * arguments and the line; status 3.
 * native: skip Linux provides it
 * cflags: -fno-omit-frame-pointer
 * modes: O0 O1
 * expect-status: 3
 * expect-stdout: before
 * expect-stderr-contains: fanotify_init
 * expect-stderr-contains: 300
 * expect-stderr-contains: call_trap.c:@LINE:here@
 * expect-stderr-contains: watch_folder
 * expect-stderr-contains: --missing
 * isolate: test
 */
#include <stdio.h>
#include <sys/fanotify.h>

__attribute__((noinline)) static int watch_folder(void) {
    int fd = fanotify_init(FAN_CLOEXEC, 0); // here
    return fd + 1;
}

int main(void) {
    puts("before");
    fflush(stdout);
    int n = watch_folder();
    puts("after");
    return n == 0;
}
