/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Neither stream is a terminal here: ENOTTY, as programs that choose colours
 * and buffers need it.
 */
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    struct winsize w;
    struct termios t;
    CHECK_EQ(isatty(0), 0);
    CHECK_EQ(isatty(1), 0);
    CHECK_EQ(isatty(2), 0);
    CHECK_ERRNO(ioctl(1, TIOCGWINSZ, &w), ENOTTY);
    CHECK_ERRNO(tcgetattr(1, &t), ENOTTY);
    CHECK_ERRNO(ioctl(33, TIOCGWINSZ, &w), EBADF);
    return check_done();
}
