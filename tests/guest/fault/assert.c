/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A failed assert prints its own line, then the report comes.
 * expect-status: 134
 * expect-stderr-contains: 1 + 1 == 3
 * expect-stderr-contains: assert.c
 */
#undef NDEBUG
#include <assert.h>

int main(void) {
    assert(1 + 1 == 3);
    return 0;
}
