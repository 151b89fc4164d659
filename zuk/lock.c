/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A line is `NAME VALUE`; those that begin with # are comments.  Libraries and
 * inputs stand with their SHA-256, the kernel with the hash of its objects that
 * `make` wrote.  Without the canonical path the libraries' debug information
 * differs from machine to machine, and they are left out.
 */
#include "zuk/lock.h"

#include <string.h>

#include "zuk/canonical.h"
#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/program.h"
#include "zuk/sha256.h"
#include "zuk/toolchain.h"
#include "zuk/util.h"

static const char *zig_version(const char *zig) {
    char *out;
    const char *argv[] = {zig, "version", NULL};
    struct run run = {.argv = argv, .out = &out};
    if (run_program(&run) != 0) {
        diag_error("'%s version' fails", zig);
        return NULL;
    }
    out[strcspn(out, "\n")] = '\0';
    return out;
}

static const char *file_hash(const char *path) {
    struct file_map map;
    if (!file_map(path, &map)) {
        return NULL;
    }
    const char *hash = sha256(map.data, map.size);
    file_unmap(&map);
    return hash;
}

enum { LOCK_MAX_BYTES = 64 << 10 };

/* The first word of a file. */
static const char *file_word(const char *path) {
    struct file_map map;
    if (!file_map(path, &map)) {
        return NULL;
    }
    char *word = map.data == NULL ? xstrdup("") : xstrndup((const char *)map.data, map.size);
    word[strcspn(word, " \n")] = '\0';
    file_unmap(&map);
    return word;
}

/* Appends a line; false when there is no value. */
static bool add(char **text, const char *name, const char *value) {
    if (value != NULL) {
        *text = xasprintf("%s%s %s\n", *text, name, value);
    }
    return value != NULL;
}

static bool add_libraries(char **text) {
    struct toolchain t;
    if (!toolchain_find(&t) || !add(text, "crt1.o", file_hash(t.crt1))) {
        return false;
    }
    for (size_t i = 0; i < t.library_count; i++) {
        if (!add(text, path_base(t.libraries[i]), file_hash(t.libraries[i]))) {
            return false;
        }
    }
    return true;
}

char *lock_text(const struct options *o) {
    char *text = xstrdup("# What the image is made with: zuk build --lock wrote it, zuk build "
                         "--locked holds to it.\n");
    const char *pinned = pinned_zig(), *lib = pinned == NULL ? NULL : lib_dir();
    if (lib == NULL || !add(&text, "zig", zig_version(pinned)) ||
        !add(&text, "kernel-x86_64", file_word(path_join(lib, "x86_64/stamp")))) {
        return NULL;
    }
    if (canonical_is() && !add_libraries(&text)) {
        return NULL;
    }
    for (size_t i = 0; i < o->input_count; i++) {
        const char *input = o->inputs[i];
        bool folder = is_dir(input);
        const char *user = folder ? user_zig(o->zig) : NULL;
        if (folder ? user == NULL || !add(&text, "project-zig", zig_version(user))
                   : !add(&text, xasprintf("input:%s", path_base(input)), file_hash(input))) {
            return NULL;
        }
    }
    return text;
}

/* The next line that says something: its name and value; false at the end. */
static bool next_line(const char **text, const char **name, const char **value) {
    while (**text != '\0') {
        size_t length = strcspn(*text, "\n");
        char *line = xstrndup(*text, length);
        *text += length + ((*text)[length] == '\n');
        if (*line == '#' || *line == '\0') {
            continue;
        }
        size_t word = strcspn(line, " ");
        *value = line[word] == '\0' ? "" : line + word + 1;
        line[word] = '\0';
        *name = line;
        return true;
    }
    return false;
}

static const char *value_of(const char *text, const char *wanted) {
    const char *name, *value;
    while (next_line(&text, &name, &value)) {
        if (strcmp(name, wanted) == 0) {
            return value;
        }
    }
    return NULL;
}

bool lock_differs(const char *locked, const char *now, struct lock_difference *first) {
    const char *at = locked, *name, *value;
    while (next_line(&at, &name, &value)) {
        const char *other = value_of(now, name);
        if (other == NULL || strcmp(value, other) != 0) {
            *first = (struct lock_difference){name, value, other};
            return true;
        }
    }
    at = now;
    while (next_line(&at, &name, &value)) {
        if (value_of(locked, name) == NULL) {
            *first = (struct lock_difference){name, NULL, value};
            return true;
        }
    }
    return false;
}

bool lock_write(const struct options *o, const char *folder) {
    const char *text = lock_text(o);
    return text != NULL && write_file(path_join(folder, LOCK_FILE), text, strlen(text));
}

/* Lines that only the canonical path makes meaningful. */
static const char *comparable(const char *text) {
    if (canonical_is()) {
        return text;
    }
    char *kept = xstrdup("");
    const char *name, *value;
    while (next_line(&text, &name, &value)) {
        size_t n = strlen(name);
        bool library = n > 2 && name[n - 2] == '.' && strchr(name, ':') == NULL;
        kept = library ? kept : xasprintf("%s%s %s\n", kept, name, value);
    }
    return kept;
}

bool lock_check(const struct options *o, const char *folder) {
    const char *path = path_join(folder, LOCK_FILE);
    struct file_map map;
    if (!is_file(path)) {
        diag_error("there is no '%s'", path);
        diag_hint("zuk build --lock writes it");
        return false;
    }
    const char *now = lock_text(o);
    if (now == NULL || !file_map(path, &map)) {
        return false;
    }
    if (map.size > LOCK_MAX_BYTES) {
        diag_error("'%s' is no lock file: it is larger than %d KiB", path, LOCK_MAX_BYTES >> 10);
        file_unmap(&map);
        return false;
    }
    const char *locked = map.data == NULL ? "" : xstrndup((const char *)map.data, map.size);
    file_unmap(&map);
    struct lock_difference d;
    if (!lock_differs(comparable(locked), now, &d)) {
        return true;
    }
    diag_error("'%s' does not hold: %s is %s, and was %s", path, d.name,
               d.now == NULL ? "not used any more" : d.now,
               d.locked == NULL ? "not there" : d.locked);
    diag_hint("get the one that is locked, or accept this one: zuk build --lock");
    return false;
}
