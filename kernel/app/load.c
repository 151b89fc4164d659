/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loads the app: areas for its segments, a stack as the System V ABI (x86_64
 * psABI 3.4.1) and Linux's auxiliary vector have it, then the jump.
 *
 * Nothing is read from the file: the manifest says what to map, and pages come
 * at first touch.
 */
#include "app/app.h"

#include "abi/image.h"
#include "boot/bootinfo.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/random.h"

#define STACK_TOP 0x7ffffffff000ul
#define STACK_DEFAULT (8ul << 20)
#define STACK_GUARD (1ul << 20)
#define PROGRAM_HEADER_SIZE 56
#define SOON_PAGES 8ul

enum {
    AT_NULL,
    AT_PHDR = 3,
    AT_PHENT,
    AT_PHNUM,
    AT_PAGESZ,
    AT_BASE,
    AT_FLAGS,
    AT_ENTRY,
    AT_UID = 11,
    AT_EUID,
    AT_GID,
    AT_EGID,
    AT_PLATFORM,
    AT_HWCAP,
    AT_CLKTCK,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_HWCAP2,
    AT_EXECFN = 31,
    AT_MINSIGSTKSZ = 51
};

uint64_t app_base;
uint64_t app_stack_size;

/* Maps what the manifest lists; the first address behind it. */
static vaddr_t load_segments(const struct image_manifest *m) {
    const struct image_segment *segment = (const void *)((const char *)m + m->segments);
    vaddr_t high = 0;
    for (unsigned i = 0; i < m->segment_count; i++, segment++) {
        unsigned prot = segment->prot;
        vaddr_t address = app_base + segment->address;
        vaddr_t start = ALIGN_DOWN(address, PAGE_SIZE);
        vaddr_t file_end = address + segment->file_size;
        vaddr_t middle = segment->file_size ? ALIGN_UP(file_end, PAGE_SIZE) : start;
        high = ALIGN_UP(address + segment->memory_size, PAGE_SIZE);
        if (start < middle) {
            struct area *a = area_begin(start, middle, prot, AREA_IMAGE);
            a->source = &area_image;
            a->offset = ALIGN_DOWN(segment->offset, PAGE_SIZE);
            if (segment->memory_size > segment->file_size)
                a->zero_from = file_end;
            /* What is touched soon: cheaper now than as faults. */
            vaddr_t soon = start + (prot & PROT_WRITE ? 1 : SOON_PAGES) * PAGE_SIZE;
            for (vaddr_t va = start; va < MIN(soon, middle); va += PAGE_SIZE)
                area_fault_absent(va, prot);
        }
        if (middle < high)
            area_begin(middle, high, prot, AREA_IMAGE);
    }
    return high;
}

/* ---- arguments and environment ---- */

/* What the command line gives; bytes as they are encoded. */
static struct {
    uint64_t argc, envc;
    size_t arg_bytes, env_bytes;
} given;

static char *arg_at, *env_at; /* where the next string is written; NULL: they are counted */

static void take(const struct cmdline *it, char **at, uint64_t *count, size_t *bytes) {
    if (*at) {
        *at += cmdline_decode(*at, it->value_len + 1, it->value, it->value_len) + 1;
    } else {
        ++*count;
        *bytes += it->value_len + 1;
    }
}

/* One pass over a text of tokens: counts or writes. */
static void scan_text(const char *text, size_t size) {
    struct cmdline it;
    cmdline_start(&it, text, size);
    while (cmdline_next(&it)) {
        if (cmdline_is(&it, "arg"))
            take(&it, &arg_at, &given.argc, &given.arg_bytes);
        else if (cmdline_is(&it, "env"))
            take(&it, &env_at, &given.envc, &given.env_bytes);
        else if (!arg_at)
            app_option(&it);
    }
}

static void scan_all(void) {
    const char *text = bootinfo.cmdline;
    /* QEMU writes where its devices are behind what zuk says, and a space between. */
    if (text[0] && (text[0] != ' ' || text[1] != 'v'))
        scan_text(text, SIZE_MAX);
    if (bootinfo.module)
        scan_text(bootinfo.module, bootinfo.module_size);
}

/* Is NAME= of the manifest's string set by the command line? */
static bool overridden(const char *string, const uint64_t *first, const uint64_t *end) {
    size_t n = 0;
    while (string[n] && string[n] != '=')
        n++;
    for (; first < end; first++) {
        const char *other = (const char *)*first;
        if (!strncmp(other, string, n) && other[n] == '=')
            return true;
    }
    return false;
}

/* Writes pointers to `count` strings, but to those that [first, at) overrides;
 * the end of them. */
static uint64_t *point(uint64_t *at, const char *string, uint64_t count, const uint64_t *first) {
    const uint64_t *end = at;
    while (count--) {
        if (first == end || !overridden(string, first, end))
            *at++ = (uint64_t)string;
        string += strlen(string) + 1;
    }
    return at;
}

static uint64_t *put_aux(uint64_t *at, uint64_t type, uint64_t value) {
    at[0] = type;
    at[1] = value;
    return at + 2;
}

