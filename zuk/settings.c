/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Command line, .config, Kraftfile -> requests (settings.h).
 */
#include "zuk/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "zuk/diag.h"
#include "zuk/kraftfile.h"
#include "zuk/net.h"
#include "zuk/progress.h"
#include "zuk/util.h"

/* --- what is said ------------------------------------------------------- */

const char *settings_folder(const struct options *o) {
    const char *input = o->input_count == 0 ? "." : o->inputs[0];
    if (is_dir(input)) {
        return input;
    }
    const char *base = path_base(input);
    return base == input ? "." : xstrndup(input, (size_t)(base - input - 1 + (base - input == 1)));
}

/* What was only found is read when it is a file; a folder ~/.config is none. */
static bool load_files(const struct options *o, struct config *config) {
    if (o->config != NULL) {
        return config_read(config, o->config, true);
    }
    const char *folder = settings_folder(o);
    const char *path = strcmp(folder, ".") == 0 ? ".config" : path_join(folder, ".config");
    return !is_file(path) || config_read(config, path, false);
}

static bool is_set(const char *const *env, size_t count, const char *variable) {
    size_t length = strcspn(variable, "=") + 1;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(env[i], variable, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Its variables, before and under those of -e. */
static void take_env(struct options *o, const struct kraftfile *k) {
    VEC(const char *) env = {0};
    for (size_t i = 0; i < k->env.len; i++) {
        if (!is_set(o->env, o->env_count, k->env.data[i])) {
            *vec_push(&env) = k->env.data[i];
        }
    }
    for (size_t i = 0; i < o->env_count; i++) {
        *vec_push(&env) = o->env[i];
    }
    o->env_count = env.len;
    *vec_push(&env) = NULL;
    o->env = env.data;
}

/* -p on the command line takes their place. */
static bool take_ports(struct options *o, const struct kraftfile *k) {
    if (k->ports.len == 0 || o->net.forward_count > 0 || o->net.mode == NET_NONE ||
        o->net.mode == NET_TAP) {
        return true;
    }
    struct net_forward *list = xalloc(k->ports.len * sizeof *list);
    bool ok = true;
    for (size_t i = 0; i < k->ports.len; i++) {
        const char *wanted = net_parse_forward(k->ports.data[i].text, &list[i]);
        if (wanted != NULL) {
            diag_error("%s: port '%s' is not %s", k->ports.data[i].where, k->ports.data[i].text,
                       wanted);
            ok = false;
        }
    }
    o->net.forwards = list;
    o->net.forward_count = k->ports.len;
    return ok;
}

/* The Kraftfile of a project's folder: what the command line does not say. */
static bool load_kraftfile(struct options *o, struct config *config) {
    const char *folder = settings_folder(o);
    const char *path = o->input_count == 1 && is_dir(o->inputs[0]) ? kraftfile_find(folder) : NULL;
    struct file_map map;
    struct kraftfile k;
    if (path == NULL) {
        return true;
    }
    if (!file_map(path, &map)) {
        return false;
    }
    bool ok =
        kraftfile_parse(path, map.data == NULL ? "" : (const char *)map.data, map.size, &k, config);
    file_unmap(&map);
    if (!ok || !take_ports(o, &k)) {
        return false;
    }
    const char *idle = NULL;
    for (size_t i = 0; i < k.idle.len; i++) {
        idle = idle == NULL ? k.idle.data[i] : xasprintf("%s, %s", idle, k.idle.data[i]);
    }
    if (idle != NULL) {
        diag_note("%s: without a meaning here: %s", path, idle);
    }
    o->title = k.name;
    if (k.has_args && !o->args_given) {
        o->arg_count = k.args.len;
        *vec_push(&k.args) = NULL;
        o->args = k.args.data;
        o->args_given = true;
    }
    take_env(o, &k);
    if (k.rootfs != NULL && o->rootfs_count == 0) {
        const char **list = xalloc(2 * sizeof *list);
        list[0] = *k.rootfs == '/' ? k.rootfs : path_join(folder, k.rootfs);
        o->rootfs = list;
        o->rootfs_count = 1;
    }
    return true;
}

bool settings_load(struct options *o, struct config *config) {
    *config = (struct config){0};
    bool image = o->input_count == 1 && image_is(o->inputs[0]);
    bool ok = load_kraftfile(o, config);
    ok &= image && o->config == NULL ? true : load_files(o, config);
    for (size_t i = 0; i < o->set_count; i++) {
        ok &= config_say_text(config, o->set[i], "--set");
    }
    if (!ok) {
        return false;
    }
    o->strict |= strcmp(config_value(config, "STRICT"), "y") == 0;
    o->strip |= strcmp(config_value(config, "STRIP"), "y") == 0;
    uint64_t bytes;
    if (o->memory == 0 && options_size(config_value(config, "MEMORY_SIZE"), &bytes)) {
        o->memory = bytes;
    }
    if (!o->machine_given) {
        o->machine = config_value(config, "MACHINE");
    }
    return true;
}

/* --- the work folder ---------------------------------------------------- */

enum {
    WORK_KEPT = 64, /* folders; each holds an image and what it was made of */
};

struct old_folder {
    char *name;
    time_t used;
};

static int by_use(const void *a, const void *b) {
    const struct old_folder *x = a, *y = b;
    return (x->used > y->used) - (x->used < y->used);
}

/* A new folder came: those used least recently go. */
static void prune(const char *all) {
    VEC(struct old_folder) list = {0};
    DIR *dir = opendir(all);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        struct stat s;
        char *path = path_join(all, e->d_name);
        if (e->d_name[0] != '.' && lstat(path, &s) == 0 && S_ISDIR(s.st_mode)) {
            *vec_push(&list) = (struct old_folder){path, s.st_mtime};
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    if (list.len > WORK_KEPT) {
        qsort(list.data, list.len, sizeof *list.data, by_use);
        for (size_t i = 0; i < list.len - WORK_KEPT; i++) {
            (void)remove_tree(list.data[i].name);
        }
    }
}

bool settings_files(const struct options *o) {
    return o->rootfs_count > 0 || o->certificates != NULL || o->cwd_ro;
}

/* "examples/hello" -> hello, "./libapp.a" -> app, "main.o" -> main */
static const char *default_name(const char *input) {
    char *full = realpath(input, NULL);
    const char *base = xstrdup(path_base(full == NULL ? input : full));
    free(full);
    const char *dot = strrchr(base, '.');
    if (dot != NULL && dot != base && !is_dir(input)) {
        bool archive = strcmp(dot, ".a") == 0;
        base = xstrndup(base, (size_t)(dot - base));
        if (archive && strncmp(base, "lib", 3) == 0 && base[3] != '\0') {
            base += 3;
        }
    }
    return *base == '\0' || *base == '/' ? "app" : base;
}

const char *settings_name(const struct options *o) {
    return o->title != NULL ? o->title : default_name(o->inputs[0]);
}

const char *settings_work(const struct options *o) {
    uint64_t hash = 0;
    for (size_t i = 0; i < o->input_count; i++) {
        char *real = realpath(o->inputs[i], NULL);
        const char *path = real == NULL ? o->inputs[i] : real;
        hash = hash64(hash, path, strlen(path) + 1);
        free(real);
    }
    /* What makes another image has another folder: two runs do not take each
     * other's. */
    const char *const words[] = {o->artifact,
                                 o->zig,
                                 o->strict ? "strict" : NULL,
                                 o->strip ? "strip" : NULL,
                                 settings_files(o) ? "files" : NULL,
                                 o->config,
                                 o->profile != NULL ? "profile" : NULL,
                                 o->fail != 0 ? "fail" : NULL};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *word = words[i] == NULL ? "" : words[i];
        hash = hash64(hash, word, strlen(word) + 1);
    }
    for (size_t i = 0; i < o->set_count; i++) {
        hash = hash64(hash, o->set[i], strlen(o->set[i]) + 1);
    }
    for (size_t i = 0; o->zig_args != NULL && o->zig_args[i] != NULL; i++) {
        hash = hash64(hash, o->zig_args[i], strlen(o->zig_args[i]) + 1);
    }
    char *all = path_join(cache_dir(), "work");
    char *folder = xasprintf("%s/%016llx", all, (unsigned long long)hash);
    if (utimensat(AT_FDCWD, folder, NULL, 0) == 0) {
        return folder; /* there already, and now the one used last */
    }
    if (!make_dirs(folder)) {
        return NULL;
    }
    prune(all);
    return folder;
}

/* --- requests ----------------------------------------------------------- */

struct app_request settings_app(const struct options *o, const char *work) {
    return (struct app_request){
        .inputs = o->inputs,
        .input_count = o->input_count,
        .work = work,
        .zig = o->zig,
        .artifact = o->artifact,
        .strict = o->strict,
        .strip = o->strip,
        .reproducible = o->reproducible,
        .zig_args = o->zig_args,
        .name = o->title,
    };
}

struct image_request settings_image(const struct options *o, const struct config *config,
                                    const char *work, const char *output) {
    return (struct image_request){.work = work,
                                  .output = output,
                                  .config = config,
                                  .files = settings_files(o),
                                  .fail = o->fail != 0,
                                  .profile = o->profile != NULL};
}

/* --- looking ------------------------------------------------------------ */

bool settings_here(void) {
    return is_file("build.zig");
}

static bool open_app(const struct options *o, struct look *look) {
    look->is_image = o->input_count == 1 && image_is(o->inputs[0]);
    if (look->is_image) {
        if (!image_open(o->inputs[0], &look->image) || !file_map(o->inputs[0], &look->map)) {
            return false;
        }
        look->bytes = look->map.data + look->image.app_offset;
        look->size = look->image.app_size;
        look->app = (struct app){.path = o->inputs[0],
                                 .name = look->image.name,
                                 .debug_path = o->inputs[0],
                                 .stubs = look->image.stubs,
                                 .stub_count = look->image.stub_count};
        return true;
    }
    look->work = settings_work(o);
    struct app_request request = settings_app(o, look->work);
    if (look->work == NULL || !build_app(&request, &look->app) ||
        !file_map(look->app.path, &look->map)) {
        return false;
    }
    look->bytes = look->map.data;
    look->size = look->map.size;
    return true;
}

static bool add_policy(struct look *look, const char *text) {
    struct features_policy p;
    if (!features_policy(text, &p)) {
        return false;
    }
    if (p.every) {
        look->every = p.policy;
    } else if (p.number < SCAN_CALLS) {
        look->policy[p.number] = p.policy;
    }
    return true;
}

static bool take_policies(const struct options *o, struct look *look) {
    const char *every = config_value(&look->config, "MISSING");
    bool ok = strcmp(every, "default") == 0 || add_policy(look, every);
    char *rest = NULL, *calls = xstrdup(config_value(&look->config, "MISSING_CALLS"));
    for (char *w = strtok_r(calls, " ,", &rest); w != NULL; w = strtok_r(NULL, " ,", &rest)) {
        ok &= add_policy(look, w);
    }
    for (size_t i = 0; i < o->missing_count; i++) {
        ok &= add_policy(look, o->missing[i]);
    }
    return ok;
}

enum image_policy settings_policy(const struct look *look, unsigned number) {
    return look->policy[number] != IMAGE_POLICY_DEFAULT ? look->policy[number]
           : look->every != IMAGE_POLICY_DEFAULT        ? look->every
                                                        : features_call_policy(number);
}

/* An image holds the options that it was made with. */
static void take_image_options(struct look *look) {
    for (size_t i = 0; i < look->features.count; i++) {
        struct feature *f = &look->features.list[i];
        bool on = features_listed(look->image.options, f->name);
        if (on != f->on) {
            f->on = on;
            f->reason = "the image was made so";
        }
    }
    look->features.names = look->image.options;
    look->every = (enum image_policy)look->image.default_policy;
    for (size_t i = 0; i < look->image.policy_count; i++) {
        const struct image_call_policy *p = &look->image.policies[i];
        if (p->number < SCAN_CALLS) {
            look->policy[p->number] = (enum image_policy)p->policy;
        }
    }
}

static bool look_at(struct options *o, struct look *look) {
    static const char *const here[] = {".", NULL};
    *look = (struct look){0};
    if (o->input_count == 0) {
        if (!settings_here()) {
            diag_error("no input, and no build.zig in this folder");
            diag_hint("name a project's folder, an archive, objects, an executable or an image");
            return false;
        }
        o->inputs = here;
        o->input_count = 1;
    }
    progress_plan(PROGRESS_BIT(PROGRESS_SCAN));
    if (!settings_load(o, &look->config) || !open_app(o, look)) {
        return false;
    }
    progress_step(PROGRESS_SCAN, "finding the system calls of %s", look->app.name);
    if (!scan_explained(look->app.path, look->bytes, look->size, &look->scan)) {
        return false;
    }
    struct image_request request = settings_image(o, NULL, look->work, NULL);
    image_features(&request, &look->scan, true, &look->deduced);
    request.config = &look->config;
    image_features(&request, &look->scan, true, &look->features);
    if (look->is_image) {
        take_image_options(look);
    }
    return take_policies(o, look);
}

bool settings_look(struct options *o, struct look *look) {
    bool ok = look_at(o, look);
    progress_end();
    return ok;
}
