/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --missing enosys: the same call answers ENOSYS, the program goes on.
 * native: skip Linux provides it
 * zuk: --missing enosys
 * expect-stdout: -1 ENOSYS
 */
#include <errno.h>
#include <stdio.h>
#include <sys/fanotify.h>

int main(void) {
    int r = fanotify_init(0, 0);
    printf("%d %s\n", r, errno == ENOSYS ? "ENOSYS" : "another error");
    return 0;
}
