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

enum { RIGHT_EXEC = 1, RIGHT_WRITE = 2, RIGHT_READ = 4 }; /* struct image_segment */

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
        unsigned prot = (segment->rights & RIGHT_READ ? PROT_READ : 0) |
                        (segment->rights & RIGHT_WRITE ? PROT_WRITE : 0) |
                        (segment->rights & RIGHT_EXEC ? PROT_EXEC : 0);
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
        }
        if (middle < high)
            area_begin(middle, high, prot, AREA_IMAGE);
    }
    return high;
}

/* ---- arguments and environment ---- */

struct strings {
    uint64_t argc, envc;
    size_t arg_bytes, env_bytes;
    bool args_given;
};

static uint64_t *argv_at, *envv_at; /* the next pointer to write */
static char *arg_at, *env_at;       /* the next string */

static void put(uint64_t **pointer, char **at, const char *value, size_t len, bool decode) {
    *(*pointer)++ = (uint64_t)*at;
    if (decode)
        len = cmdline_decode(*at, len + 1, value, len);
    else
        memcpy(*at, value, len + 1);
    *at += len + 1;
}

/* One pass over a text of tokens: counts (out != NULL) or writes to the stack. */
static void scan_text(const char *text, size_t size, struct strings *out) {
    struct cmdline it;
    cmdline_start(&it, text, size);
    while (cmdline_next(&it)) {
        bool arg = cmdline_is(&it, "arg"), env = !arg && cmdline_is(&it, "env");
        if (!out && arg) {
            put(&argv_at, &arg_at, it.value, it.value_len, true);
        } else if (!out && env) {
            put(&envv_at, &env_at, it.value, it.value_len, true);
        } else if (arg) {
            out->argc++;
            out->arg_bytes += it.value_len + 1;
        } else if (env) {
            out->envc++;
            out->env_bytes += it.value_len + 1;
        } else if (out) {
            app_option(&it);
        }
    }
}

static void scan_all(struct strings *out) {
    scan_text(bootinfo.cmdline, SIZE_MAX, out);
    if (bootinfo.module)
        scan_text(bootinfo.module, bootinfo.module_size, out);
}

static size_t strings_size(const char *at, unsigned count) {
    const char *start = at;
    while (count--)
        at += strlen(at) + 1;
    return (size_t)(at - start);
}

/* Is NAME= of the manifest's string set by the command line? */
static bool overridden(const char *string, uint64_t *first, uint64_t *end) {
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

static uint64_t *put_aux(uint64_t *at, uint64_t type, uint64_t value) {
    at[0] = type;
    at[1] = value;
    return at + 2;
}

/* Builds the stack for what scan_all found; returns the initial stack pointer. */
static vaddr_t build_stack(vaddr_t entry, struct strings s) {
    const struct image_manifest *m = bootinfo.manifest;
    const char *default_args = (const char *)m + m->argv;
    const char *default_env = (const char *)m + m->envv;
    s.args_given = s.argc > 0;
    if (!s.args_given) {
        s.argc = m->argc;
        s.arg_bytes = strings_size(default_args, m->argc);
    }
    s.env_bytes += strings_size(default_env, m->envc);
    s.envc += m->envc;
    uint64_t words = 1 + s.argc + 1 + s.envc + 1 + 2 * 21;
    const char *name = (const char *)m + m->name;
    size_t name_size = strlen(name) + 1;
    size_t bytes = s.arg_bytes + s.env_bytes + name_size + 64;
    if (words * 8 + bytes > app_stack_size / 2)
        panic("arguments and environment (%zu bytes) do not fit the stack", bytes);

    vaddr_t top = STACK_TOP - 8; /* a null word ends it */
    area_fault_absent(STACK_TOP - 1, PROT_WRITE);
    env_at = (char *)(top - s.env_bytes);
    arg_at = env_at - s.arg_bytes;
    char *execfn = arg_at - name_size - 1; /* "/NAME", where the file is (fs/ramfs.c) */
    *execfn = '/';
    memcpy(execfn + 1, name, name_size);
    char *platform = execfn - 8;
    uint64_t *random = (uint64_t *)ALIGN_DOWN((uint64_t)platform - 16, 16);
    memcpy(platform, arch_name, strlen(arch_name) + 1);
    for (unsigned i = 0; i < 2; i++) {
        /* The generator comes with RANDOM; a guess is the last resort. */
        if (!arch_random(&random[i])) {
            random[i] = arch_cycles() * 0x9e3779b97f4a7c15ull;
            if (random_bytes)
                random_bytes(&random[i], sizeof random[i]);
        }
    }

    uint64_t *sp = (uint64_t *)ALIGN_DOWN((uint64_t)random - words * 8, 16);
    sp[0] = s.argc;
    argv_at = &sp[1];
    envv_at = &sp[1 + s.argc + 1];
    uint64_t *env_first = envv_at;
    if (s.args_given || s.envc > m->envc)
        scan_all(NULL);
    for (unsigned i = s.args_given ? m->argc : 0; i < m->argc; i++) {
        size_t len = strlen(default_args);
        put(&argv_at, &arg_at, default_args, len, false);
        default_args += len + 1;
    }
    uint64_t *env_end = envv_at;
    for (unsigned i = 0; i < m->envc; i++, default_env += strlen(default_env) + 1) {
        if (!overridden(default_env, env_first, env_end))
            put(&envv_at, &env_at, default_env, strlen(default_env), false);
    }
    *argv_at = 0;
    *envv_at++ = 0;
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
    uint64_t *aux = envv_at;
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
    struct strings s = {0};
    scan_all(&s); /* settings first: they say where a panic is told */
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
    vaddr_t sp = build_stack(entry, s);
    area_fault_absent(entry, PROT_EXEC); /* cheaper than the fault that would follow */
    timeline_mark(TIMELINE_LOADED);
    if (app_settings.timeline)
        timeline_tell();
    if (app_settings.isolate)
        arch_isolate();
    if (app_settings.trace)
        trace_start();
    arch_app_enter(entry, sp);
}
