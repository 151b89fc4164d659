/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --kernel unikraft: the input goes out as an application folder of Unikraft's
 * (export.h), and the user's `kraft` builds and runs it.
 */
#ifndef ZUK_KRAFT_H
#define ZUK_KRAFT_H

#include "zuk/options.h"

/* `kraft build` in a folder of zuk's own.  The kernel is copied to -o, or its
 * place is told.  Returns zuk's exit status. */
int kraft_build(struct options *o);
/* The same, then `kraft run`, which takes this process's place. */
int kraft_run(struct options *o);

#endif
