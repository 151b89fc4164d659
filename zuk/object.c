/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Readers for ELF and ar.  They are written out rather than taken from libelf
 * because members lie at odd addresses, thin archives must work, and a lying
 * header has to end in a message that names the file.
 */
#include "zuk/object.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/diag.h"

/* Is [offset, offset + length) inside size bytes? */
static bool inside(uint64_t offset, uint64_t length, uint64_t size) {
    return offset <= size && length <= size - offset;
}

/* Longer names are refused: overlapping ones would take for ever. */
#define NAME_LIMIT ((size_t)1 << 16)

/* --- what a file is ----------------------------------------------------- */

#define AR_MAGIC "!<arch>\n"
#define AR_THIN_MAGIC "!<thin>\n"
#define AR_MAGIC_SIZE 8

static bool starts_with(const uint8_t *data, size_t size, const char *magic, size_t length) {
    return size >= length && memcmp(data, magic, length) == 0;
}

enum file_kind file_kind(const uint8_t *data, size_t size) {
    if (size == 0) {
        return FILE_EMPTY;
    }
    if (starts_with(data, size, AR_MAGIC, AR_MAGIC_SIZE) ||
        starts_with(data, size, AR_THIN_MAGIC, AR_MAGIC_SIZE)) {
        return FILE_ARCHIVE;
    }
    if (starts_with(data, size, ELFMAG, SELFMAG)) {
        if (size < EI_NIDENT + 4) {
            return FILE_BAD_ELF;
        }
        bool big = data[EI_DATA] == ELFDATA2MSB;
        unsigned type =
            big ? (unsigned)(data[16] << 8 | data[17]) : (unsigned)(data[17] << 8 | data[16]);
        return type == ET_REL                      ? FILE_OBJECT
               : type == ET_EXEC || type == ET_DYN ? FILE_EXECUTABLE
                                                   : FILE_CORE;
    }
    if (starts_with(data, size, "BC\xc0\xde", 4) ||
        starts_with(data, size, "\xde\xc0\x17\x0b", 4)) {
        return FILE_BITCODE;
    }
    return FILE_OTHER;
}

