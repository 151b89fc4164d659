/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fork, vfork, posix_spawn, execve: refused with an errno that programs know, and
 * told once each, with the line.
 * native: skip Linux has more than one process
 * cflags: -fno-omit-frame-pointer
 * expect-stdout: fork: Function not implemented
 * expect-stdout: fork: Function not implemented
 * expect-stdout: vfork: Function not implemented
 * expect-stdout: posix_spawn: Function not implemented
 * expect-stdout: system: Function not implemented
 * expect-stdout: popen: Function not implemented
 * expect-stdout: execve: Permission denied
 * expect-stdout: wait: No child process
 * expect-stderr-contains: warning: system call fork (57) needs a second process
 * expect-stderr-contains: refused.c:@LINE:fork@
 * expect-stderr-contains: warning: system call vfork (58)
 * expect-stderr-contains: warning: system call clone (56)
 * expect-stderr-contains: warning: system call execve (59) needs a second process, and there is
 * one: it fails with EACCES expect-stderr-contains: refused.c:@LINE:exec@ expect-stderr-contains:
 * --missing fork=trap
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, int error) {
    printf("%s: %s\n", what, strerror(error));
}

int main(void) {
    char *argv[] = {"/proc/self/exe", NULL};
    for (int i = 0; i < 2; i++) {
        say("fork", fork() < 0 ? errno : 0); // fork
    }
    say("vfork", vfork() < 0 ? errno : 0);
    pid_t pid;
    say("posix_spawn", posix_spawn(&pid, argv[0], NULL, NULL, argv, NULL));
    say("system", system("true") < 0 ? errno : 0);
    say("popen", popen("true", "r") == NULL ? errno : 0);
    say("execve", execv(argv[0], argv) < 0 ? errno : 0); // exec
    say("wait", wait(NULL) < 0 ? errno : 0);
    return 0;
}
