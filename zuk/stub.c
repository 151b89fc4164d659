/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trap stubs by kind.  stubs.o is written with libelf, without an assembler;
 * stubs.S says the same and assembles to the same bytes.
 */
#include "zuk/stub.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#include "abi/image.h"
#include "zuk/diag.h"
#include "zuk/source.h"

/* --- saying so ---------------------------------------------------------- */

static void report_one(const struct undefined *u, const char *line, bool strict) {
    const char *more = u->other_objects == 0 ? ""
                       : u->other_objects == 1
                           ? " and one more object"
                           : xasprintf(" and %zu more objects", u->other_objects);
    const char *at = line ? xasprintf(", used at %s", line) : "";
    if (u->is_tls) {
        diag_error("undefined TLS symbol '%s' in %s%s%s", u->name, u->object->label, more, at);
        diag_hint("thread-local data cannot be trapped; define it, or add the object that does");
    } else if (strict) {
        diag_error("undefined symbol '%s' in %s%s%s", u->name, u->object->label, more, at);
    } else {
        diag_warning("undefined symbol '%s' in %s%s%s", u->name, u->object->label, more, at);
    }
}

bool stub_report(struct resolution *r, bool strict) {
    size_t count = r->undefined.len;
    if (count == 0) {
        return true;
    }
    const char **lines = xalloc(count * sizeof *lines);
    source_lines(r, lines);
    bool ok = !strict;
    for (size_t i = 0; i < count; i++) {
        struct undefined *u = &r->undefined.data[i];
        u->line = lines[i];
        report_one(u, lines[i], strict);
        ok &= !u->is_tls;
        symbol_stub(&r->table, u->symbol);
    }
    if (count > IMAGE_STUB_MAX) {
        diag_error("%zu undefined symbols are too many: %u can have a stub", count, IMAGE_STUB_MAX);
        ok = false;
    }
    if (ok) {
        diag_hint("the app stops with a report when it uses %s; --strict makes this an error",
                  count == 1 ? "it" : "one of them");
    } else if (strict) {
        diag_hint("define %s, add the library that does, or leave out --strict",
                  count == 1 ? "it" : "them");
    }
    return ok;
}

/* --- the object --------------------------------------------------------- */

struct bytes {
    VEC(uint8_t) v;
};

static size_t put(struct bytes *b, const void *data, size_t size) {
    size_t at = b->v.len;
    for (size_t i = 0; i < size; i++) {
        *vec_push(&b->v) = ((const uint8_t *)data)[i];
    }
    return at;
}

static void pad(struct bytes *b, size_t to, uint8_t with) {
    while (b->v.len % to) {
        *vec_push(&b->v) = with;
    }
}

enum {
    SECTION_TEXT = 1,
    SECTION_RELA,
    SECTION_SYMTAB,
    SECTION_STRTAB,
    SECTION_NOTE,
    SECTION_COUNT
};

struct stub_object {
    struct bytes text, rela, symbols, strings, listing;
    uint32_t symbol_count;
};

static const char section_names[] =
    "\0.text.zuk_stubs\0.rela.text.zuk_stubs\0.symtab\0.strtab\0.note.GNU-stack";
static const uint32_t section_name_at[SECTION_COUNT] = {0, 1, 17, 38, 46, 54};

static void list(struct stub_object *o, const char *line) {
    put(&o->listing, line, strlen(line));
}

static uint32_t put_symbol(struct stub_object *o, const char *name, unsigned type, unsigned section,
                           uint64_t value, uint64_t size) {
    Elf64_Sym symbol = {
        .st_name = (Elf64_Word)put(&o->strings, name, strlen(name) + 1),
        .st_info = (unsigned char)ELF64_ST_INFO(STB_GLOBAL, type),
        .st_shndx = (Elf64_Half)section,
        .st_value = value,
        .st_size = size,
    };
    put(&o->symbols, &symbol, sizeof symbol);
    return o->symbol_count++;
}