const char *file_describe(const uint8_t *data, size_t size) {
    static const struct {
        const char *magic;
        size_t length;
        const char *what;
    } known[] = {
        {"MZ", 2, "a Windows program"},
        {"\xcf\xfa\xed\xfe", 4, "a macOS (Mach-O) file"},
        {"\xca\xfe\xba\xbe", 4, "a macOS (Mach-O) file"},
        {"\0asm", 4, "a WebAssembly module"},
        {"#!", 2, "a script"},
        {"\x1f\x8b", 2, "a gzip file"},
        {"PK\3\4", 4, "a zip file"},
        {"\x28\xb5\x2f\xfd", 4, "a zstd file"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (starts_with(data, size, known[i].magic, known[i].length)) {
            return known[i].what;
        }
    }
    for (size_t i = 0; i < size && i < 512; i++) {
        if (data[i] < 32 && (data[i] < 7 || data[i] > 13) && data[i] != 27) {
            return "a file of unknown format";
        }
    }
    return "a text file";
}

const char *elf_machine_name(const uint8_t *data, size_t size) {
    if (size < EI_NIDENT + 4) {
        return "an unknown machine";
    }
    bool big = data[EI_DATA] == ELFDATA2MSB;
    bool wide = data[EI_CLASS] == ELFCLASS64;
    unsigned machine =
        big ? (unsigned)(data[18] << 8 | data[19]) : (unsigned)(data[19] << 8 | data[18]);
    switch (machine) {
    case EM_X86_64:
        return wide ? "x86_64" : "x32 (x86_64 with 32-bit pointers)";
    case EM_386:
        return "32-bit x86";
    case EM_AARCH64:
        return big ? "big-endian aarch64" : "aarch64";
    case EM_ARM:
        return "32-bit arm";
    case EM_RISCV:
        return wide ? "riscv64" : "riscv32";
    case EM_PPC64:
        return big ? "powerpc64" : "powerpc64le";
    case EM_PPC:
        return "powerpc";
    case EM_S390:
        return "s390x";
    case EM_MIPS:
        return wide ? "mips64" : "mips";
    case EM_SPARCV9:
        return "sparc64";
    case EM_LOONGARCH:
        return "loongarch64";
    default:
        return xasprintf("machine number %u", machine);
    }
}

/* --- the ELF header ----------------------------------------------------- */

/* Copies the header of a little-endian x86_64 ELF64 file. */
static bool header_read(const char *label, const uint8_t *data, size_t size, Elf64_Ehdr *eh) {
    if (size < EI_NIDENT + 4) {
        diag_error("'%s' is cut off: %zu bytes are no ELF file", label, size);
        return false;
    }
    unsigned machine = (unsigned)(data[19] << 8 | data[18]);
    if (data[EI_CLASS] != ELFCLASS64 || data[EI_DATA] != ELFDATA2LSB || machine != EM_X86_64) {
        diag_error("'%s' is for %s, not for x86_64", label, elf_machine_name(data, size));
        diag_hint("rebuild it with -target x86_64-linux-musl");
        return false;
    }
    if (size < sizeof *eh) {
        diag_error("'%s' is cut off: %zu bytes do not hold an ELF header", label, size);
        return false;
    }
    memcpy(eh, data, sizeof *eh);
    if (eh->e_ident[EI_VERSION] != EV_CURRENT || eh->e_version != EV_CURRENT) {
        diag_error("'%s' has ELF version %u, which nobody has defined", label, eh->e_version);
        return false;
    }
    return true;
}

/* --- relocatable objects ------------------------------------------------ */

static bool bad_object(const struct object *object, const char *what) {
    diag_error("'%s' is damaged: %s", object->label, what);
    return false;
}

static bool read_sections(struct object *object) {
    Elf64_Ehdr eh;
    if (!header_read(object->label, object->data, object->size, &eh)) {
        return false;
    }
    if (eh.e_type != ET_REL) {
        diag_error("'%s' is not a relocatable object", object->label);
        return false;
    }
    if (eh.e_shoff == 0) {
        return true;
    }
    if (eh.e_shentsize != sizeof(Elf64_Shdr)) {
        return bad_object(object, "wrong size of section headers");
    }
    if (!inside(eh.e_shoff, sizeof(Elf64_Shdr), object->size)) {
        return bad_object(object, "the section headers lie outside the file (is it cut off?)");
    }
    Elf64_Shdr first;
    memcpy(&first, object->data + eh.e_shoff, sizeof first);
    uint64_t count = eh.e_shnum ? eh.e_shnum : first.sh_size;
    if (count > (object->size - eh.e_shoff) / sizeof(Elf64_Shdr)) {
        return bad_object(object, "the section headers lie outside the file (is it cut off?)");
    }
    uint64_t tables = 0;
    object->section_count = (size_t)count;
    object->sections = xalloc(object->section_count * sizeof *object->sections);
    object->discarded = xalloc(object->section_count);
    if (count) {
        memcpy(object->sections, object->data + eh.e_shoff, (size_t)count * sizeof first);
    }
    for (size_t i = 1; i < count; i++) {
        const Elf64_Shdr *sh = &object->sections[i];
        if (sh->sh_type != SHT_NOBITS && sh->sh_type != SHT_NULL &&
            !inside(sh->sh_offset, sh->sh_size, object->size)) {
            return bad_object(object,
                              xasprintf("section %zu lies outside the file (is it cut off?)", i));
        }
        if (sh->sh_type == SHT_SYMTAB) {
            if (object->symtab) {
                return bad_object(object, "two symbol tables");
            }
            object->symtab = (uint32_t)i;
        }
        if (sh->sh_type == SHT_SYMTAB_SHNDX) {
            object->symtab_shndx = (uint32_t)i;
        }
        if (sh->sh_type == SHT_STRTAB && sh->sh_size &&
            object->data[sh->sh_offset + sh->sh_size - 1] != 0) {
            return bad_object(object, xasprintf("string table %zu does not end in NUL", i));
        }
        if (sh->sh_type == SHT_RELA || sh->sh_type == SHT_GROUP) {
            tables += sh->sh_size;
        }
    }
    if (tables > object->size) {
        return bad_object(object,
                          "its relocation sections overlap"); /* or reading takes for ever */
    }
    uint32_t names = eh.e_shstrndx == SHN_XINDEX ? first.sh_link : eh.e_shstrndx;
    if (count) {
        object->sections[0].sh_link = names < count ? names : 0; /* for object_section_name */
    }
    return true;
}

/* The string at offset in string table `section`, or NULL. */
static const char *string_at(const struct object *object, uint32_t section, uint64_t offset) {
    if (section == 0 || section >= object->section_count) {
        return NULL;
    }
    const Elf64_Shdr *sh = &object->sections[section];
    if (sh->sh_type != SHT_STRTAB || offset >= sh->sh_size) {
        return NULL;
    }
    return (const char *)object->data + sh->sh_offset + offset; /* the table ends in NUL */
}

const char *object_section_name(const struct object *object, size_t section) {
    if (section >= object->section_count) {
        return "";
    }
    const char *name =
        string_at(object, object->sections[0].sh_link, object->sections[section].sh_name);
    return name ? name : "";
}

/* The SHT_SYMTAB_SHNDX entry for symbol i, or 0. */
static uint32_t extended_section(const struct object *object, size_t i) {
    const Elf64_Shdr *sh = &object->sections[object->symtab_shndx];
    uint32_t value = 0;
    if (object->symtab_shndx && inside(i * 4, 4, sh->sh_size)) {
        memcpy(&value, object->data + sh->sh_offset + i * 4, 4);
    }
    return value;
}

static bool read_symbol(struct object *object, const Elf64_Shdr *table, size_t i,
                        const Elf64_Sym *sym) {
    const char *name = string_at(object, table->sh_link, sym->st_name);
    if (!name) {
        return bad_object(object, xasprintf("the name of symbol %zu lies outside its table", i));
    }
    if (strnlen(name, NAME_LIMIT) == NAME_LIMIT) {
        return bad_object(object, xasprintf("the name of symbol %zu is endless", i));
    }
    unsigned binding = ELF64_ST_BIND(sym->st_info);
    if (binding != STB_GLOBAL && binding != STB_WEAK && binding != STB_GNU_UNIQUE) {
        return bad_object(object,
                          xasprintf("symbol '%s' has the unknown binding %u", name, binding));
    }
    uint32_t section = sym->st_shndx == SHN_XINDEX ? extended_section(object, i) : sym->st_shndx;
    bool special = sym->st_shndx >= SHN_LORESERVE && sym->st_shndx != SHN_XINDEX;
    if (!special && section >= object->section_count) {
        return bad_object(
            object, xasprintf("symbol '%s' is in section %u, which does not exist", name, section));
    }
    if (*name == 0) {
        return true; /* some assemblers emit one; nothing can refer to it */
    }
    object->symbols[object->symbol_count++] = (struct object_symbol){
        .name = name,
        .index = (uint32_t)i,
        .section = special ? 0 : section,
        .kind = sym->st_shndx == SHN_UNDEF    ? SYM_UNDEFINED
                : sym->st_shndx == SHN_COMMON ? SYM_COMMON
                                              : SYM_DEFINED,
        .type = ELF64_ST_TYPE(sym->st_info),
        .weak = binding == STB_WEAK,
    };
    return true;
}

static bool read_symbols(struct object *object) {
    if (!object->symtab) {
        return true;
    }
    const Elf64_Shdr *table = &object->sections[object->symtab];
    if (table->sh_entsize != sizeof(Elf64_Sym) || table->sh_size % sizeof(Elf64_Sym) != 0) {
        return bad_object(object, "wrong size of symbols");
    }
    size_t count = (size_t)(table->sh_size / sizeof(Elf64_Sym));
    if (table->sh_info > count || (count && table->sh_info == 0)) {
        return bad_object(object, "the symbol table miscounts its local symbols");
    }
    object->symbols = xalloc((count - table->sh_info) * sizeof *object->symbols);
    for (size_t i = table->sh_info; i < count; i++) {
        Elf64_Sym sym;
        memcpy(&sym, object->data + table->sh_offset + i * sizeof sym, sizeof sym);
        if (!read_symbol(object, table, i, &sym)) {
            return false;
        }
    }
    return true;
}

bool object_read(struct object *object) {
    if (!object->is_read) {
        object->is_read = read_sections(object) && read_symbols(object);
    }
    return object->is_read;
}

/* The signature of group section sh: the name of symbol sh_info, or of its
 * section when it is a section symbol. */
static const char *group_signature(const struct object *object, const Elf64_Shdr *sh) {
    if (sh->sh_link != object->symtab || !object->symtab) {
        return NULL;
    }
    const Elf64_Shdr *table = &object->sections[object->symtab];
    if (sh->sh_info >= table->sh_size / sizeof(Elf64_Sym)) {
        return NULL;
    }
    Elf64_Sym sym;
    memcpy(&sym, object->data + table->sh_offset + sh->sh_info * sizeof sym, sizeof sym);
    if (ELF64_ST_TYPE(sym.st_info) == STT_SECTION && sym.st_shndx < object->section_count) {
        return object_section_name(object, sym.st_shndx);
    }
    return string_at(object, table->sh_link, sym.st_name);
}

bool object_comdats(const struct object *object, comdat_visit *visit, void *context) {
    for (size_t i = 1; i < object->section_count; i++) {
        const Elf64_Shdr *sh = &object->sections[i];
        if (sh->sh_type != SHT_GROUP) {
            continue;
        }
        const char *signature = group_signature(object, sh);
        size_t words = (size_t)(sh->sh_size / 4);
        if (!signature || sh->sh_size % 4 != 0 || words == 0) {
            return bad_object(object, xasprintf("section group %zu makes no sense", i));
        }
        uint32_t *group = xalloc(words * sizeof *group);
        memcpy(group, object->data + sh->sh_offset, words * sizeof *group);
        for (size_t j = 1; j < words; j++) {
            if (group[j] >= object->section_count) {
                return bad_object(object, xasprintf("section group %zu names section %u, which "
                                                    "does not exist",
                                                    i, group[j]));
            }
        }
        if (group[0] & GRP_COMDAT) {
            visit(context, signature, group + 1, words - 1);
        }
    }
    return true;
}

static bool is_tls_relocation(uint32_t type) {
    switch (type) {
    case R_X86_64_DTPMOD64:
    case R_X86_64_DTPOFF64:
    case R_X86_64_TPOFF64:
    case R_X86_64_TLSGD:
    case R_X86_64_TLSLD:
    case R_X86_64_DTPOFF32:
    case R_X86_64_GOTTPOFF:
    case R_X86_64_TPOFF32:
    case R_X86_64_GOTPC32_TLSDESC:
    case R_X86_64_TLSDESC_CALL:
    case R_X86_64_TLSDESC:
        return true;
    default:
        return false;
    }
}

/* A PLT relocation is a call by definition; a PC-relative one is when the
 * bytes before it are those of call, jmp or jcc; one through the GOT when
 * they are call *x(%rip) or jmp *x(%rip). */
static enum reference_kind classify(const struct object *object, const Elf64_Shdr *target,
                                    uint64_t offset, uint32_t type) {
    if (is_tls_relocation(type)) {
        return REFERENCE_TLS;
    }
    if (type == R_X86_64_PLT32) {
        return REFERENCE_CALL;
    }
    if (!(target->sh_flags & SHF_EXECINSTR) || target->sh_type == SHT_NOBITS || offset < 2 ||
        offset >= target->sh_size) {
        return REFERENCE_ADDRESS;
    }
    const uint8_t *at = object->data + target->sh_offset + offset;
    switch (type) {
    case R_X86_64_PC32:
        return at[-1] == 0xe8 || at[-1] == 0xe9 || (at[-2] == 0x0f && (at[-1] & 0xf0) == 0x80)
                   ? REFERENCE_CALL
                   : REFERENCE_ADDRESS;
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
        return at[-2] == 0xff && (at[-1] == 0x15 || at[-1] == 0x25) ? REFERENCE_CALL
                                                                    : REFERENCE_ADDRESS;
    default:
        return REFERENCE_ADDRESS;
    }
}

bool object_references(const struct object *object, reference_visit *visit, void *context) {
    for (size_t i = 1; i < object->section_count; i++) {
        const Elf64_Shdr *sh = &object->sections[i];
        if (sh->sh_type != SHT_RELA || sh->sh_info == 0 || sh->sh_info >= object->section_count) {
            continue;
        }
        const Elf64_Shdr *target = &object->sections[sh->sh_info];
        if (!(target->sh_flags & SHF_ALLOC) || object->discarded[sh->sh_info]) {
            continue;
        }
        if (sh->sh_entsize != sizeof(Elf64_Rela)) {
            return bad_object(object, "wrong size of relocations");
        }
        for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= sh->sh_size; at += sizeof(Elf64_Rela)) {
            Elf64_Rela rela;
            memcpy(&rela, object->data + sh->sh_offset + at, sizeof rela);
            uint32_t symbol = (uint32_t)ELF64_R_SYM(rela.r_info);
            if (symbol == 0) {
                continue;
            }
            struct reference reference = {
                .symbol = symbol,
                .section = sh->sh_info,
                .offset = rela.r_offset,
                .kind =
                    classify(object, target, rela.r_offset, (uint32_t)ELF64_R_TYPE(rela.r_info)),
            };
            visit(context, &reference);
        }
    }
    return true;
}

