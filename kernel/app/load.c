/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loads the app: its first pages, a stack as the System V ABI (x86_64 psABI 3.4.1)
 * and Linux's auxiliary vector have it, then the jump.
 *
 * Nothing is read from the file: the manifest says what to map, other pages come
 * at first touch, and zuk has prepared the stack.
 */
#include "app/app.h"

#include "abi/image.h"
#include "boot/bootinfo.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/random.h"

#define AUX_SIZE (IMAGE_AUX_PAIRS * 2 * sizeof(uint64_t))
#define STACK_END (IMAGE_STACK_TOP - 8) /* a null word ends it */

/* Maps what the app touches first: words of page tables and copies of pages, which
 * zuk has prepared. */
static void first_pages(const struct image_manifest *m) {
    const struct image_fill *f = (const void *)((const char *)m + m->fills);
    const struct image_copy *c = (const void *)((const char *)m + m->copies);
    const void *end = (const char *)m + m->stack;
    for (; (const void *)f < (const void *)c; f++) {
        uint64_t *at = phys_to_virt(f->at), value = f->value;
        for (unsigned n = f->count; n--; value += PAGE_SIZE)
            *at++ = value;
    }
    for (; (const void *)c < end; c++)
        memcpy(phys_to_virt(c->to), phys_to_virt(c->from), c->size);
}

/* ---- arguments and environment ---- */

/* What the command line gives; bytes as they are encoded. */
static struct {
    uint64_t argc, envc;
    size_t arg_bytes, env_bytes;
    size_t room; /* on the stack, at most */
    bool anything;
} given;

static char *arg_at, *env_at; /* where the next string is written; NULL: they are counted */

static void take(const struct cmdline *it, char **at, uint64_t *count, size_t *bytes) {
    if (*at) {
        *at += cmdline_decode(*at, it->value_len + 1, it->value, it->value_len) + 1;
    } else {
        ++*count;
        *bytes += it->value_len + 1;
        given.room += it->value_len + 1 + sizeof(uint64_t);
    }
}

/* One pass over a text of tokens: counts or writes. */
static void scan_text(const char *text, size_t size) {
    struct cmdline it;
    given.anything = true;
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

/* Lays the stack out with what the command line gives, in place of what zuk has
 * prepared there, of which the manifest's environment stays.  The stack pointer. */
static __attribute__((noinline)) uint64_t *stack_given(const struct image_manifest *m) {
    if (m->stubs - m->stack + given.room > m->stack_size / 2)
        panic("arguments and environment (%zu bytes) do not fit the stack",
              m->stubs - m->stack + given.room);
    const char *own = (const char *)m;
    const char *own_aux = own + m->stack + (m->argc + m->envc + 3) * sizeof(uint64_t);
    const char *own_random = own_aux + AUX_SIZE;
    const char *env = (const char *)STACK_END - (m->stubs - m->envv);
    char *given_env = env_at = (char *)env - given.env_bytes;
    uint64_t argc = given.argc ? given.argc : m->argc;
    size_t arg_bytes = given.argc ? given.arg_bytes : m->envv - m->argv;
    char *args = arg_at = given_env - arg_bytes;
    if (!given.argc)
        memcpy(args, own + m->argv, arg_bytes);
    scan_all();
    size_t size = (size_t)(own + m->argv - own_random); /* to the name's end */
    char *random = (char *)ALIGN_DOWN((uint64_t)args - size, 16);
    memcpy(random, own_random, size);

    uint64_t words = argc + given.envc + m->envc + 3;
    uint64_t *sp = (uint64_t *)ALIGN_DOWN((uint64_t)random - AUX_SIZE - words * sizeof *sp, 16);
    sp[0] = argc;
    uint64_t *first = point(&sp[1], args, argc, &sp[1]);
    *first++ = 0;
    uint64_t *at = point(first, given_env, given.envc, first);
    at = point(at, env, m->envc, first);
    *at++ = 0;
    memcpy(at, own_aux, AUX_SIZE);
    at[2 * IMAGE_AUX_RANDOM + 1] = (uint64_t)random;
    at[2 * IMAGE_AUX_PLATFORM + 1] = (uint64_t)random + 16;
    at[2 * IMAGE_AUX_EXECFN + 1] = (uint64_t)(random + size) - (m->argv - m->name) - 1;
    return sp;
}

/* The generator comes with RANDOM; a guess is the last resort. */
static __attribute__((noinline)) void guess(uint64_t *out) {
    *out = arch_cycles() * 0x9e3779b97f4a7c15ull;
    if (random_bytes)
        random_bytes(out, sizeof *out);
}

/* Returns the initial stack pointer. */
static vaddr_t build_stack(const struct image_manifest *m) {
    size_t size = m->stubs - m->stack;
    uint64_t *sp = memcpy((char *)STACK_END - size, (const char *)m + m->stack, size);
    if (given.room)
        sp = stack_given(m);
    uint64_t *aux = &sp[sp[0] + 2];
    while (*aux++)
        ;
    aux[2 * IMAGE_AUX_HWCAP + 1] = arch_hwcap;
    aux[2 * IMAGE_AUX_MINSIGSTKSZ + 1] = arch_signal_frame_size;
    uint64_t *random = (uint64_t *)aux[2 * IMAGE_AUX_RANDOM + 1];
    for (unsigned i = 2; i--; random++) {
        if (!arch_random(random))
            guess(random);
    }
    return (vaddr_t)sp;
}

void app_start(void) {
    const struct image_manifest *m = bootinfo.manifest;
    scan_all(); /* settings first: they say where a panic is told */
    first_pages(m);
    vaddr_t sp = build_stack(m);
    timeline_mark(TIMELINE_LOADED);
    if (given.anything) {
        if (app_settings.timeline)
            timeline_tell();
        if (app_settings.isolate)
            arch_isolate();
        if (app_settings.trace)
            trace_start();
    }
    arch_app_enter(m->entry, sp);
}
