/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who calls a function through its address (pointers.h)?
 *
 * Each word of data with the address is a slot of the GOT, or the relocation that
 * fills one; each instruction that names the slot calls or loads it.  A register that
 * is loaded is followed to all that may read it, landing pads too (unwind.h), and nothing
 * may but to call it.
 *
 * Taken on trust: nobody computes an address in the GOT but from one that stands
 * in the code or the data; a function uses callee-saved registers only after it has
 * saved them, and restores them.
 *
 * Sources: System V psABI x86_64; System V gABI, relocations.
 */
#include "zuk/pointers.h"

#include <string.h>

#include "zuk/code.h"
#include "zuk/decode.h"
#include "zuk/elf_file.h"
#include "zuk/golang.h"
#include "zuk/ops.h"
#include "zuk/unwind.h"

enum { /* of what is looked at; beyond, the calls are not all */
       FUNCTIONS_MAX = 32,
       SLOTS_MAX = 16, /* with the address of one function */
       MENTIONS_MAX = 1 << 20,
       DECODED_MAX = 400000, /* instructions, for all functions */
};

static const char in_data[] =
    "the number is an argument, and the function's address stands in data";
static const char is_taken[] = "the number is an argument, and the function's address is taken";

struct span {
    uint64_t start, end;
};

/* Bytes of code that could name an address in the GOT. */
struct mention {
    uint64_t site;   /* of the four bytes */
    uint64_t target; /* what they name when the instruction ends there */
    bool absolute;
};

struct answer {
    const struct code_function *function;
    struct pointers pointers;
};

struct pointer_room {
    struct span got;         /* start == end: its slots cannot be believed */
    struct span around;      /* it and .got.plt, where _GLOBAL_OFFSET_TABLE_ may lie */
    struct code_range *data; /* what stands beside the code too */
    size_t data_count;
    bool searched; /* the code, for `mentions` and: */
    bool exposed;  /* others may change or read a slot */
    VEC(struct mention) mentions;
    VEC(struct answer *) answers;
    uint32_t decoded;
    uint32_t *seen; /* by instruction: the round that has been there */
    uint32_t seen_size, round;
    VEC(uint32_t) open; /* instructions to be looked at */
};

/* A function that is looked for, and where its address stands. */
struct target {
    struct code *code;
    const struct golang *go;
    struct pointer_room *room;
    const struct code_function *function;
    struct pointers *out;
    VEC(uint64_t) slots;
};

static bool holds(struct span s, uint64_t address) {
    return address - s.start < s.end - s.start;
}

/* Is a byte of the file one of the program headers, which may be loaded too? */
static bool is_header(const struct elf_file *file, const uint8_t *byte) {
    uint64_t at = (uint64_t)(byte - file->data) - file->header.e_phoff;
    return at < file->segment_count * sizeof(Elf64_Phdr);
}

static struct span section_span(const struct elf_file *file, const char *name) {
    const Elf64_Shdr *s = elf_file_section(file, name);
    bool sound =
        s != NULL && (s->sh_flags & SHF_ALLOC) != 0 && s->sh_addr + s->sh_size > s->sh_addr;
    return sound ? (struct span){s->sh_addr, s->sh_addr + s->sh_size} : (struct span){0};
}

/* Does nobody change it once the program has started? */
static bool is_fixed(const struct elf_file *file, struct span s) {
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *p = &file->segments[i];
        bool fixed =
            p->p_type == PT_GNU_RELRO || (p->p_type == PT_LOAD && (p->p_flags & PF_W) == 0);
        if (fixed && s.start >= p->p_vaddr && s.end - p->p_vaddr <= p->p_memsz) {
            return true;
        }
    }
    return false;
}

/* --- the GOT ------------------------------------------------------------ */

