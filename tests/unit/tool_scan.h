/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For the tests of zuk/scan.c and what it is made of: a program is assembled in the
 * test, wrapped in an ELF file in memory, and scanned.
 */
#ifndef TESTS_UNIT_TOOL_SCAN_H
#define TESTS_UNIT_TOOL_SCAN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zuk/elf_file.h"
#include "zuk/scan.h"

#define BASE UINT64_C(0x400000)
#define DATA UINT64_C(0x600000)

/* PROGRAM(name, assembly): name_start .. name_end; labels are local to it. */
#define PROGRAM(name, text)                                                                        \
    extern const uint8_t name##_start[], name##_end[];                                             \
    __asm__(".pushsection .rodata\n .balign 16\n" #name "_start:\n" text "\n" #name                \
            "_end:\n .popsection\n")

struct function {
    const char *name;
    const uint8_t *at; /* in the program; of the last, nameless one: NULL, or where they end */
};

struct elf {
    uint8_t *bytes;
    size_t size;
};

/* What the next programs have: more symbols, where there are functions, and data that
 * may not be written. */
struct symbol {
    uint64_t address, size;
    const char *name;
};
static struct symbol symbols_too[4];
enum { TOO = sizeof symbols_too / sizeof symbols_too[0] };
static bool constant;

/* An executable with the program at BASE (entered at its start), words of data
 * at DATA, and, when there are functions, a symbol table. */
static inline struct elf make(const uint8_t *start, const uint8_t *end, const uint64_t *data,
                              size_t words, const struct function *functions) {
    size_t code_size = (size_t)(end - start), count = 0;
    while (functions != NULL && functions[count].name != NULL) {
        count++;
    }
    size_t code = 0x200, data_at = (code + code_size + 15) & ~(size_t)15;
    size_t symbol_count = count + 1 + TOO;
    size_t symbols = data_at + words * 8, strings = symbols + symbol_count * sizeof(Elf64_Sym);
    size_t sections = strings + 512, size = sections + 4 * sizeof(Elf64_Shdr);
    uint8_t *b = calloc(1, size);
    Elf64_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                    .e_type = ET_EXEC,
                    .e_machine = EM_X86_64,
                    .e_entry = BASE,
                    .e_phoff = sizeof h,
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 2,
                    .e_shentsize = sizeof(Elf64_Shdr)};
    Elf64_Phdr p[2] = {
        {PT_LOAD, PF_R | PF_X, code, BASE, BASE, code_size, code_size, 16},
        {PT_LOAD, constant ? PF_R : PF_R | PF_W, data_at, DATA, DATA, words * 8, words * 8, 16}};
    if (count > 0) {
        h.e_shoff = sections;
        h.e_shnum = 4;
        size_t name = 1;
        for (size_t i = 0; i < count; i++) {
            const uint8_t *next = functions[i + 1].at != NULL ? functions[i + 1].at : end;
            Elf64_Sym s = {.st_name = (Elf64_Word)name,
                           .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                           .st_shndx = 1,
                           .st_value = BASE + (uint64_t)(functions[i].at - start),
                           .st_size = (uint64_t)(next - functions[i].at)};
            memcpy(b + symbols + (i + 1) * sizeof s, &s, sizeof s);
            strcpy((char *)b + strings + name, functions[i].name);
            name += strlen(functions[i].name) + 1;
        }
        for (size_t i = 0; i < TOO; i++) {
            const struct symbol *v = &symbols_too[i];
            Elf64_Sym s = {.st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT),
                           .st_shndx = v->address == 0 ? SHN_UNDEF : SHN_ABS,
                           .st_value = v->address,
                           .st_size = v->size};
            if (v->name != NULL) {
                s.st_name = (Elf64_Word)name;
                strcpy((char *)b + strings + name, v->name);
                name += strlen(v->name) + 1;
            }
            memcpy(b + symbols + (count + 1 + i) * sizeof s, &s, sizeof s);
        }
        Elf64_Shdr s[4] = {{0},
                           {.sh_type = SHT_PROGBITS, .sh_offset = code, .sh_size = code_size},
                           {.sh_type = SHT_SYMTAB,
                            .sh_offset = symbols,
                            .sh_size = symbol_count * sizeof(Elf64_Sym),
                            .sh_link = 3,
                            .sh_entsize = sizeof(Elf64_Sym)},
                           {.sh_type = SHT_STRTAB, .sh_offset = strings, .sh_size = 512}};
        memcpy(b + sections, s, sizeof s);
    }
    memcpy(b, &h, sizeof h);
    memcpy(b + sizeof h, p, sizeof p);
    memcpy(b + code, start, code_size);
    if (words > 0) {
        memcpy(b + data_at, data, words * 8);
    }
    return (struct elf){b, size};
}

static inline int no_symbols(void **state) {
    (void)state;
    memset(symbols_too, 0, sizeof symbols_too);
    constant = false;
    return 0;
}

static inline struct scan scan_program(const uint8_t *start, const uint8_t *end,
                                       const uint64_t *data, size_t words,
                                       const struct function *functions) {
    struct elf elf = make(start, end, data, words, functions);
    struct scan scan;
    assert_true(scan_elf("test", elf.bytes, elf.size, &scan));
    free(elf.bytes);
    return scan;
}

#define SCAN(name) scan_program(name##_start, name##_end, NULL, 0, NULL)

/* Exactly these calls, none unknown. */
static inline void assert_calls(const struct scan *scan, size_t count, const unsigned *calls) {
    if (scan->unknown) {
        fail_msg("unknown: %s", scan->site_count == 0 ? "" : scan->sites[0].why);
    }
    size_t found = 0;
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        found += scan->calls[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (!scan->calls[calls[i]]) {
            fail_msg("call %u was not found", calls[i]);
        }
    }
    assert_int_equal(found, count);
}
#define CALLS(scan, ...)                                                                           \
    assert_calls(scan, sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned),                       \
                 (unsigned[]){__VA_ARGS__})

static inline void assert_unknown(const struct scan *scan, const char *why) {
    assert_true(scan->unknown);
    assert_true(scan->site_count > 0);
    if (strstr(scan->sites[0].why, why) == NULL) {
        fail_msg("'%s' does not say '%s'", scan->sites[0].why, why);
    }
}

/* Whatever the bytes: an answer, or an error.  Frees the file. */
static inline void bend(struct elf elf) {
    struct scan scan;
    for (size_t size = 0; size < elf.size; size += size < 0x200 ? 1 : 7) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, elf.bytes, size);
        (void)scan_elf("cut", copy, size, &scan);
        free(copy);
    }
    unsigned seed = 1;
    for (unsigned round = 0; round < 3000; round++) {
        uint8_t *copy = malloc(elf.size);
        memcpy(copy, elf.bytes, elf.size);
        for (unsigned i = 0; i < 3; i++) {
            copy[(size_t)rand_r(&seed) % elf.size] = (uint8_t)rand_r(&seed);
        }
        (void)scan_elf("bent", copy, elf.size, &scan);
        free(copy);
    }
    free(elf.bytes);
}

#endif
