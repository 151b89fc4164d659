/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The command line of `build`, `run` and `exec`: one table of options, one
 * parser.  A subcommand says which sets it takes; an option of another set is
 * as unknown as a misspelt one.
 *
 * Everything that is not an option is an input, and what follows "--" are the
 * app's arguments.  With OPTIONS_PROGRAM (exec) the first input ends the
 * options: all that follows it belongs to the app.
 */
#ifndef ZUK_OPTIONS_H
#define ZUK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/net.h"

enum options_set {
    OPTIONS_BUILD = 1,   /* -o --artifact --zig --strict --strip -D */
    OPTIONS_RUN = 2,     /* -m --cpus --timeout --accel --machine --strace --json --dry-run --gdb */
    OPTIONS_PROGRAM = 4, /* one input, then the app's arguments; no "--" needed */
    OPTIONS_NEW = 8,     /* --lang */
    OPTIONS_JSON = 16,   /* --json */
    OPTIONS_NO_INPUT = 32,  /* there may be none */
    OPTIONS_LOOK = 64,      /* looks at inputs, or at the project here when there are none */
    OPTIONS_LOGS = 128,     /* -f */
    OPTIONS_STOP = 256,     /* -t */
    OPTIONS_NAMES = 512,    /* none of its own */
    OPTIONS_EXPORT = 1024,  /* -o --artifact --zig -D */
    OPTIONS_SIZE = 1 << 15, /* --html --diff */
};

enum { OPTIONS_PATIENCE_MS = 86400000 }; /* a day */
enum options_accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

enum { OPTIONS_CPUS = 64 }; /* the most that the kernel takes */

struct options {
    /* every command */
    const char *const *inputs; /* NULL-terminated, at least one */
    size_t input_count;
    const char *const *args; /* the app's, after argv[0]; NULL-terminated */
    size_t arg_count;
    bool args_given;        /* there was a "--" (or, with OPTIONS_PROGRAM, an input) */
    const char *const *env; /* -e NAME=VALUE; `-e NAME` takes the value from our environment */
    size_t env_count;
    const char *const *missing; /* --missing: "trap", "enosys", "NAME=POLICY"; checked */
    size_t missing_count;
    const char *const *rootfs; /* --rootfs: folders and archives, a later one wins */
    size_t rootfs_count;
    const char *certificates; /* --ca-certificates, or NULL */
    const char *config;       /* --config, or NULL */
    const char *const *set;   /* --set OPTION=VALUE */
    size_t set_count;
    const char *title; /* the Kraftfile's name of the app, or NULL; not parsed */
    /* OPTIONS_BUILD */
    const char *output; /* -o, or NULL */
    const char *artifact;
    const char *zig;
    const char *const *zig_args; /* -D..., NULL-terminated, or NULL */
    bool strict;
    bool strip;
    bool reproducible;
    bool lock;   /* writes zuk.lock */
    bool locked; /* and zuk.lock must hold */
    /* OPTIONS_RUN */
    bool env_all;        /* our environment too; -e wins */
    bool cwd_ro;         /* a read-only copy of the working directory */
    uint64_t memory;     /* bytes; 0: default */
    unsigned cpus;       /* 0: one */
    uint64_t timeout_ms; /* 0: none */
    enum options_accel accel;
    const char *machine; /* "microvm", "q35", "pc"; never NULL */
    struct net_config net;
    uint64_t fail; /* the allocation that is refused on purpose; 0: none */
    bool isolate;  /* the app at CPL 3 */
    bool machine_given;
    bool strace;
    const char *trace; /* a file, or NULL */
    bool timeline;
    const char *profile; /* a file, or NULL */
    bool unikraft;       /* OPTIONS_BUILD: --kernel unikraft */
    bool json;           /* reports as one JSON object on stderr */
    bool dry_run;
    bool gdb;
    uint16_t gdb_port; /* 1234 unless given; 0 without --gdb */
    bool detach;
    bool watch;
    const char *name; /* of a detached machine, or NULL */
    /* OPTIONS_LOGS, OPTIONS_STOP */
    bool follow;
    unsigned patience_ms; /* 10 s */
    /* OPTIONS_SIZE */
    const char *html; /* a file, or NULL */
    const char *diff; /* another image, or NULL */
    /* OPTIONS_NEW */
    const char *lang; /* "zig" or "c"; never NULL */
};

/* Parses argv[1..] of a subcommand (argv[0] is its name).  -q, -v and --color
 * take effect at once (diag.h).  Returns -1 to go on; otherwise the exit status
 * with which to end: EXIT_OK after --help, EXIT_USAGE after a diag_error. */
int options_parse(int argc, char **argv, unsigned sets, struct options *o);

/* What --help prints: the way to call a command, and a line an option.  While
 * `options_tell` is set, --help gives it the lines instead: without a letter that is 0,
 * without a value meta is NULL. */
const char *options_synopsis(const char *command, unsigned sets);
struct option_line {
    const char *command, *name, *meta, *help;
    char letter;
    bool optional; /* the value: it stands behind a '=' then */
};
extern void (*options_tell)(const struct option_line *line);

/* "64M", "1G", "65536K", "64" (MiB) -> bytes; false when it is no size. */
bool options_size(const char *text, uint64_t *bytes);

/* The word of a NULL-terminated list that the user may have meant, or NULL. */
const char *options_nearest(const char *word, const char *const *words);

#endif
