/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What zuk is at, for work that takes over half a second.
 *
 * A command says which steps are before it (progress_plan), a pass says when it
 * begins one (progress_step), the command when all is done (progress_end).
 * Without a plan nothing is shown, so passes may be called by anyone.
 *
 * On a terminal that is one line, `[2/5] building hello`, drawn once the whole
 * has taken half a second, and wiped at the end or for whatever else is written
 * there: diag.c and the words of child programs (util.c) see to that.  Where
 * stderr is no terminal each step of over half a second is a line of its own,
 * `zuk: [2/5] building hello`.  -v gives every step at once, -q and --json none.
 *
 * The line is drawn by a handler of SIGALRM: between plan and end a call that
 * SA_RESTART does not restart may fail with EINTR.
 */
#ifndef ZUK_PROGRESS_H
#define ZUK_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The steps of a build, in order.  Other commands number theirs as they like. */
enum progress_build {
    PROGRESS_LOCK,    /* zuk.lock */
    PROGRESS_WAIT,    /* for another zuk */
    PROGRESS_ASK,     /* which options has build.zig? */
    PROGRESS_PROJECT, /* zig build, and undefined/ */
    PROGRESS_LIBC,
    PROGRESS_LINK,
    PROGRESS_FILES, /* of --rootfs */
    PROGRESS_SCAN,
    PROGRESS_KERNEL,
    PROGRESS_IMAGE,
    PROGRESS_KVM,  /* before a run: is it real? */
    PROGRESS_NEXT, /* first number for what comes after a build */
};
#define PROGRESS_BIT(step) (UINT64_C(1) << (step))

/* Until the first step begins the plan may change; from then on its total stays:
 * a step that is not needed after all is passed over, and its number with it, and
 * one that nobody foresaw has the number of the one before. */

/* These steps, a bit each, are ahead as well. */
void progress_plan(uint64_t steps);
/* This one is not needed after all. */
void progress_drop(unsigned step);
/* The step begins. */
void progress_step(unsigned step, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void progress_end(void);
/* Of a command that shall not say what it does: for good. */
void progress_forbid(void);

/* Around what is written to stderr meanwhile; they nest. */
void progress_pause(void);
void progress_resume(void);
/* Async-signal-safe: takes the line away before the program ends. */
void progress_wipe(void);

/* Is there a terminal whose line is ours?  Then a child's words come through
 * progress_relay, and it gets a terminal of the same size to write them to. */
bool progress_on_terminal(void);
void progress_relay(const char *bytes, size_t size);

#endif
