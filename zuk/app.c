/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From what the user names to one static executable: takes it as it is, or
 * resolves and links archives and objects with the pinned Zig's musl.
 */
#include "zuk/app.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/input.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/project.h"
#include "zuk/resolve.h"
#include "zuk/strip.h"
#include "zuk/stub.h"
#include "zuk/toolchain.h"

/* Zig's own default; the kernel maps the stack lazily. */
#define STACK_SIZE "stack-size=16777216"
#define IMAGE_BASE "0x200000"

/* lld can hang or eat memory on damaged objects. */
enum { LINK_TIMEOUT_MS = 60 * 1000 };
#define LINK_MEMORY ((uint64_t)8 << 30)

/* --- names -------------------------------------------------------------- */

/* "libapp.a" -> "app", "x.o" -> "x", "folder/" -> "folder". */
static const char *name_of(const char *path, bool strip_affixes) {
    char *real = realpath(path, NULL);
    char *name = xstrdup(path_base(real ? real : path));
    free(real);
    size_t length = strlen(name);
    if (strip_affixes && length > 2 &&
        (strcmp(name + length - 2, ".a") == 0 || strcmp(name + length - 2, ".o") == 0)) {
        bool library = name[length - 1] == 'a' && strncmp(name, "lib", 3) == 0 && length > 5;
        name[length - 2] = 0;
        return library ? name + 3 : name;
    }
    return name;
}

/* --- linking ------------------------------------------------------------ */

struct library {
    struct file_map map;
    struct archive archive;
};

struct link {
    const struct app_request *request;
    struct resolution resolution;
    struct toolchain toolchain;
    struct library libraries[TOOLCHAIN_LIBRARIES];
    VEC(const char *) files; /* the user's, in the order of the command line */
    VEC(const struct input *)
    copied;    /* archives that lld would refuse: their members go to libs.a */
    bool bare; /* defines _start itself: no crt1.o */
};

static struct object *new_object(const char *path, const struct file_map *map, bool is_ours) {
    struct object *object = xalloc(sizeof *object);
    object->label = path;
    object->data = map->data;
    object->size = map->size;
    object->is_ours = is_ours;
    return object;
}

static bool add_input(struct link *l, const struct input *input) {
    *vec_push(&l->files) = input->path;
    if (input->kind == FILE_ARCHIVE && input->archive.is_unpadded) {
        *vec_push(&l->copied) = input;
    }
    return input->kind == FILE_ARCHIVE
               ? resolve_archive(&l->resolution, &input->archive)
               : resolve_object(&l->resolution, new_object(input->path, &input->map, false));
}

static bool add_library(struct link *l, size_t i) {
    struct library *library = &l->libraries[i];
    const char *path = l->toolchain.libraries[i];
    return file_map(path, &library->map) &&
           archive_read(&library->archive, path, library->map.data, library->map.size) &&
           resolve_library(&l->resolution, &library->archive);
}

/* An app begins at main; a library that brings its own _start (Zig without
 * libc) begins there. */
static bool check_entry(struct link *l) {
    const struct resolution *r = &l->resolution;
    const struct symbol *weak = symtab_find(&r->table, "main");
    if (r->mains.len > 1) {
        diag_error("main is defined %zu times:", r->mains.len);
        for (size_t i = 0; i < r->mains.len; i++) {
            diag_hint("in %s", r->mains.data[i]->label);
        }
        return false;
    }
    if (r->mains.len == 1 || (weak && weak->state != SYMBOL_UNDEFINED)) {
        return true;
    }
    l->bare = r->starts.len == 1;
    if (l->bare) {
        symbol_refer(symtab_get(&l->resolution.table, "_start"), false);
        return resolve_object(&l->resolution, r->starts.data[0]);
    }
    char *looked = xstrdup(l->files.data[0]);
    for (size_t i = 1; i < l->files.len; i++) {
        looked = xasprintf("%s, %s", looked, l->files.data[i]);
    }
    diag_error("no main in %s", looked);
    diag_hint("an app begins at main: 'pub fn main' or 'export fn main' in Zig, main in C");
    return false;
}

