/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which system calls can an executable make (scan.h)?
 *
 * From each `syscall` instruction the number in eax is followed backwards, over
 * moves, stack slots and small arithmetic, along every way that leads there.
 * At a function's start it is followed into the callers, up to LEVELS_MAX.
 * Each way ends in a constant, in code that nobody reaches, or in something
 * that cannot be known; one of the last kind makes the whole answer unknown, and
 * the list says what the others give.
 * An argument of a call is followed in the same way, from the instruction that
 * makes it.  A variable that nobody writes is a constant (variable.h).
 *
 * Taken on trust: stores through other pointers do not hit the slots that are
 * followed; a register that is used after a call, other than for its result,
 * has come through the call, or the call does not return.
 */
#include "zuk/scan.h"

#include <stdlib.h>
#include <string.h>

#include "zuk/callers.h"
#include "zuk/code.h"
#include "zuk/diag.h"
#include "zuk/elf_file.h"
#include "zuk/golang.h"
#include "zuk/ops.h"
#include "zuk/pointers.h"
#include "zuk/util.h"
#include "zuk/variable.h"

enum {
    LEVELS_MAX = 6,       /* callers of callers */
    STEPS_MAX = 200000,   /* instructions looked at for one `syscall` */
    WORK_MAX = 200000000, /* and for all of them: real programs need a hundredth of it */
    ASKED_MAX = 4096,
    SITES_MAX = 64, /* unresolved ones that are remembered */
    IOCTL = 16,     /* numbers of calls */
    SOCKET = 41,
    CLOCK_GETTIME = 228,
};

/* The question: which values can (place & mask) + add have here? */
struct question {
    struct code_place place;
    uint32_t mask, add;
};

/* An argument of a call that decides whether the network is asked for. */
struct argument {
    uint16_t call;
    int8_t reg;
    bool (*is_local)(uint32_t value); /* this value does not ask for it */
    const char *what;                 /* for people */
};

/* A question at a function's start that has been followed to the callers. */
struct asked {
    const struct code_function *function;
    const struct argument *about;
    struct question question;
};

/* An instruction that can make the call of an argument. */
struct maker {
    struct code_function *function;
    uint32_t op;
    const struct argument *argument;
};

struct state { /* an instruction where ways meet, and a question there */
    const struct code_op *op;
    struct question question;
};

struct search {
    struct code code;
    struct variables variables;
    struct golang go;
    struct scan *scan;
    VEC(struct asked) asked;
    VEC(struct maker) makers;
    const struct argument *about; /* what is followed; NULL: a call's number */
    struct maker site;            /* whose number is followed; function NULL: none's */
    uint32_t steps;
    uint64_t work;
    const struct code_function *secure; /* the function asked last, and the answer */
    bool is_secure;
    const char *why; /* the first reason why the site stays unknown, or NULL */
    uint64_t why_at;
    const struct code_function *why_in;
};

static const char *function_name(const struct code_function *f) {
    if (f == NULL) {
        return "?";
    }
    return f->name != NULL ? xstrdup(f->name) : xasprintf("0x%llx", (unsigned long long)f->start);
}

static bool same_question(const struct question *a, const struct question *b) {
    return a->place.reg == b->place.reg &&
           (a->place.reg != PLACE_SLOT || a->place.slot == b->place.slot) && a->mask == b->mask &&
           a->add == b->add;
}

/* A way ends in what cannot be known.  Returns whether the others are followed. */
static bool unknown(struct search *s, const struct code_function *f, uint64_t at, const char *why) {
    if (s->why == NULL) {
        s->why = why;
        s->why_at = at;
        s->why_in = f;
    }
    return s->about == NULL && s->steps <= STEPS_MAX && s->work <= WORK_MAX &&
           s->asked.len < ASKED_MAX;
}

static bool is_unix(uint32_t family) {
    return family == 1;
}

