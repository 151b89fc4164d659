/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A read-only, bounds-checked view of an ELF64 little-endian file in memory.
 *
 * Nothing in the file is believed: every offset is checked before use, tables
 * are copied out (so alignment does not matter), and a damaged section table
 * only means that there are no sections.
 */
#ifndef ZUK_ELF_FILE_H
#define ZUK_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file {
    const uint8_t *data; /* the caller's, must outlive the view */
    size_t size;
    Elf64_Ehdr header;
    const Elf64_Phdr *segments;
    size_t segment_count;
    const Elf64_Shdr *sections;
    size_t section_count;
};

/* False, with *why set to half a sentence ("is not an ELF file"), when the
 * header or the program header table is damaged. */
bool elf_file_open(const uint8_t *data, size_t size, struct elf_file *out, const char **why);

/* The bytes at a file offset, or NULL when they are not all in the file. */
const uint8_t *elf_file_bytes(const struct elf_file *f, uint64_t offset, uint64_t size);
/* The bytes at a virtual address, as loaded from the file; *left gets how many
 * follow in that segment.  NULL when no segment has them. */
const uint8_t *elf_file_loaded(const struct elf_file *f, uint64_t vaddr, size_t *left);
/* A NUL-terminated string in a file range, or NULL. */
const char *elf_file_string(const struct elf_file *f, uint64_t offset, uint64_t end);

/* The contents of the section with that name; NULL: none. */
const Elf64_Shdr *elf_file_section(const struct elf_file *f, const char *name);

/* The symbol table (SHT_SYMTAB): the entries, copied if need be, and the range
 * of their names in the file for elf_file_string().  0: none. */
size_t elf_file_symbols(const struct elf_file *f, const Elf64_Sym **out, uint64_t *names,
                        uint64_t *names_end);
bool elf_file_symbol(const struct elf_file *f, const char *name, uint64_t *value);

/* The descriptor of the first note with that name and type in a PT_NOTE. */
const uint8_t *elf_file_note(const struct elf_file *f, const char *name, uint32_t type,
                             size_t *size);

#endif