static void find_mentions(const struct code *code, struct pointer_room *room) {
    bool absolute = code->file->header.e_type == ET_EXEC;
    struct code_range *text;
    size_t text_count = code_ranges(code->file, true, &text);
    uint64_t low = room->around.start - 4, size = room->around.end - low; /* an immediate follows */
    for (size_t i = 0; i < text_count; i++) {
        const struct code_range *r = &text[i];
        for (uint64_t k = 0; k + 4 <= r->size && room->mentions.len < MENTIONS_MAX; k++) {
            uint32_t v = load32(r->bytes + k);
            uint64_t site = r->start + k, target = site + 4 + (uint64_t)(int64_t)(int32_t)v;
            if (target - low < size) {
                *vec_push(&room->mentions) = (struct mention){site, target, false};
            }
            if (absolute && holds(room->around, v)) {
                *vec_push(&room->mentions) = (struct mention){site, v, true};
            }
        }
    }
}

static bool decode(struct code *code, const struct code_op *op) {
    return ++code->pointers->decoded <= DECODED_MAX && code_op_decode(code, op);
}

/* The instruction of a function that is reached which holds those bytes, in
 * code->insn too.  NULL: none; unread: or it cannot be read. */
static const struct code_op *decode_around(struct code *code, uint64_t address,
                                           struct code_function **in, bool *unread) {
    struct code_function *f = code_at(code, address);
    *unread = false;
    if (f == NULL || !f->reached) {
        return NULL;
    }
    code_read(code, f);
    *in = f;
    const struct code_op *op = code_op_around(f, address);
    bool read = op != NULL && decode(code, op);
    *unread = !read;
    return read ? op : NULL;
}

/* Does an instruction make an address in the GOT, by itself or with registers? */
static bool takes_address(const struct pointer_room *room, const cs_insn *insn) {
    const cs_x86 *x = &insn->detail->x86;
    for (unsigned i = 0; insn->id != 0 && i < x->op_count; i++) {
        const cs_x86_op *op = &x->operands[i];
        uint64_t address;
        if (op->type == X86_OP_IMM && holds(room->around, (uint64_t)op->imm)) {
            return true;
        }
        if (op->type != X86_OP_MEM) {
            continue;
        }
        bool fixed = decode_fixed_address(insn, op, &address);
        if (fixed ? insn->id == X86_INS_LEA && holds(room->around, address)
                  : holds(room->around, (uint64_t)op->mem.disp)) {
            return true;
        }
    }
    return false;
}

static bool code_takes_address(struct code *code, const struct pointer_room *room) {
    for (size_t i = 0; i < room->mentions.len; i++) {
        const struct mention *m = &room->mentions.data[i];
        size_t left;
        const uint8_t *before = elf_file_loaded(code->file, m->site - 2, &left);
        bool lea = before != NULL && left >= 2 && before[0] == 0x8d && (before[1] & 0xc7) == 0x05;
        struct code_function *in;
        bool unread;
        if (!lea && !m->absolute) {
            continue; /* names what stands there */
        }
        const struct code_op *op = decode_around(code, m->site, &in, &unread);
        if (unread || (op != NULL && takes_address(room, code->insn))) {
            return true;
        }
    }
    return false;
}

/* The section of relocations that an address lies in, or NULL. */
static const Elf64_Shdr *relocations(const struct elf_file *file, uint64_t address) {
    for (size_t i = 0; i < file->section_count; i++) {
        const Elf64_Shdr *s = &file->sections[i];
        if ((s->sh_type == SHT_RELA || s->sh_type == SHT_RELR) && (s->sh_flags & SHF_ALLOC) != 0 &&
            address - s->sh_addr < s->sh_size) {
            return s;
        }
    }
    return NULL;
}

/* Words in data that are an address in the GOT, other than those that the program's
 * start relocates it by. */
static bool data_takes_address(const struct code *code, const struct pointer_room *room) {
    struct span dynamic = section_span(code->file, ".dynamic");
    for (size_t i = 0; i < room->data_count; i++) {
        const struct code_range *r = &room->data[i];
        for (uint64_t k = -r->start & 3; k + 8 <= r->size; k += 4) {
            uint64_t at = r->start + k;
            if (!holds(room->around, load64(r->bytes + k)) || holds(dynamic, at) ||
                is_header(code->file, r->bytes + k)) {
                continue;
            }
            const Elf64_Shdr *s = relocations(code->file, at);
            bool place = s != NULL &&
                         (s->sh_type == SHT_RELR || (at - s->sh_addr) % sizeof(Elf64_Rela) == 0);
            if (!place) {
                return true;
            }
        }
    }
    return false;
}

