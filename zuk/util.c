/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory, strings, files and the time.
 *
 * The arena is a chain of blocks; nothing is freed one by one.  Unfinished
 * outputs and running children stand in two fixed tables that the signal
 * handler can walk: it may only call async-signal-safe functions.
 */
#include "zuk/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/progress.h"

int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t now_ms(void) {
    return now_ns() / 1000000;
}

/* --- the arena ---------------------------------------------------------- */

#define ARENA_BLOCK ((size_t)256 << 10)

struct arena_block {
    struct arena_block *next;
    size_t used, size; /* of data, bytes */
    _Alignas(16) uint8_t data[];
};

static struct arena_block *arena;

static _Noreturn void out_of_memory(size_t size) {
    diag_error("out of memory: %zu more bytes cannot be had", size);
    exit(EXIT_USER);
}

static struct arena_block *arena_add(size_t size) {
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block) {
        out_of_memory(size);
    }
    block->size = size;
    return block;
}

void *xalloc(size_t size) {
    if (size > PTRDIFF_MAX / 2) {
        out_of_memory(size);
    }
    size = (size + 15) & ~(size_t)15;
    if (size == 0) {
        size = 16;
    }
    if (size > ARENA_BLOCK / 4) { /* its own block, behind the current one */
        struct arena_block *own = arena_add(size);
        own->used = size;
        if (arena) {
            own->next = arena->next;
            arena->next = own;
        } else {
            arena = own;
        }
        return own->data;
    }
    if (!arena || arena->size - arena->used < size) {
        struct arena_block *block = arena_add(ARENA_BLOCK);
        block->next = arena;
        arena = block;
    }
    void *p = arena->data + arena->used;
    arena->used += size;
    return p;
}

void arena_release(void) {
    while (arena) {
        struct arena_block *next = arena->next;
        free(arena);
        arena = next;
    }
}

char *xstrndup(const char *s, size_t n) {
    size_t length = strnlen(s, n);
    char *copy = xalloc(length + 1);
    memcpy(copy, s, length);
    return copy;
}

char *xstrdup(const char *s) {
    return xstrndup(s, strlen(s));
}

/* Letters, digits and what no shell takes for its own. */
static const char plain[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%";

char *shell_word(const char *word) {
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        return xstrdup(word);
    }
    char *text = xalloc(4 * strlen(word) + 3), *to = text;
    *to++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            to = stpcpy(to, "'\\''");
        } else {
            *to++ = *word;
        }
    }
    *to = '\'';
    return text;
}

char *clean_text(const char *text, size_t size) {
    char *out = xalloc(size + 1);
    size_t n = 0;
    for (size_t i = 0; i < size && text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f)) {
            out[n++] = (char)c;
        }
    }
    while (n > 0 && out[n - 1] == '\n') {
        n--;
    }
    out[n] = '\0';
    return out;
}

char *xasprintf(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    size_t size = need < 0 ? 1 : (size_t)need + 1;
    char *text = xalloc(size);
    vsnprintf(text, size, fmt, again);
    va_end(again);
    return text;
}

void *vec_grow(void *data, size_t *cap, size_t len, size_t size) {
    if (len < *cap) {
        return data;
    }
    size_t wanted = *cap ? *cap * 2 : 16;
    size_t bytes;
    if (__builtin_mul_overflow(wanted, size, &bytes)) {
        out_of_memory(SIZE_MAX);
    }
    void *bigger = xalloc(bytes);
    if (len) {
        memcpy(bigger, data, len * size);
    }
    *cap = wanted;
    return bigger;
}

/* --- what a signal must undo -------------------------------------------- */

enum { CLEAN_MAX = 16 };

static char *volatile clean_paths[CLEAN_MAX];
static char *volatile clean_folder;  /* a new_folder() that is being filled */
static char *volatile clean_scratch; /* the scratch_folder() */
static volatile pid_t clean_groups[CLEAN_MAX];
static volatile pid_t clean_child; /* cleans up itself, and what it leaves is ours */

/* What one folder of a new_folder() holds, folders in it as well; async-signal-safe. */
static void empty_folder(int dir, int depth) {
    struct entry { /* linux_dirent64 */
        uint64_t number, offset;
        uint16_t size;
        uint8_t type;
        char name[];
    };
    _Alignas(8) char bytes[2048];
    long got;
    while (depth > 0 && (got = syscall(SYS_getdents64, dir, bytes, sizeof bytes)) > 0) {
        bool removed = false;
        for (long at = 0; at < got;) {
            const struct entry *e = (const struct entry *)(const void *)(bytes + at);
            at += e->size;
            if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0) {
                continue;
            }
            int below = openat(dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0) {
                empty_folder(below, depth - 1);
                close(below);
            }
            removed |= unlinkat(dir, e->name, below >= 0 ? AT_REMOVEDIR : 0) == 0;
        }
        if (!removed || lseek(dir, 0, SEEK_SET) != 0) {
            break;
        }
    }
}

