/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk verify IMAGE [OPTION...] [INPUT...]: builds it again and compares.
 *
 * Without inputs the command is taken that `build --reproducible` left in
 * IMAGE.zuk/command: its working directory and its words, each ended by a NUL.
 */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zuk/build.h"
#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/options.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/util.h"

struct room {
    const char *name;
    size_t start, size;
};

enum { KERNEL, MANIFEST, APP, FILES, HEADER, ROOMS };

/* The rooms of an image that was opened. */
static void divide(const struct image_info *info, const struct file_map *map,
                   struct room rooms[ROOMS]) {
    Elf64_Ehdr e;
    memcpy(&e, map->data, sizeof e); /* image_open has checked all that is used here */
    size_t head = e.e_phoff + (size_t)e.e_phnum * sizeof(Elf64_Phdr);
    size_t app_end = info->app_offset + info->app_size;
    rooms[KERNEL] = (struct room){"the kernel", head, info->manifest_offset - head};
    rooms[MANIFEST] = (struct room){"the manifest", info->manifest_offset,
                                    info->app_offset - info->manifest_offset};
    rooms[APP] = (struct room){"the app", info->app_offset, info->app_size};
    rooms[FILES] = (struct room){"the files", app_end, map->size - app_end};
    rooms[HEADER] = (struct room){"the headers", 0, head};
}

/* The section of the app that holds a byte, or NULL. */
static const char *section_at(const uint8_t *app, size_t size, size_t at) {
    Elf64_Ehdr e;
    if (size < sizeof e) {
        return NULL;
    }
    memcpy(&e, app, sizeof e);
    if (e.e_shentsize != sizeof(Elf64_Shdr) || e.e_shoff > size ||
        e.e_shnum > (size - e.e_shoff) / sizeof(Elf64_Shdr) || e.e_shstrndx >= e.e_shnum) {
        return NULL;
    }
    Elf64_Shdr names, s;
    memcpy(&names, app + e.e_shoff + e.e_shstrndx * sizeof names, sizeof names);
    if (names.sh_offset > size || names.sh_size > size - names.sh_offset || names.sh_size == 0 ||
        app[names.sh_offset + names.sh_size - 1] != 0) {
        return NULL;
    }
    for (unsigned i = 0; i < e.e_shnum; i++) {
        memcpy(&s, app + e.e_shoff + i * sizeof s, sizeof s);
        if (s.sh_type != SHT_NOBITS && s.sh_type != SHT_NULL && at >= s.sh_offset &&
            at - s.sh_offset < s.sh_size && s.sh_name < names.sh_size) {
            return xstrdup((const char *)app + names.sh_offset + s.sh_name);
        }
    }
    return NULL;
}

/* Is it the same?  Says where it is not. */
static bool compare(const char *path, const char *again) {
    struct image_info info[2];
    struct file_map map[2];
    struct room rooms[2][ROOMS];
    if (!image_open(path, &info[0]) || !image_open(again, &info[1]) || !file_map(path, &map[0]) ||
        !file_map(again, &map[1])) {
        return false;
    }
    bool same = map[0].size == map[1].size && memcmp(map[0].data, map[1].data, map[0].size) == 0;
    divide(&info[0], &map[0], rooms[0]);
    divide(&info[1], &map[1], rooms[1]);
    for (int i = 0; !same && i < ROOMS; i++) {
        const struct room *a = &rooms[0][i], *b = &rooms[1][i];
        size_t least = a->size < b->size ? a->size : b->size, at = 0;
        const uint8_t *x = map[0].data + a->start, *y = map[1].data + b->start;
        while (at < least && x[at] == y[at]) {
            at++;
        }
        if (at == least && a->size == b->size) {
            continue;
        }
        const char *section = i == APP ? section_at(x, a->size, at) : NULL;
        diag_error("'%s' is not what its sources give: %s differs first, at byte %zu%s%s (%zu "
                   "bytes; again: %zu)",
                   path, a->name, at, section == NULL ? "" : ", in section ",
                   section == NULL ? "" : section, a->size, b->size);
        break;
    }
    file_unmap(&map[0]);
    file_unmap(&map[1]);
    return same;
}

struct words {
    VEC(const char *) list;
};

/* The command that made the image; its folder becomes ours.  False after
 * diag_error. */
static bool recorded(const char *image, struct words *w) {
    const char *path = path_join(xasprintf("%s.zuk", image), "command");
    struct file_map map;
    if (!is_file(path)) {
        diag_error("it is not known how '%s' was made: there is no '%s'", image, path);
        diag_hint("build it with --reproducible, or name its inputs: zuk verify IMAGE INPUT...");
        return false;
    }
    if (!file_map(path, &map)) {
        return false;
    }
    for (size_t at = 0; at < map.size;) {
        char *word = xstrndup((const char *)map.data + at, map.size - at);
        *vec_push(&w->list) = word;
        at += strlen(word) + 1;
    }
    file_unmap(&map);
    if (w->list.len < 2 || chdir(w->list.data[0]) != 0) {
        diag_error("cannot enter the folder where '%s' was made: %s", image, strerror(errno));
        return false;
    }
    return true;
}

static int build_again(const char *output, const struct words *w) {
    char *self = realpath("/proc/self/exe", NULL);
    VEC(const char *) argv = {0};
    *vec_push(&argv) = self;
    *vec_push(&argv) = "build";
    *vec_push(&argv) = "--reproducible";
    size_t i = 0;
    for (; i < w->list.len && strcmp(w->list.data[i], "--") != 0; i++) {
        *vec_push(&argv) = w->list.data[i];
    }
    *vec_push(&argv) = "-o";
    *vec_push(&argv) = output;
    if (diag_verbosity != 0) {
        *vec_push(&argv) = diag_verbosity < 0 ? "-q" : "-v";
    }
    for (; i < w->list.len; i++) {
        *vec_push(&argv) = w->list.data[i];
    }
    *vec_push(&argv) = NULL;
    struct run run = {.argv = argv.data};
    int status = run_program(&run);
    free(self);
    return status < 0 ? EXIT_USER : status;
}

int cmd_verify(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_BUILD, &o);
    if (status >= 0) {
        return status;
    }
    struct image_info info;
    char *image = realpath(o.inputs[0], NULL);
    if (image == NULL || !image_open(image, &info)) {
        if (image == NULL) {
            diag_error("cannot find '%s': %s", o.inputs[0], strerror(errno));
        }
        return EXIT_USER;
    }
    struct words w = {0}, given = {0};
    for (int i = 1; i < argc; i++) {
        if (argv[i] != o.inputs[0]) {
            *vec_push(&given.list) = argv[i];
        }
    }
    if (o.input_count == 1) {
        if (!recorded(image, &w)) {
            return EXIT_USER;
        }
        w.list.data++; /* the folder */
        w.list.len--;
    } else {
        w = given;
    }
    char *folder = scratch_folder();
    if (folder == NULL) {
        return EXIT_USER;
    }
    const char *again = path_join(folder, path_base(image));
    progress_plan(3);
    progress_step(0, "building %s again", path_base(image));
    status = build_again(again, &w);
    if (status == 0) {
        progress_step(1, "comparing %s", path_base(image));
        status = compare(image, again) ? EXIT_OK : EXIT_USER;
    } else {
        diag_error("'%s' could not be built again", image);
    }
    progress_end();
    if (status == 0) {
        printf("%s: the same, bit for bit\n", o.inputs[0]);
        status = fflush(stdout) == 0 ? EXIT_OK : EXIT_USER;
    }
    (void)remove_tree(folder);
    free(image);
    return status;
}
