/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Asks Zig by linking a trivial program and reading the linker's command
 * line.  The flags choose the variants: musl and ubsan_rt with debug
 * information, compiler_rt optimised for speed (its memcpy is everyone's).
 *
 * The cache file: the line `zig PATH MTIME SIZE` of the Zig it was made with,
 * then one path a line, crt1.o first.
 */
#include "zuk/toolchain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/util.h"

static const char *const names[] = {"crt1.o", "libubsan_rt.a", "libc.a", "libzigc.a",
                                    "libcompiler_rt.a"};
enum { NAME_COUNT = sizeof names / sizeof *names };

static bool is_required(size_t name) {
    return name == 0 || name == 2 || name == NAME_COUNT - 1;
}

/* Takes found[i] for names[i]. */
static bool fill(struct toolchain *toolchain, char *const found[NAME_COUNT]) {
    toolchain->library_count = 0;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (!found[i] && is_required(i)) {
            return false;
        }
        if (i == 0) {
            toolchain->crt1 = found[i];
        } else if (found[i]) {
            toolchain->libraries[toolchain->library_count++] = found[i];
        }
    }
    return true;
}

/* The last word of text that ends in /names[i]; words end at white space, and a
 * quoted one may hold some. */
bool toolchain_parse(struct toolchain *toolchain, const char *text) {
    char *found[NAME_COUNT] = {0};
    for (const char *p = text; *p;) {
        while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
            p++;
        }
        const char *stop = *p == '"' ? "\"\n" : " \n\r\t";
        p += *p == '"';
        size_t length = strcspn(p, stop);
        char *word = xstrndup(p, length);
        p += length;
        p += *p == '"';
        for (size_t i = 0; i < NAME_COUNT; i++) {
            if (strchr(word, '/') && strcmp(path_base(word), names[i]) == 0) {
                found[i] = word;
            }
        }
    }
    return fill(toolchain, found);
}

static char *identity(const char *zig) {
    struct stat st;
    char *real = realpath(zig, NULL);
    if (!real || stat(real, &st) != 0) {
        diag_error("cannot find the pinned Zig '%s': %s", zig, strerror(errno));
        free(real);
        return NULL;
    }
    char *line = xasprintf("zig %s %lld.%09ld %lld\n", real, (long long)st.st_mtim.tv_sec,
                           st.st_mtim.tv_nsec, (long long)st.st_size);
    free(real);
    return line;
}

static bool all_there(const struct toolchain *toolchain) {
    bool ok = is_file(toolchain->crt1);
    for (size_t i = 0; i < toolchain->library_count; i++) {
        ok = ok && is_file(toolchain->libraries[i]);
    }
    return ok;
}

static bool load(struct toolchain *toolchain, const char *path, const char *wanted) {
    struct file_map map;
    if (!is_file(path) || access(path, R_OK) != 0 || !file_map(path, &map)) {
        return false;
    }
    char *text = map.data ? xstrndup((const char *)map.data, map.size) : xstrdup("");
    file_unmap(&map);
    size_t length = strlen(wanted);
    if (strncmp(text, wanted, length) != 0) {
        return false;
    }
    char *found[NAME_COUNT] = {0};
    char *state;
    for (char *line = strtok_r(text + length, "\n", &state); line;
         line = strtok_r(NULL, "\n", &state)) {
        for (size_t i = 0; i < NAME_COUNT; i++) {
            if (strcmp(path_base(line), names[i]) == 0) {
                found[i] = line;
            }
        }
    }
    return fill(toolchain, found) && all_there(toolchain);
}

static void save(const struct toolchain *toolchain, const char *path, const char *wanted) {
    char *text = xasprintf("%s%s\n", wanted, toolchain->crt1);
    for (size_t i = 0; i < toolchain->library_count; i++) {
        text = xasprintf("%s%s\n", text, toolchain->libraries[i]);
    }
    write_file(path, text, strlen(text));
}