static void remove_folder(const char *path) {
    int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (dir >= 0) {
        empty_folder(dir, 8);
        close(dir);
        rmdir(path);
    }
}

/* What it started dies too, and is not ours to wait for. */
static void end_group(pid_t group) {
    kill(-group, SIGKILL);
    while (waitpid(group, NULL, 0) < 0 && errno == EINTR) {
    }
    for (int i = 0; i < 50 && kill(-group, 0) == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* Folders go when nobody writes to them any more. */
void clean_up(void) {
    progress_wipe();
    if (clean_child > 0) {
        kill(clean_child, SIGTERM);
        while (waitpid(clean_child, NULL, 0) < 0 && errno == EINTR) {
        }
        clean_child = 0;
    }
    for (int i = 0; i < CLEAN_MAX; i++) {
        if (clean_groups[i] > 0) {
            end_group(clean_groups[i]);
            clean_groups[i] = 0;
        }
    }
    remove_folder(clean_folder);
    clean_folder = NULL;
    remove_folder(clean_scratch);
    for (int i = 0; i < CLEAN_MAX; i++) {
        if (clean_paths[i]) {
            unlink(clean_paths[i]);
            clean_paths[i] = NULL;
        }
    }
}

static void on_signal(int sig) {
    clean_up();
    _exit(128 + sig);
}

/* Handlers are set on the first need, and only where nobody set one before. */
static void clean_install(void) {
    static bool done;
    if (done) {
        return;
    }
    done = true;
    atexit(clean_up);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction old;
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            struct sigaction action = {.sa_handler = on_signal};
            sigemptyset(&action.sa_mask);
            sigaction(signals[i], &action, NULL);
        }
    }
}

void clean_wait_for(pid_t child) {
    clean_child = child;
    clean_install();
}

static int clean_add_path(char *path) {
    clean_install();
    for (int i = 0; i < CLEAN_MAX; i++) {
        if (!clean_paths[i]) {
            clean_paths[i] = path;
            return i;
        }
    }
    return -1;
}

int clean_add_group(pid_t group) {
    clean_install();
    for (int i = 0; i < CLEAN_MAX; i++) {
        if (clean_groups[i] == 0) {
            clean_groups[i] = group;
            return i;
        }
    }
    return -1;
}

void clean_forget_group(int slot) {
    if (slot >= 0) {
        clean_groups[slot] = 0;
    }
}

/* --- files -------------------------------------------------------------- */

bool file_map(const char *path, struct file_map *out) {
    *out = (struct file_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block us */
    if (fd < 0) {
        diag_error("cannot open '%s': %s", path, strerror(errno));
        return false;
    }
    struct stat st;
    if (fstat(fd, &st) != 0) {
        diag_error("cannot read '%s': %s", path, strerror(errno));
        close(fd);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        diag_error("'%s' is %s, not a file", path, S_ISDIR(st.st_mode) ? "a folder" : "special");
        close(fd);
        return false;
    }
    if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            diag_error("cannot map '%s': %s", path, strerror(errno));
            close(fd);
            return false;
        }
        out->data = p;
        out->size = (size_t)st.st_size;
    }
    close(fd);
    return true;
}

void file_unmap(struct file_map *map) {
    if (map->data) {
        munmap((void *)(uintptr_t)map->data, map->size);
    }
    *map = (struct file_map){0};
}

enum { OUTPUT_BUFFER = 64 << 10 };

struct output {
    const char *path; /* as the caller named it, for messages */
    char *target;     /* where it goes: links followed */
    char *temporary;  /* NULL: written in place (a device, a pipe) */
    int fd;
    int slot;    /* in clean_paths, or -1 */
    bool failed; /* reported already */
    size_t used;
    uint8_t buffer[OUTPUT_BUFFER];
};

static struct output *output_free(struct output *o) {
    if (o->slot >= 0) {
        clean_paths[o->slot] = NULL;
    }
    free(o->target);
    free(o->temporary);
    free(o);
    return NULL;
}

