/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/vm.c: command lines, quoting, and runs of a VM that a small program
 * plays: streams, order, input, exit, time-out, signals, closed outputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/program.h"
#include "zuk/util.h"
#include "zuk/vm.h"

static const char *self; /* this program, which also plays QEMU */

/* ---- the guest that is played: argv[1] "guest", argv[2] what to do ---- */

static void send_record(uint16_t type, const void *data, size_t size) {
    struct report_header h = {.length = (uint32_t)size, .type = type};
    const struct {
        const void *data;
        size_t size;
    } parts[] = {{&h, sizeof h}, {data, size}};
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *p = parts[i].data;
        for (size_t left = parts[i].size; left > 0;) {
            ssize_t n = write(1, p, left);
            if (n < 0) {
                _exit(99);
            }
            p += n;
            left -= (size_t)n;
        }
    }
}

static void send_exit(uint8_t reason, uint8_t status, uint8_t signal) {
    struct report_exit e = {.reason = reason, .status = status, .signal = signal};
    send_record(REPORT_EXIT, &e, sizeof e);
}

static void read_whole(void *data, size_t size) {
    for (uint8_t *p = data; size > 0;) {
        ssize_t n = read(0, p, size);
        if (n <= 0) {
            _exit(98);
        }
        p += n;
        size -= (size_t)n;
    }
}

static void play_cat(void) {
    static uint8_t data[1 << 16];
    for (;;) {
        struct report_header h;
        send_record(REPORT_WANT_INPUT, NULL, 0);
        do {
            read_whole(&h, sizeof h);
            read_whole(data, h.length);
        } while (h.type == REPORT_TERMINAL);
        if (h.type == REPORT_STDIN_EOF) {
            break;
        }
        send_record(REPORT_STDOUT, data, h.length);
    }
    send_exit(REASON_EXIT, 0, 0);
}

static void play_big(void) {
    static uint8_t data[100000];
    for (unsigned i = 0; i < 50; i++) {
        memset(data, 'a' + (int)(i % 26), sizeof data);
        send_record(i % 2 == 0 ? REPORT_STDOUT : REPORT_STDERR, data, sizeof data);
    }
    send_exit(REASON_EXIT, 3, 0);
}

static int play(const char *what) {
    if (strcmp(what, "hello") == 0) {
        send_record(REPORT_STDOUT, "out\n", 4);
        send_record(REPORT_STDERR, "e", 1);
        send_record(REPORT_STDERR, "rr\n", 3);
        send_record(REPORT_STDOUT, "end\n", 4);
        send_exit(REASON_EXIT, 42, 0);
        sleep(60); /* it is not waited for */
    } else if (strcmp(what, "cat") == 0) {
        play_cat();
    } else if (strcmp(what, "big") == 0) {
        play_big();
    } else if (strcmp(what, "ignore-input") == 0) {
        send_exit(REASON_EXIT, 0, 0);
    } else if (strcmp(what, "hang") == 0) {
        sleep(60);
    } else if (strcmp(what, "triple") == 0) {
        (void)!write(3, "last words\n", 11);
    } else if (strcmp(what, "fail") == 0) {
        fprintf(stderr, "qemu: no such machine\n");
        return 1;
    } else if (strcmp(what, "debug-exit") == 0) {
        return 5;
    } else if (strcmp(what, "nonsense") == 0) {
        uint8_t bytes[64];
        memset(bytes, 0xff, sizeof bytes);
        (void)!write(1, bytes, sizeof bytes);
        sleep(60);
    } else if (strcmp(what, "kvm") == 0) {
        fprintf(stderr, "KVM internal error. Suberror: 1\n");
        sleep(60);
    } else if (strcmp(what, "report") == 0) {
        send_record(REPORT_STDOUT, "before", 6);
        send_record(REPORT_LOG, "line", 4);
        send_record(REPORT_STDOUT, "after", 5);
        send_exit(REASON_PANIC, 0, 0);
    } else if (strcmp(what, "environment") == 0) {
        sigset_t blocked;
        sigprocmask(SIG_SETMASK, NULL, &blocked);
        bool clean = !sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGINT) &&
                     getsid(0) == getpid();
        send_exit(REASON_EXIT, clean ? 0 : 1, 0);
    }
    return 0;
}

/* ---- a run of it, with our stdio on files or pipes ---- */

struct result {
    struct vm_end end;
    char out[6 << 20];
    size_t out_size;
    char records[256];
};

static void on_record(void *arg, FILE *out, unsigned type, const uint8_t *data, size_t size) {
    struct result *r = arg;
    fputs("<told>", out);
    size_t n = strlen(r->records);
    snprintf(r->records + n, sizeof r->records - n, "[%u %.*s]", type, (int)size,
             (const char *)data);
}

struct stdio {
    int saved[3];
};

static void redirect(struct stdio *s, int in, int out, int err) {
    const int fds[3] = {in, out, err};
    fflush(NULL);
    for (int i = 0; i < 3; i++) {
        s->saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        if (fds[i] >= 0) {
            dup2(fds[i], i);
        }
    }
}

