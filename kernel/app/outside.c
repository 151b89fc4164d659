/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signals from outside: the host's wish to end becomes SIGTERM, as kill(1)
 * would send it.
 *
 * The host is told when the app first says what SIGTERM is to do; before that
 * it ends the machine, which is the default action, and nobody listens.
 */
#include "app/signal.h"

#include "console/console.h"
#include "syscall/linux.h"

static void arrived(unsigned n) {
    const struct signal_info info = {.signo = (int)n, .code = SI_USER};
    if (n && n <= SIGNALS)
        signal_send(NULL, &info);
}

void signal_listen(void) {
    static bool listens;
    if (listens || !console_framed())
        return;
    listens = true;
    console_signal = arrived;
    sched_external_waits++; /* whoever sleeps from now on may be woken */
    console_resume_input();
    console_record(REPORT_LISTENS, NULL, 0, false);
}
