/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For tests of the tool, after <cmocka.h>: one feature by its name.
 */
#ifndef TESTS_UNIT_TOOL_FEATURE_H
#define TESTS_UNIT_TOOL_FEATURE_H

#include <string.h>

#include "zuk/features.h"

static const struct feature *find(const struct features *f, const char *name) {
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->list[i].name, name) == 0) {
            return &f->list[i];
        }
    }
    fail_msg("no feature %s", name);
    return NULL;
}

#endif