static bool resolve(struct link *l) {
    if (!toolchain_find(&l->toolchain)) {
        return false;
    }
    progress_step(PROGRESS_LINK, "linking %s", path_base(l->files.data[0]));
    struct file_map crt1;
    if (!l->bare && (!file_map(l->toolchain.crt1, &crt1) ||
                     !resolve_object(&l->resolution, new_object(l->toolchain.crt1, &crt1, true)))) {
        return false;
    }
    for (size_t i = 0; i < l->toolchain.library_count; i++) {
        if (!add_library(l, i)) {
            return false;
        }
    }
    return resolve_run(&l->resolution) && resolve_twins(&l->resolution) &&
           resolve_finish(&l->resolution);
}

/* --- the toolchain's part ----------------------------------------------- */

struct ar_names {
    VEC(char) text; /* the "//" member: name/\n ... */
};

static size_t ar_name(struct ar_names *names, const char *name) {
    size_t at = names->text.len;
    for (const char *p = name; *p; p++) {
        *vec_push(&names->text) = *p;
    }
    *vec_push(&names->text) = '/';
    *vec_push(&names->text) = '\n';
    return at;
}

static bool ar_write(struct output *o, const char *name, const void *data, size_t size) {
    char header[61];
    snprintf(header, sizeof header, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name, 0, 0, 0, 0644u, size);
    return output_write(o, header, 60) && output_write(o, data, size) &&
           (size % 2 == 0 || output_write(o, "\n", 1));
}

/* A library of a few large members is cheaper to name than to copy from. */
enum { FEW_MEMBERS = 16 };

static const struct object *linked_from(const struct link *l, size_t i,
                                        const struct file_map *map) {
    const struct object *object = l->resolution.linked.data[i];
    bool inside = object->data >= map->data && object->data < map->data + map->size;
    return inside ? object : NULL;
}

static bool any_linked_from(const struct link *l, const struct file_map *map) {
    for (size_t i = 0; i < l->resolution.linked.len; i++) {
        if (linked_from(l, i, map)) {
            return true;
        }
    }
    return false;
}

static const struct object *copied_member(const struct link *l, size_t i) {
    for (size_t k = 0; k < l->toolchain.library_count; k++) {
        const struct library *library = &l->libraries[k];
        if (library->archive.members.len > FEW_MEMBERS && linked_from(l, i, &library->map)) {
            return l->resolution.linked.data[i];
        }
    }
    for (size_t k = 0; k < l->copied.len; k++) {
        if (linked_from(l, i, &l->copied.data[k]->map)) {
            return l->resolution.linked.data[i];
        }
    }
    return NULL;
}

static bool is_copied(const struct link *l, const char *path) {
    for (size_t k = 0; k < l->copied.len; k++) {
        if (l->copied.data[k]->path == path) {
            return true;
        }
    }
    return false;
}

/* Writes the members that resolve_run chose to one archive.  lld would find
 * the same ones in the libraries, but reading 14 MB of them takes longer than
 * the rest of the link. */
static bool write_libraries(const struct link *l, const char *path) {
    const struct resolution *r = &l->resolution;
    struct ar_names names = {0};
    size_t *name_at = xalloc((r->linked.len + 1) * sizeof *name_at);
    for (size_t i = 0; i < r->linked.len; i++) {
        if (copied_member(l, i)) {
            name_at[i] = ar_name(&names, r->linked.data[i]->label);
        }
    }
    struct output *o = output_open(path, 0666);
    if (!o) {
        return false;
    }
    bool ok = output_write(o, "!<arch>\n", 8) && ar_write(o, "//", names.text.data, names.text.len);
    for (size_t i = 0; i < r->linked.len && ok; i++) {
        const struct object *object = copied_member(l, i);
        if (object) {
            char name[24];
            snprintf(name, sizeof name, "/%zu", name_at[i]);
            ok = ar_write(o, name, object->data, object->size);
        }
    }
    if (!ok) {
        output_abandon(o);
    }
    return ok && output_commit(o);
}

/* One argument a line; a user can paste it: the shell joins the lines. */
static bool write_command(const char *path, const char *const *argv) {
    char *text = xstrdup("");
    for (size_t i = 0; argv[i]; i++) {
        text = xasprintf("%s%s%s", text, i ? " \\\n    " : "", shell_word(argv[i]));
    }
    text = xasprintf("%s\n", text);
    return write_file(path, text, strlen(text));
}

