/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opens what the user names, and tells by its content what it is: a project,
 * archives and objects, or an executable.
 */
#ifndef ZUK_INPUT_H
#define ZUK_INPUT_H

#include <stdbool.h>

#include "zuk/object.h"

struct input {
    const char *path;
    enum file_kind kind;
    struct file_map map;
    struct archive archive; /* FILE_ARCHIVE */
};

/* Opens an archive, an object or an executable.  False after diag_error, also
 * for any other file. */
bool input_open(struct input *input, const char *path);

#endif
