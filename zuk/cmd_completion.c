/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk completion bash|zsh|fish: a script for the shell, made of the table of
 * commands and of the options that each tells with --help.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "zuk/cmd.h"
#include "zuk/config.h"
#include "zuk/diag.h"
#include "zuk/options.h"
#include "zuk/util.h"

static struct { VEC(struct option_line) list; } all;

static void keep(const struct option_line *line) {
    struct option_line *kept = vec_push(&all.list);
    *kept = *line;
    kept->command = xstrdup(line->command);
}

/* Those that have more to say with --help say it to nobody. */
static void ask_all(void) {
    fflush(stdout);
    int out = dup(1), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, 1);
        close(null);
    }
    options_tell = keep;
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        char *words[] = {xstrdup(c->name), xstrdup("--help"), NULL};
        if (c->run != cmd_help && c->run != cmd_completion) {
            (void)c->run(2, words);
        }
    }
    options_tell = NULL;
    fflush(stdout);
    if (out >= 0) {
        dup2(out, 1);
        close(out);
    }
}

/* "a|b|c" is a choice of words; anything else is a name of something. */
static bool is_choice(const char *meta) {
    return meta != NULL && strchr(meta, '|') != NULL && *meta >= 'a' && *meta <= 'z' &&
           strchr(meta, '=') == NULL;
}

static const char *spaced(const char *choice) {
    char *words = xstrdup(choice);
    for (char *s = words; *s != '\0'; s++) {
        *s = *s == '|' ? ' ' : *s;
    }
    return words;
}

/* For a '...' of the shell: how it writes a quote, and what needs a backslash besides. */
static const char *quoted(const char *text, const char *quote, const char *escaped) {
    char *out = xalloc(5 * strlen(text) + 1), *to = out;
    for (const char *s = text; *s != '\0'; s++) {
        if (*s == '\'') {
            to = stpcpy(to, quote);
            continue;
        }
        if (strchr(escaped, *s) != NULL) {
            *to++ = '\\';
        }
        *to++ = *s;
    }
    return out;
}

static const char *command_names(void) {
    const char *names = "";
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        names = xasprintf("%s%s%s", names, c == cmds ? "" : " ", c->name);
    }
    return names;
}

/* What stands behind a command where that is no file; NULL: files. */
static const char *first_words(const char *command) {
    static const struct {
        const char *command, *words;
    } known[] = {
        {"config", "show why diff set unset"},
        {"completion", "bash zsh fish"},
        {"export", "unikraft"},
        {"help", NULL}, /* the commands */
        {"ps", ""},
        {"doctor", ""},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].command, command) == 0) {
            return known[i].words != NULL ? known[i].words : command_names();
        }
    }
    return NULL;
}

static bool takes_machines(const char *command) {
    return strcmp(command, "stop") == 0 || strcmp(command, "logs") == 0 ||
           strcmp(command, "rm") == 0;
}

#define MACHINES "zuk ps 2>/dev/null | tail -n +2 | cut -d\" \" -f1"

static const char *option_names(const char *end) {
    const char *names = "";
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        names = xasprintf("%s%s%s%s", names, *names == '\0' ? "" : " ", o->name, end);
    }
    return names;
}

static void bash_values(void) {
    for (size_t i = 0; i < all.list.len; i++) {
        const struct option_line *t = &all.list.data[i];
        const char *words = is_choice(t->meta)              ? spaced(t->meta)
                            : strcmp(t->name, "--set") == 0 ? option_names("=")
                                                            : NULL;
        if (words == NULL) {
            continue;
        }
        if (!t->optional) {
            printf("    %s:%s|", t->command, t->name);
        }
        printf("%s%s:%s=) words='%s' ;;\n", t->optional ? "    " : "", t->command, t->name, words);
    }
}

/* Where it finds nothing bash completes names of files itself, with their quotes. */
static void bash(void) {
    printf("# bash completion for zuk, made by zuk completion bash\n"
           "_zuk() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= i\n"
           "    COMPREPLY=()\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        [ \"${COMP_WORDS[i]}\" != -- ] || return 0\n"
           "    done\n"
           "    if [ \"$cur\" = = ]; then\n"
           "        cur= prev=$prev=\n"
           "    elif [ \"$prev\" = = ]; then\n"
           "        prev=${COMP_WORDS[COMP_CWORD-2]}=\n"
           "    fi\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "        COMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n        return\n    fi\n"
           "    case ${COMP_WORDS[1]}:$prev in\n",
           command_names());
    bash_values();
    printf("    config:why|config:set|config:unset) words='%s' ;;\n", option_names(""));
    printf("    stop:*|logs:*|rm:*) words=$(" MACHINES "); compopt +o default 2>/dev/null ;;\n");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        const char *words = first_words(c->name);
        if (words != NULL && *words != '\0') {
            printf("    %s:%s) words='%s' ;;\n", c->name, c->name, words);
        }
    }
    printf("    esac\n"
           "    if [ -n \"$words\" ] && [ \"${cur#-}\" = \"$cur\" ]; then\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "        [ \"${COMPREPLY[*]: -1}\" != = ] || compopt -o nospace 2>/dev/null\n"
           "        return 0\n    fi\n"
           "    case $cur in\n    -*) ;;\n    *) return 0 ;;\n    esac\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("    %s) words='", c->name);
        for (size_t i = 0; i < all.list.len; i++) {
            if (strcmp(all.list.data[i].command, c->name) == 0) {
                printf("%s ", all.list.data[i].name);
            }
        }
        printf("--help' ;;\n");
    }
    printf("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
           "complete -o default -F _zuk zuk\n");
}

