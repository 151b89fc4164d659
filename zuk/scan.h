/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which system calls can a static x86_64 ELF executable make?
 *
 * The answer is an upper bound: a call that the program makes is in the set.
 * Where a number cannot be determined the answer is `unknown`, and the site
 * says why; the caller takes the full set then.
 *
 * Method: find the `syscall` instructions by their bytes, decode the functions
 * that hold them, follow the number back to a constant; where it is a
 * parameter, do the same in the functions that call this one.
 */
#ifndef ZUK_SCAN_H
#define ZUK_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCAN_CALLS = 512 }; /* numbers at or above this cannot be calls */

struct scan_site {
    uint64_t address;     /* of the instruction that could not be resolved */
    const char *function; /* the function's name, or "0x1234" */
    const char *why;
};

/* Who asks for a call: the nearest function of the app's own source, neither
 * libc's nor std's, on a way of direct calls. */
struct scan_caller {
    const char *function; /* NULL: not known */
    const char *through;  /* what it calls to get there; NULL: makes the call itself */
    const char *file;     /* of the place in that function */
    unsigned line;
};

struct scan {
    bool calls[SCAN_CALLS];
    const char *from[SCAN_CALLS];           /* a function that reaches the call, or NULL */
    uint64_t at[SCAN_CALLS];                /* an instruction in it, where the number is known */
    struct scan_caller callers[SCAN_CALLS]; /* filled by scan_explained() */
    bool vdso; /* the program has the name of a function that tells the time (vdso(7)) */
    /* With socket(): the call that asks for more than AF_UNIX, socket() by its family
     * or ioctl() by a request about interfaces; 0: none does. */
    uint16_t network;
    const char *network_unknown; /* the name of its argument, when that cannot be known */
    bool unknown;
    struct scan_site *sites; /* the unresolved ones */
    size_t site_count;
    /* for -v */
    size_t instruction_count; /* `syscall` instructions found */
    size_t function_count;    /* functions decoded */
    bool reachable_only;      /* only what can be reached from the entry counts */
};

/* Scans an executable in memory.  False after diag_error when it is no ELF
 * executable of x86_64; path is for messages. */
bool scan_elf(const char *path, const uint8_t *data, size_t size, struct scan *out);
/* The same, and finds the callers where there is debug information. */
bool scan_explained(const char *path, const uint8_t *data, size_t size, struct scan *out);

#endif
