/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options, words and files of options (config.h).
 */
#include "zuk/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "zuk/diag.h"
#include "zuk/features.h"
#include "zuk/options.h"
#include "zuk/scan.h"

enum { FILE_MAX = 1 << 20, LINE_MAX_BYTES = 4096 };

static const char *const missing_words[] = {"default", "trap", "enosys", NULL};
static const char *const machine_words[] = {"microvm", "q35", "pc", NULL};

/* The values; features come before them. */
static const struct config_option values[] = {
    {"MISSING", CONFIG_CHOICE, "what every missing system call does", "default", missing_words},
    {"MISSING_CALLS", CONFIG_CALLS, "what single missing calls do: fork=enosys ptrace=ignore", "",
     NULL},
    {"MEMORY_SIZE", CONFIG_SIZE, "memory of the machine; empty: what the image needs", "", NULL},
    {"MACHINE", CONFIG_CHOICE, "the machine that QEMU is", "microvm", machine_words},
    {"STRICT", CONFIG_BOOL, "an undefined symbol is an error", "n", NULL},
    {"STRIP", CONFIG_BOOL, "leave symbols and debug information out", "n", NULL},
};
enum { VALUES = sizeof values / sizeof values[0] };

const struct config_option *config_options(void) {
    static struct config_option *all;
    if (all == NULL) {
        struct features f;
        features_all("", &f);
        all = calloc(f.count + VALUES + 1, sizeof *all); /* outlives the arena */
        if (all == NULL) {
            diag_error("out of memory");
            exit(EXIT_USER);
        }
        for (size_t i = 0; i < f.count; i++) {
            all[i] =
                (struct config_option){f.list[i].name, CONFIG_FEATURE, f.list[i].what, NULL, NULL};
        }
        memcpy(all + f.count, values, sizeof values);
    }
    return all;
}

