/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory, strings, files and the time for the passes.
 *
 * Memory comes from one arena that is never freed before the program ends;
 * running out of it ends the program with EXIT_BUG's sibling EXIT_USER and a
 * sentence.
 */
#ifndef ZUK_UTIL_H
#define ZUK_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

void *xalloc(size_t size); /* zeroed, aligned to 16 */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A word as a shell takes it, with quotes where it needs them. */
char *shell_word(const char *word);
/* Another's text, fit for a terminal: no control characters but tabs and newlines,
 * none of those at the end. */
char *clean_text(const char *text, size_t size);
void arena_release(void); /* frees all of it at once; for tests and fuzz targets only */

/* Numbers at any address, in the order of our bytes, which is the files' too. */
static inline uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Of a clock that never goes back. */
int64_t now_ns(void);
int64_t now_ms(void);

/* A growing array: VEC(int) v = {0}; *vec_push(&v) = 3; v.data[0], v.len. */
#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *data;                                                                                \
        size_t len, cap;                                                                           \
    }
void *vec_grow(void *data, size_t *cap, size_t len, size_t size);
#define vec_push(v)                                                                                \
    ((v)->data = vec_grow((v)->data, &(v)->cap, (v)->len, sizeof *(v)->data),                      \
     &(v)->data[(v)->len++])

/* A read-only file in memory (mmap).  data is NULL for an empty file. */
struct file_map {
    const uint8_t *data;
    size_t size;
};
bool file_map(const char *path, struct file_map *out); /* false after diag_error */
void file_unmap(struct file_map *map);

/* Atomic output: write to a temporary name beside path, then rename.  commit
 * returns false after diag_error (disk full, ...); the temporary file is gone
 * then, and path is untouched.  Unfinished outputs are removed on exit and on
 * SIGINT, SIGTERM, SIGHUP. */
struct output;
struct output *output_open(const char *path, mode_t mode); /* NULL after diag_error */
bool output_write(struct output *o, const void *data, size_t size);
bool output_commit(struct output *o);
void output_abandon(struct output *o);
bool write_file(const char *path, const void *data, size_t size); /* whole file, atomic */

/* Removes unfinished outputs and kills running children.  Async-signal-safe:
 * a signal handler of another room calls it before _exit. */
void clean_up(void);
/* A process group that clean_up kills: its slot, -1 when there is no room; to be
 * forgotten before the group's number can be used again. */
int clean_add_group(pid_t group);
void clean_forget_group(int slot);
/* A child that clean_up ends with SIGTERM, and waits for, before it removes what the
 * child may be writing to; 0: none any more. */
void clean_wait_for(pid_t child);

char *path_join(const char *dir, const char *name);
const char *path_base(const char *path); /* after the last '/' */
bool make_dirs(const char *path);        /* mkdir -p; false after diag_error */
bool remove_tree(
    const char *path); /* with all that is in it, if it is there; false after diag_error */
bool is_dir(const char *path);
bool is_file(const char *path);

/* A folder that is there entirely or not at all: made beside path under another
 * name, to be filled and committed, one at a time; otherwise it is removed at the
 * end.  NULL, false after diag_error. */
char *new_folder(const char *path);
bool new_folder_commit(const char *temporary, const char *path);

/* A folder in the cache for what this process needs in passing, empty, one at a time;
 * it goes with all in it when the process ends, and a killed one's after a day.  NULL
 * after diag_error. */
char *scratch_folder(void);

char *cache_dir(void); /* $XDG_CACHE_HOME/zuk or ~/.cache/zuk, made; if neither can be, one of the
                          user's own under $TMPDIR, else one that goes with this process */
void lend_zig_a_cache(void); /* where Zig could not have its own; before Zig is started */
char *lib_dir(void);         /* folder with <arch>/ kernel objects: $ZUK_LIB, beside the executable
                                (lib/zuk), ../lib/zuk */
char *which(const char *name); /* full path of a program on PATH, or NULL */
uint64_t hash64(uint64_t seed, const void *data, size_t size); /* FNV-1a or better; stable */

/* The pinned Zig: $ZUK_ZIG, beside the executable (build/zig), or recorded at
 * install time.  NULL after diag_error that names ./bootstrap. */
const char *pinned_zig(void);
/* The user's Zig: --zig, then PATH, then the pinned one. */
const char *user_zig(const char *option);

#endif
