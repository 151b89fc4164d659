/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel's own words: assertions, panics, notices.
 *
 * assert() is for our bugs and always compiled in; panic() means that the
 * machine lied or boot cannot go on.  An app's mistake is neither: it gets
 * -errno or a crash report (diag/report.h).
 */
#ifndef DIAG_DIAG_H
#define DIAG_DIAG_H

#include <stddef.h>

void panic(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
struct trap_frame;
/* The same, with the registers of the code that failed. */
void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
/* A line for zuk -v (REPORT_LOG); dropped when there is no channel. */
void notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void assert_failed(const char *where, const char *what) __attribute__((noreturn));

/* Where the words go; upper rooms fill this in before they are needed. */
struct diag_output {
    void (*panic)(const struct trap_frame *frame, const char *message, size_t size);
    void (*notice)(const char *text, size_t size);
};
extern const struct diag_output *diag_output;

#define DIAG_STRING2(x) #x
#define DIAG_STRING(x) DIAG_STRING2(x)
#define assert(x) ((x) ? (void)0 : assert_failed(__FILE__ ":" DIAG_STRING(__LINE__), #x))

#endif
