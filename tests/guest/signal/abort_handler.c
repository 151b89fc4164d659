/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A SIGABRT handler that returns does not stop abort.
 * expect-status: 134
 * expect-stdout: handler
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void handler(int sig) {
    (void)sig;
    write(1, "handler\n", 8);
}

int main(void) {
    signal(SIGABRT, handler);
    abort();
}
