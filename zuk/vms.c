/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The state folder: $XDG_STATE_HOME/zuk, else ~/.local/state/zuk, else
 * $XDG_RUNTIME_DIR/zuk, else a folder of the user's own in /tmp.
 */
#include "zuk/vms.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/json.h"
#include "zuk/options.h"
#include "zuk/progress.h"
#include "zuk/util.h"

/* ---- the folder ---- */

/* Made if need be, ours, and nobody else's to write to. */
static bool usable(const char *dir) {
    struct stat st;
    bool was_quiet = diag_quiet;
    diag_quiet = true;
    bool made = make_dirs(dir);
    diag_quiet = was_quiet;
    return made && lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 022) == 0 && access(dir, W_OK | X_OK) == 0;
}

/* NULL after diag_error. */
static const char *state_dir(void) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *places[] = {
        state != NULL && *state == '/' ? path_join(state, "zuk") : NULL,
        home != NULL && *home == '/' ? path_join(home, ".local/state/zuk") : NULL,
        runtime != NULL && *runtime == '/' ? path_join(runtime, "zuk") : NULL,
        xasprintf("/tmp/zuk-%u", (unsigned)geteuid()),
    };
    mode_t mask = umask(077);
    const char *dir = NULL;
    for (size_t i = 0; dir == NULL && i < sizeof places / sizeof places[0]; i++) {
        if (places[i] != NULL && usable(places[i])) {
            dir = places[i];
        }
    }
    umask(mask);
    if (dir == NULL) {
        diag_error("no folder for the state of machines: '%s' cannot be used", places[3]);
        diag_hint("set XDG_STATE_HOME to a folder of your own");
    }
    return dir;
}

/* Held while folders appear or go.  -1 after diag_error. */
static int lock_state(const char *dir) {
    const char *path = path_join(dir, ".lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        diag_error("cannot open '%s': %s", path, strerror(errno));
        return -1;
    }
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            diag_error("cannot lock '%s': %s", path, strerror(errno));
            close(fd);
            return -1;
        }
    }
    return fd;
}

static void unlock_state(int fd) {
    flock(fd, LOCK_UN); /* close alone would not do: a child may have it too */
    close(fd);
}

