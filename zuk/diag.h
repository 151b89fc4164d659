/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What zuk says to people: errors, warnings, notes, hints, on stderr.
 *
 * Parsers report with diag_error() and return false; only cmd_*.c ends the
 * program.  A message names the thing, the place and the next step.
 */
#ifndef ZUK_DIAG_H
#define ZUK_DIAG_H

#include <stdbool.h>
#include <stdio.h>

/* Exit statuses of zuk (docs/architecture.md). */
enum {
    EXIT_OK = 0,
    EXIT_USER = 1, /* bad input, build failed, disk full */
    EXIT_USAGE = 2,
    EXIT_MISSING = 3, /* the app called something missing */
    EXIT_KERNEL = 4,  /* kernel panic, deadlock, triple fault */
    EXIT_VM = 5,      /* the VM could not start, or died */
    EXIT_TIMEOUT = 6,
    EXIT_BUG = 70,
};

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

void diag_error(const char *fmt, ...) PRINTF(1, 2);   /* "zuk: error: ..." */
void diag_warning(const char *fmt, ...) PRINTF(1, 2); /* "zuk: warning: ..." */
void diag_note(const char *fmt, ...) PRINTF(1, 2);    /* "zuk: ...", unless -q */
void diag_hint(const char *fmt, ...) PRINTF(1, 2);    /* "  hint: ..." under the last message */
void diag_verbose(const char *fmt, ...) PRINTF(1, 2); /* only with -v */

void diag_pass(const char *words); /* another program's, as they are */

extern int diag_verbosity;       /* -1 with -q, 0, 1 with -v, 2 with -vv */
extern bool diag_quiet;          /* says and counts nothing: for a try, and for fuzz targets */
unsigned diag_error_count(void); /* errors reported so far */
bool diag_color(FILE *stream);   /* colour on that stream? (--color, NO_COLOR, isatty) */
struct paint {
    const char *bold, *red, *dim, *blue, *cyan, *off; /* escape sequences, or all "" */
};
struct paint diag_paint(FILE *stream);
bool diag_color_set(const char *when); /* "auto", "always", "never"; false for another word */

#endif
