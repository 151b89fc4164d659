/* SPDX-License-Identifier: BSD-3-Clause
 *
 * inotify on the inputs' folders: editors replace a file rather than write to
 * it, so a file is watched by its folder and name.
 */
#include "zuk/watch.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/util.h"

enum {
    DEPTH_MAX = 32,
    SETTLE_MS = 60, /* an editor or a compiler writes several files in a row */
    EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB,
};

struct folder {
    int id; /* inotify's */
    const char *path;
    const char *file; /* only this name counts; NULL: all */
};

struct watch {
    int notify, signals;
    VEC(struct folder) folders;
};

/* What builds write, and editors beside what they edit. */
static bool is_product(const char *name) {
    static const char *const names[] = {".zig-cache", "zig-cache", "zig-out", ".git", "zig-pkg"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    size_t n = strlen(name);
    return (n >= 4 && strcmp(name + n - 4, ".zuk") == 0) || name[n - 1] == '~' ||
           (n >= 4 && strcmp(name + n - 4, ".swp") == 0) || strncmp(name, ".#", 2) == 0;
}

static bool add(struct watch *w, const char *path, const char *file) {
    int id = inotify_add_watch(w->notify, path, EVENTS);
    if (id < 0) {
        diag_error("cannot watch '%s': %s", path, strerror(errno));
        if (errno == ENOSPC) {
            diag_hint("sysctl fs.inotify.max_user_watches is the limit");
        }
        return false;
    }
    *vec_push(&w->folders) = (struct folder){id, path, file};
    return true;
}

static bool add_tree(struct watch *w, const char *path, unsigned depth) {
    bool ok = add(w, path, NULL);
    DIR *dir = depth < DEPTH_MAX && ok ? opendir(path) : NULL;
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        struct stat st;
        const char *below = path_join(path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !is_product(e->d_name) &&
            lstat(below, &st) == 0 && S_ISDIR(st.st_mode)) {
            ok = add_tree(w, below, depth + 1) && ok;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return ok;
}

static bool add_input(struct watch *w, const char *input) {
    if (is_dir(input)) {
        return add_tree(w, input, 0);
    }
    const char *base = path_base(input);
    return add(w, base == input ? "." : xstrndup(input, (size_t)(base - input)), base);
}

/* Does the event matter?  A new folder is watched from now on. */
static bool matters(struct watch *w, const struct inotify_event *e) {
    if ((e->mask & IN_Q_OVERFLOW) != 0) {
        return true;
    }
    if (e->len == 0 || is_product(e->name)) {
        return false;
    }
    bool hit = false;
    size_t count = w->folders.len;
    for (size_t i = 0; i < count; i++) {
        const struct folder f = w->folders.data[i];
        if (f.id != e->wd || (f.file != NULL && strcmp(f.file, e->name) != 0)) {
            continue;
        }
        hit = true;
        if (f.file == NULL && (e->mask & IN_ISDIR) != 0 && (e->mask & (IN_CREATE | IN_MOVED_TO))) {
            (void)add_tree(w, path_join(f.path, e->name), 0);
        }
    }
    /* A file that is only just created has nothing in it yet. */
    return hit && ((e->mask & IN_CREATE) == 0 || (e->mask & IN_ISDIR) != 0);
}

static bool changed(struct watch *w) {
    char buffer[8192] __attribute__((aligned(8)));
    bool any = false;
    ssize_t n;
    while ((n = read(w->notify, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(buffer + at);
            any |= matters(w, e);
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
    return any;
}

static pid_t start(int (*job)(void *arg), void *arg, const sigset_t *mask) {
    pid_t parent = getpid();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) {
            _exit(EXIT_BUG);
        }
        sigprocmask(SIG_SETMASK, mask, NULL);
        exit(job(arg));
    }
    return pid;
}

static void tell_end(int status) {
    if (WIFEXITED(status)) {
        diag_note("ended with status %d; waiting for a change", WEXITSTATUS(status));
    } else {
        diag_note("ended by signal %d; waiting for a change", WTERMSIG(status));
    }
}

/* Until a change (0) or a signal that ends us (its number). */
static int wait_for_change(struct watch *w, pid_t *child) {
    for (bool pending = false;;) {
        struct pollfd p[] = {{.fd = w->notify, .events = POLLIN},
                             {.fd = w->signals, .events = POLLIN}};
        int n = poll(p, 2, pending ? SETTLE_MS : -1);
        if (n == 0) {
            return 0;
        }
        struct signalfd_siginfo info;
        while (read(w->signals, &info, sizeof info) == (ssize_t)sizeof info) {
            int status;
            if (info.ssi_signo != SIGCHLD) {
                return (int)info.ssi_signo;
            }
            if (*child > 0 && waitpid(*child, &status, WNOHANG) == *child) {
                *child = 0;
                tell_end(status);
            }
        }
        pending |= changed(w);
    }
}

static void end(pid_t child) {
    if (child > 0) {
        kill(child, SIGTERM);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

int watch_inputs(const char *const *inputs, size_t count, int (*job)(void *arg), void *arg) {
    struct watch w = {.notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    bool ok = w.notify >= 0;
    for (size_t i = 0; i < count; i++) {
        ok = add_input(&w, inputs[i]) && ok;
    }
    if (!ok) {
        return EXIT_USER;
    }
    sigset_t ours, before;
    sigemptyset(&ours);
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaddset(&ours, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &ours, &before);
    w.signals = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
    int signal = 0;
    for (unsigned round = 0; signal == 0; round++) {
        if (round > 0) {
            diag_note("changed: once more");
        }
        pid_t child = start(job, arg, &before);
        if (child < 0) {
            diag_error("cannot start a process: %s", strerror(errno));
            return EXIT_USER;
        }
        signal = wait_for_change(&w, &child);
        end(child);
    }
    return 128 + signal;
}
