/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which objects make the app: extracts archive members to a fixed point, in
 * any order of archives, as lld does it; finds what stays undefined.
 *
 * The order of calls: resolve_object and resolve_archive for the user's
 * files, then for the toolchain's, resolve_run, resolve_twins, resolve_finish.
 */
#ifndef ZUK_RESOLVE_H
#define ZUK_RESOLVE_H

#include "zuk/object.h"
#include "zuk/symtab.h"

/* A symbol that nobody defines. */
struct undefined {
    const char *name;
    struct symbol *symbol;
    const struct object *object; /* the first that refers to it */
    size_t other_objects;        /* how many more refer to it */
    struct reference reference;  /* the first use there; section 0: only declared */
    bool is_call;                /* some relocation calls it */
    bool is_tls;
    const char *line; /* where in the source it is used, or NULL; set by stub_report */
};

/* A name of glibc's that is bound to musl's function of identical ABI. */
struct twin {
    const char *name, *musl;
    struct symbol *symbol;
};

struct resolution {
    struct symtab table;
    VEC(struct object *) linked;     /* in the order of their arrival */
    VEC(struct object *) mains;      /* the user's objects and members that define main */
    VEC(struct object *) starts;     /* ... that define _start */
    VEC(struct undefined) undefined; /* after resolve_finish */
    VEC(struct twin) twins;
    struct symtab comdats; /* signatures; symbol->object: the first holder */
    size_t next;           /* first of linked whose symbols are not looked at */
    bool failed;
};

/* All return false after diag_error. */
bool resolve_object(struct resolution *r, struct object *object);
bool resolve_archive(struct resolution *r, const struct archive *archive);
/* One of the toolchain's archives, through its index. */
bool resolve_library(struct resolution *r, const struct archive *archive);
bool resolve_run(struct resolution *r);
/* Names of glibc's: binds those that have a twin, refuses those that cannot
 * work with musl. */
bool resolve_twins(struct resolution *r);
bool resolve_finish(struct resolution *r);

/* The name that musl has for a function of glibc's with identical ABI, or
 * NULL; gnu_only: it is glibc's and has no such twin. */
const char *gnu_twin(const char *name);
bool gnu_only(const char *name);

#endif