/* Which slots there are, to begin with. */
static struct pointer_room *open_room(struct code *code) {
    struct pointer_room *room = xalloc(sizeof *room);
    const struct elf_file *file = code->file;
    room->data_count = code_data(code, &room->data);
    room->got = room->around = section_span(file, ".got");
    struct span plt = section_span(file, ".got.plt");
    if (plt.end != 0 && room->got.end != 0) {
        room->around.start = plt.start < room->got.start ? plt.start : room->got.start;
        room->around.end = plt.end > room->got.end ? plt.end : room->got.end;
    }
    return room;
}

/* Who names them.  False: they can be changed, or their address is taken somewhere. */
static bool search_code(struct code *code, struct pointer_room *room) {
    if (!room->searched) {
        room->searched = true;
        find_mentions(code, room);
        room->exposed = !is_fixed(code->file, room->got) || room->mentions.len >= MENTIONS_MAX ||
                        code_takes_address(code, room) || data_takes_address(code, room);
    }
    return !room->exposed;
}

/* --- where the address stands ------------------------------------------- */

static void lose(struct target *t, uint64_t at, const char *why) {
    if (t->out->why == NULL) {
        t->out->why = why;
        t->out->at = at;
    }
}

static bool is_slot(const struct target *t, uint64_t address) {
    for (size_t i = 0; i < t->slots.len; i++) {
        if (t->slots.data[i] == address) {
            return true;
        }
    }
    return false;
}

/* A word with the address: the slot that it is, or that is filled with it. */
static void judge_word(struct target *t, const uint8_t *word, uint64_t at) {
    const Elf64_Shdr *s = relocations(t->code->file, at);
    uint64_t slot = at;
    if (s != NULL && s->sh_type == SHT_RELA) {
        Elf64_Rela rela;
        if ((at - s->sh_addr) % sizeof rela != offsetof(Elf64_Rela, r_addend)) {
            lose(t, at, in_data);
            return;
        }
        memcpy(&rela, word - offsetof(Elf64_Rela, r_addend), sizeof rela);
        slot = ELF64_R_TYPE(rela.r_info) == R_X86_64_RELATIVE ? rela.r_offset : 0;
    }
    if (!holds(t->room->got, slot) || (slot - t->room->got.start) % 8 != 0) {
        lose(t, at, in_data);
    } else if (!is_slot(t, slot)) {
        if (t->slots.len < SLOTS_MAX) {
            *vec_push(&t->slots) = slot;
        } else {
            lose(t, at, in_data);
        }
    }
}

static void find_slots(struct target *t) {
    for (size_t i = 0; i < t->room->data_count; i++) {
        const struct code_range *r = &t->room->data[i];
        for (uint64_t k = -r->start & 3; k + 8 <= r->size; k += 4) {
            if (load64(r->bytes + k) == t->function->start &&
                !is_header(t->code->file, r->bytes + k)) {
                judge_word(t, r->bytes + k, r->start + k);
            }
        }
    }
}

/* --- registers ---------------------------------------------------------- */

/* The general registers that the instruction in code->insn has to do with, as bits. */
static unsigned registers(const cs_insn *insn) {
    const cs_detail *d = insn->detail;
    unsigned bits = 0;
    if (insn->id == 0) {
        return 0xffff;
    }
    for (unsigned i = 0; i < d->regs_read_count; i++) {
        bits |= code_register_bit(d->regs_read[i]);
    }
    for (unsigned i = 0; i < d->regs_write_count; i++) {
        bits |= code_register_bit(d->regs_write[i]);
    }
    for (unsigned i = 0; i < d->x86.op_count; i++) {
        const cs_x86_op *op = &d->x86.operands[i];
        bits |= op->type == X86_OP_REG ? code_register_bit(op->reg) : 0;
        if (op->type == X86_OP_MEM) {
            bits |= code_register_bit(op->mem.base) | code_register_bit(op->mem.index);
        }
    }
    return bits;
}

