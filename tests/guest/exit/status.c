/* SPDX-License-Identifier: BSD-3-Clause
 *
 * main's result is zuk's status; the runner gives the number.
 * args: 42
 * expect-status: 42
 */
#include <stdlib.h>

int main(int argc, char **argv) {
    return argc > 1 ? atoi(argv[1]) : 0;
}