/* Builds the stack for what was counted; returns the initial stack pointer. */
static vaddr_t build_stack(vaddr_t entry) {
    const struct image_manifest *m = bootinfo.manifest;
    size_t env_bytes = m->stubs - m->envv, arg_bytes = m->envv - m->argv;
    size_t name_bytes = m->argv - m->name, copy_bytes = name_bytes;
    uint64_t argc = given.argc;
    if (argc) {
        arg_bytes = given.arg_bytes;
    } else {
        argc = m->argc;
        copy_bytes += arg_bytes;
    }
    uint64_t words = 1 + argc + 1 + given.envc + m->envc + 1 + 2 * 21;
    size_t bytes = name_bytes + arg_bytes + given.env_bytes + env_bytes + 64;
    if (words * 8 + bytes > app_stack_size / 2)
        panic("arguments and environment (%zu bytes) do not fit the stack", bytes);

    vaddr_t top = STACK_TOP - 8; /* a null word ends it */
    area_fault_absent(STACK_TOP - 1, PROT_WRITE);
    char *env = (char *)(top - env_bytes); /* the manifest's */
    char *given_env = env_at = env - given.env_bytes;
    char *args = arg_at = given_env - arg_bytes;
    memcpy(env, (const char *)m + m->envv, env_bytes);
    memcpy(args - name_bytes, (const char *)m + m->name, copy_bytes);
    if (given.argc || given.envc)
        scan_all();
    char *execfn = args - name_bytes - 1; /* "/NAME", where the file is (fs/ramfs.c) */
    *execfn = '/';
    char *platform = execfn - sizeof arch_name;
    memcpy(platform, arch_name, sizeof arch_name);
    uint64_t *random = (uint64_t *)ALIGN_DOWN((uint64_t)platform - 16, 16);
    for (unsigned i = 0; i < 2; i++) {
        /* The generator comes with RANDOM; a guess is the last resort. */
        if (!arch_random(&random[i])) {
            random[i] = arch_cycles() * 0x9e3779b97f4a7c15ull;
            if (random_bytes)
                random_bytes(&random[i], sizeof random[i]);
        }
    }

    uint64_t *sp = (uint64_t *)ALIGN_DOWN((uint64_t)random - words * 8, 16);
    sp[0] = argc;
    uint64_t *at = point(&sp[1], args, argc, &sp[1]);
    *at++ = 0;
    uint64_t *aux = point(at, given_env, given.envc, at);
    aux = point(aux, env, m->envc, at);
    *aux++ = 0;
    static const uint16_t constant[][2] = {
        {AT_PHENT, PROGRAM_HEADER_SIZE},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_UID, 0},
        {AT_EUID, 0},
        {AT_GID, 0},
        {AT_EGID, 0},
        {AT_SECURE, 0},
        {AT_CLKTCK, 100},
        {AT_HWCAP2, 0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(constant); i++)
        aux = put_aux(aux, constant[i][0], constant[i][1]);
    aux = put_aux(aux, AT_PHDR, app_base + m->headers);
    aux = put_aux(aux, AT_PHNUM, m->headers ? m->header_count : 0);
    aux = put_aux(aux, AT_ENTRY, entry);
    aux = put_aux(aux, AT_HWCAP, arch_hwcap);
    aux = put_aux(aux, AT_MINSIGSTKSZ, arch_signal_frame_size);
    aux = put_aux(aux, AT_RANDOM, (uint64_t)random);
    aux = put_aux(aux, AT_PLATFORM, (uint64_t)platform);
    aux = put_aux(aux, AT_EXECFN, (uint64_t)execfn);
    put_aux(aux, AT_NULL, 0);
    return (vaddr_t)sp;
}

void app_start(void) {
    const struct image_manifest *m = bootinfo.manifest;
    scan_all(); /* settings first: they say where a panic is told */
    if (m->flags & IMAGE_PIE)
        app_base = ALIGN_UP(IMAGE_PIE_BASE, m->align);
    area_set_brk(load_segments(m));

    app_stack_size = m->stack_size ? ALIGN_UP(m->stack_size, PAGE_SIZE) : STACK_DEFAULT;
    vaddr_t low = STACK_TOP - app_stack_size;
    unsigned prot = PROT_READ | PROT_WRITE | (m->flags & IMAGE_STACK_EXEC ? PROT_EXEC : 0);
    area_begin(low - STACK_GUARD, low, PROT_NONE, AREA_GUARD);
    area_begin(low, STACK_TOP, prot, AREA_STACK);
    thread_first.stack_low = low;
    thread_first.stack_high = STACK_TOP;

    vaddr_t entry = app_base + m->entry;
    vaddr_t sp = build_stack(entry);
    timeline_mark(TIMELINE_LOADED);
    if (app_settings.timeline)
        timeline_tell();
    if (app_settings.isolate)
        arch_isolate();
    if (app_settings.trace)
        trace_start();
    arch_app_enter(entry, sp);
}