static void restore(const struct stdio *s) {
    for (int i = 0; i < 3; i++) {
        dup2(s->saved[i], i);
        close(s->saved[i]);
    }
}

static struct result *run(const char *what, int in, int out, struct vm_host host) {
    static struct result r;
    memset(&r.end, 0, sizeof r.end);
    r.records[0] = '\0';
    r.out_size = 0;
    const char *const argv[] = {self, "guest", what, NULL};
    int file = out >= 0 ? -1 : memfd_create("out", MFD_CLOEXEC);
    struct stdio saved;
    redirect(&saved, in, out >= 0 ? out : file, file);
    host.record = on_record;
    host.arg = &r;
    vm_run(argv, &host, &r.end);
    restore(&saved);
    if (file >= 0) {
        r.out_size = (size_t)pread(file, r.out, sizeof r.out, 0);
        close(file);
    }
    return &r;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_streams(void **state) {
    (void)state;
    double start = seconds();
    struct result *r = run("hello", -1, -1, (struct vm_host){0});
    assert_true(seconds() - start < 20);
    assert_int_equal(r->end.outcome, VM_EXIT);
    assert_int_equal(r->end.exit.reason, REASON_EXIT);
    assert_int_equal(r->end.exit.status, 42);
    assert_int_equal(r->out_size, 12);
    assert_memory_equal(r->out, "out\nerr\nend\n", 12);
}

/* Colour changes with the stream, not with each write. */
static void test_color(void **state) {
    (void)state;
    struct result *r = run("hello", -1, -1, (struct vm_host){.color = true});
    const char want[] = "out\n\033[31merr\n\033[0mend\n";
    assert_int_equal(r->out_size, sizeof want - 1);
    assert_memory_equal(r->out, want, sizeof want - 1);
}

static void test_big_and_slow(void **state) {
    (void)state;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    pid_t reader = fork();
    if (reader == 0) { /* reads late, in small pieces, and counts */
        close(fd[1]);
        usleep(300000);
        size_t count = 0;
        char piece[4096];
        for (ssize_t n; (n = read(fd[0], piece, sizeof piece)) > 0;) {
            for (ssize_t i = 0; i < n; i++) {
                if (piece[i] != (char)('a' + count / 100000 * 2 % 26)) {
                    _exit(1);
                }
                count++;
            }
        }
        _exit(count == 25 * 100000 ? 0 : 2);
    }
    close(fd[0]);
    const char *const argv[] = {self, "guest", "big", NULL};
    struct vm_end end;
    struct vm_host host = {0};
    struct stdio saved;
    int null = open("/dev/null", O_RDWR);
    redirect(&saved, null, fd[1], null);
    vm_run(argv, &host, &end);
    restore(&saved);
    close(fd[1]);
    close(null);
    int status;
    waitpid(reader, &status, 0);
    assert_int_equal(end.outcome, VM_EXIT);
    assert_int_equal(end.exit.status, 3);
    assert_int_equal(status, 0);
}

static int file_of(const void *data, size_t size) {
    int fd = memfd_create("in", MFD_CLOEXEC);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void test_input(void **state) {
    (void)state;
    static char data[300000];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (char)(i * 31 >> 3);
    }
    int in = file_of(data, sizeof data);
    struct result *r = run("cat", in, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_EXIT);
    assert_int_equal(r->out_size, sizeof data);
    assert_memory_equal(r->out, data, sizeof data);
    close(in);
}

/* What the app does not ask for stays where it is. */
static void test_input_is_left(void **state) {
    (void)state;
    int in = file_of("precious", 8);
    struct result *r = run("ignore-input", in, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_EXIT);
    assert_int_equal(lseek(in, 0, SEEK_CUR), 0);
    close(in);
}

static void test_timeout(void **state) {
    (void)state;
    double start = seconds();
    struct result *r = run("hang", -1, -1, (struct vm_host){.timeout_ms = 200});
    assert_int_equal(r->end.outcome, VM_TIMEOUT);
    assert_true(seconds() - start >= 0.2);
    assert_true(seconds() - start < 20);
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    assert_int_equal(errno, ECHILD);
}

static void test_signal(void **state) {
    (void)state;
    pid_t us = getpid();
    pid_t killer = fork();
    if (killer == 0) {
        usleep(300000);
        kill(us, SIGTERM);
        _exit(0);
    }
    struct result *r = run("hang", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_SIGNAL);
    assert_int_equal(r->end.signal, SIGTERM);
    waitpid(killer, NULL, 0);
}

static void test_deaths(void **state) {
    (void)state;
    struct result *r = run("triple", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_CRASHED);
    assert_string_equal(r->end.serial, "last words\n");
    r = run("fail", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_FAILED);
    assert_string_equal(r->end.words, "qemu: no such machine\n");
    assert_int_equal(WEXITSTATUS(r->end.qemu_status), 1);
    r = run("debug-exit", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_CRASHED);
    r = run("nonsense", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_BROKEN);
    r = run("kvm", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_FAILED);
}

static void test_not_there(void **state) {
    (void)state;
    const char *const argv[] = {"/nonexistent/qemu", NULL};
    struct vm_end end;
    vm_run(argv, &(struct vm_host){0}, &end);
    assert_int_equal(end.outcome, VM_FAILED);
    assert_non_null(strstr(end.words, "No such file"));
}

static void test_closed_output(void **state) {
    (void)state;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    close(fd[0]);
    struct result *r = run("big", -1, fd[1], (struct vm_host){0});
    close(fd[1]);
    assert_int_equal(r->end.outcome, VM_CLOSED);
    int full = open("/dev/full", O_WRONLY);
    r = run("hello", -1, full, (struct vm_host){0});
    close(full);
    assert_int_equal(r->end.outcome, VM_OUTPUT);
    assert_int_equal(r->end.error, ENOSPC);
}

static void test_records(void **state) {
    (void)state;
    struct result *r = run("report", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.exit.reason, REASON_PANIC);
    assert_string_equal(r->records, "[7 line]");
    assert_int_equal(r->out_size, 17);
    assert_memory_equal(r->out, "before<told>after", 17); /* in its turn */
}

static void test_environment(void **state) {
    (void)state;
    struct result *r = run("environment", -1, -1, (struct vm_host){0});
    assert_int_equal(r->end.outcome, VM_EXIT);
    assert_int_equal(r->end.exit.status, 0);
}

/* ---- command lines ---- */

static bool has(const char *const *argv, const char *option, const char *value) {
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, option) == 0 &&
            (value == NULL || (argv[1] != NULL && strcmp(argv[1], value) == 0))) {
            return true;
        }
    }
    return false;
}