/* netdevice(7) has 0x89xx, and every socket takes them. */
static bool is_no_interface(uint32_t request) {
    return request >> 8 != 0x89;
}

static const struct argument arguments[] = {
    {SOCKET, RDI, is_unix, "family"},
    {IOCTL, RSI, is_no_interface, "request"},
};
enum { ARGUMENTS = sizeof arguments / sizeof arguments[0] };

/* A way ends in a constant. */
static void found(struct search *s, const struct code_function *f, uint64_t at, uint32_t number) {
    if (s->about != NULL) {
        if (!s->about->is_local(number)) {
            s->scan->network = s->about->call;
            s->scan->network_unknown = NULL;
        }
        return;
    }
    for (size_t i = 0; s->site.function != NULL && i < ARGUMENTS; i++) {
        if (number == arguments[i].call) {
            s->site.argument = &arguments[i];
            *vec_push(&s->makers) = s->site;
        }
    }
    if (number < SCAN_CALLS && !s->scan->calls[number]) {
        s->scan->calls[number] = true;
        s->scan->at[number] = at;
        s->scan->from[number] = function_name(f);
    }
}

static bool follow(struct search *s, struct code_function *f, uint32_t at, struct question q,
                   unsigned level);

/* A slot's offset in another function's terms; hostile ones wrap. */
static int32_t moved(int32_t slot, int32_t by) {
    return (int32_t)((uint32_t)slot + (uint32_t)by);
}

/* The question in a function that calls or jumps to the one where it was asked. */
static bool follow_caller(struct search *s, struct code_function *caller,
                          const struct code_op *call, struct question q, unsigned level) {
    if (q.place.reg == PLACE_SLOT) { /* from the callee's frame to the caller's */
        q.place.slot = moved(q.place.slot, call->depth - (call->kind == OP_CALL ? 8 : 0));
    }
    return follow(s, caller, (uint32_t)(call - caller->ops), q, level + 1);
}

/* The question in those who call a function through its address. */
static bool follow_pointers(struct search *s, struct code_function *f, struct question q,
                            unsigned level) {
    const struct pointers *p = pointers_of(&s->code, &s->go, f);
    for (size_t i = 0; i < p->calls.len; i++) {
        struct code_function *caller = p->calls.data[i].from;
        if (!follow_caller(s, caller, &caller->ops[p->calls.data[i].op], q, level)) {
            return false;
        }
    }
    return p->why == NULL || unknown(s, f, p->at, p->why);
}

/* The question in the callers of an instruction that is entered from outside. */
static bool follow_callers(struct search *s, struct code_function *f, const struct code_op *op,
                           struct question q, unsigned level) {
    for (size_t i = 0; i < s->asked.len; i++) {
        if (s->asked.data[i].function == f && s->asked.data[i].about == s->about &&
            same_question(&s->asked.data[i].question, &q)) {
            return true; /* answered, or being answered further up */
        }
    }
    uint64_t start = op == NULL ? f->start : op->address;
    bool through_pointers = start == f->start && !f->soft;
    if (level == LEVELS_MAX || s->asked.len == ASKED_MAX) {
        return unknown(s, f, start, "the number comes through too many functions");
    }
    if (start == f->start) {
        *vec_push(&s->asked) = (struct asked){f, s->about, q};
        if (start == s->code.file->header.e_entry &&
            !unknown(s, f, start, "the number is there when the program starts")) {
            return false;
        }
    }
    uint32_t index = (uint32_t)(f - s->code.functions);
    for (uint32_t i = s->code.ref_first[index]; i < s->code.ref_first[index + 1]; i++) {
        const struct code_ref *ref = &s->code.refs[s->code.ref_index[i]];
        struct code_function *caller = &s->code.functions[ref->from];
        bool pointer = ref->kind == REF_ADDRESS || ref->kind == REF_DATA;
        if (ref->target != start || (ref->from == index && ref->kind == REF_JUMP) ||
            !caller->reached) {
            continue;
        }
        if (pointer && (through_pointers || !code_ref_is_real(&s->code, ref))) {
            continue;
        }
        if (pointer) {
            if (!unknown(s, f, ref->site,
                         "the number is an argument, and the function's "
                         "address is taken")) {
                return false;
            }
            continue;
        }
        code_read(&s->code, caller);
        const struct code_op *call = code_op_around(caller, ref->site); /* prefixes come first */
        if (call == NULL || call->target != start ||
            (call->kind != OP_CALL && call->kind != OP_JUMP && call->kind != OP_BRANCH)) {
            continue; /* only looked like a call */
        }
        if (!follow_caller(s, caller, call, q, level)) {
            return false;
        }
    }
    return !through_pointers || follow_pointers(s, f, q, level);
}

