/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk build INPUT... [-o FILE]: makes an image.  The passes, in order:
 *
 *     app_make    inputs -> app.elf (input, resolve, stub, link)
 *     scan        which system calls can it make?
 *     features    calls -> options
 *     kernel      options -> objects -> kernel.elf
 *     image       kernel.elf + app.elf + manifest -> the image
 *
 * What a pass decided lies in <image>.zuk/.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zuk/build.h"
#include "zuk/canonical.h"
#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/kraft.h"
#include "zuk/lock.h"
#include "zuk/progress.h"
#include "zuk/settings.h"
#include "zuk/util.h"

/* For zuk verify: where we are and what was said, but for -o. */
static bool record(int argc, char **argv, const struct options *o, const char *work) {
    VEC(char) text = {0};
    char here[PATH_MAX];
    if (getcwd(here, sizeof here) == NULL || !make_dirs(work)) {
        diag_error("cannot tell which folder this is: %s", strerror(errno));
        return false;
    }
    for (int i = 0; i < argc; i++) {
        const char *word = i == 0 ? here : argv[i];
        bool is_output = o->output != NULL && i > 0 &&
                         (word == o->output || (i + 1 < argc && argv[i + 1] == o->output));
        if (is_output || (i > 0 && (strcmp(word, "--lock") == 0 || strcmp(word, "--locked") == 0 ||
                                    strncmp(word, "--output=", 9) == 0 ||
                                    (word[0] == '-' && word[1] == 'o' && word[2] != '\0')))) {
            continue;
        }
        for (const char *s = word; *s != '\0'; s++) {
            *vec_push(&text) = *s;
        }
        *vec_push(&text) = '\0';
    }
    return write_file(path_join(work, "command"), text.data, text.len);
}

/* The input that the image would take the place of, or NULL. */
static const char *input_at(const struct options *o, const char *output) {
    struct stat there, st;
    for (size_t i = 0; i < o->input_count && stat(output, &there) == 0; i++) {
        if (stat(o->inputs[i], &st) == 0 && st.st_ino == there.st_ino &&
            st.st_dev == there.st_dev) {
            return o->inputs[i];
        }
    }
    return NULL;
}

int cmd_build(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_BUILD, &o);
    if (status >= 0) {
        return status;
    }
    if (o.unikraft) {
        return kraft_build(&o);
    }
    struct config config;
    if (!settings_load(&o, &config)) {
        return EXIT_USER;
    }
    const char *output =
        o.output != NULL ? o.output : xasprintf("%s-x86_64.elf", settings_name(&o));
    const char *work = xasprintf("%s.zuk", output);
    if (is_dir(output)) {
        diag_error("'%s' is a folder; -o names the image itself", output);
        return EXIT_USER;
    }
    const char *input = input_at(&o, output);
    if (input != NULL) {
        diag_error("'%s' is the input '%s'", output, input);
        diag_hint("-o names another file for the image");
        return EXIT_USER;
    }
    if (o.reproducible && !canonical_is()) {
        if (!record(argc, argv, &o, work)) {
            return EXIT_USER;
        }
        status = canonical_build(argc, argv, &o, output);
        if (status != CANONICAL_REFUSED) {
            return status;
        }
        if (!canonical_without(&o)) {
            return EXIT_USER;
        }
    }
    struct app_request app = settings_app(&o, work);
    struct image_request image = settings_image(&o, &config, work, output);
    image.files = false; /* they go into it */
    image.sbom = true;
    image.args = o.args;
    image.arg_count = o.arg_count;
    image.env = o.env;
    image.env_count = o.env_count;
    image.missing = o.missing;
    image.missing_count = o.missing_count;
    image.rootfs = o.rootfs;
    image.rootfs_count = o.rootfs_count;
    image.certificates = o.certificates;
    bool there = is_dir(work);
    const char *folder = settings_folder(&o);
    if (o.locked || o.lock) {
        build_plan(&app, &image);
        progress_step(PROGRESS_LOCK, o.locked ? "checking zuk.lock" : "writing zuk.lock");
    }
    if ((o.locked && !lock_check(&o, folder)) || (o.lock && !lock_write(&o, folder))) {
        return EXIT_USER;
    }
    if (build_image(&app, &image)) {
        return EXIT_OK;
    }
    if (!there) {
        (void)remove_tree(work); /* nothing half-made stays behind */
    }
    return EXIT_USER;
}
