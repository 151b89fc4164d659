/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An application folder for Unikraft, from what `build` takes: the library,
 * compiler_rt, the files of Unikraft's build and undefined.c, which defines
 * weakly whatever neither of the two has, so that what the chosen
 * configuration provides wins, and what it does not names itself.
 */
#ifndef ZUK_EXPORT_H
#define ZUK_EXPORT_H

#include <stdbool.h>

#include "zuk/app.h"

/* What the application in that folder is called: its letters and digits, small. */
char *export_name(const char *folder);
/* Writes the folder, which must not be there or be an earlier export.  False
 * after diag_error. */
bool export_unikraft(const struct app_request *request, const char *folder);

/* The text of undefined.c for these names, sorted by the caller. */
char *export_undefined(const char *const *names, size_t count);

#endif