static bool overlaps(int64_t a, int64_t a_size, int64_t b, int64_t b_size) {
    return a < b + b_size && b < a + a_size;
}

/* The instruction at which a function was entered whose argument `reg` is at
 * an instruction; NULL when the register had another origin. */
static const struct code_op *argument_entry(const struct code_function *f, const struct code_op *o,
                                            int reg) {
    for (;; o--) {
        const struct code_op *above = o == f->ops ? NULL : o - 1;
        if (above == NULL || ((above->kind == OP_END || above->kind == OP_JUMP) && o->outside)) {
            return o;
        }
        if (above->kind == OP_SET && above->to.reg == reg) {
            if (above->from.reg < 0 || above->from.reg >= PLACE_SLOT || above->add != 0) {
                return NULL;
            }
            reg = above->from.reg;
        } else if (above->kind == OP_CALL || above->kind == OP_END || above->kind == OP_JUMP ||
                   (above->kind == OP_OTHER && (above->destroys >> reg & 1) != 0)) {
            return NULL;
        }
    }
}

/* What the function that hands out a callback stores in the structure that it
 * makes on its stack: at `offset` from where any address is taken, or through
 * any pointer. */
static bool follow_context(struct search *s, struct code_function *g, int32_t offset,
                           struct question q, unsigned level, bool *any) {
    code_read(&s->code, g);
    for (uint32_t i = 0; i < g->op_count; i++) {
        const struct code_op *o = &g->ops[i];
        s->work += o->kind == OP_SET && o->to.reg == PLACE_SLOT ? g->op_count : 1;
        if (s->work > WORK_MAX) {
            return unknown(s, g, o->address, "the number comes through too much code");
        }
        bool through = o->kind == OP_SET && o->to.reg == PLACE_MEMORY && o->to.slot == offset;
        bool in_slot = false;
        for (uint32_t k = 0; o->kind == OP_SET && o->to.reg == PLACE_SLOT && k < g->op_count; k++) {
            const struct code_op *lea = &g->ops[k];
            in_slot |= lea->kind == OP_OTHER && lea->from.reg == PLACE_SLOT &&
                       moved(lea->from.slot, offset) == o->to.slot;
        }
        if ((!through && !in_slot) || o->wrote_size < 4) {
            continue;
        }
        *any = true;
        struct question stored = {o->from, q.mask, q.add + (o->add & q.mask)};
        if (o->from.reg == PLACE_NONE) {
            found(s, g, o->address, stored.add);
        } else if (o->from.reg == PLACE_MEMORY
                       ? !unknown(s, g, o->address, "the number comes from memory")
                       : !follow(s, g, i, stored, level + 1)) {
            return false;
        }
    }
    return true;
}

/* The number is loaded through a pointer.  Where that is the argument of a
 * callback (musl's do_setxid), those who take its address made the structure. */