/* lld writes through a mapping of OUTPUT.tmpXXXXXXX: on a full disk it dies of
 * SIGBUS, at any page of it, and leaves that file. */
static bool is_disk_full(const char *output, int status) {
    const char *base = path_base(output);
    uint64_t enough = status == 128 + SIGBUS ? (uint64_t)1 << 30 : (uint64_t)256 << 10;
    struct statvfs fs;
    return statvfs(xasprintf("%.*s.", (int)(base - output), output), &fs) == 0 &&
           (uint64_t)fs.f_bavail * fs.f_frsize < enough;
}

static void remove_leftovers(const char *output) {
    glob_t found;
    unlink(output);
    if (glob(xasprintf("%s.tmp*", output), GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
        globfree(&found);
    }
}

static bool run_linker(const struct link *l, const char *const *argv, const char *output) {
    char *out, *err;
    struct run run = {.argv = argv,
                      .out = &out,
                      .err = &err,
                      .timeout_ms = LINK_TIMEOUT_MS,
                      .memory_limit = LINK_MEMORY};
    int status = run_program(&run);
    int reason = errno;
    diag_pass(out);
    diag_pass(err);
    if (status == 0) {
        return true;
    }
    bool full = is_disk_full(output, status);
    remove_leftovers(output);
    const char *what = l->files.data[0];
    if (full && status > 0) {
        diag_error("cannot write '%s': %s", output, strerror(ENOSPC));
    } else if (status == -1) {
        diag_error("cannot start '%s': %s", argv[0], strerror(reason));
    } else if (status == -2) {
        diag_error("the linker did not end within %d s on '%s': is it damaged?",
                   LINK_TIMEOUT_MS / 1000, what);
    } else if (status >= 128) {
        diag_error("the linker crashed (signal %d) on '%s': is it damaged?", status - 128, what);
    } else {
        diag_error("cannot link '%s' into '%s' (the linker's words are above)", what, output);
    }
    return false;
}

static bool link_app(struct link *l, const char *output) {
    const char *stubs = NULL;
    if (l->resolution.undefined.len || l->resolution.twins.len) {
        stubs = path_join(l->request->work, "stubs.o");
        if (!stub_write(&l->resolution, l->request->work)) {
            return false;
        }
    } else {
        unlink(path_join(l->request->work, "stubs.o")); /* of an earlier build */
        unlink(path_join(l->request->work, "stubs.S"));
    }
    static const char *const fixed[] = {
        "ld.lld",
        "-m",
        "elf_x86_64",
        "-static",
        "-no-pie",
        "--entry",
        "_start",
        "--image-base",
        IMAGE_BASE,
        "--gc-sections",
        "--eh-frame-hdr",
        "--build-id=none",
        "-z",
        "noexecstack",
        "-z",
        "norelro",
        "-z",
        STACK_SIZE,
        "--error-limit=0",
        "--color-diagnostics=never",
    };
    VEC(const char *) argv = {0};
    *vec_push(&argv) = l->toolchain.zig;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        *vec_push(&argv) = fixed[i];
    }
    if (!l->request->strip) { /* merging strings costs time, and saves debug information's 1 % */
        *vec_push(&argv) = "-O0";
    }
    *vec_push(&argv) = "-o";
    *vec_push(&argv) = output;
    if (!l->bare) {
        *vec_push(&argv) = l->toolchain.crt1;
    }
    for (size_t i = 0; i < l->files.len; i++) {
        const char *file = l->files.data[i];
        if (!is_copied(l, file)) { /* "-x.a" is no option, "@x.a" no list of arguments */
            *vec_push(&argv) = *file == '-' || *file == '@' ? path_join(".", file) : file;
        }
    }
    if (stubs) {
        *vec_push(&argv) = stubs;
    }
    const char *libraries = path_join(l->request->work, "libs.a");
    *vec_push(&argv) = "--whole-archive";
    *vec_push(&argv) = libraries;
    *vec_push(&argv) = "--no-whole-archive";
    for (size_t i = 0; i < l->toolchain.library_count; i++) {
        const struct library *library = &l->libraries[i];
        if (library->archive.members.len <= FEW_MEMBERS && any_linked_from(l, &library->map)) {
            *vec_push(&argv) = l->toolchain.libraries[i];
        }
    }
    *vec_push(&argv) = NULL;
    return write_libraries(l, libraries) &&
           write_command(path_join(l->request->work, "link-app.cmd"), argv.data) &&
           run_linker(l, argv.data, output);
}