const struct config_option *config_option(const char *name) {
    name += strncasecmp(name, "CONFIG_", 7) == 0 ? 7 : 0;
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        if (strcasecmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

/* --- words -------------------------------------------------------------- */

static const char *nearest_option(const char *name) {
    VEC(const char *) names = {0};
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        *vec_push(&names) = o->name;
    }
    *vec_push(&names) = NULL;
    char *upper = xstrdup(name + (strncasecmp(name, "CONFIG_", 7) == 0 ? 7 : 0));
    for (char *s = upper; *s != '\0'; s++) {
        *s = (char)toupper((unsigned char)*s);
    }
    return options_nearest(upper, names.data);
}

/* CONFIG_MACHINE_Q35, as the menu writes a choice: its option and word. */
static const struct config_option *choice_of(const char *name, const char **word) {
    name += strncasecmp(name, "CONFIG_", 7) == 0 ? 7 : 0;
    for (size_t i = 0; i < VALUES; i++) {
        size_t n = strlen(values[i].name);
        if (values[i].kind != CONFIG_CHOICE || strncasecmp(name, values[i].name, n) != 0 ||
            name[n] != '_') {
            continue;
        }
        for (const char *const *w = values[i].words; *w != NULL; w++) {
            if (strcasecmp(*w, name + n + 1) == 0) {
                *word = *w;
                return config_option(values[i].name);
            }
        }
    }
    return NULL;
}

static bool unknown_option(const char *name, const char *where, bool is_error) {
    const char *nearest = nearest_option(name);
    name += strncasecmp(name, "CONFIG_", 7) == 0 ? 7 : 0;
    if (is_error) {
        diag_error("%s: there is no option CONFIG_%s", where, name);
    } else {
        diag_warning("%s: there is no option CONFIG_%s: the line does nothing", where, name);
    }
    if (nearest != NULL) {
        diag_hint("did you mean CONFIG_%s?", nearest);
    } else {
        diag_hint("'zuk config show' lists the options");
    }
    return !is_error;
}

static bool bad_value(const struct config_option *o, const char *value, const char *where) {
    const char *wanted = "y or n";
    if (o->kind == CONFIG_CHOICE) {
        wanted = o->words[0];
        for (const char *const *w = o->words + 1; *w != NULL; w++) {
            wanted = xasprintf("%s, %s", wanted, *w);
        }
        wanted = xasprintf("one of %s", wanted);
    } else if (o->kind == CONFIG_SIZE) {
        wanted = "a size such as 64M or 1G";
    }
    diag_error("%s: CONFIG_%s is %s, not '%s'", where, o->name, wanted, value);
    return false;
}

static bool check_calls(const char *value) {
    char *text = xstrdup(value), *rest = NULL;
    for (char *w = strtok_r(text, " ,", &rest); w != NULL; w = strtok_r(NULL, " ,", &rest)) {
        struct features_policy p;
        if (strchr(w, '=') == NULL || !features_policy(w, &p)) {
            return false;
        }
    }
    return true;
}

static bool check_value(const struct config_option *o, const char *value, const char *where) {
    uint64_t bytes;
    bool ok = false;
    switch (o->kind) {
    case CONFIG_FEATURE:
    case CONFIG_BOOL:
        ok = strcmp(value, "y") == 0 || strcmp(value, "n") == 0;
        break;
    case CONFIG_CHOICE:
        for (const char *const *w = o->words; *w != NULL; w++) {
            ok |= strcmp(*w, value) == 0;
        }
        break;
    case CONFIG_SIZE:
        ok = *value == '\0' || options_size(value, &bytes);
        break;
    case CONFIG_CALLS: {
        bool was_quiet = diag_quiet;
        diag_quiet = true;
        ok = check_calls(value);
        diag_quiet = was_quiet;
        if (!ok) {
            diag_error("%s: CONFIG_%s is CALL=POLICY words, not '%s'", where, o->name, value);
            diag_hint("such as \"fork=enosys ptrace=ignore\"; a policy is trap, enosys or ignore");
            return false;
        }
        break;
    }
    }
    return ok || bad_value(o, value, where);
}

static bool say(struct config *c, const char *name, const char *value, enum config_source source,
                const char *where, bool named) {
    const struct config_option *o = config_option(name);
    const char *word = NULL;
    if (o == NULL && (o = choice_of(name, &word)) != NULL) {
        if (strcmp(value, "y") != 0) {
            return strcmp(value, "n") == 0 || bad_value(config_option("STRIP"), value, where);
        }
        value = word;
    }
    if (o == NULL) {
        return unknown_option(name, where, named);
    }
    if (!check_value(o, value, where)) {
        return false;
    }
    *vec_push(&c->words) = (struct config_word){o, xstrdup(value), source, where};
    return true;
}

bool config_say(struct config *c, const char *name, const char *value, enum config_source source,
                const char *where) {
    return say(c, name, value, source, where, true);
}

bool config_say_text(struct config *c, const char *text, const char *where) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        diag_error("%s: '%s' is not OPTION=VALUE", where, text);
        diag_hint("such as FILES=n or MEMORY_SIZE=128M; 'zuk config show' lists the options");
        return false;
    }
    return config_say(c, xstrndup(text, (size_t)(equals - text)), equals + 1, CONFIG_COMMAND,
                      where);
}

const struct config_word *config_word(const struct config *c, const char *option) {
    const struct config_word *best = NULL;
    for (size_t i = 0; i < c->words.len; i++) {
        const struct config_word *w = &c->words.data[i];
        if (strcmp(w->option->name, option) == 0 && (best == NULL || w->source >= best->source)) {
            best = w;
        }
    }
    return best;
}

const char *config_value(const struct config *c, const char *option) {
    const struct config_word *w = config_word(c, option);
    const struct config_option *o = config_option(option);
    return w != NULL ? w->value : o == NULL ? NULL : o->standard;
}

/* --- files -------------------------------------------------------------- */

/* "text" with its quotes and \" \\ taken away; NULL: not closed. */
static char *unquote(const char *text) {
    char *out = xstrdup(text), *to = out;
    const char *s = text + 1;
    for (; *s != '\0' && *s != '"'; s++) {
        if (*s == '\\' && s[1] != '\0') {
            s++;
        }
        *to++ = *s;
    }
    *to = '\0';
    return *s == '"' && s[1] == '\0' ? out : NULL;
}