static bool ask_context(struct search *s, struct code_function *f, const struct code_op *o,
                        struct question q, unsigned level) {
    const struct code_op *entry =
        o->from.base < 0 || level == LEVELS_MAX ? NULL : argument_entry(f, o, o->from.base);
    bool any = false;
    uint32_t index = (uint32_t)(f - s->code.functions);
    for (uint32_t i = s->code.ref_first[index]; entry != NULL && i < s->code.ref_first[index + 1];
         i++) {
        const struct code_ref *ref = &s->code.refs[s->code.ref_index[i]];
        struct code_function *g = &s->code.functions[ref->from];
        if (ref->target != entry->address || !g->reached) {
            continue;
        }
        if (ref->kind != REF_ADDRESS) {
            any = false;
            break;
        }
        if (!follow_context(s, g, o->from.slot, q, level, &any)) {
            return false;
        }
    }
    return any || unknown(s, f, o->address, "the number comes from memory");
}

/* The number is loaded from memory. */
static bool ask_memory(struct search *s, struct code_function *f, const struct code_op *o,
                       struct question q, unsigned level) {
    unsigned size = o->mask == UINT32_MAX ? 4 : o->mask == 0xffff ? 2 : 1;
    uint32_t value;
    if (o->target != 0 && variable_value(&s->variables, o->target, size, &value)) {
        found(s, f, o->address, q.add + (value & q.mask));
        return true;
    }
    return golang_repeats(f->name) || ask_context(s, f, o, q, level);
}

/* What an instruction makes of the question before it. */
enum answer { GO_ON, ANSWERED, ALSO, STOP };

static enum answer lost(struct search *s, const struct code_function *f, const struct code_op *o,
                        const char *why) {
    return unknown(s, f, o->address, why) ? ANSWERED : STOP;
}

/* What is alive after a call in a register that holds no result has gone through it. */
static enum answer ask_call(struct search *s, struct code_function *f, const struct code_op *o,
                            const struct question *q) {
    const struct code_function *callee = o->target == 0 ? NULL : code_at(&s->code, o->target);
    if (callee != NULL && callee->start == o->target && golang_never_returns(callee->name)) {
        return ANSWERED;
    }
    bool in_slot = q->place.reg == PLACE_SLOT;
    return !in_slot && golang_is_result(&s->go, o->address, q->place.reg)
               ? lost(s, f, o, "the number is the result of a function")
               : GO_ON;
}

static enum answer ask(struct search *s, struct code_function *f, const struct code_op *o,
                       struct question *q, unsigned level) {
    bool in_slot = q->place.reg == PLACE_SLOT;
    switch (o->kind) {
    case OP_SET:
    case OP_CHOOSE:
        if (o->to.reg != q->place.reg || (in_slot && o->to.slot != q->place.slot)) {
            if (in_slot && o->to.reg == PLACE_SLOT &&
                overlaps(o->to.slot, o->wrote_size, q->place.slot, 4)) {
                return lost(s, f, o, "the number's place on the stack is written in part");
            }
            return GO_ON;
        }
        if (in_slot && o->wrote_size < 4 &&
            (q->mask & ~(o->wrote_size == 2 ? 0xffffu : 0xffu)) != 0) {
            return lost(s, f, o, "the number's place on the stack is written in part");
        }
        q->add += o->add & q->mask;
        if (o->from.reg == PLACE_NONE) {
            found(s, f, o->address, q->add);
            return o->kind == OP_CHOOSE ? ALSO : ANSWERED;
        }
        if (o->from.reg == PLACE_MEMORY) {
            return !ask_memory(s, f, o, *q, level) ? STOP : o->kind == OP_CHOOSE ? ALSO : ANSWERED;
        }
        if (o->add != 0 && q->mask != UINT32_MAX && (o->mask & o->add) != 0) {
            return lost(s, f, o, "the number is computed");
        }
        q->mask &= o->mask;
        q->place = o->from;
        return o->kind == OP_CHOOSE ? ALSO : GO_ON;
    case OP_CALL:
        return ask_call(s, f, o, q);
    case OP_SYSCALL:
        if (q->place.reg == RAX || q->place.reg == RCX || q->place.reg == 11) {
            return lost(s, f, o, "the number is the result of a system call");
        }
        return GO_ON;
    case OP_OTHER:
        if ((!in_slot && (o->destroys >> q->place.reg & 1) != 0) ||
            (in_slot && o->wrote_size > 0 && overlaps(o->wrote, o->wrote_size, q->place.slot, 4))) {
            return lost(s, f, o, "the number is computed");
        }
        return GO_ON;
    default:
        return GO_ON;
    }
}

