/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From what the user named to an image: app_make, then image_make; and the
 * check that spares both when nothing changed.
 *
 * The check keeps work/stamp: a hash over the request, the tools and the state
 * (size, times, inode) of every input file, taken before the build began, and
 * the state of the image.  In doubt it builds: a file touched so lately that
 * the file system's clock could hide a second change, a thin archive, a
 * project whose build.zig looks outside its folder.
 */
#include "zuk/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "zuk/config.h"
#include "zuk/diag.h"
#include "zuk/features.h"
#include "zuk/image.h"
#include "zuk/kernel.h"
#include "zuk/progress.h"
#include "zuk/rootfs.h"
#include "zuk/sbom.h"
#include "zuk/scan.h"
#include "zuk/toolchain.h"
#include "zuk/util.h"

/* --- from an executable to an image ------------------------------------- */

static double ms_since(int64_t ns) {
    return (double)(now_ns() - ns) / 1e6;
}

static void tell_scan(const struct scan *scan, double ms) {
    size_t count = 0;
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        count += scan->calls[i];
    }
    diag_verbose("scan: %zu system calls from %zu instructions, %zu functions read, %s, %.1f ms",
                 count, scan->instruction_count, scan->function_count,
                 scan->reachable_only ? "unreachable ones left out" : "reachable or not", ms);
    for (size_t i = 0; i < scan->site_count; i++) {
        diag_verbose("scan: 0x%llx in %s: %s", (unsigned long long)scan->sites[i].address,
                     scan->sites[i].function, scan->sites[i].why);
    }
}

void image_features(const struct image_request *request, const struct scan *scan, bool quiet,
                    struct features *out) {
    features_choose(scan, out);
    if (request->files || request->rootfs_count > 0 || request->certificates != NULL) {
        features_add(out, "ROOTFS", "--rootfs or --cwd-ro");
    }
    if (request->fail) {
        features_add(out, "FAIL", "--fail");
    }
    if (request->profile) {
        features_add(out, "PROFILE", "--profile");
    }
    if (request->config != NULL) {
        config_apply(request->config, out, scan, quiet);
    }
}

/* The image's options, as text beside it: IMAGE.config. */
static bool write_options(const struct image_request *request, const struct features *features) {
    static const struct config nothing;
    const char *text = config_full(request->config == NULL ? &nothing : request->config, features,
                                   path_base(request->output));
    return write_file(xasprintf("%s.config", request->output), text, strlen(text));
}

static bool choose(const struct image_request *request, struct features *features) {
    struct file_map map;
    if (!file_map(request->app->path, &map)) {
        return false;
    }
    struct scan scan;
    int64_t start = now_ns();
    bool ok = scan_explained(request->app->path, map.data, map.size, &scan);
    if (ok) {
        tell_scan(&scan, ms_since(start));
        image_features(request, &scan, false, features);
        char *text = features_text(features, &scan);
        ok = write_file(path_join(request->work, "features.txt"), text, strlen(text));
    }
    file_unmap(&map);
    return ok;
}

static int by_number(const void *a, const void *b) {
    const struct image_call_policy *x = a, *y = b;
    return x->number - y->number;
}

struct policies {
    VEC(struct image_call_policy) list;
    enum image_policy standard;
};

/* One word, after those before it: the last on a call counts. */
static bool add_policy(struct policies *all, const char *text) {
    struct features_policy p;
    if (!features_policy(text, &p)) {
        return false;
    }
    if (p.every) {
        all->standard = p.policy;
        return true;
    }
    size_t k = 0;
    while (k < all->list.len && all->list.data[k].number != p.number) {
        k++;
    }
    if (k == all->list.len) {
        vec_push(&all->list)->number = p.number;
    }
    all->list.data[k].policy = (uint16_t)p.policy;
    return true;
}

/* What the options say of missing calls, then --missing in order. */
static bool policies(const struct image_request *request, struct fuse *fuse) {
    struct policies all = {.standard = IMAGE_POLICY_DEFAULT};
    const char *every =
        request->config == NULL ? "default" : config_value(request->config, "MISSING");
    if (strcmp(every, "default") != 0 && !add_policy(&all, every)) {
        return false;
    }
    char *rest = NULL,
         *calls =
             xstrdup(request->config == NULL ? "" : config_value(request->config, "MISSING_CALLS"));
    for (char *w = strtok_r(calls, " ,", &rest); w != NULL; w = strtok_r(NULL, " ,", &rest)) {
        if (!add_policy(&all, w)) {
            return false;
        }
    }
    for (size_t i = 0; i < request->missing_count; i++) {
        if (!add_policy(&all, request->missing[i])) {
            return false;
        }
    }
    if (all.list.len > 0) {
        qsort(all.list.data, all.list.len, sizeof all.list.data[0], by_number);
    }
    fuse->default_policy = all.standard;
    fuse->policies = all.list.data;
    fuse->policy_count = all.list.len;
    return true;
}