/* The name as the assembler takes it. */
static const char *quoted(const char *name) {
    struct bytes b = {0};
    put(&b, "\"", 1);
    for (const char *p = name; *p; p++) {
        if (*p == '"' || *p == '\\') {
            put(&b, "\\", 1);
        }
        if (*p == '\n') {
            put(&b, "\\n", 2);
        } else {
            put(&b, p, 1);
        }
    }
    put(&b, "\"", 2);
    return (const char *)b.v.data;
}

static void list_function(struct stub_object *o, const char *name, const char *body) {
    const char *q = quoted(name);
    list(o, xasprintf("\n        .globl  %s\n        .type   %s, @function\n%s:\n%s"
                      "        .size   %s, . - %s\n        .balign 4, 0xcc\n",
                      q, q, q, body, q, q));
}

/* ud2; .ascii "ZUKS"; .long index */
static void put_trap(struct stub_object *o, const char *name, uint32_t index) {
    static const uint8_t ud2[] = {0x0f, 0x0b};
    const uint32_t magic = IMAGE_STUB_MAGIC;
    size_t at = put(&o->text, ud2, sizeof ud2);
    put(&o->text, &magic, sizeof magic);
    put(&o->text, &index, sizeof index);
    put_symbol(o, name, STT_FUNC, SECTION_TEXT, at, o->text.v.len - at);
    pad(&o->text, 4, 0xcc);
    list_function(o, name,
                  xasprintf("        ud2\n        .ascii  \"ZUKS\"\n        .long   %u\n", index));
}

static void put_address(struct stub_object *o, const char *name, uint32_t index) {
    uint64_t address = IMAGE_STUB_BASE + (uint64_t)index * IMAGE_PAGE;
    put_symbol(o, name, STT_NOTYPE, SHN_ABS, address, 0);
    list(o, xasprintf("\n        .globl  %s\n        .set    %s, 0x%llx\n", quoted(name),
                      quoted(name), (unsigned long long)address));
}

/* jmp twin */
static void put_twin(struct stub_object *o, const struct twin *twin) {
    static const uint8_t jmp[] = {0xe9, 0, 0, 0, 0};
    size_t at = put(&o->text, jmp, sizeof jmp);
    put_symbol(o, twin->name, STT_FUNC, SECTION_TEXT, at, sizeof jmp);
    uint32_t target = put_symbol(o, twin->musl, STT_NOTYPE, SHN_UNDEF, 0, 0);
    Elf64_Rela rela = {
        .r_offset = at + 1,
        .r_info = ELF64_R_INFO((uint64_t)target, R_X86_64_PLT32),
        .r_addend = -4,
    };
    put(&o->rela, &rela, sizeof rela);
    pad(&o->text, 4, 0xcc);
    list_function(o, twin->name, xasprintf("        jmp     %s\n", quoted(twin->musl)));
}

static void compose(struct stub_object *o, const struct resolution *r) {
    Elf64_Sym null = {0};
    put(&o->strings, "", 1);
    put(&o->symbols, &null, sizeof null);
    o->symbol_count = 1;
    list(o, "# What stands for the symbols that nobody defines (abi/image.h): a trap for a\n"
            "# function, an address that is never mapped for the rest; and a jump for each of\n"
            "# glibc's names that musl has under another.\n"
            "        .section .note.GNU-stack, \"\", @progbits\n"
            "        .section .text.zuk_stubs, \"ax\", @progbits\n"
            "        .balign 16\n");
    for (size_t i = 0; i < r->undefined.len; i++) {
        const struct undefined *u = &r->undefined.data[i];
        if (u->is_call) {
            put_trap(o, u->name, (uint32_t)i);
        } else {
            put_address(o, u->name, (uint32_t)i);
        }
    }
    for (size_t i = 0; i < r->twins.len; i++) {
        put_twin(o, &r->twins.data[i]);
    }
}