struct output *output_open(const char *path, mode_t mode) {
    static unsigned serial;
    struct output *o = calloc(1, sizeof *o);
    if (!o) {
        out_of_memory(sizeof *o);
    }
    o->path = xstrdup(path);
    o->slot = -1;
    o->target = realpath(path, NULL); /* an existing link keeps pointing to the result */
    if (!o->target) {
        o->target = strdup(path);
    }
    struct stat st;
    if (stat(o->target, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode)) {
            diag_error("cannot write '%s': it is a folder", path);
            return output_free(o);
        }
        o->fd = open(o->target, O_WRONLY | O_CLOEXEC);
    } else {
        const char *base = path_base(o->target);
        int dir = (int)(base - o->target);
        if (asprintf(&o->temporary, "%.*s.%s.%d.%u~", dir, o->target, base, (int)getpid(),
                     serial++) < 0) {
            out_of_memory(PATH_MAX);
        }
        o->slot = clean_add_path(o->temporary);
        unlink(o->temporary); /* left by a killed process with our number */
        o->fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    }
    if (o->fd < 0) {
        diag_error("cannot write '%s': %s", path, strerror(errno));
        return output_free(o);
    }
    return o;
}

static bool output_put(struct output *o, const uint8_t *data, size_t size) {
    while (size) {
        ssize_t n = write(o->fd, data, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (!o->failed) {
                diag_error("cannot write '%s': %s", o->path, strerror(errno));
            }
            o->failed = true;
            return false;
        }
        data += n;
        size -= (size_t)n;
    }
    return true;
}

static bool output_flush(struct output *o) {
    size_t used = o->used;
    o->used = 0;
    return !o->failed && output_put(o, o->buffer, used);
}

bool output_write(struct output *o, const void *data, size_t size) {
    if (size > sizeof o->buffer - o->used && !output_flush(o)) {
        return false;
    }
    if (size > sizeof o->buffer) {
        return output_put(o, data, size);
    }
    if (size) {
        memcpy(o->buffer + o->used, data, size);
    }
    o->used += size;
    return !o->failed;
}

void output_abandon(struct output *o) {
    close(o->fd);
    if (o->temporary) {
        unlink(o->temporary);
    }
    output_free(o);
}

/*
 * The temporary name's file becomes the target.  A target that is there changes places
 * with it and is removed then: where rename() replaces a file, ext4 first writes the new
 * one's data to the disk (auto_da_alloc), milliseconds for each.
 */
static bool take_place(const struct output *o) {
    if (renameat2(AT_FDCWD, o->temporary, AT_FDCWD, o->target, RENAME_EXCHANGE) == 0) {
        unlink(o->temporary);
        return true;
    }
    return rename(o->temporary, o->target) == 0; /* none is there, or not on this file system */
}

bool output_commit(struct output *o) {
    if (!output_flush(o)) {
        output_abandon(o);
        return false;
    }
    int closed = close(o->fd);
    if (closed == 0 && (!o->temporary || take_place(o))) {
        output_free(o);
        return true;
    }
    diag_error("cannot write '%s': %s", o->path, strerror(errno));
    if (o->temporary) {
        unlink(o->temporary);
    }
    output_free(o);
    return false;
}

bool write_file(const char *path, const void *data, size_t size) {
    struct output *o = output_open(path, 0666);
    if (!o) {
        return false;
    }
    if (!output_write(o, data, size)) {
        output_abandon(o);
        return false;
    }
    return output_commit(o);
}

/* --- paths -------------------------------------------------------------- */

