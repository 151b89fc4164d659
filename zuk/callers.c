/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The nearest function of the user's that leads to a system call (callers.h).
 *
 * One search from all of the user's functions at once gives every function its
 * nearest one.  The user's are those whose first line lies neither in a libc
 * nor in Zig's own library; where no line is known they are a libc's.  A call
 * through a pointer is no way: it does not tell who makes it.
 */
#include "zuk/callers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zuk/code.h"
#include "zuk/elf_file.h"
#include "zuk/lines.h"
#include "zuk/ops.h"
#include "zuk/scan.h"
#include "zuk/util.h"

/* How a function is reached from the user's code. */
struct way {
    uint32_t from; /* the function before it; itself: one of the user's */
    uint32_t ref;  /* the call there, in code.refs */
    bool known;
};

/* Is that file one of the user's?  Functions that follow each other share it. */
struct verdict {
    const char *folder, *file;
    uint64_t unit;
    bool own;
};
enum { VERDICTS = 64 };

struct finder {
    struct code *code;
    struct line_sections lines;
    struct unit_folders folders;
    struct way *ways;
    uint64_t *units; /* of the user's functions: their line tables */
    bool *false_ref; /* bytes that only look like a call, by index into code.refs */
    struct verdict verdicts[VERDICTS];
    char cwd[4096];
    size_t cwd_length;
};

static const uint8_t *section(const struct elf_file *f, const char *name, size_t *size) {
    const Elf64_Shdr *s = elf_file_section(f, name);
    if (s == NULL || (s->sh_flags & SHF_COMPRESSED) != 0) {
        *size = 0;
        return NULL;
    }
    *size = s->sh_size;
    return elf_file_bytes(f, s->sh_offset, s->sh_size);
}

static bool open_sections(struct finder *f) {
    const struct elf_file *file = f->code->file;
    struct line_sections *l = &f->lines;
    l->line = section(file, ".debug_line", &l->line_size);
    l->line_str = section(file, ".debug_line_str", &l->line_str_size);
    l->str = section(file, ".debug_str", &l->str_size);
    struct unit_sections units = {.str = l->str,
                                  .line_str = l->line_str,
                                  .str_size = l->str_size,
                                  .line_str_size = l->line_str_size};
    units.info = section(file, ".debug_info", &units.info_size);
    units.abbrev = section(file, ".debug_abbrev", &units.abbrev_size);
    if (l->line != NULL && units.info != NULL && units.abbrev != NULL) {
        lines_folders(&units, &f->folders);
    }
    f->cwd_length = getcwd(f->cwd, sizeof f->cwd) == NULL ? 0 : strlen(f->cwd);
    return l->line != NULL;
}

/* The whole name of the file; a relative one belongs to its unit's folder. */
static const char *full_name(const struct finder *f, const struct line_place *place) {
    const char *name = place->folder == NULL ? place->file : path_join(place->folder, place->file);
    if (*name != '/') {
        const char *folder = lines_folder(&f->folders, place->unit);
        name = folder == NULL ? name : path_join(folder, name);
    }
    return name;
}

bool callers_is_library(const char *folder, const char *file) {
    static const char *const parts[] = {"/lib/std", "/lib/libc",  "/lib/compiler",  "lib/zig/",
                                        "/zig/std", "/lib/musl/", "/musl-",         "/glibc",
                                        "/lib/c/",  "csu/",       "/lib/ubsan_rt.", "/lib/fuzzer"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if ((folder != NULL && strstr(folder, parts[i]) != NULL) ||
            strstr(file, parts[i]) != NULL) {
            return true;
        }
    }
    /* the unit of Zig's lib folder names them from there */
    static const char *const files[] = {"ubsan_rt.zig", "compiler_rt", "fuzzer", "c.zig",
                                        "c/",           "libc/",       "std/"};
    size_t n = folder == NULL ? 0 : strlen(folder);
    for (size_t i = 0; n >= 4 && i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(folder + n - 4, "/lib") == 0 && strncmp(file, files[i], strlen(files[i])) == 0) {
            return true;
        }
    }
    return strcmp(file, "crt1.c") == 0;
}

