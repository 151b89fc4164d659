/* SPDX-License-Identifier: BSD-3-Clause
 *
 * accept() without a descriptor for the connection, the same for every family.
 */
#ifndef NONE_LEFT_H
#define NONE_LEFT_H

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

/* The connection stays for a later accept.  l: listens, O_NONBLOCK; c: connected to
 * it, and the highest descriptor.  Closes both. */
static inline void check_none_left(int l, int c) {
    struct rlimit all, few;
    struct pollfd p = {l, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 5000), 1);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = (struct rlimit){(rlim_t)c + 1, all.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    CHECK_ERRNO(accept(l, NULL, NULL), EMFILE);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &all), 0);
    int s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    CHECK_ERRNO(accept(l, NULL, NULL), EMFILE); /* not EAGAIN */
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &all), 0);
    CHECK_EQ(send(c, "x", 1, 0), 1);
    CHECK_EQ(recv(s, &(char){0}, 1, 0), 1);
    close(s);
    close(c);
    close(l);
}

#endif
