/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the pinned Zig brings to every app: musl's start file and library,
 * compiler_rt, and the linker.  Zig compiles them on the first use (about a
 * minute); where they lie is remembered in the cache folder.
 */
#ifndef ZUK_TOOLCHAIN_H
#define ZUK_TOOLCHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOOLCHAIN_LIBRARIES = 4 };

struct toolchain {
    const char *zig;
    const char *crt1;
    /* In the order of the link: ubsan_rt, libc, zigc, compiler_rt; a Zig
     * without one of the two that are new has fewer. */
    const char *libraries[TOOLCHAIN_LIBRARIES];
    size_t library_count;
};

/* False after diag_error. */
bool toolchain_find(struct toolchain *toolchain);

/* Is it known where they lie, so that toolchain_find does not have to ask? */
bool toolchain_known(void);

/* The step of progress that toolchain_find will take, as a bit; 0: none.  Says nothing. */
uint64_t toolchain_steps(void);

/* What `zig cc -v` prints -> the paths; false when they are not all there.
 * For toolchain_find and its test. */
bool toolchain_parse(struct toolchain *toolchain, const char *text);

#endif