static bool name_stubs(const struct resolution *r, struct app *app) {
    const char **names = xalloc((r->undefined.len + 1) * sizeof *names);
    const char **lines = xalloc((r->undefined.len + 1) * sizeof *lines);
    bool *called = xalloc((r->undefined.len + 1) * sizeof *called);
    for (size_t i = 0; i < r->undefined.len; i++) {
        names[i] = r->undefined.data[i].name;
        lines[i] = r->undefined.data[i].line;
        called[i] = r->undefined.data[i].is_call;
    }
    app->stubs = names;
    app->stub_lines = lines;
    app->stub_called = called;
    app->stub_count = r->undefined.len;
    return true;
}

static bool make_from_objects(const struct app_request *request, const struct input *inputs,
                              size_t count, struct app *app) {
    struct link l = {.request = request};
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        ok &= add_input(&l, &inputs[i]);
    }
    if (!ok || !check_entry(&l) || !resolve(&l) || !stub_report(&l.resolution, request->strict)) {
        return false;
    }
    app->linked = true;
    app->path = path_join(request->work, "app.elf");
    app->debug_path = app->path;
    if (request->strip) {
        app->debug_path = path_join(request->work, "app.debug.elf");
    }
    return link_app(&l, app->debug_path) &&
           (!request->strip || strip_executable(app->debug_path, app->path)) &&
           name_stubs(&l.resolution, app);
}

/* --- the pass ----------------------------------------------------------- */

static bool make_from_files(const struct app_request *request, const char *const *paths,
                            size_t count, struct app *app) {
    struct input *inputs = xalloc((count + 1) * sizeof *inputs);
    const char *executable = NULL;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        ok &= input_open(&inputs[i], paths[i]);
        if (inputs[i].kind == FILE_EXECUTABLE) {
            executable = paths[i];
        }
    }
    if (!ok) {
        return false;
    }
    if (!executable) {
        return make_from_objects(request, inputs, count, app);
    }
    if (count > 1) {
        diag_error("'%s' is an executable: it cannot be linked with other files", executable);
        return false;
    }
    progress_drop(PROGRESS_LINK);
    progress_drop(PROGRESS_LIBC);
    app->path = app->debug_path = executable;
    return true;
}

static bool make_from_project(const struct app_request *request, struct app *app) {
    struct project project = {0};
    if (!project_build(request, request->inputs[0], &project)) {
        return false;
    }
    size_t count = project.overrides.len + 1;
    const char **paths = xalloc(count * sizeof *paths);
    struct file_map map;
    if (!file_map(project.artifact, &map)) {
        return false;
    }
    bool executable = file_kind(map.data, map.size) == FILE_EXECUTABLE;
    file_unmap(&map);
    if (executable && project.overrides.len) {
        diag_warning("'%s' is linked already: the files in undefined/ are left out",
                     project.artifact);
        count = 1;
    }
    paths[0] = project.artifact;
    for (size_t i = 1; i < count; i++) {
        paths[i] = project.overrides.data[i - 1];
    }
    return make_from_files(request, paths, count, app);
}

bool app_make(const struct app_request *request, struct app *app) {
    *app = (struct app){0};
    if (request->input_count == 0) {
        diag_error("no input");
        return false;
    }
    size_t folders = 0;
    for (size_t i = 0; i < request->input_count; i++) {
        folders += is_dir(request->inputs[i]);
    }
    if (folders && request->input_count > 1) {
        diag_error("a project's folder is built alone: name it without other inputs");
        return false;
    }
    bool ok = folders ? make_from_project(request, app)
                      : make_from_files(request, request->inputs, request->input_count, app);
    if (ok) {
        app->name = request->name != NULL ? request->name
                                          : name_of(request->inputs[0], app->linked && !folders);
    }
    return ok;
}
