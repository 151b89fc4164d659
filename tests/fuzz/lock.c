/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any two texts as zuk.lock, divided by a NUL byte: a difference has a name and
 * two values that differ, and a text without lines differs from none but one with.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "zuk/diag.h"
#include "zuk/lock.h"
#include "zuk/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool says_something(const char *text) {
    struct lock_difference d;
    return lock_differs(text, "", &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    diag_quiet = true;
    const char *locked = xstrndup((const char *)data, size);
    size_t first = strlen(locked);
    const char *now =
        first < size ? xstrndup((const char *)data + first + 1, size - first - 1) : "";
    struct lock_difference d = {0};
    if (lock_differs(locked, now, &d)) {
        assert(d.name != NULL && *d.name != '#' && strpbrk(d.name, " \n") == NULL);
        assert(d.locked != NULL || d.now != NULL);
        assert(d.locked == NULL || d.now == NULL || strcmp(d.locked, d.now) != 0);
        assert(says_something(locked) || says_something(now));
    } else {
        assert(says_something(locked) == says_something(now));
    }
    arena_release();
    return 0;
}
