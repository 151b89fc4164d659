/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk ps, logs, stop, rm: the machines that were started with run -d.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/json.h"
#include "zuk/options.h"
#include "zuk/progress.h"
#include "zuk/util.h"
#include "zuk/vms.h"

static const char *state_of(const struct vms_entry *e) {
    return e->pid != 0 ? "running" : e->status < 0 ? "killed" : xasprintf("exited %d", e->status);
}

static const char *age(time_t since) {
    long s = (long)(time(NULL) - since);
    return s < 0           ? "in the future"
           : s < 120       ? xasprintf("%ld s", s)
           : s < 7200      ? xasprintf("%ld min", s / 60)
           : s < 2 * 86400 ? xasprintf("%ld h", s / 3600)
                           : xasprintf("%ld days", s / 86400);
}

static void print_json(const struct vms_entry *entries, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct vms_entry *e = &entries[i];
        json_t *item =
            json_pack("{s:s,s:b,s:o,s:I,s:o}", "name", e->name, "running", (int)(e->pid != 0),
                      "image", json_text(e->image), "started", (json_int_t)e->started, "log",
                      json_text(path_join(e->folder, "log")));
        if (e->pid > 0) {
            json_object_set_new(item, "pid", json_integer(e->pid));
        }
        if (e->pid == 0 && e->status >= 0) {
            json_object_set_new(item, "status", json_integer(e->status));
        }
        json_array_append_new(list, item);
    }
    json_dumpf(list, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(list);
}

int cmd_ps(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_JSON | OPTIONS_NO_INPUT, &o);
    if (status >= 0) {
        return status;
    }
    struct vms_entry *entries;
    size_t count;
    if (o.input_count > 0) {
        diag_error("zuk ps takes no '%s'", o.inputs[0]);
        return EXIT_USAGE;
    }
    if (!vms_list(&entries, &count)) {
        return EXIT_USER;
    }
    if (o.json) {
        print_json(entries, count);
    } else {
        printf("%-16s %-10s %-8s %-8s %s\n", "NAME", "STATE", "AGE", "PID", "IMAGE");
    }
    for (size_t i = 0; !o.json && i < count; i++) {
        const struct vms_entry *e = &entries[i];
        const char *pid = e->pid > 0 ? xasprintf("%d", (int)e->pid) : "-";
        printf("%-16s %-10s %-8s %-8s %s\n", e->name, state_of(e), age(e->started), pid, e->image);
    }
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_USER;
}

/* Copies what is new in the log to stdout; false after diag_error. */
static bool copy_log(int fd) {
    char chunk[16384];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0) {
        for (ssize_t done = 0; done < n;) {
            ssize_t w = write(1, chunk + done, (size_t)(n - done));
            if (w < 0 && errno == EAGAIN) {
                poll(&(struct pollfd){.fd = 1, .events = POLLOUT}, 1, -1);
            } else if (w < 0 && errno != EINTR) {
                diag_error("cannot write the log: %s", strerror(errno));
                return false;
            }
            done += w > 0 ? w : 0;
        }
    }
    return true;
}

static bool same_file(int a, int b) {
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* The log before this one, unless it has become that in the meantime. */
static bool copy_old(const char *path, int log) {
    int fd = open(xasprintf("%s.old", path), O_RDONLY | O_CLOEXEC);
    bool ok = fd < 0 || same_file(fd, log) || copy_log(fd);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

int cmd_logs(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_LOGS, &o);
    if (status >= 0) {
        return status;
    }
    if (o.input_count > 1) {
        diag_error("zuk logs takes one name");
        return EXIT_USAGE;
    }
    const struct vms_entry *e = vms_find(o.inputs[0]);
    if (e == NULL) {
        return EXIT_USER;
    }
    const char *path = path_join(e->folder, "log");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        diag_error("cannot open '%s': %s", path, strerror(errno));
        return EXIT_USER;
    }
    int watch = o.follow ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    if (watch >= 0) {
        inotify_add_watch(watch, path, IN_MODIFY);
    }
    bool ok = copy_old(path, fd) && copy_log(fd);
    /* Asked before the last look: what is written until the end is shown. */
    for (bool runs = o.follow; ok && runs;) {
        struct pollfd p[] = {{.fd = watch, .events = POLLIN}, {.fd = 1}};
        char events[4096];
        poll(p, 2, 250);
        while (watch >= 0 && read(watch, events, sizeof events) > 0) {
        }
        diag_quiet = true; /* zuk rm ends it, too */
        e = vms_find(o.inputs[0]);
        diag_quiet = false;
        runs = e != NULL && e->pid != 0;
        ok = copy_log(fd) && (p[1].revents & POLLERR) == 0;
        int next = ok ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (next >= 0 && !same_file(fd, next)) { /* it was full, and a new one has begun */
            ok = copy_log(fd) && copy_log(next);
            (void)dup2(next, fd);
            inotify_add_watch(watch, path, IN_MODIFY);
        }
        if (next >= 0) {
            close(next);
        }
    }
    close(fd);
    return ok ? EXIT_OK : EXIT_USER;
}

/* Calls act for every name of the command line; all are tried. */
static int for_each(const struct options *o, const char *doing,
                    bool (*act)(const struct options *o, const char *name)) {
    bool ok = true;
    size_t last = o->input_count < 64 ? o->input_count - 1 : 63;
    progress_plan(PROGRESS_BIT(last) | (PROGRESS_BIT(last) - 1));
    for (size_t i = 0; i < o->input_count; i++) {
        progress_step((unsigned)(i < last ? i : last), doing, o->inputs[i]);
        ok &= act(o, o->inputs[i]);
    }
    progress_end();
    return ok ? EXIT_OK : EXIT_USER;
}

static bool stop(const struct options *o, const char *name) {
    const struct vms_entry *e = vms_find(name);
    return e != NULL && vms_stop(e, o->patience_ms);
}

int cmd_stop(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_STOP, &o);
    return status >= 0 ? status : for_each(&o, "waiting for %s to end", stop);
}

static bool forget(const struct options *o, const char *name) {
    (void)o;
    return vms_remove(name);
}

int cmd_rm(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_NAMES, &o);
    return status >= 0 ? status : for_each(&o, "removing %s", forget);
}