struct ways {
    VEC(struct state) open; /* still to follow; op: ask the instruction before it */
    VEC(struct state) seen;
    uint32_t *table; /* of seen, by hash; index + 1 */
    size_t table_size;
};

static uint64_t state_hash(const struct state *state) {
    uint64_t key[3] = {
        (uint64_t)(uintptr_t)state->op,
        (uint64_t)(uint8_t)state->question.place.reg << 32 |
            (state->question.place.reg == PLACE_SLOT ? (uint32_t)state->question.place.slot : 0),
        (uint64_t)state->question.mask << 32 | state->question.add};
    return hash64(0, key, sizeof key);
}

/* Adds a way to follow, unless it has been there. */
static void open_way(struct ways *w, const struct code_op *op, struct question q) {
    struct state state = {op, q};
    if (w->seen.len * 2 >= w->table_size) {
        w->table_size = w->table_size == 0 ? 64 : w->table_size * 2;
        w->table = xalloc(w->table_size * sizeof *w->table);
        for (size_t i = 0; i < w->seen.len; i++) {
            size_t slot = state_hash(&w->seen.data[i]) % w->table_size;
            while (w->table[slot] != 0) {
                slot = (slot + 1) % w->table_size;
            }
            w->table[slot] = (uint32_t)i + 1;
        }
    }
    size_t slot = state_hash(&state) % w->table_size;
    for (; w->table[slot] != 0; slot = (slot + 1) % w->table_size) {
        const struct state *other = &w->seen.data[w->table[slot] - 1];
        if (other->op == op && same_question(&other->question, &q)) {
            return;
        }
    }
    *vec_push(&w->seen) = state;
    w->table[slot] = (uint32_t)w->seen.len;
    *vec_push(&w->open) = state;
}

/* The function that runs into this one. */
static struct code_function *runs_into(struct search *s, struct code_function *f) {
    return f != s->code.functions && f[-1].reached && code_runs_on(&s->code, &f[-1]) ? &f[-1]
                                                                                     : NULL;
}

/* The ways that lead to an instruction: from above, jumps, other functions. */
static bool follow_entries(struct search *s, struct code_function *f, const struct code_op *op,
                           struct question q, unsigned level, struct ways *w) {
    bool any = false;
    for (uint32_t e = op->entered; e != 0; e = f->entries[e - 1].next) {
        open_way(w, &f->ops[f->entries[e - 1].op], q);
        any = true;
    }
    bool first = op == f->ops;
    if (first || op->outside) {
        struct code_function *above = first ? runs_into(s, f) : NULL;
        any = true;
        if (above != NULL && level == LEVELS_MAX) {
            if (!unknown(s, f, op->address, "the number comes through too many functions")) {
                return false;
            }
        } else if (above != NULL) {
            struct question q2 = q;
            if (q.place.reg == PLACE_SLOT) {
                q2.place.slot = moved(q.place.slot, above->depth);
            }
            if (!follow(s, above, above->op_count, q2, level + 1)) {
                return false;
            }
        }
        if (!follow_callers(s, f, op, q, level)) {
            return false;
        }
    }
    if (any) {
        return true;
    }
    const struct code_op *above = op - 1; /* op is not the first: that is `any` */
    if (above->kind != OP_END && above->kind != OP_JUMP) {
        return true; /* from above only */
    }
    if (!f->indirect_jump) {
        return true; /* nothing leads here: dead code, or a landing pad that sets its own */
    }
    s->work += f->op_count;
    for (uint32_t i = 0; i < f->op_count; i++) { /* a jump table's label, perhaps */
        if (f->ops[i].kind == OP_JUMP && f->ops[i].target == 0) {
            open_way(w, &f->ops[i], q);
        }
    }
    return true;
}