static const char *zsh_quoted(const char *text) {
    return quoted(text, "'\\''", "\\[]:");
}

static void zsh_option(const struct option_line *t) {
    const char *value = is_choice(t->meta) ? xasprintf(":value:(%s)", spaced(t->meta))
                        : t->meta == NULL  ? ""
                        : strcmp(t->name, "--set") == 0
                            ? xasprintf(":option:compadd -S \"\" -- %s", option_names("="))
                            : xasprintf(":%s:_files", zsh_quoted(t->meta));
    const char *join = t->meta == NULL ? "" : t->optional ? "=-" : "=";
    printf("            '*%s%s[%s]%s%s' \\\n", t->name, join, zsh_quoted(t->help),
           t->optional ? ":" : "", value);
    if (t->letter != 0) {
        printf("            '*-%c%s[%s]%s' \\\n", t->letter, t->meta == NULL ? "" : "+",
               zsh_quoted(t->help), value);
    }
}

static void zsh(void) {
    printf("#compdef zuk\n# made by zuk completion zsh\n_zuk() {\n"
           "    local -a commands=(\n");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("        '%s:%s'\n", c->name, zsh_quoted(c->help));
    }
    printf(
        "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
        "        return\n    fi\n    local command=$words[2]\n    shift words\n"
        "    (( CURRENT-- ))\n"
        "    if [[ $command == config && CURRENT -eq 3 && $words[2] == (why|set|unset) ]]; then\n"
        "        compadd -- %s\n        return\n    fi\n    case $command in\n",
        option_names(""));
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("    %s)\n        _arguments \\\n", c->name);
        for (size_t i = 0; i < all.list.len; i++) {
            if (strcmp(all.list.data[i].command, c->name) == 0) {
                zsh_option(&all.list.data[i]);
            }
        }
        const char *words = first_words(c->name);
        if (takes_machines(c->name)) {
            printf("            '*:machine:{compadd -- $(" MACHINES ")}'\n");
        } else if (words == NULL) {
            printf("            '*:file:_files'\n");
        } else {
            printf("            '1:word:(%s)' '*:file:_files'\n", words);
        }
        printf("        ;;\n");
    }
    printf("    esac\n}\n_zuk \"$@\"\n");
}

static const char *fish_quoted(const char *text) {
    return quoted(text, "\\'", "\\");
}

static void fish(void) {
    printf("# made by zuk completion fish\n");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("complete -c zuk -n __fish_use_subcommand -f -a %s -d '%s'\n", c->name,
               fish_quoted(c->help));
        const char *words = first_words(c->name);
        if (takes_machines(c->name)) {
            printf("complete -c zuk -n '__fish_seen_subcommand_from %s' -f -a '(" MACHINES ")'\n",
                   c->name);
        } else if (words != NULL) { /* as the second word */
            printf("complete -c zuk -n 'test (count (commandline -opc)) = 2; and "
                   "__fish_seen_subcommand_from %s' -f -a '%s'\n",
                   c->name, words);
        }
    }
    printf("complete -c zuk -n 'test (count (commandline -opc)) = 3; and "
           "__fish_seen_subcommand_from why set unset' -f -a '%s'\n",
           option_names(""));
    for (size_t i = 0; i < all.list.len; i++) {
        const struct option_line *t = &all.list.data[i];
        printf("complete -c zuk -n '__fish_seen_subcommand_from %s' -l %s", t->command,
               t->name + 2);
        if (t->letter != 0) {
            printf(" -s %c", t->letter);
        }
        if (is_choice(t->meta)) {
            printf("%s -f -a '%s'", t->optional ? "" : " -x", spaced(t->meta));
        } else if (strcmp(t->name, "--set") == 0) {
            printf(" -x -a '%s'", option_names("="));
        } else if (t->meta != NULL && !t->optional) {
            printf(" -r");
        }
        printf(" -d '%s'\n", fish_quoted(t->help));
    }
}

int cmd_completion(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_NAMES, &o);
    if (status >= 0) {
        return status;
    }
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(o.inputs[0], shells[i].name) == 0 && o.input_count == 1) {
            ask_all();
            shells[i].print();
            return fflush(stdout) == 0 ? EXIT_OK : EXIT_USER;
        }
    }
    diag_error("there is no completion for '%s'", o.inputs[0]);
    diag_hint("zuk completion bash, zsh or fish");
    return EXIT_USAGE;
}