char *path_join(const char *dir, const char *name) {
    size_t n = strlen(dir);
    return xasprintf("%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

const char *path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool make_dirs_quietly(const char *path, mode_t mode) {
    char *copy = xstrdup(path);
    for (char *p = copy + 1; *copy; p++) {
        if (*p == '/' || *p == 0) {
            char kept = *p;
            *p = 0;
            int error = mkdir(copy, mode) == 0 ? 0 : errno;
            if (error != 0 && error != EEXIST && !is_dir(copy)) {
                errno = error;
                return false;
            }
            *p = kept;
            if (kept == 0) {
                break;
            }
        }
    }
    if (!is_dir(path)) {
        errno = ENOTDIR;
        return false;
    }
    return true;
}

bool make_dirs(const char *path) {
    if (!make_dirs_quietly(path, 0777)) {
        diag_error("cannot make the folder '%s': %s", path, strerror(errno));
        return false;
    }
    return true;
}

bool is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static char *temporary_cache;
static pid_t temporary_owner;

static void remove_temporary_cache(void) {
    if (getpid() == temporary_owner) { /* not a child that goes on */
        (void)remove_tree(temporary_cache);
    }
}

/* Can things be put there?  It is made if need be. */
static bool is_usable(const char *dir, mode_t mode) {
    return make_dirs_quietly(dir, mode) && access(dir, W_OK | X_OK) == 0;
}

/* In a folder that is everybody's: a folder of this user alone. */
static bool is_private(const char *dir) {
    struct stat st;
    return is_usable(dir, 0700) && lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
           st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

/* $XDG_CACHE_HOME or ~/.cache, as the XDG base directory specification has it
 * (a path that is not absolute does not count), or NULL. */
static char *cache_home(void) {
    const char *base = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    return base && *base == '/'   ? xstrdup(base)
           : home && *home == '/' ? path_join(home, ".cache")
                                  : NULL;
}

char *cache_dir(void) {
    static char *dir;
    if (dir) {
        return dir;
    }
    const char *base = cache_home();
    char *wanted = base ? path_join(base, "zuk") : NULL;
    if (wanted && is_usable(wanted, 0777)) {
        dir = strdup(wanted); /* outlives arena_release */
        return dir;
    }
    const char *tmp = getenv("TMPDIR");
    tmp = tmp && *tmp == '/' ? tmp : "/tmp";
    dir = strdup(xasprintf("%s/zuk-cache-%u", tmp, (unsigned)geteuid()));
    if (is_private(dir)) {
        return dir;
    }
    dir = strdup(xasprintf("%s/zuk-XXXXXX", tmp));
    if (!mkdtemp(dir)) {
        diag_error("no folder for the cache: neither %s nor one under %s can be made: %s",
                   wanted ? wanted : "$HOME/.cache", tmp, strerror(errno));
        diag_hint("set XDG_CACHE_HOME to a folder of your own");
        exit(EXIT_USER);
    }
    temporary_cache = dir;
    temporary_owner = getpid();
    atexit(remove_temporary_cache);
    return dir;
}

void lend_zig_a_cache(void) {
    const char *set = getenv("ZIG_GLOBAL_CACHE_DIR");
    if (set && *set) {
        return;
    }
    const char *base = cache_home(), *given = getenv("XDG_CACHE_HOME");
    if (!base || !is_usable(path_join(base, "zig"), 0777)) {
        setenv("ZIG_GLOBAL_CACHE_DIR", path_join(cache_dir(), "zig"), 1);
    } else if (given && *given && *given != '/') { /* Zig would take it as it is */
        setenv("ZIG_GLOBAL_CACHE_DIR", path_join(base, "zig"), 1);
    }
}

/* The folder that holds this program, or NULL. */
static const char *self_dir(void) {
    static char dir[PATH_MAX];
    if (!*dir) {
        ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
        if (n <= 0) {
            return NULL;
        }
        dir[n] = 0;
        char *slash = strrchr(dir, '/');
        if (slash) {
            *slash = 0;
        }
    }
    return dir;
}

static char *lib_dir_quietly(void) {
    const char *set = getenv("ZUK_LIB");
    if (set && *set) {
        return xstrdup(set);
    }
    const char *self = self_dir();
    static const char *const places[] = {"lib/zuk", "../lib/zuk"};
    for (size_t i = 0; self && i < sizeof places / sizeof *places; i++) {
        char *path = path_join(self, places[i]);
        if (is_dir(path)) {
            return path;
        }
    }
    return NULL;
}

char *lib_dir(void) {
    char *dir = lib_dir_quietly();
    if (!dir || !is_dir(dir)) {
        diag_error("zuk's kernel objects are not found%s%s", dir ? " in " : "", dir ? dir : "");
        diag_hint("run ./bootstrap (or make) in zuk's source folder, or set ZUK_LIB");
        return NULL;
    }
    return dir;
}

char *which(const char *name) {
    if (strchr(name, '/')) {
        return is_file(name) && access(name, X_OK) == 0 ? xstrdup(name) : NULL;
    }
    const char *path = getenv("PATH");
    for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
        size_t n = strcspn(p, ":");
        char *full = n ? path_join(xstrndup(p, n), name) : path_join(".", name);
        if (is_file(full) && access(full, X_OK) == 0) {
            return full;
        }
        p += n + (p[n] == ':');
    }
    return NULL;
}

/* Folded 128-bit products, eight bytes a step: about a byte a quarter cycle,
 * so that hashing inputs costs nothing beside reading them. */
static uint64_t fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash64(uint64_t seed, const void *data, size_t size) {
    const uint64_t k0 = UINT64_C(0x9e3779b97f4a7c15), k1 = UINT64_C(0xd6e8feb86659fd93);
    const uint8_t *p = data;
    uint64_t h = fold(seed ^ k0, k1 ^ size);
    size_t left = size;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = fold(h ^ word, k0) + k1;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < left; i++) {
        tail |= (uint64_t)p[i] << (8 * i);
    }
    return fold(h ^ tail ^ ((uint64_t)left << 56), k1) ^ h;
}

/* --- where Zig is ------------------------------------------------------- */

/* The path recorded by `make install` in LIB/zig-path, or NULL. */
static char *recorded_zig(void) {
    char *dir = lib_dir_quietly();
    char *path = dir ? path_join(dir, "zig-path") : NULL;
    struct file_map map;
    if (!path || !is_file(path) || !file_map(path, &map)) {
        return NULL;
    }
    char *zig = map.data ? xstrndup((const char *)map.data, map.size) : xstrdup("");
    zig[strcspn(zig, "\r\n")] = 0;
    file_unmap(&map);
    return which(zig) && strchr(zig, '/') ? zig : NULL;
}

const char *pinned_zig(void) {
    const char *set = getenv("ZUK_ZIG");
    if (set && *set) {
        char *found = which(set);
        if (!found) {
            diag_error("ZUK_ZIG names '%s', which is not a program", set);
        }
        return found;
    }
    const char *self = self_dir();
    static const char *const places[] = {"zig", "zig/zig", "../zig", "../../zig"};
    for (size_t i = 0; self && i < sizeof places / sizeof *places; i++) {
        char *path = which(path_join(self, places[i]));
        if (path) {
            return path;
        }
    }
    char *recorded = recorded_zig();
    if (!recorded) {
        diag_error("the pinned Zig is not found (looked beside %s)", self ? self : "zuk");
        diag_hint("run ./bootstrap in zuk's source folder, or set ZUK_ZIG to a zig program");
    }
    return recorded;
}

const char *user_zig(const char *option) {
    if (option) {
        char *found = which(option);
        if (!found) {
            diag_error("--zig names '%s', which is not a program", option);
        }
        return found;
    }
    char *found = which("zig");
    return found ? found : pinned_zig();
}

char *new_folder(const char *path) {
    char *temporary = strdup(xasprintf("%s.new-XXXXXX", path)); /* outlives the arena */
    const char *slash = strrchr(path, '/');
    if (temporary == NULL ||
        (slash != NULL && slash != path && !make_dirs(xstrndup(path, (size_t)(slash - path))))) {
        free(temporary);
        return NULL;
    }
    mode_t mask = umask(0);
    umask(mask);
    clean_install();
    clean_folder = temporary;
    if (mkdtemp(temporary) == NULL || chmod(temporary, 0777 & ~mask) != 0) {
        diag_error("cannot make the folder '%s': %s", path, strerror(errno));
        return NULL;
    }
    return temporary;
}

bool new_folder_commit(const char *temporary, const char *path) {
    /* RENAME_NOREPLACE: somebody may have made one meanwhile. */
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ||
        (errno == EINVAL && rename(temporary, path) == 0)) {
        clean_folder = NULL;
        return true;
    }
    diag_error("cannot make the folder '%s': %s", path, strerror(errno));
    return false;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path) != 0 && errno != ENOENT ? -1 : 0; /* another zuk may be at it too */
}

