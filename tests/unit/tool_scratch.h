/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For tests of the tool: a scratch folder that is removed at the end, what was
 * said on stderr, and objects compiled with the host's cc.
 */
#ifndef TESTS_UNIT_TOOL_SCRATCH_H
#define TESTS_UNIT_TOOL_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "zuk/diag.h"
#include "zuk/program.h"
#include "zuk/util.h"

static char scratch[64];

static int scratch_begin(void **state) {
    (void)state;
    strcpy(scratch, "/tmp/zuk-test-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int scratch_end(void **state) {
    (void)state;
    return nftw(scratch, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *in_scratch(const char *name) {
    return path_join(scratch, name);
}

/* Everything on stderr from said_begin to said_end. */
static int said_old = -1;

static inline void said_begin(void) {
    fflush(stderr);
    said_old = dup(2);
    int fd = open(in_scratch("said"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && dup2(fd, 2) == 2);
    close(fd);
}

static inline char *said_end(void) {
    fflush(stderr);
    dup2(said_old, 2);
    close(said_old);
    struct file_map map;
    assert_true(file_map(in_scratch("said"), &map));
    char *text = map.data ? xstrndup((const char *)map.data, map.size) : xstrdup("");
    file_unmap(&map);
    return text;
}

static inline void assert_said(const char *said, const char *wanted) {
    if (!strstr(said, wanted)) {
        fail_msg("'%s' is not in what was said:\n%s", wanted, said);
    }
}

static inline char *put_file(const char *name, const void *data, size_t size) {
    char *path = in_scratch(name);
    assert_true(write_file(path, data, size));
    return path;
}

static inline void must_run(const char *const *argv) {
    struct run run = {.argv = argv, .out_to_err = true, .timeout_ms = 60000};
    assert_int_equal(run_program(&run), 0);
}

/* Compiles C to scratch/NAME.o; flag may be NULL. */
static inline char *compile(const char *name, const char *code, const char *flag) {
    char *source = put_file(xasprintf("%s.c", name), code, strlen(code));
    char *object = in_scratch(xasprintf("%s.o", name));
    const char *const argv[] = {"cc",   "-c", "-fno-pie", "-fno-stack-protector", "-o", object,
                                source, flag, NULL};
    must_run(argv);
    return object;
}

/* ar FLAGS scratch/NAME of objects (NULL-terminated). */
static inline char *archive(const char *flags, const char *name, const char *const *objects) {
    const char *argv[16] = {"ar", flags, in_scratch(name)};
    for (size_t i = 0; objects[i]; i++) {
        argv[3 + i] = objects[i];
    }
    must_run(argv);
    return in_scratch(name);
}

#endif
