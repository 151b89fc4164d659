/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A copy of an executable without symbols and debug information.
 */
#ifndef ZUK_STRIP_H
#define ZUK_STRIP_H

#include <stdbool.h>

/* False after diag_error.  What is loaded stays where it is, byte for byte. */
bool strip_executable(const char *from, const char *to);

#endif
