/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls -> options of the kernel, each with its reason, from the two
 * tables in abi/.  An option is on because it is in every image, because a
 * machine may have the device, because a call that the app can reach asks for
 * it, or because another option needs it.
 */
#include "zuk/features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/diag.h"
#include "zuk/options.h"
#include "zuk/scan.h"
#include "zuk/util.h"

/* --- the tables --------------------------------------------------------- */

static const struct call {
    const char *name;
    int number;
    const char *option;
    enum image_policy policy;
} calls[] = {
#define SYSCALL(name, x86_64, aarch64, option, policy)                                             \
    {#name, x86_64, #option, IMAGE_POLICY_##policy},
#include "abi/syscalls.def"
#undef SYSCALL
};
enum { CALLS = sizeof calls / sizeof calls[0] };

enum kind { ALWAYS, CALLS_ASK, DEVICE };
#define KIND_ALWAYS ALWAYS
#define KIND_CALLS CALLS_ASK
#define KIND_DEVICE DEVICE

static const struct option {
    const char *name;
    enum kind kind;
    const char *needs;
    const char *what;
} options[] = {
#define FEATURE(option, kind, needs, what) {#option, KIND_##kind, #needs, what},
#define OBJECT(option, path)
#include "abi/features.def"
#undef FEATURE
#undef OBJECT
};
enum { OPTIONS = sizeof options / sizeof options[0] };

static const struct feature_object objects[] = {
#define FEATURE(option, kind, needs, what)
#define OBJECT(option, path) {#option, path},
#include "abi/features.def"
#undef FEATURE
#undef OBJECT
    {NULL, NULL},
};

static const struct call *call_row(uint64_t number) {
    static const struct call *index[SCAN_CALLS];
    static bool filled;
    if (!filled) {
        for (size_t i = 0; i < CALLS; i++) {
            if (calls[i].number >= 0 && calls[i].number < SCAN_CALLS) {
                index[calls[i].number] = &calls[i];
            }
        }
        filled = true;
    }
    return number < SCAN_CALLS ? index[number] : NULL;
}

int features_call_number(const char *name) {
    for (size_t i = 0; i < CALLS; i++) {
        if (calls[i].number >= 0 && strcmp(calls[i].name, name) == 0) {
            return calls[i].number;
        }
    }
    return -1;
}

const char *features_call_name(uint64_t number) {
    const struct call *call = call_row(number);
    return call == NULL ? NULL : call->name;
}

enum image_policy features_call_policy(uint64_t number) {
    const struct call *call = call_row(number);
    return call == NULL ? IMAGE_POLICY_TRAP : call->policy;
}

bool features_policy(const char *text, struct features_policy *out) {
    static const char *const words[] = {"trap", "enosys", "ignore", NULL};
    const char *equals = strchr(text, '=');
    const char *word = equals == NULL ? text : equals + 1;
    *out = (struct features_policy){.every = equals == NULL};
    unsigned i = 0;
    while (words[i] != NULL && strcmp(words[i], word) != 0) {
        i++;
    }
    if (words[i] == NULL || (equals == NULL && i > 1)) {
        diag_error("option --missing: '%s' is no policy for %s", word,
                   equals == NULL ? "every call" : "a call");
        diag_hint(equals == NULL ? "trap, enosys, or CALL=trap, CALL=enosys, CALL=ignore"
                                 : "trap, enosys or ignore");
        return false;
    }
    out->policy =
        (enum image_policy[]){IMAGE_POLICY_TRAP, IMAGE_POLICY_ENOSYS, IMAGE_POLICY_IGNORE}[i];
    if (equals == NULL) {
        return true;
    }
    char *name = xstrndup(text, (size_t)(equals - text));
    int number = features_call_number(name);
    if (number < 0) {
        const char *names[CALLS + 1] = {NULL};
        for (size_t k = 0, n = 0; k < CALLS; k++) {
            if (calls[k].number >= 0) {
                names[n++] = calls[k].name;
            }
        }
        const char *nearest = options_nearest(name, names);
        diag_error("option --missing: there is no system call '%s'", name);
        if (nearest != NULL) {
            diag_hint("did you mean %s?", nearest);
        }
        return false;
    }
    out->number = (uint16_t)number;
    return true;
}

/* --- the choice --------------------------------------------------------- */

static struct feature *find(struct features *f, const char *name) {
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->list[i].name, name) == 0) {
            return &f->list[i];
        }
    }
    return NULL;
}

static void turn_on(struct feature *feature, const char *reason) {
    if (!feature->on) {
        feature->on = true;
        feature->reason = reason;
    }
}

