/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The instructions of a function, as far as a small constant's way through it is
 * concerned (ops.h).
 *
 * Sources: System V psABI x86_64; Intel SDM vol. 2.
 */
#include "zuk/ops.h"

#include <string.h>

#include "zuk/code.h"
#include "zuk/decode.h"
#include "zuk/elf_file.h"
#include "zuk/util.h"

/* What an instruction does to the stack pointer and the frame pointer. */
struct effect {
    enum { STACK_KEEP, STACK_ADD, STACK_FRAME, FRAME_STACK } kind;
    int32_t n; /* rsp += n; rsp = rbp + n; rbp = rsp + n */
};

/* Where a function is decoded; used again for the next one. */
struct code_room {
    VEC(struct code_op) ops;
    VEC(struct effect) effects;
};

/* --- what the instructions do ------------------------------------------- */

/* While a function is decoded its slots still stand relative to rsp or rbp. */
enum { PLACE_RSP = 17, PLACE_RBP = 18 };

#define FULL UINT32_MAX
static const struct code_place nowhere = {.reg = PLACE_NONE};
static const struct code_place memory = {.reg = PLACE_MEMORY, .base = -1};

/* The general register that a capstone register is part of, or -1. */
static int general(unsigned reg) {
    static int8_t table[X86_REG_ENDING];
    static bool filled;
    if (!filled) {
        static const uint16_t names[16][5] = {
            {X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
            {X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
            {X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
            {X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
            {X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL, 0},
            {X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL, 0},
            {X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL, 0},
            {X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL, 0},
            {X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B, 0},
            {X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B, 0},
            {X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B, 0},
            {X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B, 0},
            {X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B, 0},
            {X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B, 0},
            {X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B, 0},
            {X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B, 0},
        };
        memset(table, -1, sizeof table);
        for (int8_t i = 0; i < 16; i++) {
            for (int k = 0; k < 5; k++) {
                if (names[i][k] != 0) {
                    table[names[i][k]] = i;
                }
            }
        }
        filled = true;
    }
    return reg < X86_REG_ENDING ? table[reg] : -1;
}

static bool is_high_byte(unsigned reg) {
    return reg == X86_REG_AH || reg == X86_REG_BH || reg == X86_REG_CH || reg == X86_REG_DH;
}

static uint32_t size_mask(unsigned size) {
    return size >= 4 ? FULL : size == 2 ? 0xffff : 0xff;
}

static struct code_place slot_at(int reg, int64_t offset) {
    return (struct code_place){.reg = (int8_t)reg, .slot = (int32_t)offset};
}

/* Where an operand is; PLACE_MEMORY when it cannot be followed. */
static struct code_place place_of(const cs_x86_op *op) {
    if (op->type == X86_OP_REG) {
        int reg = general(op->reg);
        return reg < 0 || is_high_byte(op->reg) ? memory : (struct code_place){.reg = (int8_t)reg};
    }
    if (op->type == X86_OP_MEM && op->mem.index == X86_REG_INVALID &&
        op->mem.segment == X86_REG_INVALID && op->mem.disp == (int32_t)op->mem.disp) {
        if (op->mem.base == X86_REG_RSP) {
            return slot_at(PLACE_RSP, op->mem.disp);
        }
        if (op->mem.base == X86_REG_RBP) {
            return slot_at(PLACE_RBP, op->mem.disp);
        }
        return (struct code_place){PLACE_MEMORY, (int8_t)general(op->mem.base),
                                   (int32_t)op->mem.disp};
    }
    return memory;
}

static void set(struct code_op *o, struct code_place to, struct code_place from, uint32_t mask,
                uint32_t add) {
    o->kind = OP_SET;
    o->to = to;
    o->from = from;
    o->mask = mask;
    o->add = add;
}

/* Any instruction that is not understood: what it writes is lost. */
static void describe_other(const cs_insn *insn, struct code_op *o) {
    const cs_detail *d = insn->detail;
    o->kind = OP_OTHER;
    for (unsigned i = 0; i < d->regs_write_count; i++) {
        int reg = general(d->regs_write[i]);
        o->destroys |= reg < 0 ? 0 : (uint16_t)(1u << reg);
    }
    bool reads_only = insn->id == X86_INS_CMP || insn->id == X86_INS_TEST || insn->id == X86_INS_BT;
    for (unsigned i = 0; i < d->x86.op_count && !reads_only; i++) {
        const cs_x86_op *op = &d->x86.operands[i];
        if ((op->access & CS_AC_WRITE) == 0 && (i > 0 || op->access != 0)) {
            continue;
        }
        int reg = op->type == X86_OP_REG ? general(op->reg) : -1;
        o->destroys |= reg < 0 ? 0 : (uint16_t)(1u << reg);
        struct code_place place = op->type == X86_OP_MEM ? place_of(op) : nowhere;
        if (place.reg >= PLACE_SLOT) {
            o->to = place; /* becomes `wrote` when the depth is known */
            o->wrote_size = op->size == 0 ? 64 : op->size;
        }
    }
}

static void describe_move(const cs_insn *insn, struct code_op *o) {
    const cs_x86_op *to = &insn->detail->x86.operands[0], *from = &insn->detail->x86.operands[1];
    struct code_place place = place_of(to);
    bool immediate = from->type == X86_OP_IMM;
    struct code_place source = immediate ? nowhere : place_of(from);
    uint64_t address;
    if (place.reg == PLACE_MEMORY && place.base < 0) {
        describe_other(insn, o);
        o->add = immediate ? (uint32_t)from->imm : 0;
        return;
    }
    if (place.reg == PLACE_MEMORY || place.reg >= PLACE_SLOT) {
        set(o, place, source, size_mask(to->size), immediate ? (uint32_t)from->imm : 0);
        o->wrote_size = to->size;
        return;
    }
    if (immediate && to->size < 4) { /* mov $60, %al */
        uint32_t mask = size_mask(to->size);
        set(o, place, place, ~mask, (uint32_t)from->imm & mask);
        return;
    }
    bool signs = (insn->id == X86_INS_MOVSX && from->size < 4);
    if (to->size < 4 || signs) {
        describe_other(insn, o);
        return;
    }
    set(o, place, source, size_mask(immediate ? 4 : from->size),
        immediate ? (uint32_t)from->imm : 0);
    o->target = decode_fixed_address(insn, from, &address) ? address : 0;
}

static bool same_register(const cs_x86 *x) {
    return x->op_count == 2 && x->operands[0].type == X86_OP_REG &&
           x->operands[1].type == X86_OP_REG && x->operands[0].reg == x->operands[1].reg;
}

/* add, sub, and, xor, inc, dec on a register. */
static void describe_arithmetic(const cs_insn *insn, struct code_op *o, struct effect *e) {
    const cs_x86 *x = &insn->detail->x86;
    const cs_x86_op *to = &x->operands[0];
    struct code_place place = place_of(to);
    bool zeroes = (insn->id == X86_INS_XOR || insn->id == X86_INS_SUB) && same_register(x);
    bool immediate = x->op_count == 2 && x->operands[1].type == X86_OP_IMM;
    int64_t n = immediate ? x->operands[1].imm : 1;
    if (place.reg == RSP) {
        bool down = insn->id == X86_INS_SUB;
        o->kind = OP_OTHER;
        if (insn->id != X86_INS_AND) { /* a register: a far jump, the same for all that follows */
            *e = (struct effect){STACK_ADD, (int32_t)(immediate ? (down ? -n : n) : -(1 << 24))};
        }
        return;
    }
    if (zeroes && place.reg >= 0) {
        bool wide = to->size >= 4;
        set(o, place, wide ? nowhere : place, wide ? FULL : ~size_mask(to->size), 0);
        return;
    }
    bool unary = insn->id == X86_INS_INC || insn->id == X86_INS_DEC;
    if (place.reg < 0 || place.reg >= PLACE_SLOT || to->size < 4 || (!immediate && !unary) ||
        insn->id == X86_INS_XOR) {
        describe_other(insn, o);
        return;
    }
    switch (insn->id) {
    case X86_INS_AND:
        set(o, place, place, (uint32_t)n, 0);
        break;
    case X86_INS_SUB:
    case X86_INS_DEC:
        set(o, place, place, FULL, (uint32_t)-n);
        break;
    default:
        set(o, place, place, FULL, (uint32_t)n);
        break;
    }
}

static void describe_lea(const cs_insn *insn, struct code_op *o, struct effect *e) {
    const cs_x86_op *to = &insn->detail->x86.operands[0], *from = &insn->detail->x86.operands[1];
    int reg = general(to->reg), base = general(from->mem.base);
    bool plain = from->mem.index == X86_REG_INVALID;
    int32_t n = (int32_t)from->mem.disp;
    o->kind = OP_OTHER;
    o->destroys = reg < 0 ? 0 : (uint16_t)(1u << reg);
    if (from->mem.base == X86_REG_RIP) {
        o->add = (uint32_t)(insn->address + insn->size + (uint64_t)from->mem.disp);
    } else if (base < 0) {
        o->add = (uint32_t)n;
    }
    if (plain && (base == RSP || base == RBP) && reg != RSP && reg != RBP) {
        o->from = slot_at(base == RSP ? PLACE_RSP : PLACE_RBP, n);
    }
    if (reg == RSP && plain && (base == RSP || base == RBP)) {
        *e = (struct effect){base == RSP ? STACK_ADD : STACK_FRAME, n};
    } else if (reg == RBP && plain && base == RSP) {
        *e = (struct effect){FRAME_STACK, n};
    } else if (reg >= 0 && plain && base >= 0 && base != RSP && base != RBP && to->size >= 4) {
        set(o, (struct code_place){.reg = (int8_t)reg}, (struct code_place){.reg = (int8_t)base},
            FULL, (uint32_t)n);
    }
}

static void describe_push(const cs_insn *insn, struct code_op *o, struct effect *e) {
    const cs_x86_op *from = &insn->detail->x86.operands[0];
    bool immediate = from->type == X86_OP_IMM;
    set(o, slot_at(PLACE_RSP, -8), immediate ? nowhere : place_of(from), FULL,
        immediate ? (uint32_t)from->imm : 0);
    o->wrote_size = 8;
    *e = (struct effect){STACK_ADD, -8};
}

static void describe_pop(const cs_insn *insn, struct code_op *o, struct effect *e) {
    struct code_place to = place_of(&insn->detail->x86.operands[0]);
    if (to.reg >= 0 && to.reg < PLACE_SLOT) {
        set(o, to, slot_at(PLACE_RSP, 0), FULL, 0);
    } else {
        describe_other(insn, o);
    }
    *e = (struct effect){STACK_ADD, 8};
}

static bool in_group(const cs_insn *insn, unsigned group) {
    for (unsigned i = 0; i < insn->detail->groups_count; i++) {
        if (insn->detail->groups[i] == group) {
            return true;
        }
    }
    return false;
}

static void describe_jump(const cs_insn *insn, struct code_op *o, enum code_op_kind kind) {
    const cs_x86 *x = &insn->detail->x86;
    o->kind = (uint8_t)kind;
    o->target =
        x->op_count == 1 && x->operands[0].type == X86_OP_IMM ? (uint64_t)x->operands[0].imm : 0;
}

static void describe(const cs_insn *insn, struct code_op *o, struct effect *e) {
    *o = (struct code_op){.address = insn->address, .to = nowhere, .from = nowhere};
    *e = (struct effect){STACK_KEEP, 0};
    switch (insn->id) {
    case 0:
        o->kind = OP_OTHER;
        break; /* no instruction */
    case X86_INS_MOV:
    case X86_INS_MOVABS:
    case X86_INS_MOVZX:
    case X86_INS_MOVSX:
    case X86_INS_MOVSXD:
        describe_move(insn, o);
        if (o->kind == OP_SET && o->to.reg == RBP && o->from.reg == RSP) {
            *e = (struct effect){FRAME_STACK, 0};
        } else if (o->kind == OP_SET && o->to.reg == RSP && o->from.reg == RBP) {
            *e = (struct effect){STACK_FRAME, 0};
        }
        break;
    case X86_INS_ADD:
    case X86_INS_SUB:
    case X86_INS_AND:
    case X86_INS_XOR:
    case X86_INS_INC:
    case X86_INS_DEC:
        describe_arithmetic(insn, o, e);
        break;
    case X86_INS_LEA:
        describe_lea(insn, o, e);
        break;
    case X86_INS_PUSH:
        describe_push(insn, o, e);
        break;
    case X86_INS_POP:
        describe_pop(insn, o, e);
        break;
    case X86_INS_PUSHFQ:
        o->kind = OP_OTHER, *e = (struct effect){STACK_ADD, -8};
        break;
    case X86_INS_POPFQ:
        o->kind = OP_OTHER, *e = (struct effect){STACK_ADD, 8};
        break;
    case X86_INS_LEAVE:
        o->kind = OP_OTHER;
        o->destroys = 1u << RBP;
        *e = (struct effect){STACK_FRAME, 8};
        break;
    case X86_INS_NOP:
    case X86_INS_ENDBR64:
        o->kind = OP_PAD;
        break;
    case X86_INS_SYSCALL:
        o->kind = OP_SYSCALL;
        break;
    case X86_INS_CALL:
        describe_jump(insn, o, OP_CALL);
        break;
    case X86_INS_JMP:
        describe_jump(insn, o, OP_JUMP);
        break;
    case X86_INS_RET:
    case X86_INS_UD2:
    case X86_INS_HLT:
    case X86_INS_INT3:
        o->kind = OP_END;
        break;
    default:
        if (in_group(insn, X86_GRP_JUMP)) {
            describe_jump(insn, o, OP_BRANCH);
        } else if (insn->id >= X86_INS_CMOVA && insn->id <= X86_INS_CMOVS) {
            describe_move(insn, o);
            o->kind = o->kind == OP_SET ? OP_CHOOSE : o->kind;
        } else {
            describe_other(insn, o);
        }
    }
}

/* --- jump tables -------------------------------------------------------- */

/* How compilers write a switch: `jmp *table(,%r,8)`, or an entry is loaded (8
 * bytes, an address; or 4, an offset from the table) and jumped to. */
struct table {
    uint64_t address;
    uint32_t op; /* the jump */
    bool relative;
};

struct tables {
    VEC(struct table) list;
    uint64_t lea[16];       /* the address that a register was given, or 0 */
    struct table entry[16]; /* the table whose entry a register has; address 0: none */
};

static struct table table_of(const struct tables *t, const cs_insn *insn, const cs_x86_op *mem) {
    int base = general(mem->mem.base), index = general(mem->mem.index);
    struct table table = {0};
    if (mem->mem.base == X86_REG_INVALID && index >= 0 && mem->mem.scale == 8) {
        table.address = (uint64_t)mem->mem.disp;
    } else if (base >= 0 && index >= 0) {
        table.address = t->lea[base] != 0 ? t->lea[base] : t->lea[index];
        table.relative = insn->id == X86_INS_MOVSXD || mem->size == 4;
    }
    return table;
}

/* Follows addresses of tables through the registers, in the order of the code,
 * which is nearly always that of a switch. */
static void watch_tables(struct tables *t, const cs_insn *insn, const struct code_op *o,
                         uint32_t index) {
    if (insn->id == 0) {
        return;
    }
    const cs_x86 *x = &insn->detail->x86;
    const cs_x86_op *to = &x->operands[0], *from = &x->operands[1];
    if (o->kind == OP_JUMP && o->target == 0 && x->op_count == 1) {
        int reg = to->type == X86_OP_REG ? general(to->reg) : -1;
        struct table table = to->type == X86_OP_MEM ? table_of(t, insn, to)
                             : reg >= 0             ? t->entry[reg]
                                                    : (struct table){0};
        bool tail_call = to->type == X86_OP_MEM && to->mem.index == X86_REG_INVALID;
        table.op = index;
        if (!tail_call) {
            *vec_push(&t->list) = table;
        }
        return;
    }
    int reg = x->op_count == 2 && to->type == X86_OP_REG ? general(to->reg) : -1;
    bool move = insn->id == X86_INS_MOV || insn->id == X86_INS_MOVSXD;
    if (reg >= 0 && insn->id == X86_INS_LEA && from->mem.base == X86_REG_RIP) {
        t->lea[reg] = insn->address + insn->size + (uint64_t)from->mem.disp;
        t->entry[reg] = (struct table){0};
    } else if (reg >= 0 && move && from->type == X86_OP_MEM) {
        struct table table = table_of(t, insn, from);
        t->lea[reg] = 0;
        t->entry[reg] = table;
    } else if (reg >= 0 && move && from->type == X86_OP_REG && general(from->reg) >= 0) {
        t->lea[reg] = t->lea[general(from->reg)];
        t->entry[reg] = t->entry[general(from->reg)];
    } else if (reg >= 0 && move && from->type == X86_OP_IMM) {
        t->lea[reg] = (uint64_t)from->imm;
        t->entry[reg] = (struct table){0};
    } else if (reg >= 0 && insn->id == X86_INS_ADD && from->type == X86_OP_REG) {
        int other = general(from->reg);
        if (t->entry[reg].address == 0 && other >= 0) {
            t->entry[reg] = t->entry[other];
        }
        t->lea[reg] = 0;
    } else if (insn->id != X86_INS_CDQE) {
        uint16_t lost = o->destroys;
        if (o->kind == OP_SET && o->to.reg >= 0 && o->to.reg < PLACE_SLOT) {
            lost |= (uint16_t)(1u << o->to.reg);
        }
        for (unsigned i = 0; i < 16; i++) {
            if ((lost >> i & 1) != 0) {
                t->lea[i] = 0;
                t->entry[i] = (struct table){0};
            }
        }
    }
}

struct code_op *code_op_around(const struct code_function *function, uint64_t address) {
    uint32_t low = 0, high = function->op_count;
    while (low < high) { /* the first above the address */
        uint32_t middle = low + (high - low) / 2;
        if (function->ops[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 || address >= function->end ? NULL : &function->ops[low - 1];
}

struct code_op *code_op_at(const struct code_function *function, uint64_t address) {
    struct code_op *op = code_op_around(function, address);
    return op != NULL && op->address == address ? op : NULL;
}

bool code_op_decode(const struct code *code, const struct code_op *op) {
    size_t left;
    uint64_t address = op->address;
    const uint8_t *bytes = elf_file_loaded(code->file, address, &left);
    return bytes != NULL && cs_disasm_iter(code->decoder, &bytes, &left, &address, code->insn);
}

unsigned code_register_bit(unsigned reg) {
    int i = general(reg);
    return i < 0 ? 0 : 1u << i;
}

/* Jumps of a function while they are gathered. */
struct entries {
    VEC(struct code_entry) list;
};

static void chain(struct entries *e, struct code_op *to, uint32_t from) {
    *vec_push(&e->list) = (struct code_entry){from, to->entered};
    to->entered = (uint32_t)e->list.len;
}

enum { TABLE_MAX = 4096, TABLES_MAX = 4096 }; /* entries of one, tables of a function */

/* Chains a jump to the entries of its table: as many as lead to instructions
 * of this function, up to the next table.  False when there are none. */
static bool chain_table(const struct code *code, struct code_function *f, struct entries *e,
                        const struct tables *tables, const struct table *t) {
    uint64_t unit = t->relative ? 4 : 8, limit = t->address + TABLE_MAX * unit;
    for (size_t i = 0; i < tables->list.len; i++) {
        uint64_t other = tables->list.data[i].address;
        limit = other > t->address && other < limit ? other : limit;
    }
    bool any = false;
    size_t left = 0;
    const uint8_t *p = t->address == 0 ? NULL : elf_file_loaded(code->file, t->address, &left);
    for (uint64_t i = 0; p != NULL && i + unit <= left && t->address + i < limit; i += unit) {
        uint64_t target =
            t->relative ? t->address + (uint64_t)(int32_t)load32(p + i) : load64(p + i);
        struct code_op *to = code_op_at(f, target);
        if (to == NULL) {
            break;
        }
        chain(e, to, t->op);
        any = true;
    }
    return any;
}

/* Chains the jumps within the function to their targets. */
static void chain_jumps(const struct code *code, struct code_function *f,
                        const struct tables *tables) {
    struct entries e = {0};
    for (uint32_t i = 0; i < f->op_count; i++) {
        const struct code_op *o = &f->ops[i];
        bool jumps = (o->kind == OP_JUMP || o->kind == OP_BRANCH) && o->target != 0;
        struct code_op *to = jumps ? code_op_at(f, o->target) : NULL;
        if (to != NULL) {
            chain(&e, to, i);
        }
    }
    for (size_t i = 0; i < tables->list.len; i++) {
        if (tables->list.len > TABLES_MAX ||
            !chain_table(code, f, &e, tables, &tables->list.data[i])) {
            f->indirect_jump = true;
        }
    }
    f->entries = e.list.data;
}

static void place_slot(struct code_place *place, int32_t depth, int32_t frame, bool framed) {
    if (place->reg == PLACE_RSP) {
        *place = slot_at(PLACE_SLOT, (int64_t)depth + place->slot);
    } else if (place->reg == PLACE_RBP) {
        *place = framed ? slot_at(PLACE_SLOT, (int64_t)frame + place->slot)
                        : (struct code_place){PLACE_MEMORY, RBP, place->slot};
    }
}

/* Is what an instruction puts in rbp a frame, which stays there until it is restored?
 * Else rbp walks along an array.  Borders of functions may be missing. */
static bool is_frame(const struct code_function *f, const struct effect *effects, uint32_t i) {
    while (++i < f->op_count) {
        const struct code_op *o = &f->ops[i];
        bool sets = (o->kind == OP_SET || o->kind == OP_CHOOSE) && o->to.reg == RBP;
        bool pops = sets && o->from.reg == PLACE_RSP && effects[i].kind == STACK_ADD;
        bool saves = o->kind == OP_SET && o->from.reg == RBP && effects[i].kind == STACK_ADD;
        if (effects[i].kind == FRAME_STACK || saves) {
            return true; /* the next one's */
        }
        if (((sets && !pops) || (o->kind == OP_OTHER && (o->destroys >> RBP & 1) != 0)) &&
            effects[i].kind != STACK_FRAME) {
            return false;
        }
    }
    return true;
}

/* Gives every instruction its stack depth, every slot its offset.  After an
 * instruction that nothing follows, the depth is that of a jump from above, or
 * else the deepest so far: the body's. */
static void find_depths(struct code_function *f, const struct effect *effects) {
    int32_t depth = 0, frame = 0, deepest = 0;
    bool framed = false, follows = true;
    for (uint32_t i = 0; i < f->op_count; i++) {
        struct code_op *o = &f->ops[i];
        if (!follows) {
            depth = deepest;
            for (uint32_t e = o->entered; e != 0; e = f->entries[e - 1].next) {
                if (f->entries[e - 1].op < i) {
                    depth = f->ops[f->entries[e - 1].op].depth;
                }
            }
        }
        o->depth = depth;
        place_slot(&o->to, depth, frame, framed);
        place_slot(&o->from, depth, frame, framed);
        if (o->kind == OP_OTHER && o->wrote_size > 0) {
            o->wrote = o->to.slot;
            o->wrote_size = o->to.reg == PLACE_SLOT ? o->wrote_size : 0;
            o->to = nowhere;
        }
        switch (effects[i].kind) {
        case STACK_ADD:
            __builtin_add_overflow(depth, effects[i].n, &depth);
            break;
        case STACK_FRAME:
            depth = framed ? frame + effects[i].n : depth;
            break;
        case FRAME_STACK:
            frame = depth + effects[i].n;
            framed = is_frame(f, effects, i);
            break;
        case STACK_KEEP:
            break;
        }
        depth = depth < -(1 << 30) || depth > 1 << 30 ? 0 : depth;
        deepest = depth < deepest ? depth : deepest;
        follows = o->kind != OP_JUMP && o->kind != OP_END;
    }
    f->depth = depth;
}

/* Is that instruction a label of one of the function's jump tables? */
static bool is_label(const struct code_function *f, const struct code_op *op) {
    for (uint32_t e = op->entered; e != 0; e = f->entries[e - 1].next) {
        const struct code_op *from = &f->ops[f->entries[e - 1].op];
        if (from->kind == OP_JUMP && from->target == 0) {
            return true;
        }
    }
    return false;
}

/* Marks the instructions that other functions, or pointers, lead to. */
static void mark_outside(const struct code *code, struct code_function *f) {
    uint32_t index = (uint32_t)(f - code->functions);
    for (uint32_t i = code->ref_first[index]; i < code->ref_first[index + 1]; i++) {
        const struct code_ref *ref = &code->refs[code->ref_index[i]];
        struct code_op *op = code_op_at(f, ref->target);
        bool pointer = ref->kind == REF_ADDRESS || ref->kind == REF_DATA;
        if (op != NULL && (pointer ? !is_label(f, op) : ref->from != index)) {
            op->outside = true;
        }
    }
}

/* A function longer than this is not read: nothing in it can be known. */
enum { FUNCTION_MAX = 1 << 20 };

void code_read(struct code *code, struct code_function *function) {
    if (function->ops != NULL) {
        return;
    }
    struct code_room *room = code->room = code->room != NULL ? code->room : xalloc(sizeof *room);
    struct tables tables = {0};
    room->ops.len = room->effects.len = 0;
    size_t left = 0;
    const uint8_t *bytes = elf_file_loaded(code->file, function->start, &left);
    uint64_t address = function->start;
    if (bytes != NULL && function->end - function->start <= FUNCTION_MAX) {
        size_t size = function->end - function->start;
        left = left < size ? left : size;
        while (decode_next(code->decoder, &bytes, &left, &address, code->insn)) {
            struct effect effect;
            struct code_op *op = vec_push(&room->ops);
            describe(code->insn, op, &effect);
            *vec_push(&room->effects) = effect;
            if (code->insn->id == 0 && function->soft && code->symbols) {
                op->kind = OP_END; /* left-over bytes: would fault */
            }
            watch_tables(&tables, code->insn, op, (uint32_t)room->ops.len - 1);
        }
    }
    function->ops = xalloc(room->ops.len * sizeof *function->ops);
    function->op_count = (uint32_t)room->ops.len;
    if (room->ops.len > 0) {
        memcpy(function->ops, room->ops.data, room->ops.len * sizeof *function->ops);
    }
    chain_jumps(code, function, &tables);
    find_depths(function, room->effects.data);
    mark_outside(code, function);
    code->read_count++;
}
