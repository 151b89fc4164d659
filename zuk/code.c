/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Functions of an x86_64 executable, and who refers to whom (code.h).
 *
 * A pass over tens of megabytes must cost tens of milliseconds, so references
 * are looked for byte by byte: every place that could hold an address of a
 * function is compared with a bitmap of the functions' starts.
 *
 * Sources: System V psABI x86_64; Intel SDM vol. 2.
 */
#include "zuk/code.h"

#include <stdlib.h>
#include <string.h>

#include "zuk/decode.h"
#include "zuk/ops.h"
#include "zuk/unwind.h"

static int by_start(const void *a, const void *b) {
    uint64_t x = ((const struct code_range *)a)->start, y = ((const struct code_range *)b)->start;
    return x < y ? -1 : x > y;
}

size_t code_ranges(const struct elf_file *file, bool executable, struct code_range **out) {
    VEC(struct code_range) list = {0};
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *p = &file->segments[i];
        if (p->p_type != PT_LOAD || ((p->p_flags & PF_X) != 0) != executable || p->p_filesz == 0 ||
            p->p_vaddr + p->p_filesz < p->p_vaddr) {
            continue;
        }
        const uint8_t *bytes = elf_file_bytes(file, p->p_offset, p->p_filesz);
        if (bytes != NULL) {
            *vec_push(&list) = (struct code_range){bytes, p->p_vaddr, p->p_filesz};
        }
    }
    if (list.len > 0) {
        qsort(list.data, list.len, sizeof list.data[0], by_start);
    }
    size_t count = 0; /* segments that overlap are damaged: the first stays */
    for (size_t i = 0; i < list.len; i++) {
        if (count == 0 ||
            list.data[i].start >= list.data[count - 1].start + list.data[count - 1].size) {
            list.data[count++] = list.data[i];
        }
    }
    *out = list.data;
    return count;
}

/* --- which functions there are ------------------------------------------ */

struct borders {
    VEC(struct code_function) list;
    struct code_range *text;
    size_t text_count;
};

static const struct code_range *range_of(const struct borders *b, uint64_t address) {
    for (size_t i = 0; i < b->text_count; i++) {
        if (address - b->text[i].start < b->text[i].size) {
            return &b->text[i];
        }
    }
    return NULL;
}

static void add_function(struct borders *b, uint64_t start, uint64_t size, const char *name,
                         bool compiled) {
    const struct code_range *range = range_of(b, start);
    if (range == NULL) {
        return;
    }
    uint64_t left = range->start + range->size - start;
    *vec_push(&b->list) =
        (struct code_function){.start = start,
                               .end = size == 0 ? 0 : start + (size < left ? size : left),
                               .name = name,
                               .compiled = compiled};
}

static void add_symbols(struct borders *b, const struct elf_file *file) {
    const Elf64_Sym *symbols;
    uint64_t names = 0, names_end = 0;
    size_t count = elf_file_symbols(file, &symbols, &names, &names_end);
    const char *strings = (const char *)file->data + names;
    bool sound = count > 0 && names_end > names && strings[names_end - names - 1] == '\0';
    for (size_t i = 0; i < count; i++) {
        const Elf64_Sym *s = &symbols[i];
        if (ELF64_ST_TYPE(s->st_info) == STT_FUNC || ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC) {
            bool named = sound && s->st_name < names_end - names;
            if (s->st_shndx != SHN_UNDEF) {
                add_function(b, s->st_value, s->st_size, named ? strings + s->st_name : NULL,
                             false);
            }
        }
    }
}

static void add_unwind(struct borders *b, const struct elf_file *file) {
    struct unwind u;
    struct unwind_function f;
    unwind_open(&u, file);
    while (unwind_next(&u, &f)) {
        uint64_t size = unwind_size(&u, &f);
        add_function(b, f.start, size, NULL, true);
    }
}

/* By address; of several at one address the sized and named ones first. */
static int by_address(const void *a, const void *b) {
    const struct code_function *x = a, *y = b;
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    if ((x->name == NULL) != (y->name == NULL)) {
        return x->name == NULL ? 1 : -1;
    }
    if (x->end != y->end) {
        return x->end > y->end ? -1 : 1;
    }
    return x->name == NULL ? 0 : strcmp(x->name, y->name);
}

