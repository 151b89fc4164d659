/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A bounds-checked view of an ELF64 file (elf_file.h; System V gABI, chapters 4
 * and 5).
 */
#include "zuk/elf_file.h"

#include <string.h>

#include "zuk/util.h"

const uint8_t *elf_file_bytes(const struct elf_file *f, uint64_t offset, uint64_t size) {
    if (offset > f->size || size > f->size - offset) {
        return NULL;
    }
    return f->data + offset;
}

/* count entries of entry_size bytes each, copied into the arena. */
static void *copy_table(const struct elf_file *f, uint64_t offset, uint64_t count,
                        size_t entry_size) {
    uint64_t size;
    if (__builtin_mul_overflow(count, (uint64_t)entry_size, &size)) {
        return NULL;
    }
    const uint8_t *bytes = elf_file_bytes(f, offset, size);
    return bytes == NULL ? NULL : memcpy(xalloc(size), bytes, size);
}

static bool refuse(const char **why, const char *reason) {
    *why = reason;
    return false;
}

bool elf_file_open(const uint8_t *data, size_t size, struct elf_file *out, const char **why) {
    struct elf_file f = {.data = data, .size = size};
    if (size < sizeof f.header || memcmp(data, ELFMAG, SELFMAG) != 0) {
        return refuse(why, "is not an ELF file");
    }
    memcpy(&f.header, data, sizeof f.header);
    if (f.header.e_ident[EI_CLASS] != ELFCLASS64) {
        return refuse(why, "is not a 64-bit ELF file");
    }
    if (f.header.e_ident[EI_DATA] != ELFDATA2LSB) {
        return refuse(why, "is not a little-endian ELF file");
    }
    if (f.header.e_phnum > 0) {
        if (f.header.e_phentsize != sizeof(Elf64_Phdr) || f.header.e_phnum == PN_XNUM) {
            return refuse(why, "has a damaged program header table");
        }
        f.segments = copy_table(&f, f.header.e_phoff, f.header.e_phnum, sizeof(Elf64_Phdr));
        if (f.segments == NULL) {
            return refuse(why, "is cut short: its program headers lie beyond its end");
        }
        f.segment_count = f.header.e_phnum;
    }
    if (f.header.e_shnum > 0 && f.header.e_shentsize == sizeof(Elf64_Shdr)) {
        f.sections = copy_table(&f, f.header.e_shoff, f.header.e_shnum, sizeof(Elf64_Shdr));
        f.section_count = f.sections == NULL ? 0 : f.header.e_shnum;
    }
    *out = f;
    return true;
}

const uint8_t *elf_file_loaded(const struct elf_file *f, uint64_t vaddr, size_t *left) {
    for (size_t i = 0; i < f->segment_count; i++) {
        const Elf64_Phdr *p = &f->segments[i];
        if (p->p_type != PT_LOAD || vaddr < p->p_vaddr || vaddr - p->p_vaddr >= p->p_filesz) {
            continue;
        }
        const uint8_t *bytes = elf_file_bytes(f, p->p_offset, p->p_filesz);
        if (bytes != NULL) {
            *left = p->p_filesz - (vaddr - p->p_vaddr);
            return bytes + (vaddr - p->p_vaddr);
        }
    }
    return NULL;
}

const char *elf_file_string(const struct elf_file *f, uint64_t offset, uint64_t end) {
    if (offset >= end || end > f->size) {
        return NULL;
    }
    const char *s = (const char *)f->data + offset;
    return memchr(s, 0, end - offset) == NULL ? NULL : s;
}

