/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Archive extraction to a fixed point, duplicate and COMDAT handling, glibc's
 * names, and the list of what stays undefined.  Symbol versions in names are
 * not interpreted, as lld does with objects.
 */
#include "zuk/resolve.h"

#include <string.h>

#include "zuk/diag.h"

/* --- glibc's names ------------------------------------------------------ */

/* NAME64 and NAME are the same function on x86_64: off_t, ino_t and the
 * structures that hold them have one layout in both libraries. */
static const char *const large_file[] = {
    "alphasort",   "creat",         "fallocate",       "fcntl",     "fgetpos",    "fopen",
    "freopen",     "fseeko",        "fsetpos",         "fstat",     "fstatat",    "fstatfs",
    "fstatvfs",    "ftello",        "ftruncate",       "ftw",       "getdents",   "getrlimit",
    "glob",        "globfree",      "lockf",           "lseek",     "lstat",      "mkostemp",
    "mkostemps",   "mkstemp",       "mkstemps",        "mmap",      "nftw",       "open",
    "openat",      "posix_fadvise", "posix_fallocate", "pread",     "preadv",     "prlimit",
    "pwrite",      "pwritev",       "readdir",         "readdir_r", "scandir",    "sendfile",
    "setrlimit",   "stat",          "statfs",          "statvfs",   "tmpfile",    "truncate",
    "versionsort", "__xstat",       "__fxstat",        "__lxstat",  "__fxstatat",
};

/* __NAME_chk has NAME's arguments and then the size of the buffer, in a
 * register that NAME does not look at.  (Not here: printf's, fgets's, fread's
 * and recv's, where the size stands between the others.) */
static const char *const checked[] = {
    "memcpy",     "memmove",   "memset",         "mempcpy",       "strcpy",     "strncpy",
    "strcat",     "strncat",   "stpcpy",         "stpncpy",       "strlcpy",    "strlcat",
    "read",       "pread",     "readlink",       "readlinkat",    "getcwd",     "realpath",
    "confstr",    "getgroups", "gethostname",    "getdomainname", "getlogin_r", "ttyname_r",
    "ptsname_r",  "mbstowcs",  "wcstombs",       "mbsrtowcs",     "wcsrtombs",  "mbsnrtowcs",
    "wcsnrtombs", "wcrtomb",   "wctomb",         "wmemcpy",       "wmemmove",   "wmemset",
    "wcscpy",     "wcsncpy",   "wcscat",         "wcsncat",       "wcpcpy",     "wcpncpy",
    "poll",       "ppoll",     "explicit_bzero", "longjmp",
};

static const struct {
    const char *gnu, *musl;
} renamed[] = {
    {"__pread64_chk", "pread"},
    {"__open_2", "open"},
    {"__open64_2", "open"},
    {"__openat_2", "openat"},
    {"__openat64_2", "openat"},
    {"__strdup", "strdup"},
    {"__strndup", "strndup"},
    {"__strtok_r", "strtok_r"},
    {"__mempcpy", "mempcpy"},
    {"__stpcpy", "stpcpy"},
    {"__memcmpeq", "memcmp"},
    {"__bzero", "bzero"},
    {"__secure_getenv", "secure_getenv"},
    {"__getpagesize", "getpagesize"},
    {"__sched_yield", "sched_yield"},
    {"__finite", "finite"},
    {"__finitef", "finitef"},
    {"__getpid", "getpid"},
    {"__sysconf", "sysconf"},
    {"__gettimeofday", "gettimeofday"},
    {"__nanosleep", "nanosleep"},
    {"__sigaddset", "sigaddset"},
    {"__sigdelset", "sigdelset"},
    {"__sigismember", "sigismember"},
};

/* PREFIX + one of names + SUFFIX == name?  The one, or NULL. */
static const char *match(const char *name, const char *prefix, const char *suffix,
                         const char *const *names, size_t count) {
    size_t before = strlen(prefix), after = strlen(suffix), length = strlen(name);
    if (length <= before + after || strncmp(name, prefix, before) != 0 ||
        strcmp(name + length - after, suffix) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == length - before - after &&
            memcmp(name + before, names[i], length - before - after) == 0) {
            return names[i];
        }
    }
    return NULL;
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

