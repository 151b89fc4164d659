/* SPDX-License-Identifier: BSD-3-Clause
 *
 * exit(256 + 7) is 7, exit(-1) would be 255: Linux keeps eight bits.
 * expect-status: 7
 */
#include <stdlib.h>

int main(void) {
    exit(256 + 7);
}
