/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A decoder for common integer instructions (decode.h).  Encodings: Intel SDM
 * volume 2, chapter 2 and appendix A.
 */
#include "zuk/decode.h"

#include <string.h>

struct reader {
    const uint8_t *p, *end;
    cs_insn *insn;
    cs_x86 *x;
    uint8_t rex;
    bool narrow;        /* prefix 66 */
    bool repeat;        /* prefix f2 or f3 */
    bool short_address; /* prefix 67 */
    x86_reg segment;
    bool bad; /* ran over the end */
    uint8_t modrm;
};

static const uint16_t regs64[16] = {X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX,
                                    X86_REG_RSP, X86_REG_RBP, X86_REG_RSI, X86_REG_RDI,
                                    X86_REG_R8,  X86_REG_R9,  X86_REG_R10, X86_REG_R11,
                                    X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15};
static const uint16_t regs32[16] = {X86_REG_EAX,  X86_REG_ECX,  X86_REG_EDX,  X86_REG_EBX,
                                    X86_REG_ESP,  X86_REG_EBP,  X86_REG_ESI,  X86_REG_EDI,
                                    X86_REG_R8D,  X86_REG_R9D,  X86_REG_R10D, X86_REG_R11D,
                                    X86_REG_R12D, X86_REG_R13D, X86_REG_R14D, X86_REG_R15D};
static const uint16_t regs16[16] = {X86_REG_AX,   X86_REG_CX,   X86_REG_DX,   X86_REG_BX,
                                    X86_REG_SP,   X86_REG_BP,   X86_REG_SI,   X86_REG_DI,
                                    X86_REG_R8W,  X86_REG_R9W,  X86_REG_R10W, X86_REG_R11W,
                                    X86_REG_R12W, X86_REG_R13W, X86_REG_R14W, X86_REG_R15W};
static const uint16_t regs8[16] = {X86_REG_AL,   X86_REG_CL,   X86_REG_DL,   X86_REG_BL,
                                   X86_REG_SPL,  X86_REG_BPL,  X86_REG_SIL,  X86_REG_DIL,
                                   X86_REG_R8B,  X86_REG_R9B,  X86_REG_R10B, X86_REG_R11B,
                                   X86_REG_R12B, X86_REG_R13B, X86_REG_R14B, X86_REG_R15B};
static const uint16_t high8[4] = {X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH};

static uint8_t next8(struct reader *r) {
    if (r->p == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->p++;
}

static int64_t next_signed(struct reader *r, unsigned size) {
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)next8(r) << (8 * i);
    }
    unsigned shift = 64 - 8 * size;
    return (int64_t)(v << shift) >> shift;
}

static unsigned word_size(const struct reader *r) {
    return (r->rex & 8) != 0 ? 8 : r->narrow ? 2 : 4;
}

static x86_reg reg_of(const struct reader *r, unsigned n, unsigned size) {
    switch (size) {
    case 8:
        return (x86_reg)regs64[n];
    case 4:
        return (x86_reg)regs32[n];
    case 2:
        return (x86_reg)regs16[n];
    case 1:
        return (x86_reg)(r->rex == 0 && n >= 4 && n < 8 ? high8[n - 4] : regs8[n]);
    default:
        return X86_REG_XMM0; /* which one does not matter */
    }
}

static cs_x86_op *add_operand(struct reader *r, x86_op_type type, unsigned size, uint8_t access) {
    cs_x86_op *op = &r->x->operands[r->x->op_count++];
    op->type = type;
    op->size = (uint8_t)size;
    op->access = access;
    return op;
}

static void add_reg(struct reader *r, unsigned n, unsigned size, uint8_t access) {
    add_operand(r, X86_OP_REG, size, access)->reg = reg_of(r, n, size);
}

static void add_imm(struct reader *r, unsigned size) {
    int64_t v = next_signed(r, size);
    add_operand(r, X86_OP_IMM, size, CS_AC_READ)->imm = v;
}

static void add_target(struct reader *r, const uint8_t *start, uint64_t address, unsigned size) {
    int64_t v = next_signed(r, size);
    add_operand(r, X86_OP_IMM, 8, CS_AC_READ)->imm =
        (int64_t)(address + (uint64_t)(r->p - start) + (uint64_t)v);
}

