/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SIGSEGV ignored: a real fault kills nevertheless.
 * cflags: -fno-sanitize=all
 * expect-status: 139
 */
#include <signal.h>

int main(void) {
    signal(SIGSEGV, SIG_IGN);
    return *(volatile int *)8;
}
