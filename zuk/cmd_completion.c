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
#include "zuk/diag.h"
#include "zuk/options.h"
#include "zuk/util.h"

struct told {
    const char *command, *name, *meta, *help;
    char letter;
};

static struct { VEC(struct told) list; } all;

static void keep(const char *command, const char *name, char letter, const char *meta,
                 const char *help) {
    *vec_push(&all.list) = (struct told){xstrdup(command), name, meta, help, letter};
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

/* Quoted for the three shells: '...' without quotes inside. */
static const char *quoted(const char *help) {
    char *text = xstrdup(help);
    for (char *s = text; *s != '\0'; s++) {
        *s = *s == '\'' || *s == '`' ? '"'
             : *s == ':'             ? ','
             : *s == '['             ? '('
             : *s == ']'             ? ')'
                                     : *s;
    }
    return text;
}

static void bash(void) {
    printf("# bash completion for zuk, made by zuk completion bash\n"
           "_zuk() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        [ \"${COMP_WORDS[i]}\" = -- ] && { COMPREPLY=($(compgen -f -- \"$cur\")); "
           "return; }\n"
           "    done\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "        COMPREPLY=($(compgen -W '");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("%s%s", c == cmds ? "" : " ", c->name);
    }
    printf("' -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]}:$prev in\n");
    for (size_t i = 0; i < all.list.len; i++) {
        const struct told *t = &all.list.data[i];
        if (is_choice(t->meta)) {
            printf("    %s:%s) words='%s' ;;\n", t->command, t->name, spaced(t->meta));
        }
    }
    printf("    stop:*|logs:*|rm:*) words=$(zuk ps 2>/dev/null | awk 'NR > 1 { print $1 }') ;;\n"
           "    esac\n"
           "    if [ -n \"$words\" ] && [ \"${cur#-}\" = \"$cur\" ]; then\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n        return\n    fi\n"
           "    case $cur in\n    -*) ;;\n"
           "    *) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n    esac\n"
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
           "complete -o filenames -F _zuk zuk\n");
}

static void zsh(void) {
    printf("#compdef zuk\n# made by zuk completion zsh\n_zuk() {\n"
           "    local -a commands=(\n");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("        '%s:%s'\n", c->name, quoted(c->help));
    }
    printf("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
           "        return\n    fi\n    local command=$words[2]\n    shift words\n"
           "    (( CURRENT-- ))\n    case $command in\n");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("    %s)\n        _arguments \\\n", c->name);
        for (size_t i = 0; i < all.list.len; i++) {
            const struct told *t = &all.list.data[i];
            if (strcmp(t->command, c->name) != 0) {
                continue;
            }
            const char *value = t->meta == NULL      ? ""
                                : is_choice(t->meta) ? xasprintf(":value:(%s)", spaced(t->meta))
                                                     : xasprintf(":%s:_files", quoted(t->meta));
            printf("            '*%s[%s]%s' \\\n", t->name, quoted(t->help), value);
            if (t->letter != 0) {
                printf("            '*-%c[%s]%s' \\\n", t->letter, quoted(t->help), value);
            }
        }
        printf("            '*:file:_files'\n        ;;\n");
    }
    printf("    esac\n}\n_zuk \"$@\"\n");
}

static void fish(void) {
    printf("# made by zuk completion fish\n");
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        printf("complete -c zuk -n __fish_use_subcommand -f -a %s -d '%s'\n", c->name,
               quoted(c->help));
    }
    for (size_t i = 0; i < all.list.len; i++) {
        const struct told *t = &all.list.data[i];
        printf("complete -c zuk -n '__fish_seen_subcommand_from %s' -l %s", t->command,
               t->name + 2);
        if (t->letter != 0) {
            printf(" -s %c", t->letter);
        }
        if (is_choice(t->meta)) {
            printf(" -x -a '%s'", spaced(t->meta));
        } else if (t->meta != NULL) {
            printf(" -r");
        }
        printf(" -d '%s'\n", quoted(t->help));
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