static bool judge(const struct finder *f, const struct line_place *place) {
    if (*place->file == '/' || (place->folder != NULL && *place->folder == '/')) {
        return !callers_is_library(place->folder, place->file);
    }
    return !callers_is_library(NULL, full_name(f, place));
}

static bool is_own(struct finder *f, const struct line_place *place) {
    if (place->file == NULL) {
        return false;
    }
    /* names are the same where they stand at the same place of the tables */
    struct verdict *v = &f->verdicts[((uintptr_t)place->file ^ place->unit) % VERDICTS];
    if (v->file != place->file || v->folder != place->folder || v->unit != place->unit) {
        *v = (struct verdict){place->folder, place->file, place->unit, judge(f, place)};
    }
    return v->own;
}

/* "main.print__anon_123" is main.print for people. */
static const char *name_of(const struct code_function *f) {
    if (f->name == NULL) {
        return xasprintf("0x%llx", (unsigned long long)f->start);
    }
    const char *tail = strstr(f->name, "__anon_");
    return tail == NULL || tail == f->name ? xstrdup(f->name)
                                           : xstrndup(f->name, (size_t)(tail - f->name));
}

/* Puts the user's functions into the queue: returns how many. */
static uint32_t find_own(struct finder *f, uint32_t *queue) {
    struct code *code = f->code;
    uint64_t *starts = xalloc((code->function_count + (size_t)1) * sizeof *starts);
    uint32_t *which = xalloc((code->function_count + (size_t)1) * sizeof *which);
    size_t n = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < code->function_count; i++) {
        if (code->functions[i].reached) {
            which[n] = i;
            starts[n++] = code->functions[i].start;
        }
    }
    struct line_place *places = xalloc((n + 1) * sizeof *places);
    lines_find(&f->lines, starts, n, places);
    for (size_t i = 0; i < n; i++) {
        if (is_own(f, &places[i])) {
            queue[count++] = which[i];
            f->units[which[i]] = places[i].unit;
        }
    }
    return count;
}

/* The ways from the first `count` of the queue.  Whether a call is one or only
 * looks so is asked here when all must be sure, otherwise of the ways taken. */
static void spread(struct finder *f, uint32_t *queue, uint32_t count, bool sure) {
    struct code *code = f->code;
    memset(f->ways, 0, code->function_count * sizeof *f->ways);
    for (uint32_t i = 0; i < count; i++) {
        f->ways[queue[i]] = (struct way){.from = queue[i], .known = true};
    }
    for (uint32_t head = 0; head < count; head++) {
        const struct code_function *from = &code->functions[queue[head]];
        for (uint32_t k = 0; k < from->ref_count; k++) {
            uint32_t index = from->first_ref + k;
            const struct code_ref *ref = &code->refs[index];
            struct way *way = &f->ways[ref->to];
            const struct code_function *to = &code->functions[ref->to];
            if (way->known || (ref->kind != REF_CALL && ref->kind != REF_JUMP) ||
                ref->target != to->start || to->soft || f->false_ref[index] ||
                (sure && !code_ref_is_real(code, ref))) {
                continue;
            }
            *way = (struct way){.from = queue[head], .ref = index, .known = true};
            queue[count++] = ref->to;
        }
    }
}

struct end { /* the place in the user's function, and where it goes from there */
    unsigned call;
    uint32_t own, through;
    uint64_t site, start;
};

