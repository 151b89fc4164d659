/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Go's ways (golang.h).  Sources: src/cmd/compile/abi-internal.md, the results in
 * registers; src/debug/buildinfo, how a Go program is known; src/runtime/panic.go and
 * os_linux.go; src/runtime/type.go, struct method.
 */
#include "zuk/golang.h"

#include <string.h>

#include "zuk/ops.h"
#include "zuk/util.h"

enum {
    SEARCHED = 64 << 10, /* bytes of the data that the build information begins in */
    ALIGNMENT = 16,      /* of functions; 32 since 1.16 */
};

static bool has_build_information(const struct elf_file *file) {
    static const char magic[] = "\xff Go buildinf:";
    if (elf_file_section(file, ".go.buildinfo") != NULL) {
        return true;
    }
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *p = &file->segments[i];
        bool data = p->p_type == PT_LOAD && (p->p_flags & PF_W) != 0;
        uint64_t size = p->p_filesz < SEARCHED ? p->p_filesz : SEARCHED;
        const uint8_t *bytes = data ? elf_file_bytes(file, p->p_offset, size) : NULL;
        if (bytes != NULL && memmem(bytes, size, magic, sizeof magic - 1) != NULL) {
            return true;
        }
    }
    return false;
}

void golang_open(const struct elf_file *file, struct golang *out) {
    *out = (struct golang){.present = has_build_information(file)};
    if (out->present && (!elf_file_symbol(file, "runtime.text", &out->start) ||
                         !elf_file_symbol(file, "runtime.etext", &out->end) ||
                         !elf_file_symbol(file, "runtime.types", &out->types) ||
                         !elf_file_symbol(file, "runtime.etypes", &out->types_end))) {
        *out = (struct golang){.present = true, .stripped = true, .end = UINT64_MAX};
    }
}

/* A method in a table: offsets of its name and type, and from the start of the code the
 * one that interfaces call and the one that others do, or -1 where nobody can.
 * What only looks like two functions counts, too. */
void golang_find_methods(const struct golang *go, struct code *code) {
    size_t left = 0;
    const uint8_t *p =
        go->types_end > go->types ? elf_file_loaded(code->file, go->types, &left) : NULL;
    left = left < go->types_end - go->types ? left : go->types_end - go->types;
    struct code_function *before = NULL;
    for (size_t i = 0; p != NULL && i + 4 <= left; i += 4) {
        uint64_t address = go->start + load32(p + i);
        bool likely = address % ALIGNMENT == 0 && address < go->end;
        struct code_function *f = likely ? code_at(code, address) : NULL;
        f = f != NULL && f->start == address ? f : NULL;
        if (f != NULL && before != NULL) {
            before->pointed = f->pointed = before->offset = f->offset = true;
        }
        before = f;
    }
}

bool golang_is_result(const struct golang *go, uint64_t site, int reg) {
    static const bool is_result[16] = {
        [RAX] = true, [RBX] = true, [RCX] = true, [RDX] = true, [RSI] = true,
        [RDI] = true, [8] = true,   [9] = true,   [10] = true,  [11] = true};
    if (site < go->start || site >= go->end) {
        return reg == RAX || reg == RDX;
    }
    return is_result[reg];
}

bool golang_never_returns(const char *name) {
    static const char *const names[] = {"runtime.gopanic",    "runtime.throw",
                                        "runtime.fatal",      "runtime.panicdivide",
                                        "runtime.panicshift", "runtime.panicwrap"};
    static const char *const beginnings[] = {"runtime.panicIndex", "runtime.panicSlice"};
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; name != NULL && i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

bool golang_repeats(const char *name) {
    return name != NULL && strcmp(name, "runtime.runPerThreadSyscall") == 0;
}
