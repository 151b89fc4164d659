/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The subcommands.  Each takes its own name as argv[0] and returns zuk's exit
 * status; only these functions decide how the program ends.
 */
#ifndef ZUK_CMD_H
#define ZUK_CMD_H

#include <stdio.h>

#ifndef ZUK_VERSION
#define ZUK_VERSION "0.1"
#endif

struct cmd {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; /* one line */
};

extern const struct cmd cmds[]; /* ends with a NULL name */

int cmd_build(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_new(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_size(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_menu(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_version(void);
void cmd_usage(FILE *out);
/* Says that there is no such command; `before` stands before the one that was meant. */
int cmd_unknown(const char *name, const char *before);

#endif