static void sort_out(struct borders *b) {
    if (b->list.len == 0) {
        return;
    }
    qsort(b->list.data, b->list.len, sizeof b->list.data[0], by_address);
    size_t count = 0;
    for (size_t i = 0; i < b->list.len; i++) {
        struct code_function *f = &b->list.data[i];
        if (count > 0 && b->list.data[count - 1].start == f->start) {
            if (b->list.data[count - 1].end < f->end) {
                b->list.data[count - 1].end = f->end;
            }
            b->list.data[count - 1].compiled |= f->compiled;
            continue;
        }
        b->list.data[count++] = *f;
    }
    b->list.len = count;
    for (size_t i = 0; i < count; i++) {
        struct code_function *f = &b->list.data[i];
        const struct code_range *range = range_of(b, f->start);
        uint64_t limit = range->start + range->size;
        if (i + 1 < count && f[1].start < limit) {
            limit = f[1].start;
        }
        f->end = f->end == 0 || f->end > limit ? limit : f->end;
    }
}

/* Bytes that assemblers and linkers fill gaps with. */
static bool is_padding(const uint8_t *p, uint64_t size) {
    for (uint64_t i = 0; i < size; i++) {
        switch (p[i]) {
        case 0x00:
        case 0x0f:
        case 0x1f:
        case 0x2e:
        case 0x40:
        case 0x44:
        case 0x66:
        case 0x80:
        case 0x84:
        case 0x90:
        case 0xcc:
            break;
        default:
            return false;
        }
    }
    return true;
}

struct gap {
    uint64_t start, end;
};

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* What no table covers becomes functions too, split where calls lead. */
static void add_gaps(struct borders *b, uint64_t entry) {
    VEC(struct gap) gaps = {0};
    size_t k = 0;
    for (size_t i = 0; i < b->text_count; i++) {
        const struct code_range *r = &b->text[i];
        uint64_t at = r->start, limit = r->start + r->size;
        for (; at < limit; k++) {
            bool more = k < b->list.len && b->list.data[k].start < limit;
            uint64_t next = more ? b->list.data[k].start : limit;
            if (next > at && !is_padding(r->bytes + (at - r->start), next - at)) {
                *vec_push(&gaps) = (struct gap){at, next};
            }
            if (!more) {
                break;
            }
            at = b->list.data[k].end;
        }
    }
    if (gaps.len == 0) {
        return;
    }
    VEC(uint64_t) starts = {0};
    uint64_t low = gaps.data[0].start, high = gaps.data[gaps.len - 1].end;
    *vec_push(&starts) = entry;
    for (size_t i = 0; i < b->text_count; i++) {
        const struct code_range *r = &b->text[i];
        const uint8_t *end = r->bytes + r->size;
        for (const uint8_t *p = r->bytes; end - p > 5; p++) {
            p = memchr(p, 0xe8, (size_t)(end - p));
            if (p == NULL || end - p < 5) {
                break;
            }
            uint64_t target =
                r->start + (uint64_t)(p - r->bytes) + 5 + (uint64_t)(int64_t)(int32_t)load32(p + 1);
            if (target - low < high - low) {
                *vec_push(&starts) = target;
            }
        }
    }
    qsort(starts.data, starts.len, sizeof starts.data[0], by_value);
    size_t s = 0;
    for (size_t i = 0; i < gaps.len; i++) {
        uint64_t at = gaps.data[i].start;
        for (; s < starts.len && starts.data[s] <= gaps.data[i].end; s++) {
            uint64_t start = starts.data[s];
            if (start > at && start < gaps.data[i].end) {
                *vec_push(&b->list) =
                    (struct code_function){.start = at, .end = start, .soft = true};
                at = start;
            } else if (start >= gaps.data[i].end) {
                break;
            }
        }
        *vec_push(&b->list) =
            (struct code_function){.start = at, .end = gaps.data[i].end, .soft = true};
    }
    qsort(b->list.data, b->list.len, sizeof b->list.data[0], by_address);
}

