/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk config show|why|set|unset|diff: the options of an input, and who decided
 * each.  What set and unset change is .config in the project's folder; only
 * what differs from the deduction is kept there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/settings.h"

static const char usage[] =
    "usage: zuk config show [OPTION...] [INPUT...]         every option, and why\n"
    "       zuk config why NAME [OPTION...] [INPUT...]     one option, all who ask for it\n"
    "       zuk config diff [OPTION...] [INPUT...]         what you changed\n"
    "       zuk config set NAME=VALUE... [INPUT]           writes .config in the project's folder\n"
    "       zuk config unset NAME... [INPUT]               back to what the app asks for\n"
    "\n"
    "Without an input: the project in this folder.  The command line wins over\n"
    ".config, that over the Kraftfile, that over what the app's calls ask for.\n";

static const char *value_of(const struct config *c, const struct features *f,
                            const struct config_option *o) {
    for (size_t i = 0; o->kind == CONFIG_FEATURE && i < f->count; i++) {
        if (strcmp(f->list[i].name, o->name) == 0) {
            return f->list[i].on ? "y" : "n";
        }
    }
    return config_value(c, o->name);
}

static const char *show_value(const struct config_option *o, const char *value) {
    return o->kind == CONFIG_FEATURE || o->kind == CONFIG_BOOL ? value : xasprintf("\"%s\"", value);
}

/* Words that another one overruled, or that did not stick. */
static void show_losers(const struct look *l, const struct config_option *o, const char *value) {
    const struct config_word *best = config_word(&l->config, o->name);
    for (size_t i = 0; i < l->config.words.len; i++) {
        const struct config_word *w = &l->config.words.data[i];
        if (w->option != o || strcmp(w->value, value) == 0) {
            continue;
        }
        if (w != best) {
            printf("    %s says %s, which %s overrules\n", w->where, w->value, best->where);
        } else {
            printf("    %s says %s, which did not stick\n", w->where, w->value);
        }
    }
}

static void show_option(const struct look *l, const struct config_option *o) {
    const char *value = value_of(&l->config, &l->features, o);
    printf("CONFIG_%s=%s  %s%s\n", o->name, show_value(o, value),
           o->kind == CONFIG_FEATURE && strcmp(value, "y") == 0 ? "because " : "",
           config_reason(&l->config, &l->features, o));
    show_losers(l, o, value);
}

/* Looks at inputs; without any and without a project, only words and defaults
 * are known, as if the app made no calls. */
static bool look_or_not(struct options *o, struct look *l) {
    if (o->input_count > 0 || settings_here()) {
        return settings_look(o, l);
    }
    *l = (struct look){0};
    if (!settings_load(o, &l->config)) {
        return false;
    }
    diag_note("no project here: nothing is deduced; what an app asks for comes on by itself");
    struct image_request request = settings_image(o, &l->config, NULL, NULL);
    features_choose(&l->scan, &l->deduced);
    image_features(&request, &l->scan, true, &l->features);
    return true;
}

/* Warnings belong to the answer: asked for, they are told. */
static void tell_words(struct options *o, struct look *l) {
    struct features again;
    struct image_request request = settings_image(o, &l->config, l->work, NULL);
    image_features(&request, &l->scan, false, &again);
}

static int show(struct options *o) {
    struct look l;
    if (!look_or_not(o, &l)) {
        return EXIT_USER;
    }
    for (const struct config_option *p = config_options(); p->name != NULL; p++) {
        show_option(&l, p);
    }
    tell_words(o, &l);
    return EXIT_OK;
}

static int diff(struct options *o) {
    struct look l;
    if (!look_or_not(o, &l)) {
        return EXIT_USER;
    }
    static const struct config nothing;
    for (const struct config_option *p = config_options(); p->name != NULL; p++) {
        const char *before = value_of(&nothing, &l.deduced, p),
                   *after = value_of(&l.config, &l.features, p);
        if (strcmp(before, after) != 0) {
            printf("CONFIG_%s: %s -> %s  (%s)\n", p->name, show_value(p, before),
                   show_value(p, after), config_reason(&l.config, &l.features, p));
        }
    }
    tell_words(o, &l);
    return EXIT_OK;
}

static const struct config_option *named_option(const char *name) {
    struct config none = {0};
    const struct config_option *o = config_option(name);
    if (o == NULL) {
        (void)config_say(&none, name, "y", CONFIG_COMMAND, "zuk config"); /* says what is wrong */
    }
    return o;
}

/* Every reachable call of that option. */
static void show_calls(const struct look *l, const struct config_option *o) {
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        const char *option = l->scan.calls[i] ? features_call_option(i) : NULL;
        if (option != NULL && strcmp(option, o->name) == 0) {
            printf("    %s\n", features_reason(&l->scan, i));
        }
    }
}