bool image_make(const struct image_request *request) {
    const struct app *app = request->app;
    const char **args = xalloc((request->arg_count + 1) * sizeof *args);
    args[0] = app->name;
    for (size_t i = 0; i < request->arg_count; i++) {
        args[i + 1] = request->args[i];
    }
    struct features features;
    struct fuse fuse = {
        .app = app->path,
        .name = app->name,
        .args = args,
        .arg_count = request->arg_count + 1,
        .env = request->env,
        .env_count = request->env_count,
        .stubs = app->stubs,
        .stub_count = app->stub_count,
        .output = request->output,
    };
    uint64_t overhead, root_size;
    if (request->rootfs_count > 0 || request->certificates != NULL) {
        progress_step(PROGRESS_FILES, "packing the files for the guest");
        const struct rootfs_request root = {.sources = request->rootfs,
                                            .source_count = request->rootfs_count,
                                            .certificates = request->certificates};
        fuse.root = rootfs_make(&root, &root_size);
        if (fuse.root < 0) {
            return false;
        }
    }
    progress_step(PROGRESS_SCAN, "finding the system calls of %s", app->name);
    if (!policies(request, &fuse) || !choose(request, &features)) {
        return false;
    }
    progress_step(PROGRESS_KERNEL, "linking the kernel");
    if (!kernel_link(&features, "x86_64", request->work, &fuse.kernel, &fuse.kernel_id)) {
        return false;
    }
    progress_step(PROGRESS_IMAGE, "writing %s", request->output);
    fuse.options = features.names;
    fuse.sbom = request->sbom ? sbom_text(app, &features) : NULL;
    if (!image_fuse(&fuse, &overhead) || !write_options(request, &features)) {
        return false;
    }
    diag_verbose("%s: %llu bytes beside the app; options %s", request->output,
                 (unsigned long long)overhead, features.names);
    return true;
}

/* --- the check ---------------------------------------------------------- */

struct state {
    uint64_t hash;
    uint64_t app_hash; /* of what makes the executable */
    bool app_doubt;
    bool doubt;             /* something here cannot be checked */
    struct timespec newest; /* of all inputs' changes */
    bool coarse;            /* a time stamp without a fraction: a coarse clock */
    const char *output;     /* no input, wherever it lies */
};

static void mix(struct state *s, const void *data, size_t size) {
    s->hash = hash64(s->hash, data, size);
}

static void mix_string(struct state *s, const char *string) {
    if (string == NULL) {
        mix(s, "\xff", 1);
    } else {
        mix(s, string, strlen(string) + 1);
    }
}

static void mix_strings(struct state *s, const char *const *list, size_t count) {
    mix(s, &count, sizeof count);
    for (size_t i = 0; i < count; i++) {
        mix_string(s, list[i]);
    }
}

