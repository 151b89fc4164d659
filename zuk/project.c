/* SPDX-License-Identifier: BSD-3-Clause
 *
 * `zig build` in the user's folder, into a private prefix.  Its output goes
 * to stderr as it is; stdout belongs to the app.
 */
#include "zuk/project.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/input.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/resolve.h"

#define TARGET "x86_64-linux-musl"

/* --- the private prefix ------------------------------------------------- */

static const char *absolute(const char *path) {
    char *real = realpath(path, NULL);
    if (!real) {
        diag_error("cannot find '%s': %s", path, strerror(errno));
        return NULL;
    }
    char *copy = xstrdup(real);
    free(real);
    return copy;
}

/* --- zig build ---------------------------------------------------------- */

static bool user_chose_target(const struct app_request *request) {
    for (size_t i = 0; request->zig_args && request->zig_args[i]; i++) {
        if (strncmp(request->zig_args[i], "-Dtarget=", 9) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL-terminated; work is absolute.  Zig keeps a project's cache in the project, and one that may
 * only be read has it in our work folder. */
static const char *const *environment(const char *folder, const char *work) {
    const char *own = path_join(folder, ".zig-cache");
    if (getenv("ZIG_LOCAL_CACHE_DIR") != NULL ||
        access(access(own, F_OK) == 0 ? own : folder, W_OK) == 0) {
        return NULL;
    }
    const char **env = xalloc(2 * sizeof *env);
    env[0] = xasprintf("ZIG_LOCAL_CACHE_DIR=%s/zig-cache", work);
    return env;
}

/* `zig build --help` lists a build.zig's options; when it fails, the build
 * itself will say why. */
static bool takes_target(const char *zig, const char *folder, const char *const *env) {
    const char *const argv[] = {zig, "build", "--help", NULL};
    char *out, *err;
    struct run run = {.argv = argv, .cwd = folder, .extra_env = env, .out = &out, .err = &err};
    int status = run_program(&run);
    return status == 0 && (strstr(out, "-Dtarget=") || strstr(err, "-Dtarget="));
}

/* The order in which Zig's threads finish shows in its output (0.17's Debug
 * builds): where that matters it gets one CPU.  Returns what it had. */
static cpu_set_t one_cpu(bool wanted) {
    cpu_set_t all, one;
    CPU_ZERO(&all);
    CPU_ZERO(&one);
    (void)sched_getaffinity(0, sizeof all, &all);
    for (int i = 0; wanted && i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &one);
            (void)sched_setaffinity(0, sizeof one, &one);
            break;
        }
    }
    return all;
}

static bool run_build(const struct app_request *request, const char *zig, const char *folder,
                      const char *prefix, const char *const *env, bool with_target) {
    VEC(const char *) argv = {0};
    *vec_push(&argv) = zig;
    *vec_push(&argv) = "build";
    *vec_push(&argv) = "install";
    *vec_push(&argv) = "--prefix";
    *vec_push(&argv) = prefix;
    if (with_target) {
        *vec_push(&argv) = "-Dtarget=" TARGET;
    }
    for (size_t i = 0; request->zig_args && request->zig_args[i]; i++) {
        *vec_push(&argv) = request->zig_args[i];
    }
    *vec_push(&argv) = NULL;
    struct run run = {.argv = argv.data, .cwd = folder, .extra_env = env, .out_to_err = true};
    cpu_set_t before = one_cpu(request->reproducible);
    int status = run_program(&run);
    (void)sched_setaffinity(0, sizeof before, &before);
    if (status == 0) {
        return true;
    }
    if (status == -1) {
        diag_error("cannot start '%s': %s", zig, strerror(errno));
    } else if (status >= 128) {
        diag_error("'zig build' in '%s' was ended by signal %d", folder, status - 128);
    } else {
        diag_error("'zig build' failed in '%s' (status %d)", folder, status);
    }
    return false;
}

/* --- what it installed -------------------------------------------------- */

struct artifact {
    const char *path;
    enum file_kind kind;
    bool usable; /* an archive with main, a static executable */
};

static VEC(const char *) found_files; /* nftw has no context argument */

static int note_file(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)ftw;
    if (type == FTW_F && S_ISREG(st->st_mode)) {
        *vec_push(&found_files) = xstrdup(path);
    }
    return 0;
}

