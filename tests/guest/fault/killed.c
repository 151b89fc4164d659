/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A deadly signal that the app sends to itself: 128 + its number.
 * expect-status: 143
 */
#include <signal.h>
#include <unistd.h>

int main(void) {
    kill(getpid(), SIGTERM);
    return 0;
}