/* --- archives ----------------------------------------------------------- */

struct ar_header { /* ar(5); text, padded with spaces */
    char name[16];
    char date[12];
    char owner[6];
    char group[6];
    char mode[8];
    char size[10];
    char magic[2];
};
_Static_assert(sizeof(struct ar_header) == 60, "ar_header is a file format");

/* A decimal number padded with spaces; false for anything else. */
static bool ar_number(const char *text, size_t length, uint64_t *value) {
    size_t i = 0;
    *value = 0;
    while (i < length && text[i] >= '0' && text[i] <= '9') {
        *value = *value * 10 + (uint64_t)(text[i++] - '0');
    }
    bool any = i > 0;
    while (i < length && text[i] == ' ') {
        i++;
    }
    return any && i == length;
}

static bool bad_archive(const struct archive *archive, uint64_t offset, const char *what) {
    diag_error("'%s' is damaged at byte %llu: %s", archive->path, (unsigned long long)offset, what);
    return false;
}

struct ar_walk {
    struct archive *archive;
    const uint8_t *data;
    size_t size;
    bool thin;
    const char *names; /* the "//" member */
    size_t names_size;
};

/* The index in System V ("/": 4 bytes, "/SYM64/": 8) form: a big-endian count,
 * that many offsets, that many names.  A damaged one is left out: only Zig's
 * own archives are read through theirs. */
