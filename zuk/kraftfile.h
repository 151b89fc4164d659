/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kraftfiles (spec v0.6 and the older names that it allows): YAML, of which
 * every key either has a meaning here, or is said to have none.
 *
 * Nothing in the file is believed: its size, its depth and the number of its
 * nodes are bounded, with each alias written out, so that a small file becomes no
 * large one; an alias within what it stands for is refused.
 */
#ifndef ZUK_KRAFTFILE_H
#define ZUK_KRAFTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "zuk/config.h"

struct kraftfile_port {
    const char *text;  /* "8080:80/tcp" */
    const char *where; /* "Kraftfile:7:5" */
};

struct kraftfile {
    const char *name; /* NULL: not said */
    VEC(const char *) args;
    bool has_args;
    VEC(const char *) env; /* NAME=VALUE */
    const char *rootfs;    /* as written: relative to the Kraftfile's folder; or NULL */
    const char *rootfs_where;
    VEC(struct kraftfile_port) ports;
    VEC(const char *) idle; /* "libraries (Kraftfile:9)": keys without a meaning here */
};

/* Reads the text; its kconfig becomes words of source CONFIG_KRAFTFILE.  False
 * after diag_error: every error of the file is told, with line, column and the
 * nearest valid key. */
bool kraftfile_parse(const char *path, const char *text, size_t size, struct kraftfile *out,
                     struct config *config);

/* The Kraftfile in a folder (Kraftfile, kraft.yaml, kraft.yml), or NULL. */
const char *kraftfile_find(const char *folder);

#endif
