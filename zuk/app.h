/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The app on its way through the passes: what goes in (a project, archives,
 * objects, an executable) and what comes out: one static ELF executable.
 */
#ifndef ZUK_APP_H
#define ZUK_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/util.h"

/* What the user asked for; filled by cmd_build.c, cmd_run.c, cmd_exec.c. */
struct app_request {
    const char *const *inputs; /* paths as given */
    size_t input_count;
    const char *work;     /* existing folder for intermediate files (stubs.S, link.cmd, app.elf) */
    const char *zig;      /* --zig, or NULL */
    const char *artifact; /* --artifact, or NULL */
    const char *name;     /* what the app is called, or NULL: after its first input */
    bool strict;          /* every undefined symbol is an error */
    bool strip;           /* leave symbols and debug information out of the image */
    bool reproducible;    /* the same image from the same sources, whatever it costs */
    const char *const
        *zig_args; /* extra arguments for `zig build` (-D...), NULL-terminated, or NULL */
};

struct app {
    const char *path;              /* the executable: work/app.elf, or the input itself */
    const char *name;              /* for people: "hello-zig", "libapp.a" -> "app" */
    const char *debug_path;        /* same program with its debug information (may be path) */
    const char *const *stubs;      /* names of undefined symbols by stub index */
    const char *const *stub_lines; /* "src/conn.zig:41", or NULL, each; NULL: none known */
    const bool *stub_called;       /* a function; else data */
    size_t stub_count;
    bool linked; /* we linked it (false: taken as it was) */
};

/* Makes the executable.  Returns false after diag_error; every error of a
 * pass is reported before the pass gives up. */
bool app_make(const struct app_request *request, struct app *app);

#endif