/* Zig names files below the current folder relative to it. */
static const char *absolute(const char *path) {
    char *real = realpath(path, NULL);
    char *copy = xstrdup(real ? real : path);
    free(real);
    return copy;
}

static void make_absolute(struct toolchain *toolchain) {
    toolchain->crt1 = absolute(toolchain->crt1);
    for (size_t i = 0; i < toolchain->library_count; i++) {
        toolchain->libraries[i] = absolute(toolchain->libraries[i]);
    }
}

/* Links `int main` in folder. */
static bool ask(struct toolchain *toolchain, const char *folder) {
    const char *source = path_join(folder, "main.c"), *program = path_join(folder, "main");
    static const char text[] = "int main(void) { return 0; }\n";
    if (!write_file(source, text, sizeof text - 1)) {
        return false;
    }
    const char *const argv[] = {toolchain->zig,
                                "cc",
                                "-target",
                                "x86_64-linux-musl",
                                "-O2",
                                "-g",
                                "-fsanitize=undefined",
                                source,
                                "-o",
                                program,
                                "-v",
                                NULL};
    char *out, *err;
    struct run run = {.argv = argv,
                      .cwd = "/", /* it shows in musl's debug information */
                      .out = &out,
                      .err = &err,
                      .timeout_ms = 1800 * 1000};
    int status = run_program(&run);
    unlink(source);
    unlink(program);
    if (status != 0 && strstr(err, "NoSpaceLeft") != NULL) { /* said of each file: thousands */
        const char *cache = getenv("ZIG_GLOBAL_CACHE_DIR");
        diag_error("cannot write to Zig's cache%s%s: %s", cache == NULL ? "" : " ",
                   cache == NULL ? "" : cache, strerror(ENOSPC));
        diag_hint("libc takes 100 MB there, once; ZIG_GLOBAL_CACHE_DIR names another folder");
        return false;
    }
    if (status != 0) {
        diag_pass(err);
        diag_error("the pinned Zig cannot link a C program (status %d): %s", status,
                   toolchain->zig);
        diag_hint("run ./bootstrap again; if it persists, remove Zig's cache (~/.cache/zig)");
        return false;
    }
    if (!toolchain_parse(toolchain, xasprintf("%s\n%s", out, err)) || !all_there(toolchain)) {
        diag_error("'%s cc -v' does not show where crt1.o, libc.a and libcompiler_rt.a lie",
                   toolchain->zig);
        diag_hint("ZUK_ZIG must name the pinned Zig that ./bootstrap fetches");
        return false;
    }
    make_absolute(toolchain);
    return true;
}

/* The cache file for a Zig of that identity. */
static char *cache_file(const char *wanted) {
    return path_join(cache_dir(), xasprintf("toolchain-%016llx",
                                            (unsigned long long)hash64(0, wanted, strlen(wanted))));
}

bool toolchain_known(void) {
    struct toolchain toolchain = {.zig = pinned_zig()};
    char *wanted = toolchain.zig ? identity(toolchain.zig) : NULL;
    return wanted && load(&toolchain, cache_file(wanted), wanted);
}

uint64_t toolchain_steps(void) {
    bool was = diag_quiet;
    diag_quiet = true;
    bool known = toolchain_known();
    diag_quiet = was;
    return known ? 0 : PROGRESS_BIT(PROGRESS_LIBC);
}

bool toolchain_find(struct toolchain *toolchain) {
    *toolchain = (struct toolchain){.zig = pinned_zig()};
    char *wanted = toolchain->zig ? identity(toolchain->zig) : NULL;
    if (!wanted) {
        return false;
    }
    const char *cache = cache_file(wanted);
    if (load(toolchain, cache, wanted)) {
        return true;
    }
    progress_step(PROGRESS_LIBC,
                  "asking Zig for its C library (compiled the first time: about a minute)");
    char *folder = scratch_folder();
    if (!folder) {
        return false;
    }
    lend_zig_a_cache();
    bool ok = ask(toolchain, folder);
    rmdir(folder);
    if (ok) {
        save(toolchain, cache, wanted);
    }
    return ok;
}