/* The register field of ModRM. */
static unsigned field(const struct reader *r) {
    return (r->modrm >> 3 & 7) | (r->rex & 4) << 1;
}

/* The r/m operand; after it come only immediates. */
static void add_rm(struct reader *r, unsigned size, uint8_t access) {
    unsigned mod = r->modrm >> 6, rm = r->modrm & 7;
    if (mod == 3) {
        add_reg(r, rm | (r->rex & 1) << 3, size, access);
        return;
    }
    x86_op_mem mem = {.segment = r->segment, .scale = 1};
    unsigned disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (rm == 4) {
        uint8_t sib = next8(r);
        unsigned index = (sib >> 3 & 7) | (r->rex & 2) << 2, base = sib & 7;
        mem.scale = 1 << (sib >> 6);
        mem.index = index == 4 ? X86_REG_INVALID : (x86_reg)regs64[index];
        if (base == 5 && mod == 0) {
            disp = 4;
        } else {
            mem.base = (x86_reg)regs64[base | (r->rex & 1) << 3];
        }
    } else if (rm == 5 && mod == 0) {
        mem.base = X86_REG_RIP;
        disp = 4;
    } else {
        mem.base = (x86_reg)regs64[rm | (r->rex & 1) << 3];
    }
    mem.disp = disp == 0 ? 0 : next_signed(r, disp);
    add_operand(r, X86_OP_MEM, size, access)->mem = mem;
}

static void implied(struct reader *r, x86_reg reg) {
    r->insn->detail->regs_write[r->insn->detail->regs_write_count++] = (uint16_t)reg;
}

enum { R = CS_AC_READ, W = CS_AC_WRITE, RW = CS_AC_READ | CS_AC_WRITE };

/* add or adc sbb and sub xor cmp, by opcode. */
static const uint16_t arithmetic[8] = {X86_INS_ADD, X86_INS_OR,  X86_INS_ADC, X86_INS_SBB,
                                       X86_INS_AND, X86_INS_SUB, X86_INS_XOR, X86_INS_CMP};

static unsigned take_arithmetic(struct reader *r, uint8_t b) {
    unsigned size = (b & 1) != 0 ? word_size(r) : 1;
    uint8_t access = b >> 3 == 7 ? R : RW;
    switch (b & 7) {
    case 0:
    case 1:
        r->modrm = next8(r);
        add_rm(r, size, access);
        add_reg(r, field(r), size, R);
        break;
    case 2:
    case 3:
        r->modrm = next8(r);
        add_reg(r, field(r), size, access);
        add_rm(r, size, R);
        break;
    default:
        add_reg(r, 0, size, access);
        add_imm(r, size == 8 ? 4 : size);
        break;
    }
    return arithmetic[b >> 3];
}

static unsigned take_rm_imm(struct reader *r, unsigned id, unsigned size, unsigned imm,
                            uint8_t access) {
    add_rm(r, size, access);
    add_imm(r, imm);
    return id;
}

/* SSE instructions of the form xmm, xmm/m: no general register changes. */
static bool is_sse_load(uint8_t b) {
    switch (b) {
    case 0x10:
    case 0x12:
    case 0x14:
    case 0x15:
    case 0x16:
    case 0x28:
    case 0x2a:
    case 0x2e:
    case 0x2f:
    case 0x6e:
    case 0x6f:
    case 0x74:
    case 0x75:
    case 0x76:
        return true;
    default:
        return (b >= 0x51 && b <= 0x6d) || (b >= 0xd1 && b <= 0xfe && b != 0xd6 && b != 0xd7 &&
                                            b != 0xe7 && b != 0xf0 && b != 0xf7);
    }
}