static void mix_stat(struct state *s, const struct stat *st) {
    uint64_t state[] = {
        (uint64_t)st->st_size,        (uint64_t)st->st_ino,          (uint64_t)st->st_dev,
        (uint64_t)st->st_mode,        (uint64_t)st->st_mtim.tv_sec,  (uint64_t)st->st_mtim.tv_nsec,
        (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec,
    };
    mix(s, state, sizeof state);
    s->coarse |= st->st_ctim.tv_nsec == 0;
    if (st->st_ctim.tv_sec > s->newest.tv_sec ||
        (st->st_ctim.tv_sec == s->newest.tv_sec && st->st_ctim.tv_nsec > s->newest.tv_nsec)) {
        s->newest = st->st_ctim;
    }
}

static void mix_file(struct state *s, const char *path) {
    struct stat st;
    mix_string(s, path);
    if (path != NULL && stat(path, &st) == 0) {
        mix_stat(s, &st);
    } else {
        mix_string(s, NULL);
    }
}

/* What a file holds makes it a doubt: a build script that runs programs, reads
 * the environment or names things outside its folder. */
static bool looks_outside(int dir, const char *name) {
    static const char *const words[] = {
        "../",           "\"/",         "cwd_relative", "bsolute",     "environ",
        "env_map",       "EnvVar",      "EnvMap",       "std.process", "SystemCommand",
        "SystemLibrary", "findProgram", ".run(",        "runAllow",    "std.fs",
        "std.posix",     "std.time",    "imestamp",     "Io.Dir",      "std.net",
    };
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    char *text = xalloc((64 << 10) + 1);
    ssize_t size = fd < 0 ? -1 : read(fd, text, 64 << 10);
    if (fd >= 0) {
        close(fd);
    }
    if (size < 0 || size == 64 << 10) {
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (memmem(text, (size_t)size, words[i], strlen(words[i])) != NULL) {
            return true;
        }
    }
    for (const char *p = text; (p = strstr(p, "@import(")) != NULL; p++) {
        if (strncmp(p + 8, "\"std\"", 5) != 0 && strncmp(p + 8, "\"builtin\"", 9) != 0) {
            return true; /* which may do all that */
        }
    }
    return false;
}

static bool is_product(const char *name) {
    static const char *const names[] = {".zig-cache", "zig-cache", "zig-out", ".git", NULL};
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    size_t n = strlen(name);
    return (n >= 4 && strcmp(name + n - 4, ".zuk") == 0) || (n > 1 && name[n - 1] == '~');
}

enum { DEPTH_MAX = 32, FILES_MAX = 20000 };

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Not of the app: the image, its options, and what the user says of them
 * (whose words are mixed, not their files). */
static bool is_ours(const struct state *s, const char *name) {
    static const char *const files[] = {".config", "Kraftfile", "kraft.yaml", "kraft.yml", NULL};
    for (size_t i = 0; files[i] != NULL; i++) {
        if (strcmp(name, files[i]) == 0) {
            return true;
        }
    }
    const char *output = s->output == NULL ? "" : path_base(s->output);
    return strcmp(name, output) == 0 || strcmp(name, xasprintf("%s.config", output)) == 0;
}

static void mix_folder(struct state *s, int parent, const char *name, unsigned depth,
                       unsigned *files) {
    int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent **list;
    int count = dir < 0 || depth > DEPTH_MAX ? -1 : scandirat(dir, ".", &list, NULL, by_name);
    unsigned taken = 0;
    if (count < 0) {
        s->doubt = true;
    }
    for (int i = 0; i < count; i++) {
        const char *entry = list[i]->d_name;
        struct stat st;
        if (strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0 || is_product(entry)) {
            free(list[i]);
            continue;
        }
        if (++*files > FILES_MAX || fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            S_ISLNK(st.st_mode)) {
            s->doubt = true; /* a link may lead outside */
        } else if (S_ISDIR(st.st_mode)) {
            taken++;
            mix_string(s, entry);
            mix_folder(s, dir, entry, depth + 1, files);
        } else if (depth > 0 || !is_ours(s, entry)) {
            taken++;
            mix_string(s, entry);
            mix_stat(s, &st);
            if (strncmp(entry, "build.zig", 9) == 0 && looks_outside(dir, entry)) {
                s->doubt = true;
            }
        }
        free(list[i]);
    }
    mix(s, &taken, sizeof taken);
    if (count >= 0) {
        free(list);
    }
    if (dir >= 0) {
        close(dir);
    }
}

static bool is_thin_archive(const char *path) {
    char magic[8] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, magic, sizeof magic);
    if (fd >= 0) {
        close(fd);
    }
    return n == sizeof magic && memcmp(magic, "!<thin>\n", sizeof magic) == 0;
}

/* False after diag_error when a tool is missing. */
static bool mix_tools(struct state *s, const struct app_request *app, bool project) {
    const char *pinned = pinned_zig();
    uint64_t kernel = pinned == NULL ? 0 : kernel_stamp("x86_64");
    const char *user = kernel == 0 || !project ? NULL : user_zig(app->zig);
    if (kernel == 0 || (project && user == NULL)) {
        return false;
    }
    mix_string(s, "zuk stamp 1");
    mix_file(s, "/proc/self/exe");
    mix_file(s, pinned);
    mix_file(s, user);
    mix(s, &kernel, sizeof kernel);
    for (char **e = environ; *e != NULL; e++) {
        if (strncmp(*e, "ZIG_", 4) == 0 || strncmp(*e, "ZUK_", 4) == 0) {
            mix_string(s, *e);
        }
    }
    return true;
}

