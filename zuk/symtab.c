/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The symbol table: open addressing, and the rules by which a symbol changes
 * state (gABI 4.1, "Symbol Table"; lld for archives and common symbols).
 */
#include "zuk/symtab.h"

#include <assert.h>
#include <string.h>

static size_t slot_of(const struct symtab *table, uint64_t hash, const char *name) {
    size_t mask = table->slot_count - 1;
    size_t i = (size_t)hash & mask;
    while (table->slots[i] &&
           (table->slots[i]->hash != hash || strcmp(table->slots[i]->name, name) != 0)) {
        i = (i + 1) & mask;
    }
    return i;
}

static void grow(struct symtab *table) {
    struct symtab bigger = {.slot_count = table->slot_count ? table->slot_count * 2 : 4096};
    bigger.slots = xalloc(bigger.slot_count * sizeof *bigger.slots);
    for (size_t i = 0; i < table->slot_count; i++) {
        struct symbol *symbol = table->slots[i];
        if (symbol) {
            bigger.slots[slot_of(&bigger, symbol->hash, symbol->name)] = symbol;
        }
    }
    table->slots = bigger.slots;
    table->slot_count = bigger.slot_count;
}

struct symbol *symtab_find(const struct symtab *table, const char *name) {
    if (table->slot_count == 0) {
        return NULL;
    }
    return table->slots[slot_of(table, hash64(0, name, strlen(name)), name)];
}

struct symbol *symtab_get(struct symtab *table, const char *name) {
    if (table->count * 2 >= table->slot_count) {
        grow(table);
    }
    uint64_t hash = hash64(0, name, strlen(name));
    size_t i = slot_of(table, hash, name);
    if (!table->slots[i]) {
        assert(!table->closed);
        struct symbol *symbol = xalloc(sizeof *symbol);
        symbol->name = name;
        symbol->hash = hash;
        table->slots[i] = symbol;
        table->count++;
    }
    return table->slots[i];
}

void symtab_close(struct symtab *table) {
    table->closed = true;
}

struct object *symbol_refer(struct symbol *symbol, bool weak) {
    if (weak) {
        return NULL;
    }
    symbol->referenced = true;
    return symbol->state == SYMBOL_LAZY ? symbol->object : NULL;
}

struct object *symbol_offer(struct symbol *symbol, struct object *member) {
    if (symbol->state != SYMBOL_UNDEFINED) {
        return NULL; /* the first offer stands */
    }
    symbol->state = SYMBOL_LAZY;
    symbol->object = member;
    return symbol->referenced ? member : NULL;
}

/* Strong beats common beats weak; of two alike the first stands, and two
 * strong ones are an error. */
static int strength(bool common, bool weak) {
    return common ? 1 : weak ? 0 : 2;
}

bool symbol_define(struct symbol *symbol, struct object *object, enum symbol_kind kind, bool weak) {
    bool common = kind == SYM_COMMON;
    if (symbol->state == SYMBOL_DEFINED) {
        int old = strength(symbol->is_common, symbol->is_weak), new = strength(common, weak);
        if (old == 2 && new == 2) {
            return false;
        }
        if (new <= old) {
            return true;
        }
    }
    symbol->state = SYMBOL_DEFINED;
    symbol->object = object;
    symbol->is_common = common;
    symbol->is_weak = weak;
    return true;
}

void symbol_stub(struct symtab *table, struct symbol *symbol) {
    assert(table->closed && symbol->state == SYMBOL_UNDEFINED);
    symbol->state = SYMBOL_STUBBED;
}
