/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The line of progress (progress.h).
 *
 * One thread, one timer: the handler runs between two instructions of the rest,
 * so `quiet_depth` keeps it from drawing while the line changes or another text
 * is on its way; what came due meanwhile is drawn afterwards.
 */
#include "zuk/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "zuk/diag.h"

enum { PATIENCE_MS = 500, LINE_MAX_BYTES = 512 };

static bool forbidden;
static bool terminal; /* of the plan that is under way */
static uint64_t plan; /* 0: nothing is under way */
static bool counted;  /* a step has its number: the total stays */
static int number;    /* of that step */
static bool spoke;    /* in this step a child has written to the terminal */
static bool partial;  /* and the last line of that is not at an end */
static bool escaped;  /* or nobody knows: there was an escape sequence in it */
static char line[LINE_MAX_BYTES];
static volatile sig_atomic_t line_size;
static volatile sig_atomic_t quiet_depth, due, shown;
static struct sigaction before;

static void put(const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(2, bytes, size);
        if (n < 0 && errno != EINTR) {
            return; /* nobody to show it to */
        }
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void draw(void) {
    if (line_size > 0 && !shown && !spoke) {
        shown = 1; /* before it is: a signal may end us in between */
        put(line, (size_t)line_size);
    }
}

static void on_alarm(int signal) {
    (void)signal;
    int error = errno;
    due = 1;
    if (quiet_depth == 0) {
        draw();
    }
    errno = error;
}

void progress_wipe(void) {
    if (terminal && shown) {
        shown = 0;
        put("\r\033[K", 4);
    }
}

void progress_pause(void) {
    quiet_depth++;
    progress_wipe();
}

void progress_resume(void) {
    quiet_depth--;
    if (quiet_depth == 0 && due && plan != 0) {
        draw();
    }
}

static void set_timer(unsigned ms) {
    struct itimerval when = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &when, NULL);
}

static bool is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(2) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

void progress_forbid(void) {
    forbidden = true;
}

void progress_plan(uint64_t steps) {
    if (forbidden || diag_verbosity < 0) {
        return;
    }
    if (plan == 0) {
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        terminal = is_terminal() && diag_verbosity == 0;
        line_size = due = shown = number = 0;
        counted = false;
        static bool registered;
        if (!registered) {
            registered = true;
            atexit(progress_wipe);
        }
        sigaction(SIGALRM, &action, &before);
        if (terminal) {
            set_timer(PATIENCE_MS);
        }
    }
    plan |= counted ? 0 : steps;
}

void progress_drop(unsigned step) {
    uint64_t left = plan & ~PROGRESS_BIT(step);
    plan = left == 0 || counted ? plan : left;
}

void progress_end(void) {
    if (plan == 0) {
        return;
    }
    set_timer(0);
    progress_wipe();
    plan = 0;
    line_size = due = 0;
    sigaction(SIGALRM, &before, NULL);
}

/* Columns of a terminal that a character takes at most: one that is not ASCII
 * may be wide. */
static unsigned columns(unsigned char first) {
    return first < 0x80 ? 1 : 2;
}

/* As much of the text as fits a line; control characters could move the cursor. */
static size_t fit(char *to, size_t room, const char *text) {
    struct winsize size = {0};
    unsigned width = terminal && ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
                         ? size.ws_col - 1u
                         : LINE_MAX_BYTES;
    size_t used = 0;
    for (const char *s = text; *s != '\0';) {
        size_t bytes = 1;
        while (((unsigned char)s[bytes] & 0xc0) == 0x80) {
            bytes++;
        }
        unsigned char first = (unsigned char)*s;
        if (columns(first) > width || bytes > room - used) {
            break;
        }
        width -= columns(first);
        if (first < 0x20 || first == 0x7f) {
            to[used++] = '?';
        } else {
            memcpy(to + used, s, bytes);
            used += bytes;
        }
        s += bytes;
    }
    return used;
}

void progress_step(unsigned step, const char *fmt, ...) {
    if (plan == 0) {
        return;
    }
    plan |= counted ? 0 : PROGRESS_BIT(step);
    counted = true;
    int place = __builtin_popcountll(plan & (PROGRESS_BIT(step) | (PROGRESS_BIT(step) - 1)));
    number = place > number ? place : number;
    char text[LINE_MAX_BYTES], all[LINE_MAX_BYTES + 64];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(all, sizeof all, "%s[%d/%d] %s", terminal ? "" : "zuk: ", number > 0 ? number : 1,
             __builtin_popcountll(plan), text);
    if (diag_verbosity > 0) {
        diag_verbose("%s", all + strlen("zuk: "));
        return;
    }
    progress_pause();
    const char *end = terminal ? "\033[K" : "\n";
    size_t used = fit(line, sizeof line - strlen(end) - 1, all);
    used += (size_t)snprintf(line + used, sizeof line - used, "%s", end);
    line_size = (sig_atomic_t)used;
    spoke = false;
    shown = 0;
    if (partial) {
        partial = false;
        put("\n", 1);
    }
    if (!terminal) { /* each for itself */
        due = 0;
        set_timer(PATIENCE_MS);
    }
    progress_resume();
}

bool progress_on_terminal(void) {
    return plan != 0 && terminal;
}

void progress_relay(const char *bytes, size_t size) {
    progress_pause();
    spoke = true;
    put(bytes, size);
    for (size_t i = 0; i < size; i++) {
        bool ends = bytes[i] == '\n' || bytes[i] == '\r';
        escaped = !ends && (escaped || bytes[i] == '\033');
        partial = !ends && !escaped;
    }
    progress_resume();
}