static void read_index(struct ar_walk *walk, const uint8_t *data, size_t size, size_t width) {
    uint64_t count = 0;
    if (size < width) {
        return;
    }
    for (size_t i = 0; i < width; i++) {
        count = count << 8 | data[i];
    }
    if (count > (size - width) / (width + 1)) {
        return;
    }
    const char *name = (const char *)data + width + count * width;
    const char *end = (const char *)data + size;
    for (uint64_t n = 0; n < count; n++) {
        const char *zero = name < end ? memchr(name, 0, (size_t)(end - name)) : NULL;
        if (!zero) {
            return;
        }
        uint64_t offset = 0;
        for (size_t i = 0; i < width; i++) {
            offset = offset << 8 | data[width + n * width + i];
        }
        *vec_push(&walk->archive->index) = (struct archive_entry){name, offset};
        name = zero + 1;
    }
}

/* The member's name: short ("x.o/"), long ("/123", in the "//" member), or
 * BSD's ("#1/20", the first bytes of the data).  NULL when it makes no sense. */
static const char *member_name(const struct ar_walk *walk, const struct ar_header *header,
                               const uint8_t **data, uint64_t *size) {
    uint64_t number;
    if (header->name[0] == '/' && ar_number(header->name + 1, sizeof header->name - 1, &number)) {
        if (!walk->names || number >= walk->names_size) {
            return NULL;
        }
        const char *name = walk->names + number;
        const char *end = memchr(name, '\n', walk->names_size - (size_t)number);
        size_t length = end ? (size_t)(end - name) : walk->names_size - (size_t)number;
        if (length && name[length - 1] == '/') {
            length--;
        }
        return length < PATH_MAX ? xstrndup(name, length) : NULL;
    }
    if (memcmp(header->name, "#1/", 3) == 0) {
        if (!ar_number(header->name + 3, sizeof header->name - 3, &number) || number > *size ||
            number >= PATH_MAX) {
            return NULL;
        }
        const char *name = (const char *)*data;
        *data += number;
        *size -= number;
        return xstrndup(name, (size_t)number);
    }
    size_t length = 0;
    while (length < sizeof header->name && header->name[length] != '/') {
        length++;
    }
    while (length && header->name[length - 1] == ' ') {
        length--;
    }
    return xstrndup(header->name, length);
}

