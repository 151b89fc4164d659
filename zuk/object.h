/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files by their content: archives and their members, relocatable objects,
 * executables.  Sources: System V gABI 4.1, x86-64 psABI, ar(5).
 *
 * Nothing in a file is believed: every offset and count is checked against
 * the file's size before it is used, and every name ends inside its table.
 * Bytes are never copied; what is read points into the caller's buffer, which
 * must live as long.
 */
#ifndef ZUK_OBJECT_H
#define ZUK_OBJECT_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/util.h"

enum file_kind {
    FILE_EMPTY,
    FILE_ARCHIVE,    /* thin ones too */
    FILE_OBJECT,     /* ELF, ET_REL */
    FILE_EXECUTABLE, /* ELF, ET_EXEC or ET_DYN */
    FILE_CORE,       /* ELF, any other type */
    FILE_BAD_ELF,    /* the magic, but less than a header */
    FILE_BITCODE,    /* LLVM, left by -flto */
    FILE_OTHER,
};

enum file_kind file_kind(const uint8_t *data, size_t size);
/* "a text file", "a Windows program" ... for a file of another kind. */
const char *file_describe(const uint8_t *data, size_t size);
/* "aarch64", "32-bit x86" ...: what an ELF header says it is for. */
const char *elf_machine_name(const uint8_t *data, size_t size);

/* --- relocatable objects ------------------------------------------------ */

enum symbol_kind { SYM_UNDEFINED, SYM_DEFINED, SYM_COMMON };

struct symbol; /* symtab.h */

/* A global or weak symbol of one object. */
struct object_symbol {
    const char *name;
    struct symbol *symbol; /* set by resolve.c */
    uint32_t index;        /* in the object's symbol table */
    uint32_t section;      /* SYM_DEFINED: where; 0 for absolute symbols */
    uint8_t kind;          /* enum symbol_kind */
    uint8_t type;          /* STT_* */
    bool weak;
};

struct object {
    const char *label; /* for people: "x.o", "libapp.a(conn.o)" */
    const uint8_t *data;
    size_t size;
    bool is_ours;         /* of the toolchain, not of the user */
    bool is_read;         /* the fields below are filled */
    bool is_linked;       /* given as an object, or extracted from its archive */
    Elf64_Shdr *sections; /* a copy, aligned */
    size_t section_count;
    bool *discarded; /* by section: in a COMDAT group that another object holds */
    struct object_symbol *symbols;
    size_t symbol_count;
    uint32_t symtab;       /* section number, 0: none */
    uint32_t symtab_shndx; /* the same for its extended section numbers */
};

/* Reads sections and symbols of an x86_64 object.  False after diag_error. */
bool object_read(struct object *object);

const char *object_section_name(const struct object *object, size_t section);

/* Calls visit for every COMDAT group: its signature, and the numbers of its
 * sections (visit may keep none of the pointers but signature). */
typedef void comdat_visit(void *context, const char *signature, const uint32_t *sections,
                          size_t count);
bool object_comdats(const struct object *object, comdat_visit *visit, void *context);

/* How a relocation uses its symbol. */
enum reference_kind { REFERENCE_CALL, REFERENCE_ADDRESS, REFERENCE_TLS };

struct reference {
    uint32_t symbol;  /* index in the object's symbol table */
    uint32_t section; /* the section that holds the reference */
    uint64_t offset;  /* in that section */
    enum reference_kind kind;
};

/* Calls visit for every relocation of a loaded section (SHF_ALLOC, kept). */
typedef void reference_visit(void *context, const struct reference *reference);
bool object_references(const struct object *object, reference_visit *visit, void *context);

/* --- archives ----------------------------------------------------------- */

struct archive_member {
    const char *name;
    const uint8_t *data;
    size_t size;
    uint64_t offset; /* of its header in the archive */
};

struct archive_entry { /* of the symbol index */
    const char *name;
    uint64_t offset; /* of the member's header */
};

struct archive {
    const char *path;
    VEC(struct archive_member) members; /* in file order; the index is not one */
    VEC(struct archive_entry) index;
    bool is_unpadded; /* its last member lacks the byte that makes it even: Zig 0.15
                       * writes such archives, and lld refuses them */
};

/* Walks an archive.  Members of a thin archive are mapped and stay so.  False
 * after diag_error. */
bool archive_read(struct archive *archive, const char *path, const uint8_t *data, size_t size);

/* --- executables -------------------------------------------------------- */

/* Is this a static x86_64 Linux executable that can be loaded?  False after
 * diag_error, which says what it is and what to do. */
bool executable_check(const char *path, const uint8_t *data, size_t size);

#endif
