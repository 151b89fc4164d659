/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk.lock, beside the project's build.zig or the first input: what an image
 * is made with, one thing a line, so that a difference names itself.
 */
#ifndef ZUK_LOCK_H
#define ZUK_LOCK_H

#include <stdbool.h>

#include "zuk/options.h"

#define LOCK_FILE "zuk.lock"

/* What is used now.  NULL after diag_error. */
char *lock_text(const struct options *o);

/* What differs: the first line of the file that does not hold and what is
 * there now; NULL when all holds.  `now` may have no line of that name. */
struct lock_difference {
    const char *name, *locked, *now; /* now or locked NULL: not there */
};
bool lock_differs(const char *locked, const char *now, struct lock_difference *first);

/* False after diag_error. */
bool lock_write(const struct options *o, const char *folder);
bool lock_check(const struct options *o, const char *folder);

#endif