/* A thin archive holds names only, relative to its own folder. */
static bool map_thin_member(const struct ar_walk *walk, const char *name,
                            struct archive_member *member) {
    const char *path = name;
    if (name[0] != '/') {
        const char *base = path_base(walk->archive->path);
        path = xasprintf("%.*s%s", (int)(base - walk->archive->path), walk->archive->path, name);
    }
    struct file_map map;
    if (!file_map(path, &map)) {
        diag_hint("'%s' is a thin archive: it names its members' files instead of holding them",
                  walk->archive->path);
        return false;
    }
    member->data = map.data;
    member->size = map.size;
    return true;
}

/* Reads the member at offset; *next is where the one after it begins. */
static bool read_member(struct ar_walk *walk, uint64_t offset, uint64_t *next) {
    struct archive *archive = walk->archive;
    struct ar_header header;
    if (!inside(offset, sizeof header, walk->size)) {
        return bad_archive(archive, offset, "it ends inside a member's header (is it cut off?)");
    }
    memcpy(&header, walk->data + offset, sizeof header);
    uint64_t size;
    if (memcmp(header.magic, "`\n", 2) != 0) {
        return bad_archive(archive, offset, "no member begins here");
    }
    if (!ar_number(header.size, sizeof header.size, &size)) {
        return bad_archive(archive, offset, "the member's size is no number");
    }
    bool index = memcmp(header.name, "/ ", 2) == 0 || memcmp(header.name, "/SYM64/ ", 8) == 0;
    bool names = memcmp(header.name, "// ", 3) == 0;
    uint64_t start = offset + sizeof header;
    if (walk->thin && !index && !names) {
        struct archive_member member = {.offset = offset};
        const uint8_t *none = NULL;
        uint64_t zero = 0;
        member.name = member_name(walk, &header, &none, &zero);
        if (!member.name || !*member.name) {
            return bad_archive(archive, offset, "the member's name makes no sense");
        }
        *next = start;
        if (!map_thin_member(walk, member.name, &member)) {
            return false;
        }
        *vec_push(&archive->members) = member;
        return true;
    }
    if (!inside(start, size, walk->size)) {
        return bad_archive(archive, offset,
                           xasprintf("a member of %llu bytes goes past the end (is it cut off?)",
                                     (unsigned long long)size));
    }
    *next = start + size + (size & 1);
    const uint8_t *data = walk->data + start;
    if (index) {
        read_index(walk, data, (size_t)size, header.name[1] == 'S' ? 8 : 4);
        return true;
    }
    if (names) {
        walk->names = (const char *)data;
        walk->names_size = (size_t)size;
        return true;
    }
    const char *name = member_name(walk, &header, &data, &size);
    if (!name) {
        return bad_archive(archive, offset, "the member's name makes no sense");
    }
    if (strncmp(name, "__.SYMDEF", 9) == 0) { /* BSD's index */
        return true;
    }
    *vec_push(&archive->members) =
        (struct archive_member){.name = name, .data = data, .size = (size_t)size, .offset = offset};
    return true;
}