const char *gnu_twin(const char *name) {
    const char *found = match(name, "", "64", large_file, COUNT(large_file));
    if (!found) {
        found = match(name, "__", "_chk", checked, COUNT(checked));
    }
    for (size_t i = 0; !found && i < COUNT(renamed); i++) {
        if (strcmp(name, renamed[i].gnu) == 0) {
            found = renamed[i].musl;
        }
    }
    /* C99's and C23's variants differ in what they accept, not in arguments. */
    if (!found && (strncmp(name, "__isoc99_", 9) == 0 || strncmp(name, "__isoc23_", 9) == 0)) {
        found = name + 9;
    }
    return found;
}

bool gnu_only(const char *name) {
    static const char *const prefixes[] = {"__isoc99_", "__isoc23_", "_IO_",
                                           "__libc_",   "__nptl_",   "gnu_get_libc_",
                                           "__fdelt_",  "__nss_",    "__pthread_"};
    static const char *const others[] = {
        "aio_cancel64",  "aio_error64",    "aio_fsync64",    "aio_read64",      "aio_return64",
        "aio_suspend64", "aio_write64",    "lio_listio64",   "getdirentries64", "scandirat64",
        "__chk_fail",    "__fortify_fail", "__overflow_chk", "__rawmemchr",
    };
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (strcmp(name, others[i]) == 0) {
            return true;
        }
    }
    size_t length = strlen(name);
    return length > 6 && strncmp(name, "__", 2) == 0 && strcmp(name + length - 4, "_chk") == 0;
}

/* --- extraction --------------------------------------------------------- */

static bool link_object(struct resolution *r, struct object *object) {
    if (object->is_linked) {
        return true;
    }
    object->is_linked = true;
    *vec_push(&r->linked) = object;
    return object_read(object);
}

static void note_entry(struct resolution *r, struct object *object) {
    for (size_t i = 0; i < object->symbol_count; i++) {
        const struct object_symbol *s = &object->symbols[i];
        if (s->kind != SYM_DEFINED || s->weak || s->type == STT_TLS) {
            continue;
        }
        if (strcmp(s->name, "main") == 0) {
            *vec_push(&r->mains) = object;
        } else if (strcmp(s->name, "_start") == 0) {
            *vec_push(&r->starts) = object;
        }
    }
}

bool resolve_object(struct resolution *r, struct object *object) {
    if (!link_object(r, object)) {
        r->failed = true;
        return false;
    }
    if (!object->is_ours) {
        note_entry(r, object);
    }
    return true;
}

static struct object *member_object(const struct archive *archive,
                                    const struct archive_member *member, bool is_ours) {
    struct object *object = xalloc(sizeof *object);
    object->label = xasprintf("%s(%s)", path_base(archive->path), path_base(member->name));
    object->data = member->data;
    object->size = member->size;
    object->is_ours = is_ours;
    return object;
}

bool resolve_archive(struct resolution *r, const struct archive *archive) {
    bool ok = true;
    for (size_t i = 0; i < archive->members.len; i++) {
        const struct archive_member *member = &archive->members.data[i];
        enum file_kind kind = file_kind(member->data, member->size);
        struct object *object = member_object(archive, member, false);
        if (kind == FILE_BITCODE) {
            diag_error("'%s' is LLVM bitcode, not machine code", object->label);
            diag_hint("rebuild it without -flto");
            ok = false;
            continue;
        }
        if (kind != FILE_OBJECT && kind != FILE_BAD_ELF) {
            diag_warning("'%s' is no object: it is left out", object->label);
            continue;
        }
        if (!object_read(object)) {
            ok = false;
            continue;
        }
        note_entry(r, object);
        for (size_t s = 0; s < object->symbol_count; s++) {
            const struct object_symbol *symbol = &object->symbols[s];
            if (symbol->kind != SYM_UNDEFINED) {
                struct object *wanted = symbol_offer(symtab_get(&r->table, symbol->name), object);
                ok &= !wanted || link_object(r, wanted);
            }
        }
    }
    r->failed |= !ok;
    return ok;
}

