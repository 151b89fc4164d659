/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All symbols by name.  The only place where a symbol changes state:
 *
 *     UNDEFINED --lazy--> LAZY --define--> DEFINED
 *         \------------define------------/
 *         \------stub-----> STUBBED            (after symtab_close)
 *
 * An archive member offers its symbols (LAZY) and is extracted by the first
 * strong reference; a weak reference extracts nothing.
 */
#ifndef ZUK_SYMTAB_H
#define ZUK_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/object.h"
#include "zuk/util.h"

enum symbol_state { SYMBOL_UNDEFINED, SYMBOL_LAZY, SYMBOL_DEFINED, SYMBOL_STUBBED };

struct symbol {
    const char *name;
    uint64_t hash;
    enum symbol_state state;
    struct object *object; /* LAZY: the member that offers it; DEFINED: the definer */
    bool referenced;       /* by a strong reference */
    bool is_weak;          /* DEFINED: weakly */
    bool is_common;        /* DEFINED: as a common symbol */
    size_t undefined;      /* 1 + its place in the list of undefined symbols; 0: none */
};

struct symtab {
    struct symbol **slots;
    size_t slot_count, count;
    bool closed;
};

/* The symbol of that name, made when new (not after symtab_close). */
struct symbol *symtab_get(struct symtab *table, const char *name);
struct symbol *symtab_find(const struct symtab *table, const char *name); /* or NULL */

/* A reference.  Returns the object to extract now, or NULL. */
struct object *symbol_refer(struct symbol *symbol, bool weak);
/* An offer by a member of an archive.  Returns it when it is wanted already. */
struct object *symbol_offer(struct symbol *symbol, struct object *member);
/* A definition by an object that is linked.  False: there is a strong one
 * already, in symbol->object. */
bool symbol_define(struct symbol *symbol, struct object *object, enum symbol_kind kind, bool weak);
/* What is left when all objects are read gets a stub. */
void symbol_stub(struct symtab *table, struct symbol *symbol);

/* Beyond this point no new symbols are added. */
void symtab_close(struct symtab *table);

#endif