bool archive_read(struct archive *archive, const char *path, const uint8_t *data, size_t size) {
    *archive = (struct archive){.path = path};
    struct ar_walk walk = {
        .archive = archive,
        .data = data,
        .size = size,
        .thin = starts_with(data, size, AR_THIN_MAGIC, AR_MAGIC_SIZE),
    };
    uint64_t offset = AR_MAGIC_SIZE;
    while (offset < size) {
        if (size - offset == 1 && data[offset] == '\n') {
            break; /* padding of the last member */
        }
        uint64_t next;
        if (!read_member(&walk, offset, &next)) {
            return false;
        }
        offset = next;
    }
    archive->is_unpadded = offset > size;
    return true;
}

/* --- executables -------------------------------------------------------- */

struct executable {
    const char *path;
    const uint8_t *data;
    size_t size;
    Elf64_Ehdr header;
    Elf64_Phdr *segments;
    size_t segment_count;
    const char *interpreter;  /* NULL: none */
    VEC(const char *) needed; /* names of shared libraries */
    const char *soname;
    bool pie; /* DF_1_PIE */
};

static bool bad_executable(const struct executable *exe, const char *what) {
    diag_error("'%s' is damaged: %s", exe->path, what);
    return false;
}

static bool read_segments(struct executable *exe) {
    const Elf64_Ehdr *eh = &exe->header;
    if (eh->e_phnum == 0) {
        diag_error("'%s' has no program headers: it is not an executable", exe->path);
        return false;
    }
    if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == PN_XNUM) {
        return bad_executable(exe, "wrong size of program headers");
    }
    if (!inside(eh->e_phoff, (uint64_t)eh->e_phnum * sizeof(Elf64_Phdr), exe->size)) {
        return bad_executable(exe, "the program headers lie outside the file (is it cut off?)");
    }
    exe->segment_count = eh->e_phnum;
    exe->segments = xalloc(exe->segment_count * sizeof *exe->segments);
    memcpy(exe->segments, exe->data + eh->e_phoff, exe->segment_count * sizeof *exe->segments);
    return true;
}

