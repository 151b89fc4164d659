/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The options of an image, as people speak of them: CONFIG_FILES=y,
 * CONFIG_MEMORY_SIZE="128M".  An option is a row of abi/features.def or one of the
 * values below.  What somebody says of one is a word; the word of the highest
 * source wins: command line, .config, Kraftfile.  Where nobody says anything
 * the option is as deduced (features.h) or has its default.
 *
 * Files are in the format of Kconfig's .config.
 */
#ifndef ZUK_CONFIG_H
#define ZUK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "zuk/util.h"

struct features;
struct scan;

enum config_source {
    CONFIG_DEFAULT,
    CONFIG_DEDUCED,
    CONFIG_KRAFTFILE,
    CONFIG_FILE,
    CONFIG_COMMAND
};

enum config_kind {
    CONFIG_FEATURE, /* y, n: a row of features.def */
    CONFIG_BOOL,    /* y, n */
    CONFIG_CHOICE,  /* one of words */
    CONFIG_SIZE,    /* 64M; empty: zuk chooses */
    CONFIG_CALLS,   /* CALL=POLICY, separated by spaces */
};

struct config_option {
    const char *name; /* without CONFIG_ */
    enum config_kind kind;
    const char *what;         /* for people */
    const char *standard;     /* the value when nobody says anything; features: NULL */
    const char *const *words; /* CONFIG_CHOICE: NULL-terminated */
};

/* All options, in order; the end has no name. */
const struct config_option *config_options(void);
/* With or without CONFIG_, in any case of letters; or NULL. */
const struct config_option *config_option(const char *name);

struct config_word {
    const struct config_option *option;
    const char *value;
    enum config_source source;
    const char *where; /* ".config:3", "Kraftfile:7:5", "--set" */
};

struct config {
    VEC(struct config_word) words; /* in the order in which they were said */
};

/* One more word.  False after diag_error: no such option, no such value. */
bool config_say(struct config *c, const char *name, const char *value, enum config_source source,
                const char *where);
/* "FILES=n", of --set and `zuk config set`. */
bool config_say_text(struct config *c, const char *text, const char *where);
/* The lines of a file.  An unknown option is an error where the user named the
 * file, and a warning where it was only found.  False after diag_error. */
bool config_parse(struct config *c, const char *path, const char *text, size_t size, bool named);
bool config_read(struct config *c, const char *path, bool named);

/* The word that wins, or NULL; the value that counts (features: NULL when only
 * deduced). */
const struct config_word *config_word(const struct config *c, const char *option);
const char *config_value(const struct config *c, const char *option);

/* Overrules what was deduced.  Says which words did not stick, and what is
 * turned off though the app can call it, unless quiet. */
void config_apply(const struct config *c, struct features *f, const struct scan *scan, bool quiet);

/* A line of a file: CONFIG_X=y, # CONFIG_X is not set, CONFIG_X="text". */
char *config_line(const struct config_option *option, const char *value);
/* The text of a file with that option's line changed, added at the end, or
 * (value NULL) removed; the rest stays as it is. */
char *config_edit(const char *text, size_t size, const struct config_option *option,
                  const char *value);
/* Every option with its reason, as a file. */
char *config_full(const struct config *c, const struct features *f, const char *image);
/* Why an option has its value, in half a sentence. */
const char *config_reason(const struct config *c, const struct features *f,
                          const struct config_option *option);

#endif