bool code_open(const struct elf_file *file, struct code *out) {
    csh handle;
    *out = (struct code){.file = file};
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) {
        return false;
    }
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    cs_option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);
    out->decoder = handle;
    out->insn = cs_malloc(handle);
    if (out->insn == NULL) {
        return false;
    }
    struct borders b = {0};
    b.text_count = code_ranges(file, true, &b.text);
    add_symbols(&b, file);
    out->symbols = b.list.len > 0;
    add_unwind(&b, file);
    sort_out(&b);
    out->bounded = b.list.len > 0;
    add_gaps(&b, file->header.e_entry);
    out->functions = b.list.data;
    out->function_count = (uint32_t)b.list.len;
    return true;
}

void code_close(struct code *code) {
    csh handle = code->decoder;
    if (handle != 0) {
        cs_free(code->insn, code->insn != NULL);
        cs_close(&handle);
    }
    code->decoder = 0;
}

static uint32_t function_index(const struct code *code, uint64_t address) {
    uint32_t low = 0, high = code->function_count;
    while (low < high) { /* the first that starts above the address */
        uint32_t middle = low + (high - low) / 2;
        if (code->functions[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || address >= code->functions[low - 1].end) {
        return UINT32_MAX;
    }
    return low - 1;
}

struct code_function *code_at(const struct code *code, uint64_t address) {
    uint32_t i = function_index(code, address);
    return i == UINT32_MAX ? NULL : &code->functions[i];
}

/* --- who refers to whom ------------------------------------------------- */

/* A bit per byte of text, set where a function starts, and for each 64 bytes
 * how many start below: address -> function in two loads. */
struct starts {
    uint64_t low, size;
    uint64_t *bits;
    uint32_t *below;
    uint8_t *soft; /* by 64 bytes: a soft function has a part in it */
};

/* Text that spans more than this has no map: hostile, or not for us. */
#define SPAN_MAX (UINT64_C(1) << 31)

static bool make_starts(const struct code *code, struct starts *s) {
    if (code->function_count == 0) {
        return false;
    }
    s->low = code->functions[0].start & ~UINT64_C(63);
    s->size = code->functions[code->function_count - 1].end - s->low;
    if (s->size > SPAN_MAX) {
        return false;
    }
    size_t words = s->size / 64 + 1;
    s->bits = xalloc(words * sizeof *s->bits);
    s->below = xalloc(words * sizeof *s->below);
    s->soft = xalloc(words);
    for (uint32_t i = 0; i < code->function_count; i++) {
        const struct code_function *f = &code->functions[i];
        uint64_t at = f->start - s->low;
        s->bits[at / 64] |= UINT64_C(1) << (at % 64);
        if (f->soft) {
            memset(s->soft + at / 64, 1, (f->end - 1 - s->low) / 64 - at / 64 + 1);
        }
    }
    uint32_t count = 0;
    for (size_t i = 0; i < words; i++) {
        s->below[i] = count;
        count += (uint32_t)__builtin_popcountll(s->bits[i]);
    }
    return true;
}

static inline uint32_t start_index(const struct starts *s, uint64_t address) {
    uint64_t at = address - s->low;
    if (at >= s->size) {
        return UINT32_MAX;
    }
    uint64_t word = s->bits[at / 64], bit = UINT64_C(1) << (at % 64);
    if ((word & bit) == 0) {
        return UINT32_MAX;
    }
    return s->below[at / 64] + (uint32_t)__builtin_popcountll(word & (bit - 1));
}

/* The function that an address taken somewhere is one of: where it starts,
 * or, as borders there are guesses, anywhere in a soft one. */
static uint32_t taken_index(const struct code *code, const struct starts *s, uint64_t address) {
    uint32_t index = start_index(s, address);
    uint64_t at = address - s->low;
    if (index == UINT32_MAX && at < s->size && s->soft[at / 64] != 0) {
        index = function_index(code, address);
        if (index != UINT32_MAX && !code->functions[index].soft) {
            index = UINT32_MAX;
        }
    }
    return index;
}

struct finder {
    struct code *code;
    struct starts starts;
    VEC(struct code_ref) refs;
};

static void add_ref(struct finder *f, uint32_t from, uint64_t site, uint64_t target, uint32_t to,
                    enum code_ref_kind kind) {
    *vec_push(&f->refs) =
        (struct code_ref){.site = site, .target = target, .from = from, .to = to, .kind = kind};
}

/* A relative reference from a function to an address elsewhere: to a start, or
 * (a cold part is entered in its middle) into another function. */
static void relative(struct finder *f, uint32_t from, uint64_t site, uint64_t target,
                     enum code_ref_kind kind) {
    uint32_t to = kind == REF_ADDRESS ? taken_index(f->code, &f->starts, target)
                                      : start_index(&f->starts, target);
    if (to == UINT32_MAX && kind == REF_JUMP) {
        const struct code_function *own = &f->code->functions[from];
        if (target - own->start < own->end - own->start) {
            return;
        }
        to = function_index(f->code, target);
    }
    if (to != UINT32_MAX) {
        add_ref(f, from, site, target, to, kind);
    }
}

enum look { LOOK_NONE, LOOK_CALL, LOOK_JUMP, LOOK_SHORT, LOOK_TWO_BYTES, LOOK_LEA };

static void find_in_function(struct finder *f, uint32_t index, const uint8_t *bytes, size_t size,
                             size_t readable, bool absolute) {
    static const uint8_t looks[256] = {
        [0xe8] = LOOK_CALL,  [0xe9] = LOOK_JUMP,  [0xeb] = LOOK_SHORT, [0x70] = LOOK_SHORT,
        [0x71] = LOOK_SHORT, [0x72] = LOOK_SHORT, [0x73] = LOOK_SHORT, [0x74] = LOOK_SHORT,
        [0x75] = LOOK_SHORT, [0x76] = LOOK_SHORT, [0x77] = LOOK_SHORT, [0x78] = LOOK_SHORT,
        [0x79] = LOOK_SHORT, [0x7a] = LOOK_SHORT, [0x7b] = LOOK_SHORT, [0x7c] = LOOK_SHORT,
        [0x7d] = LOOK_SHORT, [0x7e] = LOOK_SHORT, [0x7f] = LOOK_SHORT, [0x0f] = LOOK_TWO_BYTES,
        [0x8d] = LOOK_LEA,
    };
    uint64_t base = f->code->functions[index].start;
    uint64_t low = f->starts.low, span = f->starts.size;
    size_t wide = !absolute ? 0 : readable - size >= 3 ? size : readable < 3 ? 0 : readable - 3;
    for (size_t i = 0; i < size; i++) {
        const uint8_t *p = bytes + i;
        if (i < wide && load32(p) - low < span) {
            uint32_t to = taken_index(f->code, &f->starts, load32(p));
            if (to != UINT32_MAX) {
                add_ref(f, index, base + i, load32(p), to, REF_ADDRESS);
            }
        }
        if (looks[*p] == LOOK_NONE) {
            continue;
        }
        size_t left = readable - i;
        switch (looks[*p]) {
        case LOOK_CALL:
        case LOOK_JUMP:
            if (left >= 5) {
                relative(f, index, base + i, base + i + 5 + (uint64_t)(int32_t)load32(p + 1),
                         *p == 0xe8 ? REF_CALL : REF_JUMP);
            }
            break;
        case LOOK_SHORT:
            if (left >= 2) {
                uint64_t target = base + i + 2 + (uint64_t)(int8_t)p[1];
                /* leaves the function; the middle of another is too near to be meant */
                if (target - base >= size &&
                    taken_index(f->code, &f->starts, target) != UINT32_MAX) {
                    relative(f, index, base + i, target, REF_JUMP);
                }
            }
            break;
        case LOOK_TWO_BYTES:
            if (left >= 6 && (p[1] & 0xf0) == 0x80) {
                relative(f, index, base + i, base + i + 6 + (uint64_t)(int32_t)load32(p + 2),
                         REF_JUMP);
            }
            break;
        case LOOK_LEA:
            if (left >= 6 && (p[1] & 0xc7) == 0x05) {
                relative(f, index, base + i, base + i + 6 + (uint64_t)(int32_t)load32(p + 2),
                         REF_ADDRESS);
            }
            break;
        default:
            break;
        }
    }
}

/* Words in data that are the address of a function. */
static void find_in_data(struct finder *f, const struct code_range *r) {
    uint64_t low = f->starts.low, span = f->starts.size;
    for (uint64_t i = -r->start & 3; i + 8 <= r->size; i += 4) {
        uint64_t value = load64(r->bytes + i);
        if (value - low < span) {
            uint32_t to = taken_index(f->code, &f->starts, value);
            if (to != UINT32_MAX) {
                f->code->functions[to].pointed = true;
                if (f->code->functions[to].soft) {
                    add_ref(f, to, r->start + i, value, to, REF_DATA);
                }
            }
        }
    }
}

/* Linkers that do not separate code put read-only data beside it, where no table
 * says what it is. */
static void find_in_gaps(struct finder *f, const struct code_range *text, size_t text_count) {
    size_t t = 0;
    for (uint32_t i = 0; i < f->code->function_count; i++) {
        const struct code_function *g = &f->code->functions[i];
        while (t < text_count && g->start - text[t].start >= text[t].size) {
            t++;
        }
        if (g->soft && t < text_count) {
            struct code_range gap = {text[t].bytes + (g->start - text[t].start), g->start,
                                     g->end - g->start};
            find_in_data(f, &gap);
        }
    }
}

static void index_refs(struct code *code) {
    uint32_t *first = xalloc((code->function_count + (size_t)2) * sizeof *first);
    uint32_t *index = xalloc((code->ref_count + (size_t)1) * sizeof *index);
    for (uint32_t i = 0; i < code->ref_count; i++) {
        first[code->refs[i].to + 2]++;
    }
    for (uint32_t i = 2; i < code->function_count + 2; i++) {
        first[i] += first[i - 1];
    }
    for (uint32_t i = 0; i < code->ref_count; i++) {
        index[first[code->refs[i].to + 1]++] = i;
    }
    code->ref_first = first;
    code->ref_index = index;
}

void code_find_refs(struct code *code) {
    struct finder f = {.code = code};
    if (!make_starts(code, &f.starts)) {
        index_refs(code);
        return;
    }
    struct code_range *text, *data;
    size_t text_count = code_ranges(code->file, true, &text);
    size_t data_count = code_ranges(code->file, false, &data);
    bool absolute = code->file->header.e_type == ET_EXEC;
    size_t t = 0;
    for (uint32_t i = 0; i < code->function_count; i++) {
        struct code_function *function = &code->functions[i];
        while (t < text_count && function->start - text[t].start >= text[t].size) {
            t++;
        }
        if (t == text_count) {
            break;
        }
        uint64_t at = function->start - text[t].start;
        function->first_ref = (uint32_t)f.refs.len;
        find_in_function(&f, i, text[t].bytes + at, function->end - function->start,
                         text[t].size - at, absolute);
        function->ref_count = (uint32_t)f.refs.len - function->first_ref;
    }
    for (size_t i = 0; i < data_count; i++) {
        find_in_data(&f, &data[i]);
    }
    find_in_gaps(&f, text, text_count);
    code->refs = f.refs.data;
    code->ref_count = (uint32_t)f.refs.len;
    index_refs(code);
}

size_t code_data(const struct code *code, struct code_range **out) {
    VEC(struct code_range) list = {0};
    struct code_range *data;
    size_t count = code_ranges(code->file, false, &data);
    for (size_t i = 0; i < count; i++) {
        *vec_push(&list) = data[i];
    }
    for (uint32_t i = 0; i < code->function_count; i++) {
        const struct code_function *f = &code->functions[i];
        size_t left = 0;
        const uint8_t *bytes = f->soft ? elf_file_loaded(code->file, f->start, &left) : NULL;
        if (bytes != NULL) {
            uint64_t size = f->end - f->start;
            *vec_push(&list) = (struct code_range){bytes, f->start, left < size ? left : size};
        }
    }
    *out = list.data;
    return list.len;
}

/* --- what can be reached ------------------------------------------------ */

enum {
    PADDING_MAX = 64, /* bytes between two functions */
    SHORT = 128,      /* a function of that many may be hand-written */
};

/* Do the bytes between two functions stop who gets there? */
static bool is_trap(const struct code *code, uint64_t from, uint64_t to) {
    size_t left;
    const uint8_t *p = from == to ? NULL : elf_file_loaded(code->file, from, &left);
    return p != NULL && *p == 0xcc;
}

bool code_ref_is_real(struct code *code, const struct code_ref *ref) {
    struct code_function *from = &code->functions[ref->from];
    if (ref->kind == REF_DATA) {
        return true;
    }
    code_read(code, from);
    const struct code_op *op = code_op_around(from, ref->site);
    if (op == NULL) {
        return from->op_count == 0; /* too long to be read */
    }
    if (ref->kind != REF_ADDRESS) {
        return op->target == ref->target;
    }
    return (op->kind == OP_SET || op->kind == OP_OTHER) && op->add == (uint32_t)ref->target;
}

/* Where code is not marked as such, and in the middle of functions, bytes that
 * look like references would lead astray. */
static bool leads_on(struct code *code, const struct code_ref *ref) {
    const struct code_function *to = &code->functions[ref->to];
    bool likely = !to->soft && ref->target == to->start;
    return likely || code_ref_is_real(code, ref);
}

/* Does the last of `count` instructions not return?  Before a border that is no guess a
 * call does not, nor do exit, exit_group and rt_sigreturn. */
static bool leaves(const struct code_function *f, uint32_t count) {
    const struct code_op *last = count == 0 ? NULL : &f->ops[count - 1];
    if (last == NULL || last->kind != OP_SYSCALL) {
        return last != NULL && last->kind == OP_CALL;
    }
    return count > 1 && last[-1].kind == OP_SET && last[-1].to.reg == RAX &&
           last[-1].from.reg == PLACE_NONE &&
           (last[-1].add == 15 || last[-1].add == 60 || last[-1].add == 231);
}

/* Unwind tables may tell a part of what is written by hand (glibc's clone()): the rest
 * is in none. */
static bool is_cut(const struct code_function *f) {
    return f->compiled && f[1].soft && f[1].start == f->end;
}

bool code_runs_on(struct code *code, struct code_function *f) {
    const struct code_function *next = f + 1;
    if (next == code->functions + code->function_count || next->start - f->end >= PADDING_MAX ||
        (f->compiled && !is_cut(f))) {
        return false;
    }
    code_read(code, f);
    uint32_t end = f->op_count;
    for (uint32_t i = end; i > 0; i--) {
        const struct code_op *o = &f->ops[i - 1];
        if (o->kind == OP_END || o->kind == OP_JUMP) {
            return false; /* what is behind it is dead */
        }
        if (o->entered != 0 || o->outside || f->indirect_jump) {
            break;
        }
    }
    while (end > 0 && f->ops[end - 1].kind == OP_PAD) {
        end--;
    }
    if (f->soft && next->soft) {
        return f->op_count > 0 && end == f->op_count && next->start == f->end;
    }
    return f->op_count > 0 && !leaves(f, end) && !is_trap(code, f->end, next->start);
}

/* May it run on?  Costs little: what compilers make is known from the unwind tables, or
 * ends in a return, a jump, a call or a trap, and what is written by hand is short. */
static bool may_run_on(const struct code *code, const struct code_function *f) {
    uint64_t size = f->end - f->start;
    size_t left = 0;
    if (f->compiled || size <= SHORT) {
        return !f->compiled || is_cut(f);
    }
    const uint8_t *p = elf_file_loaded(code->file, f->end - 5, &left);
    return f->soft == f[1].soft && p != NULL && left >= 5 && /* else perhaps no code */
           (p[4] != 0xc3 && p[0] != 0xe8 && p[0] != 0xe9 && p[3] != 0xeb && p[4] != 0x0b);
}

void code_reach(struct code *code) {
    uint32_t *queue = xalloc((code->function_count + (size_t)1) * sizeof *queue);
    uint32_t head = 0, tail = 0;
    uint32_t entry = function_index(code, code->file->header.e_entry);
    for (uint32_t i = 0; i < code->function_count; i++) {
        struct code_function *f = &code->functions[i];
        if (i == entry || entry == UINT32_MAX || f->pointed || !code->bounded) {
            f->reached = true;
            queue[tail++] = i;
        }
    }
    while (head < tail) {
        struct code_function *f = &code->functions[queue[head++]];
        for (uint32_t k = 0; k < f->ref_count; k++) {
            const struct code_ref *ref = &code->refs[f->first_ref + k];
            struct code_function *to = &code->functions[ref->to];
            if (!to->reached && leads_on(code, ref)) {
                to->reached = true;
                queue[tail++] = (uint32_t)(to - code->functions);
            }
        }
        bool last = f == code->functions + code->function_count - 1;
        if (!last && !f[1].reached && may_run_on(code, f) && code_runs_on(code, f)) {
            f[1].reached = true;
            queue[tail++] = (uint32_t)(f + 1 - code->functions);
        }
    }
}