#define USER_TOP UINT64_C(0x7ffffffff000) /* first address that no Linux process has */

/* What a loader relies on: in the file, in the lower half, ascending, without
 * overlap, congruent to its file offset. */
static bool check_load(const struct executable *exe, const Elf64_Phdr *ph, size_t i,
                       uint64_t *end) {
    if (!inside(ph->p_offset, ph->p_filesz, exe->size)) {
        return bad_executable(exe,
                              xasprintf("segment %zu lies outside the file (is it cut off?)", i));
    }
    if (ph->p_filesz > ph->p_memsz) {
        return bad_executable(exe,
                              xasprintf("segment %zu is larger in the file than in memory", i));
    }
    if (!inside(ph->p_vaddr, ph->p_memsz, USER_TOP)) {
        return bad_executable(exe,
                              xasprintf("segment %zu has an address that no program can have", i));
    }
    if (ph->p_memsz && ph->p_filesz && ((ph->p_vaddr ^ ph->p_offset) & 4095) != 0) {
        return bad_executable(exe, xasprintf("segment %zu cannot be mapped: its address and its "
                                             "file offset differ within a page",
                                             i));
    }
    if (ph->p_memsz && ph->p_vaddr < *end) {
        return bad_executable(exe, xasprintf("segment %zu overlaps the one before it", i));
    }
    if (ph->p_memsz) {
        *end = ph->p_vaddr + ph->p_memsz;
    }
    return true;
}

static bool check_loads(const struct executable *exe) {
    uint64_t end = 0;
    bool any = false, entry = false;
    for (size_t i = 0; i < exe->segment_count; i++) {
        const Elf64_Phdr *ph = &exe->segments[i];
        if (ph->p_type == PT_LOAD) {
            if (!check_load(exe, ph, i, &end)) {
                return false;
            }
            any = true;
            entry |= (ph->p_flags & PF_X) && exe->header.e_entry >= ph->p_vaddr &&
                     exe->header.e_entry - ph->p_vaddr < ph->p_filesz;
        } else if ((ph->p_type == PT_TLS || ph->p_type == PT_DYNAMIC || ph->p_type == PT_INTERP ||
                    ph->p_type == PT_NOTE) &&
                   (!inside(ph->p_offset, ph->p_filesz, exe->size) ||
                    (ph->p_type == PT_TLS && ph->p_filesz > ph->p_memsz))) {
            return bad_executable(
                exe, xasprintf("segment %zu lies outside the file (is it cut off?)", i));
        }
    }
    if (!any) {
        return bad_executable(exe, "nothing in it is to be loaded");
    }
    if (!entry && !exe->soname && exe->header.e_entry) {
        return bad_executable(exe, "it begins at an address where it has no code");
    }
    return true;
}

/* File bytes at virtual address: up to the segment's end.  NULL: none. */
static const char *bytes_at(const struct executable *exe, uint64_t address, uint64_t *length) {
    for (size_t i = 0; i < exe->segment_count; i++) {
        const Elf64_Phdr *ph = &exe->segments[i];
        if (ph->p_type == PT_LOAD && address >= ph->p_vaddr &&
            address - ph->p_vaddr < ph->p_filesz && inside(ph->p_offset, ph->p_filesz, exe->size)) {
            *length = ph->p_filesz - (address - ph->p_vaddr);
            return (const char *)exe->data + ph->p_offset + (address - ph->p_vaddr);
        }
    }
    return NULL;
}