static void test_command(void **state) {
    (void)state;
    struct vm_config c = {
        .qemu = "/usr/bin/qemu-system-x86_64",
        .image = "a b.elf",
        .machine = "microvm",
        .memory = UINT64_C(64) << 20,
        .cmdline = "arg=x",
    };
    const char *const *argv = vm_command(&c);
    assert_string_equal(argv[0], c.qemu);
    assert_true(has(argv, "-m", "64M"));
    assert_true(has(argv, "-accel", "tcg"));
    assert_true(has(argv, "-kernel", "a b.elf"));
    assert_true(has(argv, "-append", "arg=x"));
    assert_true(has(argv, "-device", "virtio-serial-device,max_ports=2"));
    assert_false(has(argv, "-S", NULL));
    assert_false(has(argv, "-initrd", NULL));
    c.machine = "q35";
    c.kvm = true;
    c.memory = 1280 << 10;
    c.module = "/m";
    c.gdb_port = 4444;
    argv = vm_command(&c);
    assert_true(has(argv, "-M", "q35"));
    assert_true(has(argv, "-accel", "kvm"));
    assert_true(has(argv, "-m", "1280K"));
    assert_true(has(argv, "-initrd", "/m"));
    assert_true(has(argv, "-gdb", "tcp:127.0.0.1:4444"));
    assert_true(has(argv, "-S", NULL));
    assert_true(has(argv, "-device", "virtio-serial-pci,disable-legacy=on,max_ports=2"));
    c.stand_alone = true;
    argv = vm_command(&c);
    assert_true(has(argv, "-serial", "stdio"));
    assert_false(has(argv, "-device", "virtserialport,chardev=zuk,nr=1"));
    c.machine = "vax";
    assert_null(vm_command(&c));
}

/* A shell gives back the very words. */
static void test_shell_line(void **state) {
    (void)state;
    static const char *const words[] = {
        "printf",   "%s|", "",     "a b", "it's", "$HOME `x` \\",
        "*",        "\"",  "a\nb", "~",   "#x",   "plain-1.2,3=4:/5",
        "\xc3\xa4", NULL};
    char *out = NULL;
    const char *const argv[] = {"/bin/sh", "-c", vm_shell_line(words), NULL};
    struct run run = {.argv = argv, .out = &out};
    assert_int_equal(run_program(&run), 0);
    assert_string_equal(out, "|a b|it's|$HOME `x` \\|*|\"|a\nb|~|#x|plain-1.2,3=4:/5|\xc3\xa4|");
}

static void test_encode(void **state) {
    (void)state;
    assert_string_equal(vm_encode("plain=1"), "plain=1");
    assert_string_equal(vm_encode("a b%\n\xff"), "a%20b%25%0a%ff");
    assert_string_equal(vm_encode(""), "");
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "guest") == 0) {
        return play(argv[2]);
    }
    self = realpath("/proc/self/exe", NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),       cmocka_unit_test(test_color),
        cmocka_unit_test(test_big_and_slow),  cmocka_unit_test(test_input),
        cmocka_unit_test(test_input_is_left), cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_signal),        cmocka_unit_test(test_deaths),
        cmocka_unit_test(test_not_there),     cmocka_unit_test(test_closed_output),
        cmocka_unit_test(test_records),       cmocka_unit_test(test_environment),
        cmocka_unit_test(test_command),       cmocka_unit_test(test_shell_line),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