static unsigned take_two_bytes(struct reader *r, const uint8_t *start, uint64_t address) {
    uint8_t b = next8(r);
    unsigned size = word_size(r);
    if (b == 0x05 || b == 0x0b) {
        return b == 0x05 ? X86_INS_SYSCALL : X86_INS_UD2;
    }
    if (b == 0xb9) { /* ud1, of -fsanitize-trap: capstone reads no operands */
        r->modrm = next8(r);
        add_rm(r, size, R);
        r->x->op_count = 0;
        return X86_INS_UD2;
    }
    if (b >= 0x80 && b <= 0x8f) {
        r->insn->detail->groups[r->insn->detail->groups_count++] = X86_GRP_JUMP;
        add_target(r, start, address, 4);
        return X86_INS_JE;
    }
    if (b >= 0xc8 && b <= 0xcf) {
        add_reg(r, (b & 7) | (r->rex & 1) << 3, size, RW);
        return X86_INS_BSWAP;
    }
    bool store = b == 0x11 || b == 0x13 || b == 0x17 || b == 0x29 || b == 0x2b || b == 0x7f ||
                 b == 0xd6 || b == 0xe7;
    bool load = is_sse_load(b);
    if (!load && !store && r->repeat) {
        return X86_INS_INVALID; /* popcnt, tzcnt, endbr64 ... */
    }
    switch (b) {
    case 0x1f:
    case 0xa3:
    case 0xaf:
    case 0xb6:
    case 0xb7:
    case 0xba:
    case 0xbe:
    case 0xbf:
        break;
    default:
        if (!load && !store && (b < 0x40 || b > 0x4f) && (b < 0x90 || b > 0x9f)) {
            return X86_INS_INVALID;
        }
    }
    r->modrm = next8(r);
    if (load || store) {
        if (store) {
            add_rm(r, 16, W);
            add_reg(r, 0, 16, R);
        } else {
            add_reg(r, 0, 16, RW);
            add_rm(r, 16, R);
        }
        return X86_INS_MOVAPS;
    }
    switch (b) {
    case 0x1f:
        add_rm(r, size, R);
        return X86_INS_NOP;
    case 0xa3:
        add_rm(r, size, R);
        add_reg(r, field(r), size, R);
        return X86_INS_BT;
    case 0xaf:
        add_reg(r, field(r), size, RW);
        add_rm(r, size, R);
        return X86_INS_IMUL;
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf:
        add_reg(r, field(r), size, W);
        add_rm(r, (b & 1) != 0 ? 2 : 1, R);
        return b < 0xb8 ? X86_INS_MOVZX : X86_INS_MOVSX;
    case 0xba:
        if ((r->modrm >> 3 & 7) < 4) {
            return X86_INS_INVALID;
        }
        return take_rm_imm(r, (r->modrm >> 3 & 7) == 4 ? X86_INS_BT : X86_INS_BTS, size, 1,
                           (r->modrm >> 3 & 7) == 4 ? R : RW);
    default:
        if (b >= 0x90) {
            add_rm(r, 1, W);
            return X86_INS_SETE;
        }
        add_reg(r, field(r), size, RW);
        add_rm(r, size, R);
        return X86_INS_CMOVE;
    }
}

static unsigned take_group(struct reader *r, uint8_t b) {
    unsigned size = (b & 1) != 0 ? word_size(r) : 1, op = r->modrm >> 3 & 7;
    if (b == 0xf6 || b == 0xf7) {
        switch (op) {
        case 0:
            return take_rm_imm(r, X86_INS_TEST, size, size == 8 ? 4 : size, R);
        case 2:
            add_rm(r, size, RW);
            return X86_INS_NOT;
        case 3:
            add_rm(r, size, RW);
            return X86_INS_NEG;
        case 1:
            return X86_INS_INVALID;
        default:
            add_rm(r, size, R);
            implied(r, X86_REG_RAX);
            implied(r, X86_REG_RDX);
            return X86_INS_MUL;
        }
    }
    switch (op) { /* fe, ff */
    case 0:
        add_rm(r, size, RW);
        return X86_INS_INC;
    case 1:
        add_rm(r, size, RW);
        return X86_INS_DEC;
    case 2:
        add_rm(r, 8, R);
        return b == 0xff ? X86_INS_CALL : X86_INS_INVALID;
    case 4:
        add_rm(r, 8, R);
        return b == 0xff ? X86_INS_JMP : X86_INS_INVALID;
    case 6:
        add_rm(r, 8, R);
        return b == 0xff ? X86_INS_PUSH : X86_INS_INVALID;
    default:
        return X86_INS_INVALID;
    }
}

