/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Other programs that zuk runs and waits for.
 */
#ifndef ZUK_PROGRAM_H
#define ZUK_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs argv (NULL-terminated) and waits.  out/err: NULL inherits; otherwise
 * receives all the bytes, NUL-terminated.  cwd NULL: unchanged.  timeout_ms 0:
 * none.  The child reads /dev/null, has its own process group (killed whole on
 * time-out and when zuk ends), and dies with zuk.  Returns the exit status,
 * 128+N for signal N, -1 when it could not be started (errno set), -2 on
 * time-out. */
struct run {
    const char *const *argv;
    const char *cwd;
    const char *const *extra_env; /* NAME=VALUE, NULL-terminated, or NULL */
    char **out, **err;
    size_t *out_size;
    unsigned timeout_ms;
    uint64_t memory_limit; /* bytes of address space, 0: none */
    bool out_to_err;       /* the child's stdout goes where its stderr goes */
};
int run_program(const struct run *run);

#endif