static void start(struct features *f) {
    *f = (struct features){.list = xalloc(OPTIONS * sizeof *f->list), .count = OPTIONS};
    for (size_t i = 0; i < OPTIONS; i++) {
        f->list[i] = (struct feature){
            .name = options[i].name, .what = options[i].what, .reason = "no call asks for it"};
        if (options[i].kind == ALWAYS) {
            turn_on(&f->list[i], "in every image");
        } else if (options[i].kind == DEVICE) {
            turn_on(&f->list[i], "a machine may have it");
        }
    }
}

static void finish(struct features *f) {
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < OPTIONS; i++) {
            struct feature *needed = find(f, options[i].needs);
            if (f->list[i].on && needed != NULL && !needed->on) {
                turn_on(needed, xasprintf("%s needs it", f->list[i].name));
                again = true;
            }
        }
    }
    char *names = xstrdup("");
    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].on) {
            names = xasprintf("%s%s%s", names, *names == '\0' ? "" : " ", f->list[i].name);
        }
    }
    f->names = names;
}

void features_choose(const struct scan *scan, struct features *out) {
    if (scan->unknown) {
        const struct scan_site *site = scan->site_count > 0 ? &scan->sites[0] : NULL;
        features_all(site == NULL
                         ? "the app's system calls cannot be known"
                         : xasprintf("the app's system calls cannot be known: %s, at "
                                     "0x%llx in %s",
                                     site->why, (unsigned long long)site->address, site->function),
                     out);
        return;
    }
    start(out);
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        const struct call *call = scan->calls[i] ? call_row(i) : NULL;
        struct feature *feature = call == NULL ? NULL : find(out, call->option);
        if (feature != NULL) {
            turn_on(feature, scan->from[i] == NULL
                                 ? call->name
                                 : xasprintf("%s, from %s", call->name, scan->from[i]));
        }
    }
    finish(out);
}

void features_add(struct features *f, const char *name, const char *reason) {
    struct feature *feature = find(f, name);
    if (feature != NULL) {
        turn_on(feature, reason);
        finish(f);
    }
}

void features_all(const char *reason, struct features *out) {
    start(out);
    for (size_t i = 0; i < OPTIONS; i++) {
        turn_on(&out->list[i], reason);
    }
    finish(out);
}

static bool is_option(const char *name) {
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

char *features_text(const struct features *f, const struct scan *scan) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return xstrdup("");
    }
    fprintf(out, "# options of the kernel, and why\n");
    for (size_t i = 0; i < f->count; i++) {
        const struct feature *feature = &f->list[i];
        fprintf(out, "%-12s %-3s  %s  (%s)\n", feature->name, feature->on ? "on" : "off",
                feature->reason, feature->what);
    }
    fprintf(out, "\n# system calls that the app can make%s\n",
            scan->unknown ? "; these, and others that cannot be known" : "");
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        const struct call *call = call_row(i);
        if (!scan->calls[i]) {
            continue;
        }
        fprintf(out, "%-20s %-12s from %s\n", call == NULL ? xasprintf("%u", i) : call->name,
                call != NULL && is_option(call->option) ? call->option : "absent",
                scan->from[i] == NULL ? "?" : scan->from[i]);
    }
    for (size_t i = 0; i < scan->site_count; i++) {
        fprintf(out, "# unknown: 0x%llx in %s: %s\n", (unsigned long long)scan->sites[i].address,
                scan->sites[i].function, scan->sites[i].why);
    }
    fclose(out);
    char *copy = xstrdup(text);
    free(text);
    return copy;
}

size_t features_objects(const struct features *f, const char *arch, struct feature_object **out) {
    VEC(struct feature_object) list = {0};
    for (const struct feature_object *o = objects; o->option != NULL; o++) {
        bool on = false;
        for (size_t i = 0; i < f->count; i++) {
            on |= f->list[i].on && strcmp(f->list[i].name, o->option) == 0;
        }
        if (!on) {
            continue;
        }
        const char *at = strchr(o->path, '@');
        const char *path =
            at == NULL ? o->path
                       : xasprintf("%.*sarch/%s%s", (int)(at - o->path), o->path, arch, at + 1);
        bool listed = false; /* two options may share an object */
        for (size_t i = 0; i < list.len; i++) {
            listed |= strcmp(list.data[i].path, path) == 0;
        }
        if (!listed) {
            *vec_push(&list) = (struct feature_object){o->option, path};
        }
    }
    *out = list.data;
    return list.len;
}
