/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk menu [INPUT...]: the options in the terminal, with Kconfig's own menu
 * (kconfig-mconf of kconfig-frontends: run, never linked).  Of its answer only
 * what differs from what the app asks for is kept, in .config.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/kconfig.h"
#include "zuk/settings.h"

#define MCONF "kconfig-mconf"

/* The menu has the terminal; Ctrl-C there is its own. */
static bool run_menu(const char *program, const char *kconfig, const char *config) {
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    fflush(NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* the terminal is nobody's then */
        if (getppid() != parent) {
            _exit(127);
        }
        signal(SIGINT, SIG_DFL);
        setenv("KCONFIG_CONFIG", config, 1);
        unsetenv("CONFIG_");
        execl(program, program, "-s", kconfig, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    signal(SIGINT, before);
    if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
        diag_error("cannot start '%s': %s", program, strerror(child < 0 ? errno : ENOEXEC));
        return false;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGINT) {
        diag_error("%s was ended by signal %d; nothing is changed", MCONF, WTERMSIG(status));
        return false;
    }
    return true;
}

/* Writes the words to .config: what is not among them is not the user's. */
static bool keep(const char *path, const struct config *words) {
    struct file_map map = {0};
    if (is_file(path) && !file_map(path, &map)) {
        return false;
    }
    const char *before = map.data == NULL ? "" : xstrndup((const char *)map.data, map.size);
    file_unmap(&map);
    const char *text = before;
    for (const struct config_option *o = config_options(); o->name != NULL; o++) {
        const struct config_word *w = config_word(words, o->name);
        text = config_edit(text, strlen(text), o, w == NULL ? NULL : w->value);
        if (w != NULL) {
            diag_note("%s", config_line(o, w->value));
        }
    }
    if (strcmp(text, before) == 0) {
        diag_note("nothing is changed");
        return true;
    }
    if (*text == '\0') {
        if (unlink(path) != 0 && errno != ENOENT) {
            diag_error("cannot remove '%s': %s", path, strerror(errno));
            return false;
        }
        diag_note("all options are as the app asks for: %s is gone", path);
        return true;
    }
    if (!write_file(path, text, strlen(text))) {
        return false;
    }
    diag_note("%s keeps these; all else follows the app", path);
    return true;
}

static bool menu(struct options *o, const char *program) {
    struct look look;
    if (!settings_look(o, &look)) {
        return false;
    }
    const char *folder = settings_folder(o);
    const char *path = o->config != NULL          ? o->config
                       : strcmp(folder, ".") == 0 ? ".config"
                                                  : path_join(folder, ".config");
    char *work = scratch_folder();
    if (work == NULL) {
        return false;
    }
    const char *kconfig = path_join(work, "Kconfig"), *answer = path_join(work, "answer");
    const char *text = kconfig_text(look.app.name, &look.deduced),
               *start = kconfig_start(&look.config, &look.features);
    struct config result = {0}, words;
    bool ok = write_file(kconfig, text, strlen(text)) && write_file(answer, start, strlen(start)) &&
              run_menu(program, kconfig, answer) && config_read(&result, answer, true);
    if (ok) {
        kconfig_differences(&result, &look.deduced, &look.features, &words);
        ok = keep(path, &words);
    }
    (void)remove_tree(work);
    return ok;
}

int cmd_menu(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_BUILD | OPTIONS_LOOK, &o);
    if (status >= 0) {
        return status;
    }
    const char *program = which(MCONF);
    if (program == NULL) {
        diag_error(MCONF ", which draws the menu, is not on PATH");
        diag_hint("Debian, Ubuntu: apt-get install kconfig-frontends-nox; without it, "
                  "'zuk config show' and 'zuk config set' do the same");
        return EXIT_USER;
    }
    if (!isatty(0) || !isatty(1)) {
        diag_error("zuk menu needs a terminal");
        diag_hint("'zuk config show' and 'zuk config set' need none");
        return EXIT_USER;
    }
    if (o.input_count == 1 && image_is(o.inputs[0])) {
        diag_error("'%s' is an image: its options were chosen when it was made", o.inputs[0]);
        diag_hint("name what it was made of");
        return EXIT_USER;
    }
    return menu(&o, program) ? EXIT_OK : EXIT_USER;
}