const Elf64_Shdr *elf_file_section(const struct elf_file *f, const char *name) {
    if (f->header.e_shstrndx >= f->section_count) {
        return NULL;
    }
    const Elf64_Shdr *names = &f->sections[f->header.e_shstrndx];
    if (elf_file_bytes(f, names->sh_offset, names->sh_size) == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < f->section_count; i++) {
        const Elf64_Shdr *s = &f->sections[i];
        const char *its =
            elf_file_string(f, names->sh_offset + s->sh_name, names->sh_offset + names->sh_size);
        if (its != NULL && strcmp(its, name) == 0 && s->sh_type != SHT_NOBITS &&
            elf_file_bytes(f, s->sh_offset, s->sh_size) != NULL) {
            return s;
        }
    }
    return NULL;
}

size_t elf_file_symbols(const struct elf_file *f, const Elf64_Sym **out, uint64_t *names,
                        uint64_t *names_end) {
    for (size_t i = 0; i < f->section_count; i++) {
        const Elf64_Shdr *s = &f->sections[i];
        if (s->sh_type != SHT_SYMTAB || s->sh_entsize != sizeof(Elf64_Sym) ||
            s->sh_link >= f->section_count) {
            continue;
        }
        const Elf64_Shdr *strings = &f->sections[s->sh_link];
        const uint8_t *bytes = elf_file_bytes(f, s->sh_offset, s->sh_size);
        if (bytes == NULL || elf_file_bytes(f, strings->sh_offset, strings->sh_size) == NULL) {
            continue;
        }
        size_t count = s->sh_size / sizeof(Elf64_Sym);
        *names = strings->sh_offset;
        *names_end = strings->sh_offset + strings->sh_size;
        if ((uintptr_t)bytes % _Alignof(Elf64_Sym) == 0) {
            *out = (const void *)bytes;
        } else {
            *out = memcpy(xalloc(count * sizeof(Elf64_Sym)), bytes, count * sizeof(Elf64_Sym));
        }
        return count;
    }
    return 0;
}

bool elf_file_symbol(const struct elf_file *f, const char *name, uint64_t *value) {
    const Elf64_Sym *symbols;
    uint64_t names, names_end;
    size_t count = elf_file_symbols(f, &symbols, &names, &names_end);
    for (size_t i = 0; i < count; i++) {
        if (symbols[i].st_shndx == SHN_UNDEF) {
            continue;
        }
        const char *its = elf_file_string(f, names + symbols[i].st_name, names_end);
        if (its != NULL && strcmp(its, name) == 0) {
            *value = symbols[i].st_value;
            return true;
        }
    }
    return false;
}

/* Walks the notes of one segment; sizes in it are rounded up to 4 bytes (to 8
 * for the name where the segment is aligned to 8, as some linkers do). */
static const uint8_t *find_note(const uint8_t *p, uint64_t size, uint64_t align, const char *name,
                                uint32_t type, size_t *desc_size) {
    uint64_t unit = align == 8 ? 8 : 4;
    while (size >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        memcpy(&note, p, sizeof note);
        uint64_t name_end = (sizeof note + (uint64_t)note.n_namesz + unit - 1) & -unit;
        uint64_t end = (name_end + (uint64_t)note.n_descsz + unit - 1) & -unit;
        if (name_end > size || note.n_descsz > size - name_end) {
            return NULL;
        }
        if (note.n_type == type && note.n_namesz == strlen(name) + 1 &&
            memcmp(p + sizeof note, name, note.n_namesz) == 0) {
            *desc_size = note.n_descsz;
            return p + name_end;
        }
        if (end >= size) {
            return NULL;
        }
        p += end;
        size -= end;
    }
    return NULL;
}

const uint8_t *elf_file_note(const struct elf_file *f, const char *name, uint32_t type,
                             size_t *size) {
    for (size_t i = 0; i < f->segment_count; i++) {
        const Elf64_Phdr *p = &f->segments[i];
        const uint8_t *bytes =
            p->p_type == PT_NOTE ? elf_file_bytes(f, p->p_offset, p->p_filesz) : NULL;
        const uint8_t *desc =
            bytes == NULL ? NULL : find_note(bytes, p->p_filesz, p->p_align, name, type, size);
        if (desc != NULL) {
            return desc;
        }
    }
    return NULL;
}