static int by_path(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Looks without a word: what is chosen is checked aloud later. */
static struct artifact look_at(const char *path) {
    struct artifact a = {.path = path, .kind = FILE_OTHER};
    struct input input;
    bool was_quiet = diag_quiet;
    diag_quiet = true;
    bool ok = input_open(&input, path);
    a.kind = input.kind;
    if (ok && a.kind == FILE_ARCHIVE) {
        struct resolution r = {0};
        resolve_archive(&r, &input.archive);
        a.usable = r.mains.len || r.starts.len;
    } else if (ok && a.kind == FILE_EXECUTABLE) {
        a.usable = true;
    }
    diag_quiet = was_quiet;
    return a;
}

/* "libapp.a" is called libapp.a, libapp and app. */
static bool is_called(const char *path, const char *name) {
    const char *base = path_base(path);
    size_t length = strlen(base);
    if (length > 2 && strcmp(base + length - 2, ".a") == 0) {
        length -= 2;
    }
    bool library = strncmp(base, "lib", 3) == 0 && length > 3;
    size_t wanted = strlen(name);
    return strcmp(base, name) == 0 || (wanted == length && memcmp(base, name, length) == 0) ||
           (library && wanted == length - 3 && memcmp(base + 3, name, wanted) == 0);
}

struct artifacts {
    VEC(struct artifact) all; /* archives and ELF files */
};

static bool find_artifacts(const char *prefix, struct artifacts *found) {
    found_files.len = 0;
    if (is_dir(prefix) && nftw(prefix, note_file, 16, FTW_PHYS) != 0) {
        diag_error("cannot read '%s': %s", prefix, strerror(errno));
        return false;
    }
    if (found_files.len) {
        qsort(found_files.data, found_files.len, sizeof *found_files.data, by_path);
    }
    for (size_t i = 0; i < found_files.len; i++) {
        struct artifact a = look_at(found_files.data[i]);
        if (a.kind == FILE_ARCHIVE || a.kind == FILE_EXECUTABLE || a.kind == FILE_OBJECT) {
            *vec_push(&found->all) = a;
        }
    }
    return true;
}

static void list_artifacts(const struct artifacts *found, bool usable_only) {
    for (size_t i = 0; i < found->all.len; i++) {
        const struct artifact *a = &found->all.data[i];
        if (a->usable || !usable_only) {
            diag_hint("--artifact %s", path_base(a->path));
        }
    }
}

static const char *pick_named(const struct artifacts *found, const char *name, const char *folder) {
    const char *picked = NULL;
    for (size_t i = 0; i < found->all.len; i++) {
        const struct artifact *a = &found->all.data[i];
        if (is_called(a->path, name) && (!picked || a->usable)) {
            picked = a->path;
        }
    }
    if (!picked) {
        diag_error("'zig build' in '%s' installs no '%s'", folder, name);
        list_artifacts(found, false);
    }
    return picked;
}

/* Nothing is usable: says what there is, and why it cannot be used. */
static void refuse(const struct artifacts *found, const char *folder, bool with_target) {
    for (size_t i = 0; i < found->all.len; i++) {
        const struct artifact *a = &found->all.data[i];
        struct input input;
        if (a->kind != FILE_EXECUTABLE || input_open(&input, a->path)) {
            continue;
        }
        if (!with_target) {
            diag_hint("'%s/build.zig' takes no -Dtarget, so this was built for the host: use "
                      "b.standardTargetOptions, or set the target to " TARGET,
                      folder);
        }
        return;
    }
    diag_error("'zig build' in '%s' installs no static library that defines main, and no "
               "executable",
               folder);
    for (size_t i = 0; i < found->all.len; i++) {
        if (found->all.data[i].kind == FILE_ARCHIVE) {
            diag_hint("%s has no main", path_base(found->all.data[i].path));
        }
    }
    if (found->all.len == 0) {
        diag_hint("build.zig installs an artifact with b.installArtifact(...)");
    }
}

static const char *pick(const struct artifacts *found, const char *folder, bool with_target) {
    const char *picked = NULL;
    size_t usable = 0;
    for (size_t i = 0; i < found->all.len; i++) {
        if (found->all.data[i].usable) {
            picked = found->all.data[i].path;
            usable++;
        }
    }
    if (usable > 1) {
        diag_error("'zig build' in '%s' installs %zu artifacts: choose one", folder, usable);
        list_artifacts(found, true);
        return NULL;
    }
    if (!picked) {
        refuse(found, folder, with_target);
    }
    return picked;
}

/* --- undefined/ --------------------------------------------------------- */

/* In the project's folder, whose path goes into the debug information. */
static bool compile_override(const char *zig, const char *folder, const char *source,
                             const char *object) {
    size_t length = strlen(source);
    bool is_c = source[length - 1] == 'c';
    const char *const c[] = {zig, "cc", "-target", TARGET, "-g", "-c", source, "-o", object, NULL};
    const char *const z[] = {
        zig, "build-obj", "-target", TARGET, "-lc", source, xasprintf("-femit-bin=%s", object),
        NULL};
    struct run run = {.argv = is_c ? c : z, .cwd = folder, .out_to_err = true};
    int status = run_program(&run);
    if (status != 0) {
        diag_error("cannot compile '%s' (the compiler's words are above)", source);
    }
    return status == 0;
}

static int is_source(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' &&
           ((length > 2 && strcmp(entry->d_name + length - 2, ".c") == 0) ||
            (length > 4 && strcmp(entry->d_name + length - 4, ".zig") == 0));
}

static bool compile_overrides(const struct app_request *request, const char *zig,
                              const char *folder, struct project *project) {
    const char *sources = path_join(folder, "undefined");
    if (!is_dir(sources)) {
        return true;
    }
    struct dirent **entries;
    int count = scandir(sources, &entries, is_source, alphasort);
    if (count < 0) {
        diag_error("cannot read '%s': %s", sources, strerror(errno));
        return false;
    }
    const char *objects = path_join(request->work, "undefined");
    bool ok = make_dirs(objects);
    objects = ok ? absolute(objects) : objects;
    ok = ok && objects;
    for (int i = 0; i < count; i++) {
        const char *object = path_join(objects, xasprintf("%s.o", entries[i]->d_name));
        const char *source = path_join("undefined", entries[i]->d_name);
        ok = ok && compile_override(zig, folder, source, object);
        *vec_push(&project->overrides) = object;
        free(entries[i]);
    }
    free(entries);
    return ok;
}

bool project_build(const struct app_request *request, const char *folder, struct project *project) {
    if (!is_file(path_join(folder, "build.zig"))) {
        diag_error("'%s' is a folder without a build.zig", folder);
        diag_hint(
            "zuk takes a folder with build.zig, .a and .o files, or a static Linux executable");
        return false;
    }
    const char *zig = user_zig(request->zig);
    const char *work = zig ? absolute(request->work) : NULL;
    const char *whole = work ? absolute(folder) : NULL;
    if (!whole) {
        return false;
    }
    lend_zig_a_cache();
    const char *prefix = path_join(work, "prefix");
    const char *const *env = environment(folder, work);
    bool with_target = false;
    if (user_chose_target(request)) {
        progress_drop(PROGRESS_ASK);
    } else {
        progress_step(PROGRESS_ASK, "asking build.zig of %s for its options", path_base(whole));
        with_target = takes_target(zig, folder, env);
    }
    progress_step(PROGRESS_PROJECT, "building %s by zig build", path_base(whole));
    struct artifacts found = {0};
    /* What an earlier build installed must not be taken for this one's. */
    if (!remove_tree(prefix) || !run_build(request, zig, folder, prefix, env, with_target) ||
        !find_artifacts(prefix, &found)) {
        return false;
    }
    project->artifact = request->artifact ? pick_named(&found, request->artifact, folder)
                                          : pick(&found, folder, with_target);
    return project->artifact && compile_overrides(request, zig, folder, project);
}
