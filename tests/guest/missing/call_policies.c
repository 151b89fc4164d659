/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --missing NAME=ignore: the call answers 0; NAME=enosys for one call only.
 * native: skip Linux provides it
 * zuk: --missing fanotify_init=ignore --missing fanotify_mark=enosys
 * expect-stdout: 0 -1 ENOSYS
 */
#include <errno.h>
#include <stdio.h>
#include <sys/fanotify.h>

int main(void) {
    int r = fanotify_init(0, 0);
    int s = fanotify_mark(r, 0, 0, -1, "/");
    printf("%d %d %s\n", r, s, errno == ENOSYS ? "ENOSYS" : "another error");
    return 0;
}
