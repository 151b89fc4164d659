/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Relocates an object's .debug_line and looks up the uses.  Sections of an
 * object have no addresses yet, so each gets a range of its own, far from 0.
 */
#include "zuk/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "zuk/lines.h"

#define FIRST_BASE UINT64_C(0x100000)

/* --- one object --------------------------------------------------------- */

/* The section of that name, uncompressed; 0: none. */
static size_t find_section(const struct object *object, const char *name) {
    for (size_t i = 1; i < object->section_count; i++) {
        const Elf64_Shdr *sh = &object->sections[i];
        if (sh->sh_type != SHT_NOBITS && !(sh->sh_flags & SHF_COMPRESSED) &&
            strcmp(object_section_name(object, i), name) == 0) {
            return i;
        }
    }
    return 0;
}

static const uint8_t *section_bytes(const struct object *object, size_t section, size_t *size) {
    *size = section ? (size_t)object->sections[section].sh_size : 0;
    return section ? object->data + object->sections[section].sh_offset : NULL;
}

static uint64_t *section_bases(const struct object *object) {
    uint64_t *bases = xalloc(object->section_count * sizeof *bases);
    uint64_t next = FIRST_BASE;
    for (size_t i = 1; i < object->section_count; i++) {
        const Elf64_Shdr *sh = &object->sections[i];
        if (sh->sh_flags & SHF_ALLOC) {
            bases[i] = next;
            next = (next + sh->sh_size + 4095) & ~UINT64_C(4095);
        }
    }
    return bases;
}

static bool symbol_address(const struct object *object, const uint64_t *bases, uint64_t index,
                           uint64_t *address) {
    const Elf64_Shdr *table = &object->sections[object->symtab];
    if (index >= table->sh_size / sizeof(Elf64_Sym)) {
        return false;
    }
    Elf64_Sym symbol;
    memcpy(&symbol, object->data + table->sh_offset + index * sizeof symbol, sizeof symbol);
    bool placed = symbol.st_shndx != SHN_UNDEF && symbol.st_shndx < object->section_count;
    *address = symbol.st_value + (placed ? bases[symbol.st_shndx] : 0);
    return true;
}

/* A copy of the section with its 64-bit and 32-bit absolute relocations. */
static uint8_t *relocated(const struct object *object, const uint64_t *bases, size_t section) {
    size_t size;
    const uint8_t *bytes = section_bytes(object, section, &size);
    uint8_t *copy = xalloc(size);
    memcpy(copy, bytes, size);
    for (size_t i = 1; i < object->section_count; i++) {
        const Elf64_Shdr *sh = &object->sections[i];
        if (sh->sh_type != SHT_RELA || sh->sh_info != section || (sh->sh_flags & SHF_COMPRESSED) ||
            !object->symtab) {
            continue;
        }
        for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= sh->sh_size; at += sizeof(Elf64_Rela)) {
            Elf64_Rela rela;
            memcpy(&rela, object->data + sh->sh_offset + at, sizeof rela);
            uint32_t type = (uint32_t)ELF64_R_TYPE(rela.r_info);
            size_t width = type == R_X86_64_64                           ? 8
                           : type == R_X86_64_32 || type == R_X86_64_32S ? 4
                                                                         : 0;
            uint64_t value;
            if (width && rela.r_offset <= size && width <= size - rela.r_offset &&
                symbol_address(object, bases, ELF64_R_SYM(rela.r_info), &value)) {
                value += (uint64_t)rela.r_addend;
                memcpy(copy + rela.r_offset, &value, width);
            }
        }
    }
    return copy;
}

/* As the user would type it: relative to where zuk runs. */
static const char *spell(const struct line_place *place, const char *unit_folder) {
    char *file = place->folder ? path_join(place->folder, place->file) : xstrdup(place->file);
    if (*file != '/' && unit_folder) {
        file = path_join(unit_folder, file);
    }
    char cwd[4096];
    size_t length = getcwd(cwd, sizeof cwd) ? strlen(cwd) : 0;
    if (length > 1 && strncmp(file, cwd, length) == 0 && file[length] == '/') {
        file += length + 1;
    }
    return xasprintf("%s:%u", file, place->line);
}

static bool is_relative(const struct line_place *place) {
    return place->file && *place->file != '/' && !(place->folder && *place->folder == '/');
}

/* Adds the units' folders where names are relative. */
static void spell_all(const struct object *object, const uint64_t *bases,
                      const struct line_sections *sections, const struct line_place *places,
                      size_t count, const char **lines) {
    struct unit_sections units = {.str = sections->str,
                                  .line_str = sections->line_str,
                                  .str_size = sections->str_size,
                                  .line_str_size = sections->line_str_size};
    size_t info = find_section(object, ".debug_info");
    units.abbrev = section_bytes(object, find_section(object, ".debug_abbrev"), &units.abbrev_size);
    struct unit_folders folders = {0};
    for (size_t i = 0; i < count; i++) {
        const char *folder = NULL;
        if (is_relative(&places[i]) && info && units.abbrev) {
            if (!units.info) {
                units.info = relocated(object, bases, info);
                units.info_size = (size_t)object->sections[info].sh_size;
                lines_folders(&units, &folders);
            }
            folder = lines_folder(&folders, places[i].unit);
        }
        lines[i] = places[i].file ? spell(&places[i], folder) : NULL;
    }
}

static void find_in_object(const struct object *object, const struct undefined *const *uses,
                           size_t count, const char **lines) {
    size_t line = find_section(object, ".debug_line");
    if (!line) {
        return;
    }
    const uint64_t *bases = section_bases(object);
    struct line_sections sections = {.line = relocated(object, bases, line),
                                     .line_size = (size_t)object->sections[line].sh_size};
    sections.line_str =
        section_bytes(object, find_section(object, ".debug_line_str"), &sections.line_str_size);
    sections.str = section_bytes(object, find_section(object, ".debug_str"), &sections.str_size);
    uint64_t *addresses = xalloc(count * sizeof *addresses);
    struct line_place *places = xalloc(count * sizeof *places);
    for (size_t i = 0; i < count; i++) {
        addresses[i] = bases[uses[i]->reference.section] + uses[i]->reference.offset;
    }
    lines_find(&sections, addresses, count, places);
    spell_all(object, bases, &sections, places, count, lines);
}

/* --- all of them -------------------------------------------------------- */

/* resolve_finish walks object by object, so uses of one object stand together. */
void source_lines(const struct resolution *r, const char **lines) {
    size_t total = r->undefined.len;
    const struct undefined **uses = xalloc((total + 1) * sizeof *uses);
    memset(lines, 0, total * sizeof *lines);
    for (size_t i = 0; i < total; i++) {
        uses[i] = &r->undefined.data[i];
    }
    for (size_t start = 0, end; start < total; start = end) {
        for (end = start + 1; end < total && uses[end]->object == uses[start]->object; end++) {
        }
        find_in_object(uses[start]->object, uses + start, end - start, lines + start);
    }
}