/* `call *%r` or `jmp *%r`. */
static bool goes_to(const struct code_op *op, const cs_insn *insn, unsigned bit) {
    const cs_x86 *x = &insn->detail->x86;
    return (op->kind == OP_CALL || op->kind == OP_JUMP) && op->target == 0 && x->op_count == 1 &&
           x->operands[0].type == X86_OP_REG && code_register_bit(x->operands[0].reg) == bit;
}

/* Gives the register a value in which its old one has no part. */
static bool replaces(const cs_insn *insn, unsigned bit) {
    const cs_x86 *x = &insn->detail->x86;
    const cs_x86_op *to = &x->operands[0], *from = &x->operands[1];
    if (x->op_count == 0 || to->type != X86_OP_REG || to->size < 4 ||
        code_register_bit(to->reg) != bit) {
        return false;
    }
    switch (insn->id) {
    case X86_INS_POP:
        return true;
    case X86_INS_XOR:
        return from->type == X86_OP_REG && from->reg == to->reg;
    case X86_INS_MOV:
    case X86_INS_MOVABS:
    case X86_INS_MOVZX:
    case X86_INS_MOVSXD:
    case X86_INS_LEA:
        return from->type == X86_OP_IMM ||
               (from->type == X86_OP_REG && code_register_bit(from->reg) != bit) ||
               (from->type == X86_OP_MEM && code_register_bit(from->mem.base) != bit &&
                code_register_bit(from->mem.index) != bit);
    default:
        return false;
    }
}

static void add_call(struct target *t, struct code_function *g, uint32_t op) {
    size_t n = t->out->calls.len;
    const struct pointer_call *last = n == 0 ? NULL : &t->out->calls.data[n - 1];
    if (last == NULL || last->from != g || last->op != op) {
        *vec_push(&t->out->calls) = (struct pointer_call){g, op};
    }
}

/* Where the address goes from the load on. */
struct flow {
    struct target *target;
    struct code_function *function;
    unsigned bit;
    bool kept; /* by calls */
    bool lost;
    bool padded; /* the landing pads have been opened */
};

static void flow_to(struct flow *f, uint32_t op) {
    struct pointer_room *room = f->target->room;
    if (op >= f->function->op_count) {
        f->lost = true;
    } else if (room->seen[op] != room->round) {
        room->seen[op] = room->round;
        *vec_push(&room->open) = op;
    }
}

static void flow_through_jump(struct flow *f, const struct code_op *op) {
    struct code_function *g = f->function;
    if (op->target != 0) {
        const struct code_op *to = code_op_at(g, op->target);
        flow_to(f, to == NULL ? UINT32_MAX : (uint32_t)(to - g->ops));
        return;
    }
    bool any = false;
    f->target->room->decoded += g->op_count / 16; /* what it costs */
    for (uint32_t i = 0; i < g->op_count; i++) {  /* the labels of its table */
        for (uint32_t e = g->ops[i].entered; e != 0; e = g->entries[e - 1].next) {
            if (&g->ops[g->entries[e - 1].op] == op) {
                flow_to(f, i);
                any = true;
            }
        }
    }
    f->lost |= !any;
}

/* A call at the function's end does not return. */
static bool is_last(const struct code_function *g, uint32_t i) {
    while (++i < g->op_count && g->ops[i].kind == OP_PAD) {
    }
    return i == g->op_count;
}

/* Behind a call: the next instruction, or a landing pad. */
static void flow_behind_call(struct flow *f, uint32_t i) {
    struct code *code = f->target->code;
    struct code_function *g = f->function;
    if (!is_last(g, i)) {
        flow_to(f, i + 1);
    }
    if (f->padded) {
        return;
    }
    struct unwind_pads pads = {0};
    f->padded = true;
    code->pointers->decoded += code->function_count / 256; /* what it costs */
    f->lost |= !unwind_find_pads(code->file, g->start, g->end, &pads);
    for (size_t k = 0; k < pads.list.len; k++) {
        const struct code_op *op = code_op_at(g, pads.list.data[k]);
        flow_to(f, op == NULL ? UINT32_MAX : (uint32_t)(op - g->ops));
    }
}