static bool take_app_state(const struct app_request *app, const char *output, struct state *out) {
    struct state s = {.hash = 1, .output = output};
    bool project = false;
    for (size_t i = 0; i < app->input_count; i++) {
        const char *path = app->inputs[i];
        mix_string(&s, path);
        if (is_dir(path)) {
            unsigned files = 0;
            project = true;
            mix_folder(&s, AT_FDCWD, path, 0, &files);
        } else {
            mix_file(&s, path);
            s.doubt |= is_thin_archive(path);
        }
    }
    bool coarse = s.coarse;
    struct timespec newest = s.newest;
    if (!mix_tools(&s, app, project)) {
        return false;
    }
    s.coarse = coarse; /* tools do not change under our hands */
    s.newest = newest;
    bool flags[] = {app->strict, app->strip, app->reproducible};
    mix(&s, flags, sizeof flags);
    mix_string(&s, app->artifact);
    mix_string(&s, app->name);
    for (const char *const *a = app->zig_args; a != NULL && *a != NULL; a++) {
        mix_string(&s, *a);
    }
    mix_string(&s, NULL);
    s.app_hash = s.hash;
    s.app_doubt = s.doubt;
    *out = s;
    return true;
}

static bool take_state(const struct app_request *app, const struct image_request *image,
                       struct state *out) {
    struct state s;
    if (!take_app_state(app, image->output, &s)) {
        return false;
    }
    mix_strings(&s, image->args, image->arg_count);
    mix_strings(&s, image->env, image->env_count);
    mix_strings(&s, image->missing, image->missing_count);
    mix(&s, &image->files, sizeof image->files);
    const bool asked[] = {image->fail, image->profile};
    mix(&s, asked, sizeof asked);
    for (size_t i = 0; image->config != NULL && i < image->config->words.len; i++) {
        const struct config_word *w = &image->config->words.data[i];
        mix_string(&s, w->option->name);
        mix_string(&s, w->value);
        mix_string(&s, w->where);
    }
    s.doubt |= image->rootfs_count > 0 ||
               image->certificates != NULL; /* reading it all again is the check */
    *out = s;
    return true;
}

/* The text of a stamp: the inputs' hash and the image's state. */
static char *stamp_text(uint64_t inputs, const char *output) {
    struct state s = {.hash = 2};
    struct stat st;
    if (stat(output, &st) != 0) {
        return NULL;
    }
    mix_stat(&s, &st);
    return xasprintf("%016llx %016llx\n", (unsigned long long)inputs, (unsigned long long)s.hash);
}

static bool is_current(const char *stamp, uint64_t inputs, const char *output) {
    char text[64] = {0};
    int fd = open(stamp, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    const char *wanted = stamp_text(inputs, output);
    return n > 0 && wanted != NULL && strcmp(text, wanted) == 0;
}

/* The kernel stamps files with a clock that ticks every few milliseconds: an
 * input changed within the last tick could change again and look the same.
 * Waits until its tick is over.  False when that is no way to be sure. */
static bool outwait_tick(const struct state *s) {
    struct timespec now, tick = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    clock_getres(CLOCK_REALTIME_COARSE, &tick);
    const double two_ticks = 2 * ((double)tick.tv_sec * 1e3 + (double)tick.tv_nsec / 1e6);
    double age = (double)(now.tv_sec - s->newest.tv_sec) * 1e3 +
                 (double)(now.tv_nsec - s->newest.tv_nsec) / 1e6;
    if (s->coarse) {
        return age > 3000;
    }
    if (age < -two_ticks) {
        return false; /* from the future */
    }
    if (age < two_ticks) {
        struct timespec wait = {.tv_nsec = (long)((two_ticks - age) * 1e6)};
        while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {
        }
    }
    return true;
}

/* One zuk at a time in a work folder: its descriptor, -1 after diag_error. */
static int lock_work(const char *work) {
    if (!make_dirs(work)) {
        return -1;
    }
    const char *path = path_join(work, "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        diag_error("cannot open '%s': %s", path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        progress_step(PROGRESS_WAIT, "waiting for another zuk that builds in %s", work);
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
        }
    }
    return fd;
}

/* --- the executable, kept ------------------------------------------------ */

/* work/app.stamp: the stamp of the executable, then what struct app says of it,
 * a line each. */
static bool keep_app(const char *stamp, uint64_t hash, const struct app *app) {
    const char *first = stamp_text(hash, app->path);
    if (first == NULL || app->stub_count > 0) {
        return true;
    }
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return true;
    }
    bool clean = strpbrk(app->path, "\n\r") == NULL && strpbrk(app->name, "\n\r") == NULL &&
                 strpbrk(app->debug_path, "\n\r") == NULL;
    fprintf(out, "%s%s\n%s\n%s\n%d\n", first, app->path, app->debug_path, app->name, app->linked);
    fclose(out);
    bool ok = !clean || write_file(stamp, text, size);
    free(text);
    return ok;
}