/* One-byte opcodes with ModRM. */
static unsigned take_modrm(struct reader *r, uint8_t b) {
    unsigned size = (b & 1) != 0 ? word_size(r) : 1;
    r->modrm = next8(r);
    unsigned op = r->modrm >> 3 & 7;
    switch (b) {
    case 0x63:
        add_reg(r, field(r), word_size(r), W);
        add_rm(r, 4, R);
        return X86_INS_MOVSXD;
    case 0x69:
    case 0x6b:
        add_reg(r, field(r), size, W);
        add_rm(r, size, R);
        (void)next_signed(r, b == 0x6b ? 1 : size == 8 ? 4 : size);
        return X86_INS_IMUL;
    case 0x80:
    case 0x81:
    case 0x83:
        return take_rm_imm(r, arithmetic[op], size,
                           b != 0x81   ? 1
                           : size == 8 ? 4
                                       : size,
                           op == 7 ? R : RW);
    case 0x84:
    case 0x85:
        add_rm(r, size, R);
        add_reg(r, field(r), size, R);
        return X86_INS_TEST;
    case 0x86:
    case 0x87:
        add_rm(r, size, RW);
        add_reg(r, field(r), size, RW);
        return X86_INS_XCHG;
    case 0x88:
    case 0x89:
        add_rm(r, size, W);
        add_reg(r, field(r), size, R);
        return X86_INS_MOV;
    case 0x8a:
    case 0x8b:
        add_reg(r, field(r), size, W);
        add_rm(r, size, R);
        return X86_INS_MOV;
    case 0x8d:
        add_reg(r, field(r), size, W);
        add_rm(r, size, R);
        return r->modrm >> 6 == 3 ? X86_INS_INVALID : X86_INS_LEA;
    case 0xc0:
    case 0xc1:
        return take_rm_imm(r, X86_INS_SHL, size, 1, RW);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        add_rm(r, size, RW);
        return X86_INS_SHL;
    case 0xc6:
    case 0xc7:
        return op != 0 ? X86_INS_INVALID
                       : take_rm_imm(r, X86_INS_MOV, size, size == 8 ? 4 : size, W);
    default:
        return take_group(r, b);
    }
}

static unsigned take_opcode(struct reader *r, const uint8_t *start, uint64_t address) {
    uint8_t b = next8(r);
    if (b == 0x0f) {
        return take_two_bytes(r, start, address);
    }
    if (r->repeat) {
        return X86_INS_INVALID; /* string instructions, pause */
    }
    unsigned size = word_size(r), low = (b & 7) | (r->rex & 1) << 3;
    if (b < 0x40 && (b & 7) < 6) {
        return take_arithmetic(r, b);
    }
    if (b >= 0x70 && b <= 0x7f) {
        r->insn->detail->groups[r->insn->detail->groups_count++] = X86_GRP_JUMP;
        add_target(r, start, address, 1);
        return X86_INS_JE;
    }
    switch (b) {
    case 0x50:
    case 0x51:
    case 0x52:
    case 0x53:
    case 0x54:
    case 0x55:
    case 0x56:
    case 0x57:
        add_reg(r, low, 8, R);
        return r->narrow ? X86_INS_INVALID : X86_INS_PUSH;
    case 0x58:
    case 0x59:
    case 0x5a:
    case 0x5b:
    case 0x5c:
    case 0x5d:
    case 0x5e:
    case 0x5f:
        add_reg(r, low, 8, W);
        return r->narrow ? X86_INS_INVALID : X86_INS_POP;
    case 0x68:
    case 0x6a:
        add_imm(r, b == 0x68 ? 4 : 1);
        return r->narrow ? X86_INS_INVALID : X86_INS_PUSH;
    case 0x63:
    case 0x69:
    case 0x6b:
    case 0x80:
    case 0x81:
    case 0x83:
    case 0x84:
    case 0x85:
    case 0x86:
    case 0x87:
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:
    case 0x8d:
    case 0xc0:
    case 0xc1:
    case 0xc6:
    case 0xc7:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
    case 0xf6:
    case 0xf7:
    case 0xfe:
    case 0xff:
        return take_modrm(r, b);
    case 0x90:
        return (r->rex & 1) != 0 ? X86_INS_INVALID : X86_INS_NOP;
    case 0x98:
        implied(r, X86_REG_RAX);
        return X86_INS_CDQE;
    case 0x99:
        implied(r, X86_REG_RDX);
        return X86_INS_CQO;
    case 0xa8:
    case 0xa9:
        size = b == 0xa8 ? 1 : size;
        add_reg(r, 0, size, R);
        add_imm(r, size == 8 ? 4 : size);
        return X86_INS_TEST;
    case 0xb0:
    case 0xb1:
    case 0xb2:
    case 0xb3:
    case 0xb4:
    case 0xb5:
    case 0xb6:
    case 0xb7:
        add_reg(r, low, 1, W);
        add_imm(r, 1);
        return X86_INS_MOV;
    case 0xb8:
    case 0xb9:
    case 0xba:
    case 0xbb:
    case 0xbc:
    case 0xbd:
    case 0xbe:
    case 0xbf:
        add_reg(r, low, size, W);
        add_imm(r, size);
        return X86_INS_MOV;
    case 0xc3:
        return X86_INS_RET;
    case 0xc9:
        return X86_INS_LEAVE;
    case 0xcc:
        return X86_INS_INT3;
    case 0xe8:
        add_target(r, start, address, 4);
        return X86_INS_CALL;
    case 0xe9:
        add_target(r, start, address, 4);
        return X86_INS_JMP;
    case 0xeb:
        add_target(r, start, address, 1);
        return X86_INS_JMP;
    case 0xf4:
        return X86_INS_HLT;
    default:
        return X86_INS_INVALID;
    }
}

