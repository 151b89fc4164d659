/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Errors, warnings, notes and hints on stderr.  Each message leaves in one
 * write, so that a child writing to the same terminal cannot split it.
 */
#include "zuk/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zuk/progress.h"

int diag_verbosity;
bool diag_quiet;

static unsigned error_count;

static enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color_mode;

bool diag_color_set(const char *when) {
    if (strcmp(when, "auto") == 0) {
        color_mode = COLOR_AUTO;
    } else if (strcmp(when, "always") == 0) {
        color_mode = COLOR_ALWAYS;
    } else if (strcmp(when, "never") == 0) {
        color_mode = COLOR_NEVER;
    } else {
        return false;
    }
    return true;
}

bool diag_color(FILE *stream) {
    if (color_mode != COLOR_AUTO) {
        return color_mode == COLOR_ALWAYS;
    }
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */
    if (no_color && *no_color) {
        return false;
    }
    const char *term = getenv("TERM");
    if (term && strcmp(term, "dumb") == 0) {
        return false;
    }
    return isatty(fileno(stream)) == 1;
}

struct paint diag_paint(FILE *stream) {
    if (!diag_color(stream)) {
        return (struct paint){"", "", "", "", "", ""};
    }
    return (struct paint){"\033[1m",    "\033[1;31m", "\033[2m",
                          "\033[1;34m", "\033[1;36m", "\033[0m"};
}

unsigned diag_error_count(void) {
    return error_count;
}

/* One line: [color]prefix[reset]message\n, cut when it does not fit a large
 * heap buffer that could not be had. */
static void say(const char *prefix, const char *color, const char *fmt, va_list ap) {
    if (diag_quiet) {
        return;
    }
    char small[4096];
    char *text = small;
    va_list again;
    va_copy(again, ap);
    int need = vsnprintf(small, sizeof small, fmt, ap);
    size_t length = need < 0 ? 0 : (size_t)need;
    char *large = NULL;
    if (length >= sizeof small) {
        large = malloc(length + 1);
        if (large) {
            vsnprintf(large, length + 1, fmt, again);
            text = large;
        }
    }
    va_end(again);

    bool colored = *color && diag_color(stderr);
    char out[sizeof small + 64];
    const char *on = colored ? color : "";
    const char *off = colored ? "\033[0m" : "";
    progress_pause();
    if (text == small) {
        int n = snprintf(out, sizeof out, "%s%s%s%s\n", on, prefix, off, text);
        fwrite(out, 1, n < (int)sizeof out ? (size_t)n : sizeof out - 1, stderr);
    } else {
        fprintf(stderr, "%s%s%s%s\n", on, prefix, off, text);
    }
    fflush(stderr);
    progress_resume();
    free(large);
}

void diag_pass(const char *words) {
    if (*words != '\0') {
        progress_pause();
        fputs(words, stderr);
        progress_resume();
    }
}

void diag_error(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    error_count += !diag_quiet;
    say("zuk: error: ", "\033[1;31m", fmt, ap);
    va_end(ap);
}

void diag_warning(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    say("zuk: warning: ", "\033[1;35m", fmt, ap);
    va_end(ap);
}

void diag_note(const char *fmt, ...) {
    if (diag_verbosity < 0) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    say("zuk: ", "", fmt, ap);
    va_end(ap);
}

void diag_hint(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    say("  hint: ", "\033[1;36m", fmt, ap);
    va_end(ap);
}

void diag_verbose(const char *fmt, ...) {
    if (diag_verbosity < 1) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    say("zuk: ", "", fmt, ap);
    va_end(ap);
}
