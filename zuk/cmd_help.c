/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk help [COMMAND], zuk --version.
 */
#include <string.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/options.h"
#include "zuk/util.h"

void cmd_usage(FILE *out) {
    fputs("usage: zuk COMMAND [OPTION...] INPUT...\n\n", out);
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        fprintf(out, "  %-11s %s\n", c->name, c->help);
    }
    fputs("\n"
          "An input is a folder with a build.zig, an archive (.a) or objects (.o) that\n"
          "define main, a static Linux executable, or a finished image; without one, the\n"
          "project in this folder.\n"
          "\n"
          "  zuk run examples/hello-zig           build a project and boot it\n"
          "  zuk run libapp.a -- one two          an archive, with arguments\n"
          "  zuk exec ./prog one two              an executable, as if it ran here\n"
          "  zuk build libapp.a -o app.elf        make the image only\n"
          "\n"
          "'zuk help COMMAND' lists the options of one command; 'man zuk' tells it all.\n",
          out);
}

int cmd_unknown(const char *name, const char *before) {
    VEC(const char *) names = {0};
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        *vec_push(&names) = c->name;
    }
    *vec_push(&names) = NULL;
    diag_error("there is no command '%s'", name);
    const char *nearest = options_nearest(name, names.data);
    if (nearest != NULL) {
        diag_hint("did you mean 'zuk %s%s'?", before, nearest);
    } else {
        diag_hint("'zuk help' lists the commands");
    }
    return EXIT_USAGE;
}

int cmd_help(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "help") == 0) {
        cmd_usage(stdout);
        return EXIT_OK;
    }
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        if (strcmp(c->name, argv[1]) == 0) {
            char help[] = "--help";
            char *args[] = {argv[1], help, NULL};
            printf("zuk %s: %s\n", c->name, c->help);
            return c->run(2, args);
        }
    }
    return cmd_unknown(argv[1], "help ");
}

int cmd_version(void) {
    puts("zuk " ZUK_VERSION);
    return EXIT_OK;
}