/* The lines of the ends' sites and of their functions' starts, two for each end. */
static void find_lines(const struct finder *f, const struct end *ends, size_t count,
                       struct line_place *places) {
    uint64_t *addresses = xalloc((count * 2 + 1) * sizeof *addresses);
    struct line_place *found = xalloc((count * 2 + 1) * sizeof *found);
    bool *done = xalloc(count + 1);
    for (size_t i = 0; i < count; i++) {
        uint64_t unit = f->units[ends[i].own];
        size_t n = 0;
        for (size_t k = i; k < count; k++) {
            if (!done[k] && f->units[ends[k].own] == unit) {
                addresses[n++] = ends[k].site;
                addresses[n++] = ends[k].start;
            }
        }
        if (n == 0) {
            continue;
        }
        lines_find_in_unit(&f->lines, unit, addresses, n, found);
        n = 0;
        for (size_t k = i; k < count; k++) {
            if (!done[k] && f->units[ends[k].own] == unit) {
                places[2 * k] = found[n++];
                places[2 * k + 1] = found[n++];
                done[k] = true;
            }
        }
    }
}

static void tell(struct finder *f, struct scan *scan, const struct end *ends, size_t count) {
    struct line_place *places = xalloc((count * 2 + 1) * sizeof *places);
    find_lines(f, ends, count, places);
    for (size_t i = 0; i < count; i++) {
        const struct code_function *functions = f->code->functions;
        /* where a library's code is inlined, the line is the function's first */
        const struct line_place *place =
            is_own(f, &places[2 * i]) ? &places[2 * i] : &places[2 * i + 1];
        struct scan_caller *caller = &scan->callers[ends[i].call];
        caller->function = name_of(&functions[ends[i].own]);
        if (ends[i].through != ends[i].own) {
            caller->through = name_of(&functions[ends[i].through]);
        }
        const char *file = place->file == NULL ? NULL : full_name(f, place);
        if (file != NULL && f->cwd_length > 1 && strncmp(file, f->cwd, f->cwd_length) == 0 &&
            file[f->cwd_length] == '/') {
            file += f->cwd_length + 1;
        }
        caller->file = file == NULL ? NULL : xstrdup(file);
        caller->line = file == NULL ? 0 : place->line;
    }
}

/* A way of calls that only look so is searched again this often. */
enum { ROUNDS_MAX = 8 };

/* Where the calls' ways begin.  False when one of them goes through what is no
 * call; that has been noted. */
static bool find_ends(struct finder *f, const struct scan *scan, struct end *ends, size_t *count) {
    struct code *code = f->code;
    bool all_real = true;
    *count = 0;
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        const struct code_function *maker = scan->calls[i] ? code_at(code, scan->at[i]) : NULL;
        if (maker == NULL || !f->ways[maker - code->functions].known) {
            continue;
        }
        uint32_t at = (uint32_t)(maker - code->functions);
        struct end end = {.call = i, .through = at, .own = at, .site = scan->at[i]};
        while (f->ways[end.own].from != end.own) {
            const struct way *way = &f->ways[end.own];
            if (!code_ref_is_real(code, &code->refs[way->ref])) {
                f->false_ref[way->ref] = true;
                all_real = false;
            }
            end.through = end.own;
            end.site = code->refs[way->ref].site;
            end.own = way->from;
        }
        end.start = code->functions[end.own].start;
        ends[(*count)++] = end;
    }
    return all_real;
}

void callers_find(struct code *code, struct scan *scan) {
    struct finder f = {.code = code};
    if (!open_sections(&f)) {
        return;
    }
    f.ways = xalloc((code->function_count + (size_t)1) * sizeof *f.ways);
    f.units = xalloc((code->function_count + (size_t)1) * sizeof *f.units);
    f.false_ref = xalloc(code->ref_count + (size_t)1);
    uint32_t *queue = xalloc((code->function_count + (size_t)1) * sizeof *queue);
    uint32_t count = find_own(&f, queue);
    struct end ends[SCAN_CALLS];
    size_t end_count;
    for (unsigned round = 1;; round++) {
        spread(&f, queue, count, round == ROUNDS_MAX);
        if (find_ends(&f, scan, ends, &end_count) || round == ROUNDS_MAX) {
            break;
        }
    }
    tell(&f, scan, ends, end_count);
}
