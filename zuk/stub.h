/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What stands for a symbol that nobody defines: a trap in the text for one
 * that is called, an address that is never mapped for one that is not
 * (abi/image.h), a jump for a name of glibc's.
 */
#ifndef ZUK_STUB_H
#define ZUK_STUB_H

#include <stdbool.h>

#include "zuk/resolve.h"

/* Reports every undefined symbol: a warning each, with its source line; an
 * error with strict, and always for thread-local data. */
bool stub_report(struct resolution *r, bool strict);

/* Writes folder/stubs.o and, as text, folder/stubs.S, for the undefined
 * symbols (stub number i is r->undefined.data[i]) and the twins. */
bool stub_write(struct resolution *r, const char *folder);

#endif
