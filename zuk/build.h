/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From an executable to an image: scan, features, kernel, fuse.
 */
#ifndef ZUK_BUILD_H
#define ZUK_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/app.h"

struct config;
struct image_call_policy;
struct features;
struct scan;

struct image_request {
    const struct app *app;
    const char *work;        /* folder for features.txt, link.cmd, kernel.elf */
    const char *output;      /* the image */
    const char *const *args; /* default arguments after argv[0] */
    size_t arg_count;
    const char *const *env; /* NAME=VALUE */
    size_t env_count;
    const char *const *missing; /* "trap", "enosys", "NAME=POLICY" in order */
    size_t missing_count;
    const char *const *rootfs; /* sources of a tree of files that goes into the image */
    size_t rootfs_count;
    const char *certificates;    /* a CA bundle that goes into the image, or NULL */
    bool sbom;                   /* a bill of materials goes into it */
    bool fail;                   /* with memory that is refused on purpose */
    bool profile;                /* with a timer that looks where time goes */
    bool files;                  /* a run may bring a tree of files */
    const struct config *config; /* what the user says of options, or NULL */
};

/* Makes the image; atomic.  Returns false after diag_error. */
bool image_make(const struct image_request *request);

/* The options of an app whose calls were found: deduced, then overruled by the
 * user's (told aloud unless quiet). */
void image_features(const struct image_request *request, const struct scan *scan, bool quiet,
                    struct features *out);

/* What a finished image says of itself (see abi/image.h). */
struct image_info {
    const char *path;
    uint64_t manifest_offset; /* in the file */
    uint64_t app_offset, app_size;
    uint64_t end_paddr; /* first byte after the image in guest memory */
    uint64_t kernel_id;
    const char *name;
    const char *const *stubs;
    size_t stub_count;
    const char *options;
    const char *arg0;
    const char *sbom;        /* SPDX, or NULL */
    const char *const *args; /* argv[0] included; NULL-terminated */
    const char *const *env;
    size_t arg_count, env_count;
    unsigned default_policy; /* enum image_policy */
    const struct image_call_policy *policies;
    size_t policy_count;
    uint32_t manifest_size;
    uint64_t root_offset, root_size; /* the tree of files in the file; 0: none */
};

bool image_is(const char *path);                            /* quiet: is this file a zuk image? */
bool image_open(const char *path, struct image_info *info); /* false after diag_error */
/* Path of the kernel's ELF with symbols for that id, or NULL. */
const char *kernel_symbols(uint64_t kernel_id);

/* Project or archive or executable -> image, with a no-op check (inputs,
 * options, zuk and kernel objects unchanged: nothing is done).  The one entry
 * that `build`, `run` and `exec` share. */
bool build_image(const struct app_request *app, const struct image_request *image);
/* Its steps, for a command that begins with one of its own. */
void build_plan(const struct app_request *app, const struct image_request *image);
/* The first half of it: the executable, made anew only when something changed.
 * The caller ends the progress. */
bool build_app(const struct app_request *request, struct app *app);

#endif
