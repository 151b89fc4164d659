/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --missing NAME=ignore: the call answers 0; NAME=enosys for one call only.
 * native: skip Linux provides it
 * zuk: --missing inotify_init1=ignore --missing inotify_add_watch=enosys
 * expect-stdout: 0 -1 ENOSYS
 */
#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>

int main(void) {
    int r = inotify_init1(0);
    int s = inotify_add_watch(r, "/", 0);
    printf("%d %d %s\n", r, s, errno == ENOSYS ? "ENOSYS" : "another error");
    return 0;
}
