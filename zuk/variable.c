/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which variables keep their first value (variable.h).  Who refers to one is looked
 * for byte by byte, as in code.c, and an instruction is asked where bytes look so.
 */
#include "zuk/variable.h"

#include <string.h>

#include "zuk/decode.h"
#include "zuk/elf_file.h"
#include "zuk/ops.h"

enum {
    VARIABLES_MAX = 16,   /* passes */
    REFERENCES_MAX = 256, /* of one: bytes that look like it */
    SIZE_MAX_BYTES = 8,
    IMMEDIATE_MAX = 4, /* an operand's bytes behind the address */
};

void variables_open(struct code *code, struct variables *out) {
    uint64_t names, names_end;
    *out = (struct variables){.code = code};
    out->symbol_count = elf_file_symbols(code->file, &out->symbols, &names, &names_end);
}

static bool is_writable(const struct elf_file *file, uint64_t address) {
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *p = &file->segments[i];
        if (p->p_type == PT_LOAD && address - p->p_vaddr < p->p_memsz && (p->p_flags & PF_W) != 0) {
            return true;
        }
    }
    return false;
}

/* The variable at an address.  False: there is none by that name, or others have a
 * part in it. */
static bool find_symbol(const struct variables *v, uint64_t address, struct variable *out) {
    *out = (struct variable){0};
    for (size_t i = 0; i < v->symbol_count; i++) {
        const Elf64_Sym *s = &v->symbols[i];
        if (s->st_shndx == SHN_UNDEF || address - s->st_value >= s->st_size) {
            continue;
        }
        struct variable its = {.start = s->st_value, .end = s->st_value + s->st_size};
        bool same = out->end == 0 || (out->start == its.start && out->end == its.end);
        if (ELF64_ST_TYPE(s->st_info) != STT_OBJECT || s->st_size > SIZE_MAX_BYTES || !same) {
            return false;
        }
        *out = its;
    }
    return out->end != 0;
}

static bool is_inside(const struct variable *its, uint64_t address) {
    return address - its->start < its->end - its->start;
}

/* Does an instruction that has a variable's address in an operand only read there? */
static bool only_reads(const cs_insn *insn, unsigned operand) {
    switch (insn->id) {
    case X86_INS_MOV:
    case X86_INS_MOVABS:
    case X86_INS_MOVZX:
    case X86_INS_MOVSX:
    case X86_INS_MOVSXD:
        return operand == 1;
    case X86_INS_CMP:
    case X86_INS_TEST:
        return true;
    default:
        return insn->id >= X86_INS_CMOVA && insn->id <= X86_INS_CMOVS;
    }
}

/* Does the instruction that holds a byte leave a variable as it is? */
static bool leaves(const struct variables *v, const struct variable *its, uint64_t site) {
    struct code_function *f = code_at(v->code, site);
    if (f == NULL || !f->reached) {
        return true; /* padding, or never run */
    }
    code_read(v->code, f);
    const struct code_op *op = code_op_around(f, site);
    const cs_insn *insn = v->code->insn;
    if (op == NULL || !code_op_decode(v->code, op) || insn->id == 0) {
        return false;
    }
    for (unsigned i = 0; i < insn->detail->x86.op_count; i++) {
        const cs_x86_op *o = &insn->detail->x86.operands[i];
        uint64_t address = 0;
        bool fixed = decode_fixed_address(insn, o, &address);
        if (!fixed) {
            address = (uint64_t)(o->type == X86_OP_MEM   ? o->mem.disp
                                 : o->type == X86_OP_IMM ? o->imm
                                                         : 0);
        }
        if ((is_inside(its, address) || is_inside(its, (uint32_t)address)) &&
            (!fixed || !only_reads(insn, i))) {
            return false;
        }
    }
    return true;
}

/* In code: relative to the instruction's end, or, where that is possible, absolute. */
static bool kept_by_code(const struct variables *v, const struct variable *its,
                         const struct code_range *r, unsigned *references) {
    uint32_t size = (uint32_t)(its->end - its->start), low = (uint32_t)its->start;
    uint32_t end = (uint32_t)r->start + 4;
    bool absolute = v->code->file->header.e_type == ET_EXEC;
    for (uint64_t i = 0; i + 4 <= r->size; i++) {
        uint32_t value = load32(r->bytes + i);
        bool looks = end + (uint32_t)i + value - (low - IMMEDIATE_MAX) < size + IMMEDIATE_MAX ||
                     (absolute && value - low < size);
        if (looks && (++*references > REFERENCES_MAX || !leaves(v, its, r->start + i))) {
            return false;
        }
    }
    return true;
}

/* Does no word hold an address in the variable?  Relocations that write there do, too. */
static bool kept_by_data(const struct variable *its, const uint8_t *bytes, uint64_t start,
                         uint64_t size) {
    for (uint64_t i = -start & 3; i + 8 <= size; i += 4) {
        if (is_inside(its, load64(bytes + i))) {
            return false;
        }
    }
    return true;
}

static bool is_kept(const struct variables *v, const struct variable *its) {
    struct code_range *text, *data;
    size_t text_count = code_ranges(v->code->file, true, &text);
    size_t data_count = code_data(v->code, &data);
    for (size_t i = 0; i < data_count; i++) {
        if (!kept_by_data(its, data[i].bytes, data[i].start, data[i].size)) {
            return false;
        }
    }
    unsigned references = 0;
    for (size_t i = 0; i < text_count; i++) {
        if (!kept_by_code(v, its, &text[i], &references)) {
            return false;
        }
    }
    return true;
}

bool variable_value(struct variables *v, uint64_t address, unsigned size, uint32_t *value) {
    size_t left = 0;
    const uint8_t *bytes = elf_file_loaded(v->code->file, address, &left);
    if (bytes == NULL || left < size) {
        return false;
    }
    *value = 0;
    memcpy(value, bytes, size);
    if (!is_writable(v->code->file, address)) {
        return true;
    }
    for (size_t i = 0; i < v->asked.len; i++) {
        const struct variable *its = &v->asked.data[i];
        if (is_inside(its, address)) {
            return its->kept && its->end - address >= size;
        }
    }
    struct variable its;
    if (v->asked.len == VARIABLES_MAX || !find_symbol(v, address, &its)) {
        return false;
    }
    its.kept = is_kept(v, &its);
    *vec_push(&v->asked) = its;
    return its.kept && its.end - address >= size;
}