static bool add_section(Elf *elf, int number, const Elf64_Shdr *header, struct bytes *content) {
    Elf_Scn *section = elf_newscn(elf);
    Elf64_Shdr *to = section ? elf64_getshdr(section) : NULL;
    if (!to || elf_ndxscn(section) != (size_t)number) {
        return false;
    }
    *to = *header;
    to->sh_name = section_name_at[number];
    if (!content) {
        return true;
    }
    Elf_Data *data = elf_newdata(section);
    if (!data) {
        return false;
    }
    data->d_buf = content->v.data;
    data->d_size = content->v.len;
    data->d_align = header->sh_addralign;
    data->d_type = header->sh_type == SHT_RELA     ? ELF_T_RELA
                   : header->sh_type == SHT_SYMTAB ? ELF_T_SYM
                                                   : ELF_T_BYTE;
    return true;
}

static bool write_elf(Elf *elf, struct stub_object *o) {
    Elf64_Ehdr *eh = elf64_newehdr(elf);
    if (!eh) {
        return false;
    }
    eh->e_ident[EI_DATA] = ELFDATA2LSB;
    eh->e_type = ET_REL;
    eh->e_machine = EM_X86_64;
    eh->e_version = EV_CURRENT;
    eh->e_shstrndx = SECTION_STRTAB;
    const Elf64_Shdr headers[SECTION_COUNT] = {
        [SECTION_TEXT] = {.sh_type = SHT_PROGBITS,
                          .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                          .sh_addralign = 16},
        [SECTION_RELA] = {.sh_type = SHT_RELA,
                          .sh_flags = SHF_INFO_LINK,
                          .sh_link = SECTION_SYMTAB,
                          .sh_info = SECTION_TEXT,
                          .sh_addralign = 8,
                          .sh_entsize = sizeof(Elf64_Rela)},
        [SECTION_SYMTAB] = {.sh_type = SHT_SYMTAB,
                            .sh_link = SECTION_STRTAB,
                            .sh_info = 1,
                            .sh_addralign = 8,
                            .sh_entsize = sizeof(Elf64_Sym)},
        [SECTION_STRTAB] = {.sh_type = SHT_STRTAB, .sh_addralign = 1},
        [SECTION_NOTE] = {.sh_type = SHT_PROGBITS, .sh_addralign = 1},
    };
    struct bytes *const contents[SECTION_COUNT] = {
        [SECTION_TEXT] = &o->text,
        [SECTION_RELA] = &o->rela,
        [SECTION_SYMTAB] = &o->symbols,
        [SECTION_STRTAB] = &o->strings,
    };
    for (int i = 1; i < SECTION_COUNT; i++) {
        if (!add_section(elf, i, &headers[i], contents[i])) {
            return false;
        }
    }
    return elf_update(elf, ELF_C_WRITE) > 0;
}

/* Section names share the string table with the symbols. */
static void add_section_names(struct stub_object *o) {
    struct bytes strings = {0};
    put(&strings, section_names, sizeof section_names);
    size_t shift = strings.v.len;
    for (uint32_t i = 1; i < o->symbol_count; i++) {
        Elf64_Sym *symbol = (Elf64_Sym *)(void *)(o->symbols.v.data + i * sizeof *symbol);
        symbol->st_name += (Elf64_Word)shift;
    }
    put(&strings, o->strings.v.data, o->strings.v.len);
    o->strings = strings;
}

bool stub_write(struct resolution *r, const char *folder) {
    struct stub_object o = {0};
    compose(&o, r);
    add_section_names(&o);
    const char *path = path_join(folder, "stubs.o");
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        diag_error("cannot write '%s': %s", path, strerror(errno));
        return false;
    }
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_WRITE, NULL);
    bool ok = elf && write_elf(elf, &o);
    if (!ok) {
        diag_error("cannot write '%s': %s", path, elf_errmsg(-1));
    }
    elf_end(elf);
    close(fd);
    return ok && write_file(path_join(folder, "stubs.S"), o.listing.v.data, o.listing.v.len);
}