static bool find_app(const char *stamp, uint64_t hash, struct app *app) {
    struct file_map map;
    if (!is_file(stamp) || !file_map(stamp, &map) || map.size == 0) {
        return false;
    }
    char *text = xstrndup((const char *)map.data, map.size), *rest = NULL;
    bool whole = text[map.size - 1] == '\n';
    file_unmap(&map);
    VEC(const char *) lines = {0};
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        *vec_push(&lines) = line;
    }
    if (!whole || lines.len != 5) {
        return false;
    }
    const char *wanted = stamp_text(hash, lines.data[1]);
    if (wanted == NULL || strcmp(wanted, xasprintf("%s\n", lines.data[0])) != 0 ||
        !is_file(lines.data[2])) {
        return false;
    }
    *app = (struct app){.path = lines.data[1],
                        .debug_path = lines.data[2],
                        .name = lines.data[3],
                        .linked = strcmp(lines.data[4], "1") == 0};
    return true;
}

/* The executable as it is, or made anew: always where symbols are undefined, so
 * that each build warns of them. */
static bool app_locked(const struct app_request *request, const struct state *state, bool sure,
                       struct app *app) {
    const char *stamp = path_join(request->work, "app.stamp");
    if (!state->app_doubt && find_app(stamp, state->app_hash, app)) {
        diag_verbose("%s is up to date", app->path);
        return true;
    }
    unlink(stamp);
    return app_make(request, app) && (!sure || keep_app(stamp, state->app_hash, app));
}

/* What is ahead until there is an executable, as far as that is known: what is
 * not needed is dropped on the way. */
static uint64_t app_steps(const struct app_request *request) {
    bool project = request->input_count > 0 && is_dir(request->inputs[0]);
    return PROGRESS_BIT(PROGRESS_LINK) | toolchain_steps() |
           (project ? PROGRESS_BIT(PROGRESS_ASK) | PROGRESS_BIT(PROGRESS_PROJECT) : 0);
}

bool build_app(const struct app_request *request, struct app *app) {
    progress_plan(app_steps(request));
    int lock = lock_work(request->work);
    struct state state;
    bool ok = lock >= 0 && take_app_state(request, NULL, &state);
    ok = ok && app_locked(request, &state, !state.app_doubt && outwait_tick(&state), app);
    if (lock >= 0) {
        close(lock);
    }
    return ok;
}

static bool build_locked(const struct app_request *app, const struct image_request *image) {
    int64_t start = now_ns();
    const char *stamp = path_join(image->work, "stamp");
    struct state state;
    if (!take_state(app, image, &state)) {
        return false;
    }
    if (!state.doubt && is_current(stamp, state.hash, image->output)) {
        diag_verbose("%s is up to date (%.1f ms)", image->output, ms_since(start));
        return true;
    }
    unlink(stamp);
    bool app_sure = !state.app_doubt && outwait_tick(&state);
    bool sure = !state.doubt && app_sure;
    struct app made = {0};
    struct image_request request = *image;
    request.app = &made;
    if (!app_locked(app, &state, app_sure, &made)) {
        return false;
    }
    int64_t middle = now_ns();
    if (!image_make(&request)) {
        return false;
    }
    char *text = sure ? stamp_text(state.hash, image->output) : NULL;
    if (text != NULL && !write_file(stamp, text, strlen(text))) {
        return false;
    }
    diag_verbose("%s: app %.1f ms, image %.1f ms", image->output, (double)(middle - start) / 1e6,
                 ms_since(middle));
    return true;
}

void build_plan(const struct app_request *app, const struct image_request *image) {
    bool files = image->rootfs_count > 0 || image->certificates != NULL;
    progress_plan(app_steps(app) | (files ? PROGRESS_BIT(PROGRESS_FILES) : 0) |
                  PROGRESS_BIT(PROGRESS_SCAN) | PROGRESS_BIT(PROGRESS_KERNEL) |
                  PROGRESS_BIT(PROGRESS_IMAGE));
}

bool build_image(const struct app_request *app, const struct image_request *image) {
    build_plan(app, image);
    int lock = lock_work(image->work);
    bool ok = lock >= 0 && build_locked(app, image);
    if (lock >= 0) {
        close(lock);
    }
    progress_end();
    return ok;
}