/* Who holds the machine's lock: 0 nobody, -1 somebody without a number here. */
static pid_t holder(const char *folder) {
    int fd = open(path_join(folder, "lock"), O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t pid = 0;
    if (fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
        pid = lock.l_pid > 0 ? lock.l_pid : -1;
    }
    if (fd >= 0) {
        close(fd);
    }
    return pid;
}

/* What a killed zuk left half-made or half-removed goes.  .lock is held. */
static void sweep(const char *dir) {
    DIR *d = opendir(dir);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            strcmp(e->d_name, ".lock") == 0) {
            continue;
        }
        const char *folder = path_join(dir, e->d_name);
        bool gone = strncmp(e->d_name, ".gone-", 6) == 0;
        if (is_dir(folder) && holder(folder) == 0 &&
            (gone || access(path_join(folder, "about"), F_OK) != 0)) {
            (void)remove_tree(folder);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
}

/* ---- reading ---- */

bool vms_read_about(const char *text, size_t size, struct vms_entry *entry) {
    json_t *about = json_loadb(text, size, 0, NULL);
    json_int_t started = 0;
    const char *image = "";
    bool ok =
        about != NULL && json_unpack(about, "{s:s,s:I}", "image", &image, "started", &started) == 0;
    if (ok) {
        entry->image = xstrdup(image);
        entry->started = (time_t)started;
    }
    json_decref(about);
    return ok;
}

void vms_read_end(const char *text, size_t size, struct vms_entry *entry) {
    json_t *end = json_loadb(text, size, 0, NULL);
    int status;
    if (end != NULL && json_unpack(end, "{s:i}", "status", &status) == 0 && status >= 0 &&
        status <= 255) {
        entry->status = status;
    }
    json_decref(end);
}

/* A file that may have gone meanwhile, without a word; the map is empty then. */
static struct file_map glance(const char *path) {
    struct file_map map = {0};
    bool was_quiet = diag_quiet;
    diag_quiet = true;
    (void)file_map(path, &map);
    diag_quiet = was_quiet;
    return map;
}

static bool load(const char *dir, const char *name, struct vms_entry *entry) {
    *entry = (struct vms_entry){.name = name, .folder = path_join(dir, name), .status = -1};
    struct file_map about = glance(path_join(entry->folder, "about"));
    bool ok = about.size > 0 && vms_read_about((const char *)about.data, about.size, entry);
    file_unmap(&about);
    if (!ok) {
        return false;
    }
    pid_t pid = holder(entry->folder);
    entry->pid = pid;
    entry->elsewhere = pid < 0;
    if (pid == 0) {
        struct file_map end = glance(path_join(entry->folder, "end"));
        if (end.size > 0) {
            vms_read_end((const char *)end.data, end.size, entry);
        }
        file_unmap(&end);
    }
    return true;
}

static int by_name(const void *a, const void *b) {
    const struct vms_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

bool vms_list(struct vms_entry **entries, size_t *count) {
    VEC(struct vms_entry) list = {0};
    const char *dir = state_dir();
    int lock = dir == NULL ? -1 : lock_state(dir);
    if (lock < 0) {
        return false;
    }
    sweep(dir);
    DIR *d = opendir(dir);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        struct vms_entry entry;
        if (e->d_name[0] != '.' && load(dir, xstrdup(e->d_name), &entry)) {
            *vec_push(&list) = entry;
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    unlock_state(lock);
    if (list.len > 0) {
        qsort(list.data, list.len, sizeof list.data[0], by_name);
    }
    *entries = list.data;
    *count = list.len;
    return true;
}

struct vms_entry *vms_find(const char *name) {
    struct vms_entry *entries;
    size_t count;
    if (!vms_list(&entries, &count)) {
        return NULL;
    }
    VEC(const char *) names = {0};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return &entries[i];
        }
        *vec_push(&names) = entries[i].name;
    }
    *vec_push(&names) = NULL;
    diag_error("there is no machine '%s'", name);
    const char *nearest = options_nearest(name, names.data);
    if (nearest != NULL) {
        diag_hint("did you mean '%s'?", nearest);
    } else {
        diag_hint("'zuk ps' lists those that were started with run -d");
    }
    return NULL;
}

/* ---- starting ---- */

bool vms_check_name(const char *name) {
    bool ok = isalnum((unsigned char)name[0]) && strlen(name) <= VMS_NAME_MAX;
    for (const char *s = name; *s != '\0'; s++) {
        ok = ok && (isalnum((unsigned char)*s) || strchr("-_.", *s) != NULL);
    }
    if (!ok) {
        diag_error("'%s' is no name for a machine", name);
        diag_hint("at most %d letters, digits, '-', '_' and '.', a letter or digit first",
                  VMS_NAME_MAX);
    }
    return ok;
}

/* A name of the file's characters that may be. */
static char *proper(const char *like) {
    char *name = xstrndup(like, VMS_NAME_MAX - 8);
    for (char *s = name; *s != '\0'; s++) {
        if (!isalnum((unsigned char)*s) && strchr("-_.", *s) == NULL) {
            *s = '-';
        }
    }
    return isalnum((unsigned char)name[0]) ? name : xasprintf("vm%s", name);
}

/* The new folder, empty.  NULL after diag_error.  .lock is held. */
static char *make_folder(const char *dir, const char *wanted, const char *like) {
    sweep(dir);
    const char *base = wanted != NULL ? wanted : proper(like);
    const char *name = base;
    for (unsigned i = 2; i < 100000; i++) {
        char *folder = path_join(dir, name);
        if (mkdir(folder, 0700) == 0) {
            return folder;
        }
        if (errno != EEXIST) {
            diag_error("cannot make the folder '%s': %s", folder, strerror(errno));
            return NULL;
        }
        if (wanted != NULL) {
            bool runs = holder(folder) != 0;
            diag_error("there is a machine '%s' already%s", name, runs ? ", and it runs" : "");
            diag_hint(runs ? "zuk stop %s && zuk rm %s, or another --name" : "zuk rm %.0s%s", name,
                      name);
            return NULL;
        }
        name = xasprintf("%s-%u", base, i);
    }
    diag_error("no free name like '%s'", base);
    return NULL;
}

static bool write_json(const char *path, json_t *json) {
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    bool ok = text != NULL && write_file(path, text, strlen(text));
    free(text);
    json_decref(json);
    return ok;
}

static int ready = -1; /* the pipe to the zuk that was called */

static void tell(char what) {
    while (ready >= 0 && write(ready, &what, 1) < 0 && errno == EINTR) {
    }
}

void vms_spoke(void) {
    if (ready >= 0) {
        tell('S');
        close(ready);
        ready = -1;
    }
}

static const char *log_folder; /* of the machine that this process is */

void vms_wrote(size_t bytes) {
    static size_t size;
    size += bytes;
    if (log_folder == NULL || size < VMS_LOG_MAX) {
        return;
    }
    size = 0;
    const char *log = path_join(log_folder, "log"), *fresh = path_join(log_folder, "log.new");
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    /* Where that fails the old one goes on growing: better than to lose what is said. */
    if (fd >= 0 && rename(log, path_join(log_folder, "log.old")) == 0 && rename(fresh, log) == 0) {
        (void)dup2(fd, 1);
        (void)dup2(fd, 2);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* The process of the machine.  Does not return. */
static void supervise(const char *folder, const char *image, int state_lock, int (*body)(void *arg),
                      void *arg) {
    setsid();
    int log = open(path_join(folder, "log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int lock = open(path_join(folder, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (log < 0 || null < 0 || lock < 0 || fcntl(lock, F_SETLK, &whole) != 0) {
        diag_error("cannot write to '%s': %s", folder, strerror(errno));
        _exit(EXIT_USER);
    }
    char *real = realpath(image, NULL);
    json_t *about = json_pack("{s:o,s:I}", "image", json_text(real != NULL ? real : image),
                              "started", (json_int_t)time(NULL));
    if (!write_json(path_join(folder, "about"), about)) {
        _exit(EXIT_USER);
    }
    free(real);
    close(state_lock);
    tell('L');
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) {
        _exit(EXIT_USER);
    }
    log_folder = folder;
    int status = body(arg);
    (void)write_json(path_join(folder, "end"),
                     json_pack("{s:i,s:I}", "status", status, "ended", (json_int_t)time(NULL)));
    fflush(stdout);
    tell('E');
    _exit(status); /* lets go of the lock: the last thing */
}

/* Is the descriptor readable within that time?  A signal does not lengthen it; -1
 * is for ever. */
static bool readable(int fd, int timeout_ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t end = now_ms() + timeout_ms;
    int n;
    while ((n = poll(&p, 1, timeout_ms)) < 0 && errno == EINTR) {
        int64_t left = end - now_ms();
        timeout_ms = timeout_ms < 0 ? -1 : left < 0 ? 0 : (int)left;
    }
    return n > 0;
}

/* The next byte of the pipe; 0 at its end, -1 when nothing came in time. */
static int next(int fd, int timeout_ms) {
    char byte = 0;
    if (!readable(fd, timeout_ms)) {
        return -1;
    }
    return read(fd, &byte, 1) == 1 ? byte : 0;
}

static void show_log(const char *folder) {
    struct file_map map;
    if (file_map(path_join(folder, "log"), &map)) {
        if (map.size > 0) {
            fwrite(map.data, 1, map.size, stderr);
        }
        file_unmap(&map);
    }
}

int vms_detach(const char *name, const char *like, const char *image, int (*body)(void *arg),
               void *arg) {
    const char *dir = state_dir();
    int lock = dir == NULL ? -1 : lock_state(dir);
    char *folder = lock < 0 ? NULL : make_folder(dir, name, like);
    if (folder == NULL) {
        return EXIT_USER;
    }
    int fd[2];
    fflush(stdout);
    if (pipe2(fd, O_CLOEXEC) != 0) {
        diag_error("cannot make a pipe: %s", strerror(errno));
        return EXIT_USER;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        ready = fd[1];
        supervise(folder, image, lock, body, arg);
    }
    close(fd[1]);
    if (pid < 0) {
        diag_error("cannot start a process: %s", strerror(errno));
        (void)remove_tree(folder);
        return EXIT_USER;
    }
    progress_plan(1); /* the machine's process has none: it is there already */
    progress_step(0, "waiting for a sign of life of %s", path_base(folder));
    int what = next(fd[0], -1);
    unlock_state(lock);
    what = what == 'L' ? next(fd[0], 1000) : what;
    progress_end();
    int status = 0;
    if (what == 'E' || what == 0) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BUG;
    }
    if (status != 0) {
        show_log(folder);
        diag_error("the machine '%s' ended at once, with status %d", path_base(folder), status);
        diag_hint("zuk rm %s forgets it", path_base(folder));
        return status;
    }
    printf("%s\n", path_base(folder));
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_USER;
}

/* ---- ending ---- */

/* The process that holds the lock, as a descriptor: it cannot become another.
 * -1 when nobody does any more. */
static int holder_pidfd(const char *folder) {
    pid_t pid = holder(folder);
    int fd = pid <= 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0 && holder(folder) != pid) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool send_and_wait(int pidfd, int signal, int timeout_ms) {
    if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) != 0 && errno == ESRCH) {
        return true;
    }
    return readable(pidfd, timeout_ms);
}

