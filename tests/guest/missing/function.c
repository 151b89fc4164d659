/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An archive lacks a function: the image builds with a warning that names the
 * function and the line; the call stops the guest with a report.
 * input: archive
 * native: skip it does not link
 * cflags: -fno-omit-frame-pointer
 * modes: O0 O1
 * expect-status: 3
 * expect-stdout: before
 * expect-stderr-contains: database_open
 * expect-stderr-contains: open_store
 * expect-stderr-contains: function.c:@LINE:here@
 * expect-stderr-contains: undefined/
 * isolate: test
 */
#include <stdio.h>

void *database_open(const char *path, int flags);

__attribute__((noinline)) static void *open_store(void) {
    void *p = database_open("/var/lib/store", 3); // here
    __asm__ volatile("" : "+r"(p));
    return p;
}

int main(void) {
    puts("before");
    fflush(stdout);
    return open_store() != NULL;
}
