/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Text for JSON that comes from anywhere: names of files and functions, words of
 * the guest.
 */
#ifndef ZUK_JSON_H
#define ZUK_JSON_H

#include <jansson.h>

/* A string; null for NULL.  Text that is not UTF-8 keeps its ASCII, with a '?' for
 * each other byte: it must not lose the whole value. */
json_t *json_text(const char *text);

#endif
