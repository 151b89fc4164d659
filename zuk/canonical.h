/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Builds that give the same image everywhere.  Debug information holds the
 * paths of sources, of Zig and of its caches, and no flag of Zig's maps them;
 * so the build is done where these have the same paths on every machine: in a
 * user and mount namespace, below CANONICAL.
 */
#ifndef ZUK_CANONICAL_H
#define ZUK_CANONICAL_H

#include <stdbool.h>

#include "zuk/options.h"

#define CANONICAL "/mnt/zuk"

/* Is this the zuk that was started there? */
bool canonical_is(void);

enum { CANONICAL_REFUSED = -1 };

/* Runs the `build` of argv again in there: its exit status, or
 * CANONICAL_REFUSED when namespaces are not permitted here. */
int canonical_build(int argc, char **argv, const struct options *o, const char *output);

/* The next best where they are not: no paths in the image.  False after
 * diag_error. */
bool canonical_without(struct options *o);

#endif
