/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Starting a program, catching what it writes, and waiting for it (program.h).
 *
 * While zuk has a line of progress on the terminal, a program that would write
 * there gets a terminal of its own and its bytes are passed on: it writes as
 * ever, and the line is out of its way.
 */
#include "zuk/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/progress.h"
#include "zuk/util.h"

extern char **environ;

/* --- what it writes ------------------------------------------------------ */

struct capture {
    int fd; /* read end, -1 when not captured or at its end */
    char *data;
    size_t size, cap;
};

static bool capture_read(struct capture *c) {
    if (c->cap - c->size < 65536) {
        size_t cap = c->cap ? c->cap * 2 : 131072;
        char *bigger = realloc(c->data, cap);
        if (!bigger) {
            diag_error("out of memory: %zu more bytes cannot be had", cap);
            exit(EXIT_USER);
        }
        c->data = bigger;
        c->cap = cap;
    }
    ssize_t n = read(c->fd, c->data + c->size, c->cap - c->size - 1);
    if (n > 0) {
        c->size += (size_t)n;
        return true;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return false;
    }
    close(c->fd);
    c->fd = -1;
    return false;
}

static char *capture_take(struct capture *c) {
    char *text = xalloc(c->size + 1);
    if (c->size) {
        memcpy(text, c->data, c->size);
    }
    free(c->data);
    if (c->fd >= 0) {
        close(c->fd);
    }
    return text;
}

/* A terminal for the child, as wide as ours, that changes no byte: the end we read,
 * -1 when there can be none; *child is its own. */
static int open_relay(int *child) {
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    struct termios modes;
    struct winsize size;
    if (ours < 0 || grantpt(ours) != 0 || unlockpt(ours) != 0 ||
        ptsname_r(ours, name, sizeof name) != 0 ||
        (*child = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        if (ours >= 0) {
            close(ours);
        }
        return -1;
    }
    if (tcgetattr(*child, &modes) == 0) {
        cfmakeraw(&modes);
        tcsetattr(*child, TCSANOW, &modes);
    }
    if (ioctl(2, TIOCGWINSZ, &size) == 0) {
        ioctl(*child, TIOCSWINSZ, &size);
    }
    return ours;
}

/* False when there is no more for now; *fd is -1 after the end. */
static bool relay_read(int *fd) {
    char bytes[4096];
    ssize_t n = read(*fd, bytes, sizeof bytes);
    if (n > 0) {
        progress_relay(bytes, (size_t)n);
        return true;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return false;
    }
    close(*fd);
    *fd = -1;
    return false;
}

/* --- starting it --------------------------------------------------------- */

static char **merged_env(const char *const *extra) {
    if (!extra || !*extra) {
        return environ;
    }
    size_t n = 0, m = 0;
    while (environ[n]) {
        n++;
    }
    while (extra[m]) {
        m++;
    }
    char **env = xalloc((n + m + 1) * sizeof *env);
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        bool replaced = false;
        for (size_t j = 0; j < m && !replaced; j++) {
            size_t name = strcspn(extra[j], "=") + 1;
            replaced = strncmp(environ[i], extra[j], name) == 0;
        }
        if (!replaced) {
            env[used++] = environ[i];
        }
    }
    for (size_t j = 0; j < m; j++) {
        env[used++] = (char *)(uintptr_t)extra[j];
    }
    return env;
}

struct child_setup {
    const struct run *run;
    const char *program;
    char **env;
    int null, out, err; /* descriptors to become 0, 1 and 2; -1: as they are */
    sigset_t mask;      /* the signals blocked in the child */
    pid_t parent;
};

/* Runs in the child that shares our memory (vfork): only system calls.
 * Returns errno. */
static int child_exec(const struct child_setup *setup) {
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(handled[i], &plain, NULL);
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a killed zuk leaves nothing behind */
    if (getppid() != setup->parent) {
        return ECANCELED;
    }
    if (setup->run->memory_limit) {
        struct rlimit limit = {setup->run->memory_limit, setup->run->memory_limit};
        setrlimit(RLIMIT_AS, &limit);
        struct rlimit core = {0, 0};
        setrlimit(RLIMIT_CORE, &core);
    }
    if ((setup->null >= 0 && dup2(setup->null, 0) < 0) ||
        (setup->err >= 0 && dup2(setup->err, 2) < 0) ||
        (setup->out >= 0 && dup2(setup->out, 1) < 0) ||
        (setup->run->out_to_err && dup2(2, 1) < 0)) {
        return errno;
    }
    if (setup->run->cwd && chdir(setup->run->cwd) != 0) {
        return errno;
    }
    sigprocmask(SIG_SETMASK, &setup->mask, NULL);
    execve(setup->program, (char *const *)(uintptr_t)setup->run->argv, setup->env);
    return errno;
}

