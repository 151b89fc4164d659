/* SPDX-License-Identifier: BSD-3-Clause
 *
 *     /mnt/zuk/src/NAME    the project's folder
 *     /mnt/zuk/zig         the pinned Zig;  user-zig: the one that builds projects
 *     /mnt/zuk/cache       caches of zuk and Zig that serve such builds only
 *
 * What lies in /mnt otherwise is hidden during the build.
 */
#include "zuk/canonical.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/util.h"

#define HIDDEN "/mnt"

bool canonical_is(void) {
    return getenv("ZUK_CANONICAL") != NULL;
}

/* A place of the canonical tree and what it shows. */
struct place {
    const char *to, *from;
};

struct plan {
    VEC(struct place) places;
    VEC(const char *) argv;
    const char *program;
};

static const char *folder_of(const char *path) {
    char *real = realpath(path, NULL);
    if (real == NULL) {
        diag_error("cannot find '%s': %s", path, strerror(errno));
        return NULL;
    }
    char *copy = xstrdup(real);
    free(real);
    *strrchr(copy, '/') = '\0';
    return copy;
}

static void show(struct plan *p, const char *to, const char *from) {
    *vec_push(&p->places) = (struct place){to, from};
}

/* The name there of an input; a project's folder gets its place. */
static const char *input_there(struct plan *p, const char *input) {
    if (!is_dir(input)) {
        return input;
    }
    char *real = realpath(input, NULL);
    const char *from = xstrdup(real != NULL ? real : input);
    free(real);
    const char *base = *path_base(from) != '\0' ? path_base(from) : "app";
    const char *to = path_join(CANONICAL "/src", base);
    show(p, to, from);
    return to;
}

static bool make_plan(int argc, char **argv, const struct options *o, const char *output,
                      struct plan *p) {
    const char *pinned = pinned_zig(), *user = pinned == NULL ? NULL : user_zig(o->zig);
    const char *zig = user == NULL ? NULL : folder_of(pinned);
    const char *users = zig == NULL ? NULL : folder_of(user);
    const char *cache = path_join(cache_dir(), "canonical");
    char *self = realpath("/proc/self/exe", NULL);
    if (users == NULL || self == NULL || !make_dirs(cache)) {
        return false;
    }
    p->program = xstrdup(self);
    free(self);
    show(p, CANONICAL "/zig", zig);
    show(p, CANONICAL "/user-zig", users);
    show(p, CANONICAL "/cache", cache);
    int i = 0;
    *vec_push(&p->argv) = p->program;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        for (size_t k = 0; k < o->input_count; k++) {
            word = o->inputs[k] == argv[i] ? input_there(p, word) : word;
        }
        *vec_push(&p->argv) = word;
    }
    *vec_push(&p->argv) = "-o";
    *vec_push(&p->argv) = output;
    *vec_push(&p->argv) = "--zig";
    *vec_push(&p->argv) = CANONICAL "/user-zig/zig";
    for (; i < argc; i++) {
        *vec_push(&p->argv) = argv[i];
    }
    *vec_push(&p->argv) = NULL;
    return true;
}

/* Something that is needed lies where the canonical tree will be? */
static const char *hidden_file(const struct plan *p, const char *output) {
    char here[PATH_MAX] = "";
    const char *paths[] = {p->program, *output == '/' ? output : getcwd(here, sizeof here),
                           lib_dir()};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] != NULL && strncmp(paths[i], HIDDEN "/", sizeof HIDDEN) == 0) {
            return paths[i];
        }
    }
    return NULL;
}

static bool put_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool make_quietly(const char *path) {
    diag_quiet = true;
    bool ok = make_dirs(path);
    diag_quiet = false;
    return ok;
}

static bool bind(const char *from, const char *to) {
    return mount(from, to, NULL, MS_BIND | MS_REC, NULL) == 0;
}

