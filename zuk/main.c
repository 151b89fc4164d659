/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of subcommands, and nothing else.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/options.h"

const struct cmd cmds[] = {
    {"build", cmd_build, "make an image of a project, archive, object or executable"},
    {"run", cmd_run, "boot an image in QEMU (building it first when need be)"},
    {"exec", cmd_exec, "boot a static Linux executable with its arguments"},
    {"new", cmd_new, "start a project that builds and runs at once"},
    {"check", cmd_check, "which system calls and symbols are missing, before any boot"},
    {"size", cmd_size, "where the bytes of an image are"},
    {"inspect", cmd_inspect, "what an image says of itself"},
    {"config", cmd_config, "show, explain and change the options of an input"},
    {"ps", cmd_ps, "list the machines that were started with run -d"},
    {"logs", cmd_logs, "show what a machine wrote"},
    {"stop", cmd_stop, "end machines"},
    {"rm", cmd_rm, "forget machines that have ended"},
    {"verify", cmd_verify, "build an image again and compare"},
    {"export", cmd_export, "write an application folder for Unikraft"},
    {"doctor", cmd_doctor, "is this machine ready, and what to do if not"},
    {"menu", cmd_menu, "show and change the options of an input in a menu"},
    {"completion", cmd_completion, "print what a shell needs to complete zuk's words"},
    {"help", cmd_help, "this list, or the help of one command"},
    {NULL, NULL, NULL},
};

/* A standard stream that is closed would be the number of the next file that
 * is opened, and be taken for it. */
static void open_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) {
            exit(EXIT_USER);
        }
    }
}

/* Whoever started us may ignore the ends of children: we wait for ours.  A file that
 * may grow no further is a write that fails. */
static void set_signals(void) {
    signal(SIGCHLD, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN);
}

/* What a command printed has arrived, or it did not do its work. */
static int delivered(int status) {
    bool lost = fflush(stdout) != 0;
    if (!lost && !ferror(stdout)) {
        return status;
    }
    if (diag_error_count() == 0) {
        diag_error("cannot write the answer");
    }
    return EXIT_USER;
}

int main(int argc, char **argv) {
    open_standard_streams();
    set_signals();
    if (argc < 2) {
        cmd_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return delivered(cmd_help(1, argv + 1));
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        return delivered(cmd_version());
    }
    for (const struct cmd *c = cmds; c->name != NULL; c++) {
        if (strcmp(c->name, argv[1]) == 0) {
            return delivered(c->run(argc - 1, argv + 1));
        }
    }
    return cmd_unknown(argv[1], "");
}