static int why(struct options *o, const char *name) {
    const struct config_option *option = named_option(name);
    struct look l;
    if (option == NULL || !look_or_not(o, &l)) {
        return option == NULL ? EXIT_USAGE : EXIT_USER;
    }
    show_option(&l, option);
    show_calls(&l, option);
    for (size_t i = 0; i < l.features.count; i++) {
        const struct feature *f = &l.features.list[i];
        if (f->on && strcmp(f->needs, option->name) == 0) {
            printf("    CONFIG_%s needs it\n", f->name);
        }
    }
    printf("    it is: %s\n", option->what);
    tell_words(o, &l);
    return EXIT_OK;
}

/* --- set, unset --------------------------------------------------------- */

/* Is it what the app asks for anyway?  Without an app nobody knows. */
static bool is_deduced(const struct look *l, bool known, const struct config_option *o,
                       const char *value) {
    static const struct config nothing;
    return (known || o->kind != CONFIG_FEATURE) &&
           strcmp(value_of(&nothing, &l->deduced, o), value) == 0;
}

static int change(struct options *o, char *const *names, size_t count, bool is_set) {
    struct config said = {0};
    for (size_t i = 0; i < count; i++) {
        if (is_set ? !config_say_text(&said, names[i], "zuk config set")
                   : named_option(names[i]) == NULL) {
            return EXIT_USAGE;
        }
    }
    const char *folder = settings_folder(o);
    const char *path = o->config != NULL          ? o->config
                       : strcmp(folder, ".") == 0 ? ".config"
                                                  : path_join(folder, ".config");
    struct look l = {0};
    bool project = is_set && (o->input_count > 0 || settings_here());
    bool was_quiet = diag_quiet;
    diag_quiet = true; /* a project that does not build yet may have its options */
    bool known = project && settings_look(o, &l);
    diag_quiet = was_quiet;
    struct file_map map = {0};
    if (is_file(path) && !file_map(path, &map)) {
        return EXIT_USER;
    }
    const char *text = map.data == NULL ? "" : xstrndup((const char *)map.data, map.size);
    for (size_t i = 0; i < count; i++) {
        const struct config_word *w = is_set ? &said.words.data[i] : NULL;
        const struct config_option *option = is_set ? w->option : config_option(names[i]);
        bool keep = is_set && !is_deduced(&l, known, option, w->value);
        if (is_set && !keep) {
            diag_note("CONFIG_%s=%s is %s: nothing is kept of it", option->name, w->value,
                      option->kind == CONFIG_FEATURE ? "what the app asks for" : "the default");
        }
        text = config_edit(text, strlen(text), option, keep ? w->value : NULL);
    }
    file_unmap(&map);
    if (*text == '\0') {
        if (unlink(path) != 0 && errno != ENOENT) {
            diag_error("cannot remove '%s': %s", path, strerror(errno));
            return EXIT_USER;
        }
        return EXIT_OK;
    }
    return write_file(path, text, strlen(text)) ? EXIT_OK : EXIT_USER;
}

/* The names come first: NAME=VALUE for set, options for unset; what is neither
 * is an input. */
static size_t count_names(char **words, bool is_set) {
    size_t n = 0;
    while (words[n] != NULL && words[n][0] != '-' &&
           (is_set ? strchr(words[n], '=') != NULL && access(words[n], F_OK) != 0
                   : config_option(words[n]) != NULL || n == 0)) {
        n++;
    }
    return n;
}

static int usage_error(const char *why) {
    diag_error("zuk config: %s", why);
    fputs(usage, stderr);
    return EXIT_USAGE;
}

int cmd_config(int argc, char **argv) {
    if (argc < 2) {
        return usage_error("what about it?");
    }
    const char *verb = argv[1];
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    static const char *const verbs[] = {"show", "why", "diff", "set", "unset", NULL};
    size_t v = 0;
    while (verbs[v] != NULL && strcmp(verbs[v], verb) != 0) {
        v++;
    }
    if (verbs[v] == NULL) {
        const char *nearest = options_nearest(verb, verbs);
        return usage_error(nearest == NULL
                               ? xasprintf("there is no '%s'", verb)
                               : xasprintf("there is no '%s'; did you mean '%s'?", verb, nearest));
    }
    bool asked_help = argc > 2 && strcmp(argv[2], "--help") == 0;
    char **names = argv + 2;
    size_t count = asked_help ? 0 : v == 1 ? argc > 2 : v >= 3 ? count_names(names, v == 3) : 0;
    if (count == 0 && !asked_help && (v == 1 || v >= 3)) {
        return usage_error(v == 3 ? "set what? NAME=VALUE" : xasprintf("%s which option?", verb));
    }
    struct options o;
    char **rest = xalloc(((size_t)argc + 1) * sizeof *rest);
    rest[0] = xasprintf("config %s", verb);
    size_t n = 1;
    for (char **w = names + count; *w != NULL; w++) {
        rest[n++] = *w;
    }
    int status = options_parse((int)n, rest, OPTIONS_BUILD | OPTIONS_LOOK, &o);
    if (status >= 0) {
        return status;
    }
    switch (v) {
    case 0:
        return show(&o);
    case 1:
        return why(&o, names[0]);
    case 2:
        return diff(&o);
    default:
        return change(&o, names, count, v == 3);
    }
}
