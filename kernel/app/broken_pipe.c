/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SIGPIPE for whoever writes where nobody reads.
 */
#include "app/signal.h"
#include "syscall/linux.h"

#define PROCESS_ID 1

extern __typeof__(signal_send) signal_send __attribute__((weak));

void signal_broken_pipe(void) {
    const struct signal_info info = {.signo = SIGPIPE, .code = SI_USER, .pid = PROCESS_ID};
    if (!signal_send) /* a program that cannot change what it does: it ends */
        app_die(REASON_SIGNAL, SIGPIPE);
    signal_send(thread_current(), &info);
}