/* Follows a question from before instruction `at` (or the function's end). */
static bool follow(struct search *s, struct code_function *f, uint32_t at, struct question q,
                   unsigned level) {
    struct ways w = {0};
    if (at < f->op_count) {
        open_way(&w, &f->ops[at], q);
    } else if (f->op_count > 0) { /* from behind the last */
        struct question before = q;
        enum answer answer = ask(s, f, &f->ops[f->op_count - 1], &before, level);
        if (answer == STOP) {
            return false;
        }
        if (answer != ANSWERED) {
            open_way(&w, &f->ops[f->op_count - 1], before);
        }
    }
    while (w.open.len > 0) {
        struct state state = w.open.data[--w.open.len];
        const struct code_op *op = state.op;
        q = state.question;
        for (bool more = true; more;) {
            if (++s->steps > STEPS_MAX || ++s->work > WORK_MAX) {
                return unknown(s, f, op->address, "the number comes through too much code");
            }
            bool joined = op->entered != 0 || op->outside || op == f->ops;
            const struct code_op *above = op == f->ops ? NULL : op - 1;
            bool falls = above != NULL && above->kind != OP_END && above->kind != OP_JUMP;
            if ((joined || !falls) && !follow_entries(s, f, op, q, level, &w)) {
                return false;
            }
            if (!falls) {
                break;
            }
            struct question kept = q;
            enum answer answer = ask(s, f, above, &q, level);
            if (answer == STOP) {
                return false;
            }
            if (answer == ALSO) { /* cmov: or what was there before */
                open_way(&w, above, kept);
                more = above->from.reg != PLACE_NONE && above->from.reg != PLACE_MEMORY;
            } else if (answer == ANSWERED) {
                more = false;
            }
            op = above;
            if (more && op->entered != 0) { /* ways meet: only once with this question */
                open_way(&w, op, q);
                more = false;
            }
        }
    }
    return true;
}

/* --- the sites ---------------------------------------------------------- */

/* The calls that change user and group ids go through one function which gets
 * the number in a structure, in every thread (musl, glibc). */
static bool is_setxid(struct search *s, const struct code_function *f) {
    static const char *const names[] = {"do_setxid", "__nptl_setxid", "sighandler_setxid",
                                        "__nptl_setxid_sighandler", "setxid_unmark_thread"};
    static const uint16_t calls[] = {105, 106, 113, 114, 116, 117, 119, 122, 123};
    for (size_t i = 0; f->name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(f->name, names[i]) == 0) {
            for (size_t k = 0; k < sizeof calls / sizeof calls[0]; k++) {
                found(s, f, f->start, calls[k]);
            }
            return true;
        }
    }
    return false;
}

