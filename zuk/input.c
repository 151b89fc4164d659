/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tells inputs apart by their first bytes, never by their names.
 */
#include "zuk/input.h"

#include <string.h>

#include "zuk/diag.h"
#include "zuk/util.h"

static bool refuse(const char *path, const char *what) {
    diag_error("'%s' is %s", path, what);
    diag_hint("zuk takes a folder with build.zig, .a and .o files, or a static Linux executable");
    return false;
}

/* A source file, by its name: only the hint depends on it. */
static bool refuse_source(const char *path, const char *what) {
    const char *dot = strrchr(path_base(path), '.');
    bool zig = dot != NULL && strcmp(dot, ".zig") == 0;
    if (!zig && (dot == NULL || strcmp(dot, ".c") != 0)) {
        return refuse(path, what);
    }
    diag_error("'%s' is %s", path, what);
    diag_hint("compile it first: zig %s -target x86_64-linux-musl -%sc %s",
              zig ? "build-obj" : "cc", zig ? "l" : "", path);
    return false;
}

bool input_open(struct input *input, const char *path) {
    *input = (struct input){.path = path};
    if (!file_map(path, &input->map)) {
        return false;
    }
    const uint8_t *data = input->map.data;
    size_t size = input->map.size;
    input->kind = file_kind(data, size);
    switch (input->kind) {
    case FILE_ARCHIVE:
        if (!archive_read(&input->archive, path, data, size)) {
            return false;
        }
        if (input->archive.members.len == 0) {
            diag_error("'%s' is an empty archive", path);
            return false;
        }
        return true;
    case FILE_EXECUTABLE:
        return executable_check(path, data, size);
    case FILE_OBJECT:
        return true;
    case FILE_EMPTY:
        return refuse(path, "empty");
    case FILE_BAD_ELF:
        return refuse(path, "cut off: it begins like an ELF file, and ends there");
    case FILE_CORE:
        return refuse(path, "an ELF file, but neither an object nor a program (a core dump?)");
    case FILE_BITCODE:
        diag_error("'%s' is LLVM bitcode, not machine code", path);
        diag_hint("rebuild it without -flto");
        return false;
    case FILE_OTHER:
        break;
    }
    return refuse_source(path, file_describe(data, size));
}
