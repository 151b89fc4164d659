/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options -> Kconfig, and the menu's answer -> words (kconfig.h).
 */
#include "zuk/kconfig.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/scan.h"

/* In quotes; Kconfig knows \" and \\ and ends a string at the line's end. */
static void put_string(FILE *f, const char *s) {
    fputc('"', f);
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\') {
            fputc('\\', f);
        }
        fputc(iscntrl((unsigned char)*s) ? ' ' : *s, f);
    }
    fputc('"', f);
}

static void put_help(FILE *f, const char *text) {
    fputs("    help\n      ", f);
    for (; *text != '\0'; text++) {
        fputc(iscntrl((unsigned char)*text) ? ' ' : *text, f);
    }
    fputs("\n\n", f);
}

static char *upper(const char *word) {
    char *copy = xstrdup(word);
    for (char *s = copy; *s != '\0'; s++) {
        *s = (char)toupper((unsigned char)*s);
    }
    return copy;
}

static void put_feature(FILE *f, const struct feature *feature) {
    fprintf(f, "config %s\n    bool", feature->name);
    if (!feature->always) { /* without a prompt nobody can change it */
        fputc(' ', f);
        put_string(f, xasprintf("%s: %s", feature->name, feature->what));
    }
    fprintf(f, "\n    default %s\n", feature->on ? "y" : "n");
    if (strcmp(feature->needs, "NONE") != 0) {
        fprintf(f, "    select %s\n", feature->needs);
    }
    put_help(f, xasprintf("By itself %s: %s.", feature->on ? "on" : "off", feature->reason));
}

static void put_choice(FILE *f, const struct config_option *o) {
    fputs("choice\n    prompt ", f);
    put_string(f, o->what);
    fprintf(f, "\n    default %s_%s\n\n", o->name, upper(o->standard));
    for (const char *const *w = o->words; *w != NULL; w++) {
        fprintf(f, "config %s_%s\n    bool ", o->name, upper(*w));
        put_string(f, *w);
        fputs("\n\n", f);
    }
    fputs("endchoice\n\n", f);
}

static void put_value(FILE *f, const struct config_option *o) {
    if (o->kind == CONFIG_CHOICE) {
        put_choice(f, o);
        return;
    }
    fprintf(f, "config %s\n    %s ", o->name, o->kind == CONFIG_BOOL ? "bool" : "string");
    put_string(f, o->what);
    if (o->kind == CONFIG_BOOL) {
        fprintf(f, "\n    default %s\n\n", o->standard);
    } else {
        fputs("\n    default ", f);
        put_string(f, o->standard);
        fputs("\n\n", f);
    }
}

static char *finish(FILE *f, char **text) {
    fclose(f);
    char *copy = xstrdup(*text);
    free(*text);
    return copy;
}

char *kconfig_text(const char *name, const struct features *deduced) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) {
        return xstrdup("");
    }
    fputs("mainmenu ", f);
    put_string(f, xasprintf("zuk: options of %s", name));
    fputs("\n\nmenu \"What the kernel provides\"\n\n", f);
    for (size_t i = 0; i < deduced->count; i++) {
        put_feature(f, &deduced->list[i]);
    }
    fputs("endmenu\n\n", f);
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        if (o->kind != CONFIG_FEATURE) {
            put_value(f, o);
        }
    }
    return finish(f, &text);
}

static const struct feature *feature_of(const struct features *f, const char *name) {
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->list[i].name, name) == 0) {
            return &f->list[i];
        }
    }
    return NULL;
}

char *kconfig_start(const struct config *c, const struct features *f) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return xstrdup("");
    }
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        const struct feature *feature = feature_of(f, o->name);
        const char *value = config_value(c, o->name);
        if (o->kind == CONFIG_CHOICE) {
            for (const char *const *w = o->words; *w != NULL; w++) {
                const char *name = xasprintf("%s_%s", o->name, upper(*w));
                fprintf(out, strcmp(*w, value) == 0 ? "CONFIG_%s=y\n" : "# CONFIG_%s is not set\n",
                        name);
            }
        } else {
            fprintf(out, "%s\n", config_line(o, feature == NULL ? value : feature->on ? "y" : "n"));
        }
    }
    return finish(out, &text);
}

/* Do those words, but the one to leave out, give these features? */
static bool gives(const struct config *words, size_t left_out, const struct features *deduced,
                  const struct features *wanted) {
    static const struct scan no_calls;
    struct features f = *deduced;
    f.list = xalloc(deduced->count * sizeof *f.list);
    memcpy(f.list, deduced->list, deduced->count * sizeof *f.list);
    struct config c = {0};
    for (size_t i = 0; i < words->words.len; i++) {
        if (i != left_out) {
            *vec_push(&c.words) = words->words.data[i];
        }
    }
    config_apply(&c, &f, &no_calls, true);
    for (size_t i = 0; i < f.count; i++) {
        if (f.list[i].on != wanted->list[i].on) {
            return false;
        }
    }
    return true;
}

/* The menu's answer, by feature.  What only came along at the start, with an
 * option that is gone now, goes too. */
static bool *answers(const struct config *result, const struct features *deduced,
                     const struct features *start) {
    bool *on = xalloc((deduced->count + 1) * sizeof *on);
    for (size_t i = 0; i < deduced->count; i++) {
        const char *value = config_value(result, deduced->list[i].name);
        on[i] = value == NULL ? deduced->list[i].on : strcmp(value, "y") == 0;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < deduced->count; i++) {
            const struct feature *before = &start->list[i];
            bool needed = deduced->list[i].on || !before->on || before->root;
            for (size_t k = 0; !needed && k < deduced->count; k++) {
                needed = on[k] && strcmp(deduced->list[k].needs, before->name) == 0;
            }
            again |= on[i] && !needed;
            on[i] &= needed;
        }
    }
    return on;
}

void kconfig_differences(const struct config *result, const struct features *deduced,
                         const struct features *start, struct config *out) {
    *out = (struct config){0};
    const bool *on = answers(result, deduced, start);
    struct features wanted = *deduced;
    wanted.list = xalloc((deduced->count + 1) * sizeof *wanted.list);
    memcpy(wanted.list, deduced->list, deduced->count * sizeof *wanted.list);
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        const char *value = config_value(result, o->name), *before = o->standard;
        for (size_t i = 0; o->kind == CONFIG_FEATURE && i < wanted.count; i++) {
            if (strcmp(wanted.list[i].name, o->name) == 0) {
                before = wanted.list[i].on ? "y" : "n";
                value = on[i] ? "y" : "n";
                wanted.list[i].on = on[i];
            }
        }
        if (value != NULL && strcmp(value, before) != 0) {
            *vec_push(&out->words) = (struct config_word){o, value, CONFIG_FILE, "the menu"};
        }
    }
    /* What comes along anyway is no word: the last come first, because options
     * that are needed stand before those that need them. */
    for (size_t i = out->words.len; i-- > 0;) {
        if (out->words.data[i].option->kind == CONFIG_FEATURE && gives(out, i, deduced, &wanted)) {
            memmove(&out->words.data[i], &out->words.data[i + 1],
                    (out->words.len - i - 1) * sizeof *out->words.data);
            out->words.len--;
        }
    }
}
