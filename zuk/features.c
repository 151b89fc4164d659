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

enum kind { ALWAYS, CALLS_ASK, DEVICE, ASKED };
#define KIND_ALWAYS ALWAYS
#define KIND_CALLS CALLS_ASK
#define KIND_DEVICE DEVICE
#define KIND_ASKED ASKED

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

static bool is_option(const char *name) {
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

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

const char *features_call_option(uint64_t number) {
    const struct call *call = call_row(number);
    return call != NULL && is_option(call->option) ? call->option : NULL;
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
    feature->root = true;
    if (!feature->on) {
        feature->on = true;
        feature->reason = reason;
    }
}

/* All handlers of an option and of what it needs. */
static void take_calls(struct features *f, const char *name) {
    const struct feature *feature = find(f, name);
    for (size_t depth = 0; feature != NULL && depth < OPTIONS; depth++) {
        for (size_t i = 0; i < CALLS; i++) {
            if (calls[i].number >= 0 && strcmp(calls[i].option, feature->name) == 0) {
                f->calls[calls[i].number] = true;
            }
        }
        feature = find(f, feature->needs);
    }
}

#define NOT_ASKED "no call asks for it"

static void start(struct features *f) {
    *f = (struct features){.list = xalloc(OPTIONS * sizeof *f->list), .count = OPTIONS};
    for (size_t i = 0; i < OPTIONS; i++) {
        f->list[i] = (struct feature){.name = options[i].name,
                                      .what = options[i].what,
                                      .reason = NOT_ASKED,
                                      .needs = options[i].needs,
                                      .always = options[i].kind == ALWAYS,
                                      .call = -1};
        if (options[i].kind == ALWAYS) {
            turn_on(&f->list[i], "in every image");
        } else if (options[i].kind == DEVICE) {
            turn_on(&f->list[i], "a machine may have it");
        }
    }
}

/* What the roots need comes along. */
static void finish(struct features *f) {
    for (size_t i = 0; i < f->count; i++) {
        struct feature *feature = &f->list[i];
        if (feature->on && !feature->root) {
            feature->on = false;
            feature->reason = NOT_ASKED;
        }
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < OPTIONS; i++) {
            struct feature *needed = find(f, options[i].needs);
            if (f->list[i].on && needed != NULL && !needed->on) {
                needed->on = true;
                needed->reason = xasprintf("%s needs it", f->list[i].name);
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

char *features_reason(const struct scan *scan, unsigned number) {
    const char *name = features_call_name(number);
    const struct scan_caller *c = &scan->callers[number];
    name = name == NULL ? xasprintf("call %u", number) : name;
    if (c->function == NULL) {
        return scan->from[number] == NULL ? xstrdup(name)
                                          : xasprintf("%s, from %s", name, scan->from[number]);
    }
    char *text = xasprintf("%s() is called by %s", name, c->function);
    if (c->through != NULL && strcmp(c->through, name) != 0) {
        text = xasprintf("%s through %s", text, c->through);
    }
    return c->file == NULL ? text : xasprintf("%s (%s:%u)", text, c->file, c->line);
}

/* One family of sockets is not worth another's code. */
static void choose_network(const struct scan *scan, struct features *out) {
    struct feature *inet = find(out, "INET");
    if (scan->network != 0) {
        turn_on(inet, features_reason(scan, scan->network));
        inet->call = scan->network;
        if (scan->network_unknown != NULL) {
            inet->reason = xasprintf("%s, with a %s that cannot be known", inet->reason,
                                     scan->network_unknown);
        }
    } else if (scan->calls[features_call_number("socket")]) {
        inet->reason = "the app's sockets are of AF_UNIX";
    }
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
            out->calls[i] = true;
            bool better = feature->on && feature->call >= 0 && scan->callers[i].function != NULL &&
                          scan->callers[feature->call].function == NULL;
            if (!feature->on || better) {
                feature->on = feature->root = true;
                feature->call = (int)i;
                feature->reason = features_reason(scan, i);
            }
        }
    }
    choose_network(scan, out);
    if (scan->vdso) {
        turn_on(find(out, "VDSO"), "the app looks up __vdso_clock_gettime");
    }
    finish(out);
}

bool features_listed(const char *names, const char *option) {
    size_t n = strlen(option);
    for (const char *at = names; at != NULL && (at = strstr(at, option)) != NULL; at++) {
        if ((at == names || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

void features_add(struct features *f, const char *name, const char *reason) {
    struct feature *feature = find(f, name);
    if (feature != NULL) {
        turn_on(feature, reason);
        take_calls(f, name);
        finish(f);
    }
}

/* The first option that this one needs and somebody turned off, or NULL. */
static struct features_word *banned(struct features *f, const struct feature *feature,
                                    struct features_word *words, size_t count) {
    for (size_t depth = 0; feature != NULL && depth < OPTIONS; depth++) {
        for (size_t i = 0; i < count; i++) {
            if (!words[i].on && words[i].overruled == NULL &&
                strcmp(words[i].name, feature->name) == 0) {
                return &words[i];
            }
        }
        feature = find(f, feature->needs);
    }
    return NULL;
}

/* A y takes back the n of what it needs, unless one of a higher rank stands. */
static void take_back(struct features *f, struct features_word *word, struct features_word *words,
                      size_t count) {
    const struct feature *feature = find(f, word->name);
    struct features_word *ban;
    while ((ban = banned(f, feature, words, count)) != NULL) {
        if (ban->rank > word->rank) {
            word->overruled =
                xasprintf("it needs CONFIG_%s, which %s turns off", ban->name, ban->where);
            return;
        }
        ban->overruled = xasprintf("CONFIG_%s=y (%s) needs it", word->name, word->where);
    }
}

static int by_rank(const void *a, const void *b) {
    const struct features_word *x = *(struct features_word *const *)a,
                               *y = *(struct features_word *const *)b;
    return (x->rank < y->rank) - (x->rank > y->rank);
}

void features_overrule(struct features *f, struct features_word *words, size_t count) {
    struct features_word **wanted = xalloc((count + 1) * sizeof(struct features_word *));
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct feature *feature = find(f, words[i].name);
        words[i].overruled = feature == NULL                   ? "there is no such option"
                             : feature->always && !words[i].on ? "it is in every image"
                                                               : NULL;
        if (feature != NULL && words[i].on) {
            wanted[n++] = &words[i];
        }
    }
    if (n > 0) {
        qsort(wanted, n, sizeof(struct features_word *), by_rank);
    }
    for (size_t i = 0; i < n; i++) {
        take_back(f, wanted[i], words, count);
        struct feature *feature = find(f, wanted[i]->name);
        if (wanted[i]->overruled == NULL) {
            feature->on = feature->root = true;
            feature->reason = xasprintf("%s says so", wanted[i]->where);
            take_calls(f, feature->name);
        }
    }
    for (size_t i = 0; i < f->count; i++) {
        struct feature *feature = &f->list[i];
        const struct features_word *ban = banned(f, feature, words, count);
        if (ban != NULL) {
            feature->on = feature->root = false;
            feature->reason =
                strcmp(ban->name, feature->name) == 0
                    ? xasprintf("%s says so", ban->where)
                    : xasprintf("it needs %s, which %s turns off", ban->name, ban->where);
        }
    }
    finish(f);
}

void features_all(const char *reason, struct features *out) {
    start(out);
    for (size_t i = 0; i < OPTIONS; i++) {
        if (options[i].kind != ASKED) {
            turn_on(&out->list[i], reason);
        }
    }
    memset(out->calls, true, sizeof out->calls);
    finish(out);
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

size_t features_handlers(const struct features *f, const char ***out) {
    VEC(const char *) list = {0};
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        const struct call *call = f->calls[i] ? call_row(i) : NULL;
        if (call != NULL && features_listed(f->names, call->option)) {
            *vec_push(&list) = call->name;
        }
    }
    *out = list.data;
    return list.len;
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