/* The option that a line speaks of, and what it says; NULL: of none. */
static const char *split_line(char *line, const char **value) {
    static const char not_set[] = " is not set";
    size_t n = strlen(line);
    while (n > 0 && isspace((unsigned char)line[n - 1])) {
        line[--n] = '\0';
    }
    if (strncmp(line, "# CONFIG_", 9) == 0 && n > 9 + sizeof not_set - 1 &&
        strcmp(line + n - (sizeof not_set - 1), not_set) == 0) {
        line[n - (sizeof not_set - 1)] = '\0';
        *value = "n";
        return strchr(line + 2, ' ') == NULL ? line + 2 : NULL;
    }
    char *equals = strchr(line, '=');
    if (*line == '#' || equals == NULL) {
        return NULL;
    }
    *equals = '\0';
    *value = equals + 1;
    return line;
}

static bool take_line(struct config *c, const char *where, char *line, bool named) {
    while (isspace((unsigned char)*line)) {
        line++;
    }
    bool plain = *line == '#' || *line == '\0';
    const char *value, *name = split_line(line, &value);
    if (name == NULL && plain) {
        return true; /* a comment */
    }
    if (name == NULL || strncmp(name, "CONFIG_", 7) != 0) {
        diag_error("%s: '%s' is no line of options", where, line);
        diag_hint("CONFIG_OPTION=y, # CONFIG_OPTION is not set, CONFIG_OPTION=\"text\", or a "
                  "comment that begins with #");
        return false;
    }
    if (*value == '"') {
        value = unquote(value);
        if (value == NULL) {
            diag_error("%s: the quotes of %s do not match", where, name);
            return false;
        }
    }
    return say(c, name, value, CONFIG_FILE, where, named);
}

bool config_parse(struct config *c, const char *path, const char *text, size_t size, bool named) {
    if (size > FILE_MAX || memchr(text, 0, size) != NULL) {
        diag_error("'%s' is no file of options: %s", path,
                   size > FILE_MAX ? "it is larger than 1 MiB" : "it holds a NUL byte");
        return false;
    }
    bool ok = true;
    unsigned number = 0;
    for (const char *s = text, *end = text + size; s < end;) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        size_t n = stop == NULL ? (size_t)(end - s) : (size_t)(stop - s);
        const char *where = xasprintf("%s:%u", path, ++number);
        if (n > LINE_MAX_BYTES) {
            diag_error("%s: the line is longer than %d bytes", where, LINE_MAX_BYTES);
            return false;
        }
        ok &= take_line(c, where, xstrndup(s, n), named);
        s += n + 1;
    }
    return ok;
}

bool config_read(struct config *c, const char *path, bool named) {
    struct file_map map;
    if (!file_map(path, &map)) {
        return false;
    }
    bool ok = map.size == 0 || config_parse(c, path, (const char *)map.data, map.size, named);
    file_unmap(&map);
    return ok;
}

char *config_line(const struct config_option *o, const char *value) {
    if (o->kind == CONFIG_FEATURE || o->kind == CONFIG_BOOL) {
        return strcmp(value, "n") == 0 ? xasprintf("# CONFIG_%s is not set", o->name)
                                       : xasprintf("CONFIG_%s=%s", o->name, value);
    }
    char *quoted = xalloc(strlen(value) * 2 + 1), *to = quoted;
    for (const char *s = value; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\') {
            *to++ = '\\';
        }
        *to++ = *s;
    }
    return xasprintf("CONFIG_%s=\"%s\"", o->name, quoted);
}

/* Does that line of a file set that option? */
static bool speaks_of(const char *line, size_t size, const struct config_option *option) {
    char *copy = xstrndup(line, size);
    while (isspace((unsigned char)*copy)) {
        copy++;
    }
    const char *value, *word, *name = split_line(copy, &value);
    return name != NULL && strncmp(name, "CONFIG_", 7) == 0 &&
           (config_option(name) == option || choice_of(name, &word) == option);
}

char *config_edit(const char *text, size_t size, const struct config_option *option,
                  const char *value) {
    char *out = NULL;
    size_t length;
    FILE *f = open_memstream(&out, &length);
    if (f == NULL) {
        return xstrdup("");
    }
    bool written = value == NULL;
    for (const char *s = text, *end = text + size; s < end;) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        size_t n = stop == NULL ? (size_t)(end - s) : (size_t)(stop - s);
        if (!speaks_of(s, n, option)) {
            fprintf(f, "%.*s\n", (int)n, s);
        } else if (!written) {
            fprintf(f, "%s\n", config_line(option, value));
            written = true;
        }
        s += n + 1;
    }
    if (!written) {
        fprintf(f, "%s\n", config_line(option, value));
    }
    fclose(f);
    char *copy = xstrdup(out);
    free(out);
    return copy;
}