bool vms_stop(const struct vms_entry *entry, unsigned patience_ms) {
    if (entry->elsewhere) {
        diag_error("the machine '%s' runs in another PID namespace", entry->name);
        diag_hint("stop it there");
        return false;
    }
    int fd = holder_pidfd(entry->folder);
    if (fd < 0) {
        return true;
    }
    /* The first is handed on to an app that handles it, the second is not. */
    bool gone = patience_ms > 0 &&
                (send_and_wait(fd, SIGTERM, (int)patience_ms) || send_and_wait(fd, SIGTERM, 2000));
    gone = gone || send_and_wait(fd, SIGKILL, 10000);
    close(fd);
    if (!gone) {
        diag_error("the machine '%s' does not end", entry->name);
    }
    return gone;
}

bool vms_remove(const char *name) {
    const struct vms_entry *entry = vms_find(name);
    const char *dir = entry == NULL ? NULL : state_dir();
    int lock = dir == NULL ? -1 : lock_state(dir);
    if (lock < 0) {
        return false;
    }
    bool runs = holder(entry->folder) != 0;
    /* Renamed first: gone at once, whatever becomes of the rest. */
    const char *gone = path_join(dir, xasprintf(".gone-%d-%s", (int)getpid(), name));
    bool ok = !runs && (rename(entry->folder, gone) == 0 || errno == ENOENT);
    if (runs) {
        diag_error("the machine '%s' runs", name);
        diag_hint("zuk stop %s", name);
    } else if (!ok) {
        diag_error("cannot remove '%s': %s", entry->folder, strerror(errno));
    } else {
        ok = remove_tree(gone);
    }
    unlock_state(lock);
    return ok;
}