/* One instruction that the register reaches with the address. */
static void flow_over(struct flow *f, uint32_t i) {
    const struct code_op *op = &f->function->ops[i];
    const cs_insn *insn = f->target->code->insn;
    if (op->kind == OP_PAD) {
        flow_to(f, i + 1);
        return;
    }
    if (!decode(f->target->code, op)) {
        f->lost = true;
        return;
    }
    if (op->kind == OP_END) { /* a return gives it to the caller */
        f->lost |= insn->id == X86_INS_RET && f->bit != 1u << 10 && f->bit != 1u << 11;
        return;
    }
    if (goes_to(op, insn, f->bit)) {
        add_call(f->target, f->function, i);
        if (op->kind == OP_CALL && f->kept) {
            flow_behind_call(f, i);
        }
        return;
    }
    if ((registers(insn) & f->bit) != 0) {
        if (replaces(insn, f->bit)) {
            return;
        }
        f->lost = true;
    }
    f->lost |= (op->kind == OP_CALL || op->kind == OP_SYSCALL) && !f->kept;
    if (op->kind == OP_JUMP || op->kind == OP_BRANCH) {
        flow_through_jump(f, op);
    }
    if (op->kind == OP_CALL) {
        flow_behind_call(f, i);
    } else if (op->kind != OP_JUMP) {
        flow_to(f, i + 1);
    }
}

/* Follows a register from the instruction behind the load.  False, after having added
 * what calls there are, when something else is done with it. */
static bool follow_flow(struct target *t, struct code_function *g, uint32_t load, unsigned bit,
                        bool kept) {
    struct pointer_room *room = t->room;
    struct flow f = {.target = t, .function = g, .bit = bit, .kept = kept};
    if (room->seen_size < g->op_count) {
        room->seen_size = g->op_count;
        room->seen = xalloc(room->seen_size * sizeof *room->seen);
        room->round = 0;
    }
    room->round++;
    room->open.len = 0;
    flow_to(&f, load + 1);
    while (room->open.len > 0) {
        flow_over(&f, room->open.data[--room->open.len]);
    }
    return !f.lost && (!kept || !g->indirect_jump);
}

/* The instruction in code->insn gives a register the function's address. */
static void follow_load(struct target *t, struct code_function *g, const struct code_op *op) {
    const cs_x86_op *to = &t->code->insn->detail->x86.operands[0];
    unsigned bit = to->type == X86_OP_REG && to->size >= 4 ? code_register_bit(to->reg) : 0;
    uint32_t load = (uint32_t)(op - g->ops);
    const unsigned kept = 1u << RBX | 1u << RBP | 0xf000u,
                   scratch = 1u << RAX | 1u << 10 | 1u << 11;
    bool calls_keep = (bit & kept) != 0 && !golang_is_result(t->go, g->start, RBX);
    if ((bit & (kept | scratch)) == 0 || g->soft || !follow_flow(t, g, load, bit, calls_keep)) {
        lose(t, op->address, is_taken);
    }
}
/* --- the instructions --------------------------------------------------- */

/* Puts an address in a register or in memory, as it is. */
static bool is_plain(const cs_insn *insn) {
    const cs_x86_op *from = &insn->detail->x86.operands[1];
    uint64_t address;
    return ((insn->id == X86_INS_MOV || insn->id == X86_INS_MOVABS) && from->type == X86_OP_IMM) ||
           (insn->id == X86_INS_LEA && decode_fixed_address(insn, from, &address));
}

