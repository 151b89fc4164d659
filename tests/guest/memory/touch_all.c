/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Most of the memory of a 64 MiB machine is the app's: 48 MiB can be touched.
 * zuk: -m 64M
 * timeout: 40
 */
#include <stdlib.h>

#include "check.h"

int main(void) {
    enum { SIZE = 48 << 20 };
    unsigned *p = malloc(SIZE);
    CHECK(p != NULL);
    for (unsigned i = 0; i < SIZE / 4; i += 512) {
        p[i] = i;
    }
    for (unsigned i = 0; i < SIZE / 4; i += 512) {
        CHECK_EQ(p[i], i);
    }
    return check_done();
}