/* Does the function's code hold the address of a string, in any encoding? */
static bool mentions(const struct search *s, const struct code_function *f, const char *string) {
    size_t left;
    const uint8_t *code = elf_file_loaded(s->code.file, f->start, &left);
    size_t size = f->end - f->start;
    struct code_range *data[2];
    size_t counts[2] = {code_ranges(s->code.file, false, &data[0]),
                        code_ranges(s->code.file, true, &data[1])};
    for (size_t i = 0; code != NULL && i < counts[0] + counts[1]; i++) {
        const struct code_range *r = i < counts[0] ? &data[0][i] : &data[1][i - counts[0]];
        const uint8_t *p = r->bytes, *end = p + r->size;
        for (; (p = memmem(p, (size_t)(end - p), string, strlen(string) + 1)) != NULL; p++) {
            uint64_t address = r->start + (uint64_t)(p - r->bytes);
            for (size_t k = 0; k + 4 <= size && k + 4 <= left; k++) {
                int32_t v;
                memcpy(&v, code + k, sizeof v);
                if ((uint32_t)v == address || f->start + k + 4 + (uint64_t)(int64_t)v == address) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* musl's start opens /dev/null in place of closed standard streams when the
 * program runs with another's rights (AT_SECURE).  The kernel never says so,
 * and without this every C program would carry files and poll.  Known by its
 * parts: poll, open, hlt if they fail, and the name. */
static bool has_secure_start(struct search *s, const struct code_function *f) {
    bool has_poll = false, has_open = false, has_halt = false;
    uint32_t number = SCAN_CALLS;
    for (uint32_t i = 0; i < f->op_count; i++) {
        const struct code_op *o = &f->ops[i];
        size_t left;
        if (o->kind == OP_SET && o->to.reg == RAX) {
            number = o->from.reg == PLACE_NONE ? o->add : SCAN_CALLS;
        } else if (o->kind == OP_SYSCALL) {
            has_poll |= number == 7;
            has_open |= number == 2;
        } else if (o->kind == OP_END) {
            const uint8_t *byte = elf_file_loaded(s->code.file, o->address, &left);
            has_halt |= byte != NULL && *byte == 0xf4;
        }
    }
    return has_poll && has_open && has_halt && mentions(s, f, "/dev/null");
}

/* Is that call one of those? */
static bool is_secure_start(struct search *s, const struct code_function *f,
                            const struct code_op *site) {
    if (s->secure != f) {
        s->secure = f;
        s->is_secure = has_secure_start(s, f);
    }
    while (s->is_secure && site > f->ops && s->work <= WORK_MAX) {
        s->work++;
        if ((--site)->kind == OP_SET && site->to.reg == RAX) {
            return site->from.reg == PLACE_NONE && (site->add == 7 || site->add == 2);
        }
    }
    return false;
}

static void give_up(struct search *s, uint64_t site, const struct code_function *f,
                    const char *why) {
    s->scan->unknown = true;
    if (s->scan->site_count < SITES_MAX) {
        s->scan->sites[s->scan->site_count++] = (struct scan_site){site, function_name(f), why};
    }
}

/* Is all known that a place can have before an instruction?  What it can have is found. */
static bool resolve(struct search *s, struct code_function *f, uint32_t op, int8_t reg) {
    struct question q = {.place = {.reg = reg}, .mask = UINT32_MAX};
    s->steps = 0;
    s->why = NULL;
    return follow(s, f, op, q, 0) && s->why == NULL;
}

/* Does the app ask for more than sockets of AF_UNIX?  An instruction counts for
 * all that it makes: behind a function that makes any call the argument is unknown. */
static void resolve_arguments(struct search *s) {
    for (size_t i = 0; s->scan->calls[SOCKET] && i < s->makers.len; i++) {
        const struct maker *m = &s->makers.data[i];
        if (s->scan->network != 0 && s->scan->network_unknown == NULL) {
            return;
        }
        s->about = m->argument;
        if (!resolve(s, m->function, m->op, m->argument->reg) && s->scan->network == 0) {
            s->scan->network = m->argument->call;
            s->scan->network_unknown = m->argument->what;
        }
    }
}

static void resolve_site(struct search *s, uint64_t site) {
    struct code_function *f = code_at(&s->code, site);
    if (f == NULL || !f->reached) {
        return; /* padding, or never run */
    }
    code_read(&s->code, f);
    const struct code_op *op = code_op_at(f, site);
    if (f->op_count == 0) {
        give_up(s, site, f, "its function is too long to be read");
        return;
    }
    if (op == NULL || op->kind != OP_SYSCALL) {
        return; /* in the middle of another instruction */
    }
    s->scan->instruction_count++;
    if (is_secure_start(s, f, op)) {
        return;
    }
    s->asked.len = 0; /* what another site was answered has made no maker of this one */
    s->site = (struct maker){f, (uint32_t)(op - f->ops), NULL};
    bool known = resolve(s, f, s->site.op, RAX);
    s->site.function = NULL;
    if (known) {
        return;
    }
    if (is_setxid(s, f)) {
        return;
    }
    const char *why = s->why_at == op->address
                          ? s->why
                          : xasprintf("%s (0x%llx in %s)", s->why, (unsigned long long)s->why_at,
                                      function_name(s->why_in));
    give_up(s, site, f, why);
}

/* musl, glibc, Zig's std and others look a function up by this name, and call it in
 * place of clock_gettime. */
static bool has_vdso_name(const struct elf_file *f) {
    static const char name[] = "__vdso_clock_gettime";
    for (size_t i = 0; i < f->segment_count; i++) {
        const Elf64_Phdr *p = &f->segments[i];
        const uint8_t *bytes =
            p->p_type == PT_LOAD ? elf_file_bytes(f, p->p_offset, p->p_filesz) : NULL;
        if (bytes != NULL && memmem(bytes, p->p_filesz, name, sizeof name - 1) != NULL) {
            return true;
        }
    }
    return false;
}

static bool scan(const char *path, const uint8_t *data, size_t size, bool explained,
                 struct scan *out) {
    *out = (struct scan){.sites = xalloc(SITES_MAX * sizeof(struct scan_site))};
    struct elf_file file;
    const char *why = NULL;
    if (elf_file_open(data, size, &file, &why) &&
        (file.header.e_machine != EM_X86_64 ||
         (file.header.e_type != ET_EXEC && file.header.e_type != ET_DYN))) {
        why = "is not an executable for x86_64";
    }
    if (why != NULL) {
        diag_error("'%s' %s", path, why);
        return false;
    }
    struct search s = {.scan = out};
    VEC(uint64_t) sites = {0};
    struct code_range *text;
    size_t text_count = code_ranges(&file, true, &text);
    for (size_t i = 0; i < text_count; i++) {
        const uint8_t *p = text[i].bytes, *end = p + text[i].size;
        /* 0f 05; the second byte is the rarer one by far */
        while (end - p >= 2 && (p = memchr(p + 1, 0x05, (size_t)(end - p - 1))) != NULL) {
            if (p[-1] == 0x0f) {
                *vec_push(&sites) = text[i].start + (uint64_t)(p - 1 - text[i].bytes);
            }
        }
    }
    if (sites.len == 0) {
        return true;
    }
    if (!code_open(&file, &s.code)) {
        give_up(&s, sites.data[0], NULL, "the decoder does not start");
        return true;
    }
    code_find_refs(&s.code);
    golang_open(&file, &s.go);
    golang_find_methods(&s.go, &s.code);
    code_reach(&s.code);
    variables_open(&s.code, &s.variables);
    if (s.go.stripped) {
        give_up(&s, sites.data[0], code_at(&s.code, sites.data[0]),
                "only symbols tell where Go's methods are");
    }
    out->reachable_only = s.code.bounded;
    for (size_t i = 0; i < sites.len; i++) {
        resolve_site(&s, sites.data[i]);
    }
    resolve_arguments(&s);
    out->function_count = s.code.read_count;
    out->vdso = (out->calls[CLOCK_GETTIME] || out->unknown) && has_vdso_name(&file);
    if (explained) {
        callers_find(&s.code, out);
    }
    code_close(&s.code);
    return true;
}

bool scan_elf(const char *path, const uint8_t *data, size_t size, struct scan *out) {
    return scan(path, data, size, false, out);
}

bool scan_explained(const char *path, const uint8_t *data, size_t size, struct scan *out) {
    return scan(path, data, size, true, out);
}