/* The member whose header is at offset, or the count of members. */
static size_t member_at(const struct archive *archive, uint64_t offset) {
    size_t low = 0, high = archive->members.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (archive->members.data[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < archive->members.len && archive->members.data[low].offset == offset
               ? low
               : archive->members.len;
}

bool resolve_library(struct resolution *r, const struct archive *archive) {
    struct object **objects = xalloc(archive->members.len * sizeof *objects);
    for (size_t i = 0; i < archive->index.len; i++) {
        const struct archive_entry *entry = &archive->index.data[i];
        size_t m = member_at(archive, entry->offset);
        if (m == archive->members.len) {
            diag_error("'%s' is damaged: its index names a member that is not there",
                       archive->path);
            r->failed = true;
            return false;
        }
        if (!objects[m]) {
            objects[m] = member_object(archive, &archive->members.data[m], true);
        }
        struct object *wanted = symbol_offer(symtab_get(&r->table, entry->name), objects[m]);
        if (wanted && !link_object(r, wanted)) {
            r->failed = true;
            return false;
        }
    }
    return true;
}

struct discard {
    struct resolution *r;
    struct object *object;
};

static void discard_group(void *context, const char *signature, const uint32_t *sections,
                          size_t count) {
    struct discard *d = context;
    struct symbol *holder = symtab_get(&d->r->comdats, signature);
    if (!holder->object) {
        holder->object = d->object;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        d->object->discarded[sections[i]] = true;
    }
}

static bool enter_symbols(struct resolution *r, struct object *object) {
    struct discard d = {r, object};
    if (!object_comdats(object, discard_group, &d)) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < object->symbol_count; i++) {
        struct object_symbol *s = &object->symbols[i];
        struct symbol *symbol = s->symbol = symtab_get(&r->table, s->name);
        if (s->kind == SYM_DEFINED && s->section && object->discarded[s->section]) {
            s->kind = SYM_UNDEFINED; /* the group's first holder defines it */
        }
        if (s->kind == SYM_UNDEFINED) {
            struct object *wanted = symbol_refer(symbol, s->weak);
            ok &= !wanted || link_object(r, wanted);
        } else if (!symbol_define(symbol, object, s->kind, s->weak)) {
            if (strcmp(s->name, "main") != 0) { /* app.c names all who define main */
                diag_error("'%s' is defined twice: in %s and in %s", s->name, symbol->object->label,
                           object->label);
            }
            ok = false;
        }
    }
    return ok;
}

bool resolve_run(struct resolution *r) {
    for (; r->next < r->linked.len; r->next++) {
        struct object *object = r->linked.data[r->next];
        if (object->is_read && !enter_symbols(r, object)) {
            r->failed = true;
        }
    }
    return !r->failed;
}

/* --- glibc's names, bound or refused ------------------------------------ */

static bool is_wanted(const struct symbol *symbol) {
    return symbol->state == SYMBOL_UNDEFINED && symbol->referenced;
}

static bool bind_twin(struct resolution *r, struct symbol *symbol, struct object *glue) {
    const char *musl = gnu_twin(symbol->name);
    struct symbol *target = musl ? symtab_find(&r->table, musl) : NULL;
    if (!target || (target->state != SYMBOL_DEFINED && target->state != SYMBOL_LAZY)) {
        return false;
    }
    struct object *wanted = symbol_refer(target, false);
    if (wanted) {
        link_object(r, wanted);
    }
    symbol_define(symbol, glue, SYM_DEFINED, false);
    *vec_push(&r->twins) = (struct twin){symbol->name, musl, symbol};
    return true;
}

bool resolve_twins(struct resolution *r) {
    static struct object glue = {.label = "stubs.o", .is_ours = true, .is_linked = true};
    struct {
        const struct object *object;
        VEC(const char *) names;
    } refused = {0};
    for (size_t i = 0; i < r->linked.len; i++) { /* grows while we walk */
        struct object *object = r->linked.data[i];
        for (size_t s = 0; s < object->symbol_count && i < r->next; s++) {
            struct symbol *symbol = object->symbols[s].symbol;
            if (is_wanted(symbol) && !bind_twin(r, symbol, &glue) && gnu_only(symbol->name)) {
                refused.object = refused.object ? refused.object : object;
                *vec_push(&refused.names) = symbol->name;
                symbol_define(symbol, &glue, SYM_DEFINED, false); /* named once is enough */
            }
        }
        if (i + 1 == r->next && !resolve_run(r)) {
            return false;
        }
    }
    if (refused.names.len) {
        diag_error("%s is built for gnu: rebuild with -target x86_64-linux-musl",
                   refused.object->label);
        for (size_t i = 0; i < refused.names.len; i++) {
            diag_hint("'%s' is glibc's; musl has no function with the same arguments",
                      refused.names.data[i]);
        }
        r->failed = true;
    }
    return !r->failed;
}

/* --- what stays undefined ----------------------------------------------- */

/* lld makes these by itself. */
static bool is_linker_made(const struct resolution *r, const char *name) {
    static const char *const names[] = {
        "_GLOBAL_OFFSET_TABLE_",
        "_DYNAMIC",
        "__ehdr_start",
        "__executable_start",
        "__dso_handle",
        "__init_array_start",
        "__init_array_end",
        "__preinit_array_start",
        "__preinit_array_end",
        "__fini_array_start",
        "__fini_array_end",
        "__rela_iplt_start",
        "__rela_iplt_end",
        "__rel_iplt_start",
        "__rel_iplt_end",
        "__bss_start",
        "_end",
        "end",
        "_etext",
        "etext",
        "_edata",
        "edata",
        "__GNU_EH_FRAME_HDR",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    const char *section = strncmp(name, "__start_", 8) == 0  ? name + 8
                          : strncmp(name, "__stop_", 7) == 0 ? name + 7
                                                             : NULL;
    for (size_t i = 0; section && i < r->linked.len; i++) {
        const struct object *object = r->linked.data[i];
        for (size_t s = 1; s < object->section_count; s++) {
            if (!object->discarded[s] && strcmp(object_section_name(object, s), section) == 0) {
                return true;
            }
        }
    }
    return false;
}

struct collect {
    struct resolution *r;
    const struct object *object;
    struct symbol **by_index; /* the object's wanted symbols, by ELF symbol number */
    bool *seen;               /* by the same */
    size_t count;
};

/* The first call is a better place to show than the first address. */
static void collect_reference(void *context, const struct reference *reference) {
    struct collect *c = context;
    if (reference->symbol >= c->count || !c->by_index[reference->symbol]) {
        return;
    }
    struct symbol *symbol = c->by_index[reference->symbol];
    bool first = !c->seen[reference->symbol];
    c->seen[reference->symbol] = true;
    if (!symbol->undefined) {
        *vec_push(&c->r->undefined) = (struct undefined){
            .name = symbol->name, .symbol = symbol, .object = c->object, .reference = *reference};
        symbol->undefined = c->r->undefined.len;
        first = false;
    }
    struct undefined *u = &c->r->undefined.data[symbol->undefined - 1];
    u->other_objects += first;
    if (reference->kind == REFERENCE_CALL && !u->is_call && u->object == c->object) {
        u->reference = *reference;
    }
    u->is_call |= reference->kind == REFERENCE_CALL;
    u->is_tls |= reference->kind == REFERENCE_TLS;
}

static bool collect_object(struct resolution *r, const struct object *object) {
    struct collect c = {.r = r, .object = object};
    for (size_t i = 0; i < object->symbol_count; i++) {
        const struct object_symbol *s = &object->symbols[i];
        if (s->kind == SYM_UNDEFINED && is_wanted(s->symbol) && !is_linker_made(r, s->name)) {
            if (!c.by_index) {
                c.count = (size_t)(object->sections[object->symtab].sh_size / sizeof(Elf64_Sym));
                c.by_index = xalloc(c.count * sizeof *c.by_index);
                c.seen = xalloc(c.count);
            }
            c.by_index[s->index] = s->symbol;
        }
    }
    return !c.by_index || object_references(object, collect_reference, &c);
}

bool resolve_finish(struct resolution *r) {
    symtab_close(&r->table);
    for (size_t i = 0; i < r->linked.len; i++) {
        r->failed |= !collect_object(r, r->linked.data[i]);
    }
    return !r->failed;
}