/* In the child: the namespaces and the tree.  False: not permitted. */
static bool enter(const struct plan *p) {
    unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
        (void)put_text("/proc/self/setgroups", "deny");
        if (!put_text("/proc/self/uid_map", xasprintf("%u %u 1", uid, uid)) ||
            !put_text("/proc/self/gid_map", xasprintf("%u %u 1", gid, gid))) {
            return false;
        }
    } else if (unshare(CLONE_NEWNS) != 0) {
        return false;
    }
    /* What is in /mnt stays reachable below /tmp's twin until it is shown. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return false;
    }
    int fds[8];
    for (size_t i = 0; i < p->places.len; i++) {
        fds[i] = open(p->places.data[i].from, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fds[i] < 0) {
            return false;
        }
    }
    if (mount("zuk", HIDDEN, "tmpfs", 0, "mode=755,size=1m") != 0) {
        return false;
    }
    for (size_t i = 0; i < p->places.len; i++) {
        const char *to = p->places.data[i].to;
        if (!make_quietly(to) || !bind(xasprintf("/proc/self/fd/%d", fds[i]), to)) {
            return false;
        }
        close(fds[i]);
    }
    return true;
}

static void set_environment(void) {
    static const char *const gone[] = {"ZIG_LIB_DIR", "ZIG_LIBC", "ZIG_VERBOSE_LINK"};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        unsetenv(gone[i]);
    }
    setenv("ZUK_CANONICAL", "1", 1);
    setenv("XDG_CACHE_HOME", CANONICAL "/cache", 1);
    setenv("ZIG_GLOBAL_CACHE_DIR", CANONICAL "/cache/zig", 1);
    setenv("ZIG_LOCAL_CACHE_DIR", CANONICAL "/cache/local", 1);
    setenv("ZUK_ZIG", CANONICAL "/zig/zig", 1);
    setenv("SOURCE_DATE_EPOCH", "0", 0);
    setenv("LC_ALL", "C", 1);
    setenv("TZ", "UTC", 1);
    umask(022);
}

int canonical_build(int argc, char **argv, const struct options *o, const char *output) {
    struct plan p = {0};
    if (!make_plan(argc, argv, o, output, &p)) {
        return EXIT_USER;
    }
    const char *hidden = hidden_file(&p, output);
    if (hidden != NULL) {
        diag_error("'%s' lies in " HIDDEN ", where a reproducible build has its own things",
                   hidden);
        diag_hint("work in another folder, or -o to one");
        return EXIT_USER;
    }
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) != 0) {
        diag_error("cannot make a pipe: %s", strerror(errno));
        return EXIT_USER;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() == parent && enter(&p)) {
            set_environment();
            execv(p.program, (char *const *)(uintptr_t)p.argv.data);
        }
        (void)!write(fd[1], "N", 1);
        _exit(EXIT_USER);
    }
    clean_wait_for(pid);
    close(fd[1]);
    char byte;
    bool refused = pid < 0 || read(fd[0], &byte, 1) == 1;
    close(fd[0]);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    clean_wait_for(0);
    return refused             ? CANONICAL_REFUSED
           : WIFEXITED(status) ? WEXITSTATUS(status)
                               : 128 + WTERMSIG(status);
}

bool canonical_without(struct options *o) {
    const char *mode = NULL;
    VEC(const char *) args = {0};
    for (size_t i = 0; o->zig_args != NULL && o->zig_args[i] != NULL; i++) {
        *vec_push(&args) = o->zig_args[i];
        if (strncmp(o->zig_args[i], "-Doptimize=", 11) == 0) {
            mode = o->zig_args[i] + 11;
        }
    }
    if (mode != NULL && strcmp(mode, "Debug") == 0) {
        diag_error("a Debug build holds paths, and this system permits no namespaces to make them "
                   "the same everywhere");
        diag_hint("-Doptimize=ReleaseSafe, or permit them: zuk doctor says how");
        return false;
    }
    bool project = o->input_count == 1 && is_dir(o->inputs[0]);
    diag_warning("no namespaces are permitted here: the image is stripped%s, so that it holds no "
                 "paths",
                 project && mode == NULL ? " and its mode is ReleaseSafe" : "");
    if (project && mode == NULL) {
        *vec_push(&args) = "-Doptimize=ReleaseSafe";
    }
    *vec_push(&args) = NULL;
    o->zig_args = args.len > 1 ? args.data : o->zig_args;
    o->strip = true;
    setenv("SOURCE_DATE_EPOCH", "0", 0);
    return true;
}