/* --- what comes of it --------------------------------------------------- */

static const struct feature *feature_of(const struct features *f, const char *name) {
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->list[i].name, name) == 0) {
            return &f->list[i];
        }
    }
    return NULL;
}

/* The network was turned off, and the app is known to want it. */
static void tell_lost_network(const struct feature *f, const struct scan *scan) {
    if (!f->on && strcmp(f->name, "INET") == 0 && scan->network != 0 &&
        scan->network_unknown == NULL) {
        diag_warning("CONFIG_%s=n (%s), but the app asks for the network: %s", f->name, f->reason,
                     features_reason(scan, scan->network));
        diag_hint("such a socket is refused with EAFNOSUPPORT, and the run says so");
    }
}

/* Warns of calls that the app can make and whose option was turned off. */
static void tell_lost_calls(const struct features *f, const struct scan *scan) {
    for (size_t i = 0; i < f->count; i++) {
        const char *first = NULL;
        unsigned count = 0;
        for (unsigned k = 0; !f->list[i].on && k < SCAN_CALLS; k++) {
            const char *option = scan->calls[k] ? features_call_option(k) : NULL;
            if (option != NULL && strcmp(option, f->list[i].name) == 0) {
                bool better = first == NULL ||
                              (strstr(first, "()") == NULL && scan->callers[k].function != NULL);
                first = better ? features_reason(scan, k) : first;
                count++;
            }
        }
        if (first != NULL) {
            diag_warning("CONFIG_%s=n (%s), but the app can make its calls: %s%s", f->list[i].name,
                         f->list[i].reason, first,
                         count > 1 ? xasprintf(", and %u more", count - 1) : "");
            diag_hint("such a call stops the app with a report; --missing CALL=enosys makes it "
                      "fail instead");
        }
        tell_lost_network(&f->list[i], scan);
    }
}

void config_apply(const struct config *c, struct features *f, const struct scan *scan, bool quiet) {
    VEC(struct features_word) words = {0};
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        const struct config_word *w = config_word(c, o->name);
        if (w != NULL && o->kind == CONFIG_FEATURE) {
            *vec_push(&words) = (struct features_word){o->name, strcmp(w->value, "y") == 0,
                                                       (unsigned)w->source, w->where, NULL};
        }
    }
    if (words.len == 0) {
        return;
    }
    features_overrule(f, words.data, words.len);
    for (size_t i = 0; i < words.len && !quiet; i++) {
        const struct features_word *w = &words.data[i];
        if (w->overruled != NULL) {
            diag_warning("CONFIG_%s=%s (%s) did not stick: %s", w->name, w->on ? "y" : "n",
                         w->where, w->overruled);
        }
    }
    if (!quiet) {
        tell_lost_calls(f, scan);
    }
}

const char *config_reason(const struct config *c, const struct features *f,
                          const struct config_option *o) {
    const struct config_word *w = config_word(c, o->name);
    if (o->kind == CONFIG_FEATURE) {
        const struct feature *feature = feature_of(f, o->name);
        return feature == NULL ? "?" : feature->reason;
    }
    return w == NULL ? "the default" : xasprintf("%s says so", w->where);
}

char *config_full(const struct config *c, const struct features *f, const char *image) {
    char *out = NULL;
    size_t length;
    FILE *file = open_memstream(&out, &length);
    if (file == NULL) {
        return xstrdup("");
    }
    fprintf(file,
            "# The options of %s, each with its reason.  Written by zuk, not read again:\n"
            "# change them with 'zuk config set', 'zuk menu' or --set.\n",
            image);
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        const struct feature *feature = feature_of(f, o->name);
        const char *value = feature == NULL ? config_value(c, o->name) : feature->on ? "y" : "n";
        fprintf(file, "\n# %s: %s\n%s\n", o->what, config_reason(c, f, o), config_line(o, value));
    }
    fclose(file);
    char *copy = xstrdup(out);
    free(out);
    return copy;
}