/* Starts the child; 0 or errno. */
static int child_start(struct child_setup *setup, pid_t *child) {
    volatile int failure = 0;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &setup->mask); /* our handlers must not run in the child */
    pid_t pid = vfork();
    if (pid == 0) {
        failure = child_exec(setup);
        _exit(127);
    }
    if (pid < 0) {
        failure = errno;
    } else if (failure) {
        waitpid(pid, NULL, 0);
    }
    *child = pid;
    sigprocmask(SIG_SETMASK, &setup->mask, NULL);
    return failure;
}

/* Reads what is captured until the child ends (and then what is left in the
 * pipes; a grandchild that keeps them open is not waited for).  False: the
 * time ran out. */
static bool child_watch(pid_t pid, struct capture captures[2], int *relay, unsigned timeout_ms) {
    int64_t deadline = timeout_ms ? now_ms() + timeout_ms : INT64_MAX;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* -1 on old kernels: then look every 5 ms */
    bool ended = false, in_time = true;
    while (!ended && in_time) {
        struct pollfd fds[] = {{captures[0].fd, POLLIN, 0},
                               {captures[1].fd, POLLIN, 0},
                               {*relay, POLLIN, 0},
                               {pidfd, POLLIN, 0}};
        int64_t left = deadline == INT64_MAX ? 3600000 : deadline - now_ms();
        if (left <= 0) {
            in_time = false;
            break;
        }
        if (pidfd < 0 && left > 5) {
            left = 5;
        }
        poll(fds, 4, (int)(left > INT_MAX ? INT_MAX : left));
        for (int i = 0; i < 2; i++) {
            if (fds[i].revents && captures[i].fd >= 0) {
                capture_read(&captures[i]);
            }
        }
        if (fds[2].revents && *relay >= 0) {
            relay_read(relay);
        }
        siginfo_t info = {0};
        ended =
            waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
    }
    for (int i = 0; i < 2; i++) {
        if (captures[i].fd >= 0) {
            fcntl(captures[i].fd, F_SETFL, O_NONBLOCK);
            while (captures[i].fd >= 0 && capture_read(&captures[i])) {
            }
        }
    }
    if (*relay >= 0) {
        fcntl(*relay, F_SETFL, O_NONBLOCK);
        while (*relay >= 0 && relay_read(relay)) {
        }
    }
    if (pidfd >= 0) {
        close(pidfd);
    }
    return in_time;
}

int run_program(const struct run *run) {
    const char *program = which(run->argv[0]);
    if (!program) {
        errno = ENOENT;
        return -1;
    }
    if (run->cwd && program[0] != '/') {
        char *absolute = realpath(program, NULL);
        program = absolute ? xstrdup(absolute) : program;
        free(absolute);
    }
    struct child_setup setup = {
        .run = run,
        .program = program,
        .env = merged_env(run->extra_env),
        .out = -1,
        .err = -1,
        .parent = getpid(),
    };
    struct capture captures[2] = {{.fd = -1}, {.fd = -1}};
    int pipes[2][2] = {{-1, -1}, {-1, -1}};
    int failure = 0;
    setup.null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if ((run->out && pipe2(pipes[0], O_CLOEXEC) != 0) ||
        (run->err && pipe2(pipes[1], O_CLOEXEC) != 0)) {
        failure = errno;
    }
    int relay = -1, its_end = -1;
    bool shares = !run->err && progress_on_terminal();
    if (shares && !failure) {
        relay = open_relay(&its_end);
    }
    setup.out = pipes[0][1];
    setup.err = relay >= 0 ? its_end : pipes[1][1];
    pid_t pid = -1;
    if (!failure) {
        failure = child_start(&setup, &pid);
    }
    for (int i = 0; i < 2; i++) {
        captures[i].fd = pipes[i][0];
        if (pipes[i][1] >= 0) {
            close(pipes[i][1]);
        }
    }
    if (setup.null >= 0) {
        close(setup.null);
    }
    if (relay >= 0) {
        close(its_end);
    } else if (shares) {
        progress_pause(); /* it has our terminal */
    }

    int result = -1;
    if (!failure) {
        int slot = clean_add_group(pid);
        bool in_time = child_watch(pid, captures, &relay, run->timeout_ms);
        if (!in_time) {
            kill(-pid, SIGKILL);
        }
        clean_forget_group(slot);
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        result = !in_time ? -2 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    if (relay >= 0) {
        close(relay);
    }
    if (shares && its_end < 0) {
        progress_resume();
    }
    size_t out_size = captures[0].size;
    char *out = capture_take(&captures[0]);
    char *err = capture_take(&captures[1]);
    if (run->out) {
        *run->out = out;
    }
    if (run->err) {
        *run->err = err;
    }
    if (run->out_size) {
        *run->out_size = out_size;
    }
    errno = failure;
    return result;
}