unsigned decode_common(const uint8_t *bytes, size_t left, uint64_t address, cs_insn *insn) {
    cs_detail *d = insn->detail;
    struct reader r = {.p = bytes,
                       .end = bytes + (left < 15 ? left : 15),
                       .insn = insn,
                       .x = &d->x86,
                       .segment = X86_REG_INVALID};
    d->regs_write_count = d->groups_count = d->x86.op_count = 0;
    for (bool more = true; more && r.p < r.end;) {
        switch (*r.p) {
        case 0x66:
            r.narrow = true;
            r.p++;
            break;
        case 0xf2:
        case 0xf3:
            r.repeat = true;
            r.p++;
            break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            r.p++;
            break;
        case 0x67:
            r.short_address = true;
            r.p++;
            break;
        case 0x64:
        case 0x65:
            r.segment = *r.p == 0x64 ? X86_REG_FS : X86_REG_GS;
            r.p++;
            break;
        default:
            more = false;
        }
    }
    if (r.p < r.end && (*r.p & 0xf0) == 0x40) {
        r.rex = *r.p++;
    }
    unsigned id = take_opcode(&r, bytes, address);
    if (r.bad || id == X86_INS_INVALID || (r.short_address && id != X86_INS_UD2)) {
        return 0;
    }
    insn->id = id;
    insn->address = address;
    insn->size = (uint16_t)(r.p - bytes);
    return insn->size;
}

bool decode_next(csh handle, const uint8_t **bytes, size_t *left, uint64_t *address,
                 cs_insn *insn) {
    if (*left == 0) {
        return false;
    }
    unsigned size = decode_common(*bytes, *left, *address, insn);
    if (size == 0) {
        return cs_disasm_iter(handle, bytes, left, address, insn);
    }
    *bytes += size;
    *left -= size;
    *address += size;
    return true;
}

bool decode_fixed_address(const cs_insn *insn, const cs_x86_op *op, uint64_t *address) {
    if (op->type != X86_OP_MEM || op->mem.index != X86_REG_INVALID ||
        op->mem.segment != X86_REG_INVALID) {
        return false;
    }
    *address =
        (uint64_t)op->mem.disp + (op->mem.base == X86_REG_RIP ? insn->address + insn->size : 0);
    return op->mem.base == X86_REG_RIP || op->mem.base == X86_REG_INVALID;
}
