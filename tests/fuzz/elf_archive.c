/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The readers of archives, objects, line tables and executables on any bytes:
 * no crash, no hang, and a refusal is said, never silent.
 */
#include <stdlib.h>
#include <string.h>

#include "zuk/diag.h"
#include "zuk/lines.h"
#include "zuk/object.h"
#include "zuk/resolve.h"
#include "zuk/source.h"
#include "zuk/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
    if (!ok) {
        abort();
    }
}

/* What is found must lie inside the input. */
static void check_inside(const void *p, size_t length, const uint8_t *data, size_t size) {
    const uint8_t *at = p;
    check(at >= data && at <= data + size && length <= (size_t)(data + size - at));
}

static void visit_reference(void *context, const struct reference *reference) {
    const struct object *object = context;
    check(reference->section < object->section_count);
}

static void finish(struct resolution *r) {
    if (!resolve_run(r) || !resolve_twins(r) || !resolve_finish(r)) {
        return;
    }
    const char **lines = xalloc((r->undefined.len + 1) * sizeof *lines);
    source_lines(r, lines);
    for (size_t i = 0; i < r->undefined.len; i++) {
        const struct undefined *u = &r->undefined.data[i];
        check(u->symbol->state == SYMBOL_UNDEFINED && u->reference.section != 0);
        check(strcmp(u->name, u->symbol->name) == 0);
    }
}

static void try_object(const uint8_t *data, size_t size) {
    struct object object = {.label = "fuzz.o", .data = data, .size = size};
    struct resolution r = {0};
    if (!resolve_object(&r, &object)) {
        return;
    }
    for (size_t i = 0; i < object.symbol_count; i++) {
        check_inside(object.symbols[i].name, strlen(object.symbols[i].name) + 1, data, size);
        check(object.symbols[i].section < object.section_count || !object.symbols[i].section);
    }
    object_references(&object, visit_reference, &object);
    finish(&r);
}

static void try_archive(const uint8_t *data, size_t size) {
    struct archive archive;
    if (memcmp(data, "!<thin>", 7) == 0 || !archive_read(&archive, "fuzz.a", data, size)) {
        return; /* thin ones open files by name */
    }
    for (size_t i = 0; i < archive.members.len; i++) {
        check_inside(archive.members.data[i].data, archive.members.data[i].size, data, size);
    }
    struct resolution r = {0}, library = {0};
    symbol_refer(symtab_get(&r.table, "main"), false);
    if (resolve_archive(&r, &archive)) {
        finish(&r);
    }
    symbol_refer(symtab_get(&library.table, "main"), false);
    if (resolve_library(&library, &archive)) {
        finish(&library);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    diag_quiet = true;
    switch (file_kind(data, size)) {
    case FILE_ARCHIVE:
        try_archive(data, size);
        break;
    case FILE_OBJECT:
        try_object(data, size);
        break;
    case FILE_EXECUTABLE:
        executable_check("fuzz", data, size);
        break;
    default: { /* a line table as it is */
        struct line_sections sections = {data, data, data, size, size, size};
        uint64_t addresses[3] = {0, 0x1000, 0x201000};
        struct line_place places[3];
        lines_find(&sections, addresses, 3, places);
        struct unit_sections units = {data, data, data, data, size, size, size, size};
        struct unit_folders folders;
        lines_folders(&units, &folders);
        lines_folder(&folders, 0);
        check(*file_describe(data, size) != 0);
    }
    }
    arena_release();
    return 0;
}
