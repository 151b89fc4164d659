/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pause: no signal that is blocked or ignored ends it.  Nobody can send another
 * one, which the report says.
 * native: skip it never ends
 * expect-status: 4
 * expect-stdout: pausing
 * expect-stderr-contains: deadlock
 * expect-stderr-contains: @FILE@:@LINE:here@
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    signal(SIGUSR2, SIG_IGN);
    raise(SIGUSR2);
    puts("pausing");
    fflush(stdout);
    pause(); // here
    puts("it came back");
    return 1;
}