/* Instructions that take the address itself. */
static void find_taken(struct target *t) {
    struct code *code = t->code;
    uint32_t index = (uint32_t)(t->function - code->functions);
    for (uint32_t i = code->ref_first[index]; i < code->ref_first[index + 1]; i++) {
        const struct code_ref *ref = &code->refs[code->ref_index[i]];
        struct code_function *g = &code->functions[ref->from];
        if (ref->kind != REF_ADDRESS || ref->target != t->function->start || !g->reached ||
            !code_ref_is_real(code, ref)) {
            continue;
        }
        const struct code_op *op = code_op_around(g, ref->site);
        if (op != NULL && decode(code, op) && is_plain(code->insn)) {
            follow_load(t, g, op);
        } else {
            lose(t, ref->site, is_taken);
        }
    }
}

/* What the instruction in code->insn does with a slot, at the mention's bytes. */
static void judge_use(struct target *t, const struct mention *m, uint64_t slot,
                      struct code_function *g, const struct code_op *op) {
    const cs_insn *insn = t->code->insn;
    const cs_x86 *x = &insn->detail->x86;
    bool named = false;
    uint64_t address = 0;
    unsigned at = 0;
    for (unsigned i = 0; insn->id != 0 && i < x->op_count && !named; i++) {
        named = decode_fixed_address(insn, &x->operands[i], &address) && address - slot < 8;
        at = i;
    }
    if (!named) { /* only looked so, but for one chance in thousands */
        if (m->target == slot) {
            lose(t, m->site, is_taken);
        }
    } else if (address == slot && op->target == 0 &&
               (insn->id == X86_INS_CALL || insn->id == X86_INS_JMP)) {
        add_call(t, g, (uint32_t)(op - g->ops));
    } else if (address == slot && insn->id == X86_INS_MOV && at == 1 && x->operands[0].size == 8) {
        follow_load(t, g, op);
    } else if (insn->id != X86_INS_CMP && insn->id != X86_INS_TEST) {
        lose(t, op->address, is_taken);
    }
}

static void find_uses(struct target *t) {
    for (size_t k = 0; k < t->slots.len; k++) {
        uint64_t slot = t->slots.data[k];
        bool any = false;
        for (size_t i = 0; i < t->room->mentions.len; i++) {
            const struct mention *m = &t->room->mentions.data[i];
            if (m->target + 4 - slot >= 12) { /* up to 4 bytes of an immediate follow */
                continue;
            }
            any = true;
            struct code_function *g = NULL;
            bool unread;
            const struct code_op *op = decode_around(t->code, m->site, &g, &unread);
            if (op != NULL) {
                judge_use(t, m, slot, g, op);
            } else if (unread) {
                lose(t, m->site, is_taken);
            }
        }
        if (!any) { /* its address must be had otherwise */
            lose(t, slot, in_data);
        }
    }
}

static bool has_pointers(const struct code *code, const struct code_function *f) {
    uint32_t index = (uint32_t)(f - code->functions);
    bool any = f->pointed;
    for (uint32_t i = code->ref_first[index]; i < code->ref_first[index + 1] && !any; i++) {
        any = code->refs[code->ref_index[i]].kind == REF_ADDRESS;
    }
    return any;
}

const struct pointers *pointers_of(struct code *code, const struct golang *go,
                                   const struct code_function *function) {
    static const struct pointers none;
    if (!has_pointers(code, function)) {
        return &none;
    }
    struct pointer_room *room = code->pointers =
        code->pointers != NULL ? code->pointers : open_room(code);
    for (size_t i = 0; i < room->answers.len; i++) {
        if (room->answers.data[i]->function == function) {
            return &room->answers.data[i]->pointers;
        }
    }
    struct answer *answer = xalloc(sizeof *answer);
    answer->function = function;
    struct target t = {
        .code = code, .go = go, .room = room, .function = function, .out = &answer->pointers};
    if (room->answers.len == FUNCTIONS_MAX) {
        lose(&t, function->start, function->pointed ? in_data : is_taken);
        return &answer->pointers;
    }
    *vec_push(&room->answers) = answer;
    if (function->pointed) {
        find_slots(&t);
    }
    if (function->offset) {
        lose(&t, function->start, in_data);
    }
    if (t.slots.len > 0) {
        if (!search_code(code, room)) {
            lose(&t, t.slots.data[0], in_data);
        }
        find_uses(&t);
    }
    find_taken(&t);
    return &answer->pointers;
}
