/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a command line to the passes: gathers what the project's files and the
 * options say, completes the command line with it, and makes the requests.
 */
#ifndef ZUK_SETTINGS_H
#define ZUK_SETTINGS_H

#include "zuk/app.h"
#include "zuk/build.h"
#include "zuk/config.h"
#include "zuk/features.h"
#include "zuk/options.h"
#include "zuk/scan.h"

/* The folder whose .config counts: the project's, or the first input's. */
const char *settings_folder(const struct options *o);

/* Gathers the words of Kraftfile, .config, --config and --set.  What they say
 * and the command line does not is put into o.  False after diag_error. */
bool settings_load(struct options *o, struct config *config);

/* Does the command bring files for the guest to one run? */
bool settings_files(const struct options *o);
/* What the image is called: by the Kraftfile, else as the first input. */
const char *settings_name(const struct options *o);
/* The folder of intermediate files for these inputs and options in the cache,
 * always the same; NULL after diag_error. */
const char *settings_work(const struct options *o);
struct app_request settings_app(const struct options *o, const char *work);
struct image_request settings_image(const struct options *o, const struct config *config,
                                    const char *work, const char *output);

/* An input that is looked at, not run: the app, its calls and its options. */
struct look {
    struct config config;
    const char *work; /* NULL: an image */
    bool is_image;
    struct image_info image;
    struct app app;
    struct file_map map;  /* of app.path, or of the image */
    const uint8_t *bytes; /* the app's ELF file */
    size_t size;
    struct scan scan;
    struct features deduced; /* before the user's words */
    struct features features;
    /* what the image is made with: --missing and the options' policies */
    enum image_policy every;              /* IMAGE_POLICY_DEFAULT: each call's own */
    enum image_policy policy[SCAN_CALLS]; /* of single calls, likewise */
};

/* What a call that nobody provides does there. */
enum image_policy settings_policy(const struct look *look, unsigned number);

/* Builds the app when need be.  Without inputs takes the project in this
 * folder.  False after diag_error. */
bool settings_look(struct options *o, struct look *look);
/* Is there a project in this folder? */
bool settings_here(void);

#endif