enum { NEEDED_LIMIT = 32 }; /* more are not worth naming */

static const char *dynamic_string(const struct executable *exe, uint64_t table, uint64_t offset) {
    uint64_t length = 0;
    const char *s = table + offset < table ? NULL : bytes_at(exe, table + offset, &length);
    size_t limit = length < PATH_MAX ? (size_t)length : PATH_MAX;
    return s && memchr(s, 0, limit) ? s : "?";
}

static void read_dynamic(struct executable *exe, const Elf64_Phdr *ph) {
    if (!inside(ph->p_offset, ph->p_filesz, exe->size)) {
        return; /* check_loads says so */
    }
    uint64_t strings = 0;
    size_t count = (size_t)(ph->p_filesz / sizeof(Elf64_Dyn));
    for (int pass = 0; pass < 2; pass++) { /* the string table may be named last */
        for (size_t i = 0; i < count; i++) {
            Elf64_Dyn dyn;
            memcpy(&dyn, exe->data + ph->p_offset + i * sizeof dyn, sizeof dyn);
            if (dyn.d_tag == DT_NULL) {
                break;
            }
            if (pass == 0 && dyn.d_tag == DT_STRTAB) {
                strings = dyn.d_un.d_ptr;
            } else if (pass == 0 && dyn.d_tag == DT_FLAGS_1) {
                exe->pie = dyn.d_un.d_val & DF_1_PIE;
            } else if (pass == 1 && dyn.d_tag == DT_NEEDED && exe->needed.len < NEEDED_LIMIT) {
                *vec_push(&exe->needed) = dynamic_string(exe, strings, dyn.d_un.d_val);
            } else if (pass == 1 && dyn.d_tag == DT_SONAME && !exe->soname) {
                exe->soname = dynamic_string(exe, strings, dyn.d_un.d_val);
            }
        }
    }
}

static bool refuse_dynamic(const struct executable *exe) {
    size_t room = 64;
    for (size_t i = 0; i < exe->needed.len; i++) {
        room += strlen(exe->needed.data[i]) + 2;
    }
    char *list = xalloc(room);
    for (size_t i = 0; i < exe->needed.len; i++) {
        if (i) {
            strcat(list, ", ");
        }
        strcat(list, exe->needed.data[i]);
    }
    if (exe->needed.len) {
        diag_error("'%s' is dynamically linked: it wants %s", exe->path, list);
    } else {
        diag_error("'%s' is dynamically linked: it wants the loader %s", exe->path,
                   exe->interpreter);
    }
    diag_hint("link it statically: zig with -target x86_64-linux-musl, gcc with -static");
    return false;
}

bool executable_check(const char *path, const uint8_t *data, size_t size) {
    struct executable exe = {.path = path, .data = data, .size = size};
    if (!header_read(path, data, size, &exe.header)) {
        return false;
    }
    unsigned abi = exe.header.e_ident[EI_OSABI];
    if (abi != ELFOSABI_NONE && abi != ELFOSABI_LINUX) {
        diag_error("'%s' is not for Linux (its header says OS ABI %u)", path, abi);
        return false;
    }
    if (!read_segments(&exe)) {
        return false;
    }
    for (size_t i = 0; i < exe.segment_count; i++) {
        const Elf64_Phdr *ph = &exe.segments[i];
        if (ph->p_type == PT_INTERP) {
            bool whole = inside(ph->p_offset, ph->p_filesz, size) && ph->p_filesz > 0;
            exe.interpreter =
                whole ? xstrndup((const char *)data + ph->p_offset, (size_t)ph->p_filesz) : "?";
        } else if (ph->p_type == PT_DYNAMIC) {
            read_dynamic(&exe, ph);
        }
    }
    if (!check_loads(&exe)) {
        return false;
    }
    if (exe.header.e_type == ET_DYN && !exe.pie &&
        (exe.soname || (!exe.interpreter && (exe.needed.len || exe.header.e_entry == 0)))) {
        diag_error("'%s' is a shared library, not a program", path);
        diag_hint("build a static library that defines main, or a static executable");
        return false;
    }
    if (exe.interpreter || exe.needed.len) {
        return refuse_dynamic(&exe);
    }
    if (exe.header.e_entry == 0) {
        return bad_executable(&exe, "it has no entry point");
    }
    return true;
}
