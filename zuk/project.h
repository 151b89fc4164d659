/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A folder with a build.zig: runs `zig build` in it and finds what it
 * installed.
 */
#ifndef ZUK_PROJECT_H
#define ZUK_PROJECT_H

#include <stdbool.h>

#include "zuk/app.h"

struct project {
    const char *artifact;        /* the static library or executable */
    VEC(const char *) overrides; /* objects made from the C and Zig files in undefined/ */
};

/* False after diag_error. */
bool project_build(const struct app_request *request, const char *folder, struct project *project);

#endif
