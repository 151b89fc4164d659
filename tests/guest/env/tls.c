/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Thread-local data of the first thread: initialised, zeroed, aligned.
 * modes: O0 O2
 */
#include <stdint.h>

#include "check.h"

static _Thread_local int number = 42;
static _Thread_local char zeros[5000];
static _Thread_local __attribute__((aligned(64))) char aligned[64] = "aligned";
static _Thread_local int *self = NULL;

int main(void) {
    CHECK_EQ(number, 42);
    for (unsigned i = 0; i < sizeof zeros; i++) {
        CHECK_EQ(zeros[i], 0);
    }
    CHECK_EQ((uintptr_t)aligned % 64, 0);
    CHECK(strcmp(aligned, "aligned") == 0);
    number++;
    self = &number;
    CHECK_EQ(*self, 43);
    return check_done();
}