bool remove_tree(const char *path) {
    if (access(path, F_OK) == 0 && nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 &&
        access(path, F_OK) == 0) {
        diag_error("cannot remove '%s': %s", path, strerror(errno));
        return false;
    }
    return true;
}

#define SCRATCH "scratch-"

/* What killed processes left there. */
static void prune_scratch(const char *cache) {
    DIR *dir = opendir(cache);
    for (const struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        struct stat st;
        char *path = path_join(cache, e->d_name);
        if (strncmp(e->d_name, SCRATCH, sizeof SCRATCH - 1) == 0 && lstat(path, &st) == 0 &&
            S_ISDIR(st.st_mode) && st.st_mtime < time(NULL) - 24 * 60 * 60) {
            (void)remove_tree(path);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

char *scratch_folder(void) {
    const char *cache = cache_dir();
    prune_scratch(cache);
    char *before = clean_scratch;                            /* done with */
    char *path = strdup(path_join(cache, SCRATCH "XXXXXX")); /* outlives the arena */
    clean_install();
    clean_scratch = path;
    free(before);
    if (!path || !mkdtemp(path)) {
        diag_error("cannot make the folder '%s': %s", path ? path : cache, strerror(errno));
        clean_scratch = NULL;
        free(path);
        return NULL;
    }
    return path;
}
