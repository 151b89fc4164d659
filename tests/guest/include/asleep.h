/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Until another thread sleeps in the kernel: a signal that is to interrupt its call
 * must not come before the call.
 */
#ifndef ASLEEP_H
#define ASLEEP_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* tid: gettid()'s, of the main thread getpid().  Gives up after about 5 s. */
static void until_asleep(pid_t tid) {
    char name[64], text[256];
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)tid);
    for (int tries = 0; tries < 1000; tries++) {
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = 0;
        const char *state = strrchr(text, ')');
        if (state != NULL && state[1] == ' ' && state[2] == 'S') {
            return;
        }
        usleep(5000);
    }
}

#endif
