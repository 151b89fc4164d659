/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The virtual machine.  See vm.h.
 *
 * The channel is a virtserialport, not a virtconsole: QEMU drops a
 * virtconsole's bytes when our pipe is full.  Its way in is never closed
 * before the end: QEMU throws output away when it is.
 */
#include "zuk/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "zuk/channel.h"
#include "zuk/util.h"

/* ---- the command line ---- */

struct machine {
    const char *name;
    const char *machine; /* -M */
    bool qboot;          /* a lean BIOS in place of SeaBIOS */
    const char *serial;  /* the virtio-serial device */
    const char *network; /* the virtio-net device */
    const char *global;  /* -global, or NULL */
};

/* One row a machine.  Legacy devices that the kernel does without are off. */
static const struct machine machines[] = {
    {"microvm", "microvm,pit=off,pic=off,rtc=on,acpi=off", false, "virtio-serial-device",
     "virtio-net-device", "virtio-mmio.force-legacy=false"},
    {"q35", "q35", true, "virtio-serial-pci,disable-legacy=on",
     "virtio-net-pci,disable-legacy=on,romfile=", NULL},
    {"pc", "pc", true, "virtio-serial-pci,disable-legacy=on",
     "virtio-net-pci,disable-legacy=on,romfile=", NULL},
};

/* Where QEMU looks for qboot.rom itself; without it SeaBIOS does, slower. */
static bool have_qboot(const char *qemu) {
    const char *slash = strrchr(qemu, '/');
    int folder = slash == NULL ? 0 : (int)(slash - qemu);
    char *beside = xasprintf("%.*s/../share/qemu/qboot.rom", folder, qemu);
    return is_file(beside) || is_file("/usr/share/qemu/qboot.rom") ||
           is_file("/usr/share/qemu-firmware/qboot.rom") || is_file("/usr/share/qboot/qboot.rom");
}

struct words {
    VEC(const char *) v;
};

static void add(struct words *w, const char *word) {
    *vec_push(&w->v) = word;
}

static void add2(struct words *w, const char *option, const char *value) {
    add(w, option);
    add(w, value);
}

const char *const *vm_command(const struct vm_config *config) {
    const struct machine *m = NULL;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (strcmp(machines[i].name, config->machine) == 0) {
            m = &machines[i];
        }
    }
    if (m == NULL) {
        return NULL;
    }
    struct words w = {0};
    add(&w, config->qemu);
    add2(&w, "-M", m->machine);
    add(&w, "-nodefaults");
    add(&w, "-no-user-config");
    add2(&w, "-display", "none");
    add(&w, "-no-reboot");
    add2(&w, "-accel", config->kvm ? "kvm" : "tcg");
    /* Some of what `max` offers has registers that an interpreter lacks. */
    bool interpreted = config->kvm && config->interpreted;
    add2(&w, "-cpu", interpreted ? "host,-arch-capabilities" : "max");
    if (config->cpus > 1) {
        add2(&w, "-smp", xasprintf("%u", config->cpus));
    }
    uint64_t mib = config->memory >> 20;
    add2(&w, "-m",
         mib << 20 == config->memory
             ? xasprintf("%lluM", (unsigned long long)mib)
             : xasprintf("%lluK", (unsigned long long)config->memory >> 10));
    if (m->qboot && have_qboot(config->qemu)) {
        add2(&w, "-bios", "qboot.rom");
    }
    add2(&w, "-kernel", config->image);
    if (config->cmdline[0] != '\0') {
        add2(&w, "-append", config->cmdline);
    }
    if (config->module != NULL) {
        add2(&w, "-initrd", config->module);
    }
    if (m->global != NULL) {
        add2(&w, "-global", m->global);
    }
    add2(&w, "-device", "isa-debug-exit,iobase=0x501,iosize=2");
    if (config->stand_alone) {
        add2(&w, "-serial", "stdio");
    } else {
        add2(&w, "-chardev", "stdio,id=zuk,signal=off");
        /* Two ways to one pipe: the guest leaves the first before it takes the second. */
        add2(&w, "-chardev", "file,id=brief,path=/dev/fd/1");
        add2(&w, "-device", xasprintf("isa-debugcon,iobase=%#x,chardev=brief", REPORT_PORT_X86));
        /* With TCG the notification is best served where it is made. */
        const char *events = m->global == NULL && !config->kvm ? ",ioeventfd=off" : "";
        add2(&w, "-device", xasprintf("%s,max_ports=2%s", m->serial, events));
        add2(&w, "-device", "virtserialport,chardev=zuk,nr=1");
        add2(&w, "-chardev", "file,id=com1,path=/dev/fd/3");
        add2(&w, "-serial", "chardev:com1");
    }
    if (config->net != NULL) {
        for (const char *const *word = net_words(config->net); *word != NULL; word++) {
            add(&w, *word);
        }
        add2(&w, "-device", xasprintf("%s,%s", m->network, net_device(config->net)));
    }
    if (config->gdb_port != 0) {
        add2(&w, "-gdb", xasprintf("tcp:127.0.0.1:%u", config->gdb_port));
        add(&w, "-S");
    }
    add(&w, NULL);
    return w.v.data;
}

char *vm_shell_line(const char *const *argv) {
    char *line = xstrdup("");
    for (size_t i = 0; argv[i] != NULL; i++) {
        line = xasprintf("%s%s%s", line, i > 0 ? " " : "", shell_word(argv[i]));
    }
    return line;
}

char *vm_encode(const char *value) {
    static const char digits[] = "0123456789abcdef";
    char *out = xalloc(3 * strlen(value) + 1);
    char *p = out;
    for (const unsigned char *s = (const unsigned char *)value; *s != '\0'; s++) {
        if (*s < 0x21 || *s > 0x7e || *s == '%') {
            *p++ = '%';
            *p++ = digits[*s >> 4];
            *p++ = digits[*s & 15];
        } else {
            *p++ = (char)*s;
        }
    }
    *p = '\0';
    return out;
}

/* ---- one run ---- */

enum { INPUT_CHUNK = 4096, READ_CHUNK = 64 << 10, CAPTURE_MAX = 256 << 10, PIPE_SIZE = 1 << 20 };
enum { GATHER_BELOW = 1024, GATHER_NS = 20000 };

/* Text of QEMU's that is kept: the first CAPTURE_MAX bytes. */
struct capture {
    int fd;
    char *text;
    size_t len;
};

/* One of our own output streams. */
struct sink {
    int fd; /* where bytes go: the stream itself or a non-blocking twin */
    bool socket;
    bool dead; /* closed before we started: bytes vanish */
};

struct run_state {
    const struct vm_host *host;
    struct vm_end *end;
    pid_t pid;
    int in, out; /* the channel: we write to `in`, read from `out`; -1: closed */
    int signals;
    struct capture words, serial;
    struct channel channel;
    struct sink sink[3];        /* 1: stdout, 2: stderr */
    unsigned stream;            /* the stream whose colour the terminal has */
    int64_t deadline;           /* ns, 0: none */
    bool listens;               /* the app handles SIGTERM */
    int signal;                 /* that it is still to be sent, or 0 */
    int64_t patience;           /* ns: when it must have ended, 0: it was not asked to */
    uint8_t buffer[READ_CHUNK]; /* what came from the guest and is not taken apart */
    const uint8_t *at;
    size_t left;
    unsigned piece_stream; /* a piece that is not written yet: 1, 2 or 0 */
    bool piece_ours;       /* zuk's words, not the app's: no colour */
    const uint8_t *piece;
    size_t piece_left;
    FILE *text; /* in memory: what vm_host.record writes */
    char *text_data;
    size_t text_size;
    bool want_input, input_ended;
    uint8_t input[sizeof(struct report_header) + INPUT_CHUNK]; /* on its way to the guest */
    size_t input_at, input_len;
    bool over;
};

static void finish(struct run_state *r, enum vm_outcome outcome) {
    if (!r->over) {
        r->end->outcome = outcome;
        r->over = true;
    }
}

/* A slow pipe or terminal must not block us.  O_NONBLOCK belongs to the open
 * file, which we share with others, so we open it once more. */
static void sink_open(struct sink *s, int fd) {
    struct stat st;
    *s = (struct sink){.fd = fd};
    if (fstat(fd, &st) != 0) {
        s->dead = true;
    } else if (S_ISSOCK(st.st_mode)) {
        s->socket = true;
    } else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
        char path[32];
        memcpy(path, "/proc/self/fd/N", 16);
        path[14] = (char)('0' + fd);
        int twin = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (twin >= 0) {
            s->fd = twin;
        }
    }
}

/* Bytes written, 0 when it would block; -1: errno. */
static ssize_t sink_write(const struct sink *s, const uint8_t *data, size_t size) {
    if (s->dead) {
        return (ssize_t)size;
    }
    ssize_t n =
        s->socket ? send(s->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) : write(s->fd, data, size);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    return n;
}

/* Escape sequences are short; a terminal that does not take one at once is
 * given a moment, and then stays as it is. */
static void set_color(struct run_state *r, unsigned stream) {
    if (!r->host->color || r->stream == stream) {
        return;
    }
    const char *text = stream == 2 ? "\033[31m" : r->stream == 2 ? "\033[0m" : "";
    r->stream = stream;
    size_t left = strlen(text);
    for (int tries = 0; left > 0 && tries < 20; tries++) {
        ssize_t n = sink_write(&r->sink[2], (const uint8_t *)text, left);
        if (n < 0) {
            return;
        }
        text += n;
        left -= (size_t)n;
        if (left > 0) {
            poll(&(struct pollfd){.fd = r->sink[2].fd, .events = POLLOUT}, 1, 50);
        }
    }
}

/* Writes what it can of the pending piece. */
static void write_piece(struct run_state *r) {
    const struct sink *s = &r->sink[r->piece_stream];
    set_color(r, r->piece_ours ? 0 : r->piece_stream);
    ssize_t n = sink_write(s, r->piece, r->piece_left);
    if (n < 0) {
        r->end->error = errno;
        finish(r, errno == EPIPE ? VM_CLOSED : VM_OUTPUT);
        return;
    }
    if (n > 0 && r->host->wrote != NULL) {
        r->host->wrote((size_t)n);
    }
    r->piece += n;
    r->piece_left -= (size_t)n;
    if (r->piece_left == 0) {
        r->piece_stream = 0;
    }
}

static void put_record(struct run_state *r, uint16_t type, size_t size) {
    struct report_header h = {.length = (uint32_t)size, .type = type};
    memcpy(r->input, &h, sizeof h);
    r->input_at = 0;
    r->input_len = sizeof h + size;
}

static void put_piece(struct run_state *r, unsigned stream, bool ours, const void *data,
                      size_t size) {
    r->piece_stream = stream;
    r->piece_ours = ours;
    r->piece = data;
    r->piece_left = size;
    write_piece(r);
}

/* Hands a record on and takes what is to be said about it. */
static void tell_host(struct run_state *r, const struct channel_item *item) {
    if (r->host->record == NULL || r->text == NULL) {
        return;
    }
    rewind(r->text);
    r->host->record(r->host->arg, r->text, item->type, item->data, item->size);
    fflush(r->text);
    long size = ftell(r->text);
    if (size > 0) {
        put_piece(r, 2, true, r->text_data, (size_t)size);
    }
}

static void take_item(struct run_state *r, const struct channel_item *item) {
    if (!r->end->spoke && r->host->spoke != NULL) {
        r->host->spoke();
    }
    r->end->spoke = true;
    switch (item->type) {
    case REPORT_STDOUT:
    case REPORT_STDERR:
        put_piece(r, item->type, false, item->data, item->size);
        break;
    case REPORT_EXIT:
        if (item->size != sizeof r->end->exit) {
            finish(r, VM_BROKEN);
            break;
        }
        memcpy(&r->end->exit, item->data, sizeof r->end->exit);
        finish(r, VM_EXIT);
        break;
    case REPORT_LISTENS:
        r->listens = true;
        break;
    case REPORT_WANT_INPUT:
        r->want_input = true;
        if (r->stream == 2 && isatty(0)) {
            set_color(r, 0); /* what the user types is not stderr */
        }
        if (r->input_ended && r->input_len == 0) {
            put_record(r, REPORT_STDIN_EOF, 0); /* asked again */
        }
        break;
    default:
        tell_host(r, item);
    }
}

/* Takes apart what has come, until it is used up or a reader is slow. */
static void take_items(struct run_state *r) {
    while (!r->over && r->piece_stream == 0) {
        struct channel_item item;
        switch (channel_next(&r->channel, &r->at, &r->left, &item)) {
        case CHANNEL_ITEM:
            take_item(r, &item);
            break;
        case CHANNEL_MORE:
            return;
        case CHANNEL_BROKEN:
            finish(r, VM_BROKEN);
            return;
        }
    }
}

static void read_channel(struct run_state *r) {
    ssize_t n = read(r->out, r->buffer, sizeof r->buffer);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            close(r->out);
            r->out = -1;
        }
        return;
    }
    r->at = r->buffer;
    r->left = (size_t)n;
    take_items(r);
    /* The first records come a byte at a time (abi/report.h), and to wake up for each
     * holds back the machine that sends them. */
    if (!r->over && n < GATHER_BELOW && !channel_idle(&r->channel)) {
        nanosleep(&(struct timespec){.tv_nsec = GATHER_NS}, NULL);
    }
}

static void read_capture(struct run_state *r, struct capture *c, bool live) {
    char chunk[4096];
    ssize_t n = read(c->fd, chunk, sizeof chunk);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            close(c->fd);
            c->fd = -1;
        }
        return;
    }
    if (live && r->piece_stream == 0) {
        set_color(r, 2);
        (void)sink_write(&r->sink[2], (const uint8_t *)chunk, (size_t)n);
    }
    size_t room = CAPTURE_MAX - c->len;
    size_t keep = (size_t)n < room ? (size_t)n : room;
    char *text = realloc(c->text, c->len + keep + 1);
    if (text == NULL) {
        return;
    }
    memcpy(text + c->len, chunk, keep);
    c->len += keep;
    text[c->len] = '\0';
    c->text = text;
    /* An emulator that gave up waits for a debugger instead of ending. */
    if (c == &r->words && strstr(c->text, "KVM internal error") != NULL) {
        finish(r, VM_FAILED);
    }
}

static void read_input(struct run_state *r) {
    ssize_t n = read(0, r->input + sizeof(struct report_header), INPUT_CHUNK);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    r->want_input = false;
    if (n > 0) {
        put_record(r, REPORT_STDIN, (size_t)n);
    } else {
        r->input_ended = true;
        put_record(r, REPORT_STDIN_EOF, 0);
    }
}

static void write_input(struct run_state *r) {
    ssize_t n = write(r->in, r->input + r->input_at, r->input_len - r->input_at);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            close(r->in);
            r->in = -1;
            r->input_len = 0;
        }
        return;
    }
    r->input_at += (size_t)n;
    if (r->input_at == r->input_len) {
        r->input_len = 0;
    }
}

static void put_terminal(struct run_state *r) {
    struct winsize size;
    if (r->input_len != 0 ||
        (ioctl(1, TIOCGWINSZ, &size) != 0 && ioctl(0, TIOCGWINSZ, &size) != 0)) {
        return;
    }
    struct report_terminal t = {
        .is_terminal = {isatty(0) == 1, isatty(1) == 1, isatty(2) == 1},
        .rows = size.ws_row,
        .columns = size.ws_col,
    };
    memcpy(r->input + sizeof(struct report_header), &t, sizeof t);
    put_record(r, REPORT_TERMINAL, sizeof t);
}

static void put_signal(struct run_state *r) {
    const struct report_signal signal = {.number = (uint32_t)r->signal};
    r->signal = 0;
    memcpy(r->input + sizeof(struct report_header), &signal, sizeof signal);
    put_record(r, REPORT_SIGNAL, sizeof signal);
}

static void take_signal(struct run_state *r) {
    struct signalfd_siginfo info;
    while (read(r->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH) {
            put_terminal(r);
        } else if (info.ssi_signo == SIGCHLD) {
            continue; /* a turn of the loop */
        } else if (info.ssi_signo == SIGTERM && r->listens && r->patience == 0 &&
                   r->host->grace_ms > 0) {
            r->signal = SIGTERM; /* a second one ends the machine */
            r->patience = now_ns() + (int64_t)r->host->grace_ms * 1000000;
        } else {
            r->end->signal = (int)info.ssi_signo;
            finish(r, VM_SIGNAL);
        }
    }
}

/* One turn of the loop: wait for anything that can go on, and do it. */
static void turn(struct run_state *r) {
    struct pollfd p[8];
    nfds_t n = 0;
    int timeout = -1;
    int64_t until = r->deadline;
    if (r->patience != 0 && (until == 0 || r->patience < until)) {
        until = r->patience;
    }
    if (until != 0) {
        int64_t now = now_ns();
        if (now >= until) {
            r->end->signal = SIGTERM;
            finish(r, until == r->patience ? VM_SIGNAL : VM_TIMEOUT);
            return;
        }
        int64_t ms = (until - now + 999999) / 1000000;
        timeout = ms > 1000000000 ? 1000000000 : (int)ms;
    }
    if (r->signal != 0 && r->input_len == 0) {
        put_signal(r);
    }
    enum { SIGNALS, OUT, IN, SINK, STDIN, WORDS, SERIAL };
    unsigned char what[8];
    p[n] = (struct pollfd){.fd = r->signals, .events = POLLIN};
    what[n++] = SIGNALS;
    if (r->piece_stream != 0) {
        p[n] = (struct pollfd){.fd = r->sink[r->piece_stream].fd, .events = POLLOUT};
        what[n++] = SINK;
    } else if (r->out >= 0) {
        p[n] = (struct pollfd){.fd = r->out, .events = POLLIN};
        what[n++] = OUT;
    }
    if (r->input_len > 0 && r->in >= 0) {
        p[n] = (struct pollfd){.fd = r->in, .events = POLLOUT};
        what[n++] = IN;
    } else if (r->want_input && !r->input_ended) {
        p[n] = (struct pollfd){.fd = 0, .events = POLLIN};
        what[n++] = STDIN;
    }
    if (r->words.fd >= 0) {
        p[n] = (struct pollfd){.fd = r->words.fd, .events = POLLIN};
        what[n++] = WORDS;
    }
    if (r->serial.fd >= 0) {
        p[n] = (struct pollfd){.fd = r->serial.fd, .events = POLLIN};
        what[n++] = SERIAL;
    }
    if (poll(p, n, timeout) <= 0) {
        return;
    }
    for (nfds_t i = 0; i < n && !r->over; i++) {
        if (p[i].revents == 0) {
            continue;
        }
        switch (what[i]) {
        case SIGNALS:
            take_signal(r);
            break;
        case SINK:
            write_piece(r);
            take_items(r);
            break;
        case OUT:
            read_channel(r);
            break;
        case IN:
            write_input(r);
            break;
        case STDIN:
            read_input(r);
            break;
        case WORDS:
            read_capture(r, &r->words, false);
            break;
        case SERIAL:
            read_capture(r, &r->serial, r->host->serial_live);
            break;
        default:
            break;
        }
    }
}

/* Moves a descriptor out of the way of 0..3, which the child sets up. */
static int high(int fd) {
    if (fd < 0 || fd > 3) {
        return fd;
    }
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 4);
    close(fd);
    return moved;
}

static bool make_pipe(int fd[2]) {
    if (pipe2(fd, O_CLOEXEC) != 0) {
        return false;
    }
    fd[0] = high(fd[0]);
    fd[1] = high(fd[1]);
    return fd[0] >= 0 && fd[1] >= 0;
}

/* Starts QEMU with its descriptors 0 to 3; -1: errno.  Between vfork and exec
 * only system calls are made. */
static pid_t start(const char *const *argv, const int fds[4], const sigset_t *mask) {
    pid_t parent = getpid();
    volatile int error = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        bool ok = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
        for (int i = 0; i < 4 && ok; i++) {
            ok = dup2(fds[i], i) == i;
        }
        if (ok) {
            setsid(); /* the terminal's signals are ours alone */
            sigprocmask(SIG_SETMASK, mask, NULL);
            signal(SIGPIPE, SIG_DFL);
            execv(argv[0], (char *const *)(uintptr_t)argv);
        }
        error = errno;
        _exit(127);
    }
    if (pid > 0 && error != 0) {
        waitpid(pid, NULL, 0);
        errno = error;
        return -1;
    }
    return pid;
}

static void drain(struct run_state *r, struct capture *c) {
    while (c->fd >= 0 && poll(&(struct pollfd){.fd = c->fd, .events = POLLIN}, 1, 0) > 0) {
        read_capture(r, c, false);
    }
}

/* The VM is to go: at once, whatever it does. */
static void stop(struct run_state *r) {
    drain(r, &r->words);
    drain(r, &r->serial);
    kill(r->pid, SIGKILL);
    while (waitpid(r->pid, &r->end->qemu_status, 0) < 0 && errno == EINTR) {
    }
}

/* QEMU ended by itself: read what it left, then judge. */
static void reap(struct run_state *r) {
    drain(r, &r->words);
    drain(r, &r->serial);
    while (waitpid(r->pid, &r->end->qemu_status, 0) < 0 && errno == EINTR) {
    }
    int status = r->end->qemu_status;
    /* 0: -no-reboot and a reset; odd without a word: isa-debug-exit. */
    bool guest = WIFEXITED(status) &&
                 (WEXITSTATUS(status) == 0 || (WEXITSTATUS(status) % 2 == 1 && r->words.len == 0));
    finish(r, guest ? VM_CRASHED : VM_FAILED);
}

static bool has_ended(const struct run_state *r) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == r->pid;
}

/* Also when the channel is closed QEMU may take its time to end, or for ever. */
static void relay(struct run_state *r) {
    while (!r->over && (r->out >= 0 || r->piece_stream != 0 || !has_ended(r))) {
        turn(r);
    }
}

void vm_run(const char *const *argv, const struct vm_host *host, struct vm_end *end) {
    *end = (struct vm_end){.words = xstrdup(""), .serial = xstrdup("")};
    struct run_state *r = xalloc(sizeof *r);
    r->host = host;
    r->end = end;
    sigset_t ours, before;
    sigemptyset(&ours);
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCHLD};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction old;
        if (sigaction(signals[i], NULL, &old) != 0 || old.sa_handler != SIG_IGN) {
            sigaddset(&ours, signals[i]); /* nohup's SIGHUP stays ignored */
        }
    }
    sigprocmask(SIG_BLOCK, &ours, &before);
    void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
    int in[2], out[2], err[2], com[2];
    if (!make_pipe(in) || !make_pipe(out) || !make_pipe(err) || !make_pipe(com)) {
        end->outcome = VM_FAILED;
        end->words = xasprintf("pipe: %s", strerror(errno));
        return;
    }
    (void)fcntl(out[0], F_SETPIPE_SZ, PIPE_SIZE);
    r->signals = high(signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC));
    r->pid = start(argv, (const int[]){in[0], out[1], err[1], com[1]}, &before);
    int error = errno;
    close(in[0]), close(out[1]), close(err[1]), close(com[1]);
    r->in = in[1], r->out = out[0], r->words.fd = err[0], r->serial.fd = com[0];
    if (r->pid < 0) {
        end->words = xasprintf("cannot start %s: %s", argv[0], strerror(error));
        finish(r, VM_FAILED);
    } else {
        fcntl(r->in, F_SETFL, O_NONBLOCK);
        r->text = open_memstream(&r->text_data, &r->text_size);
        sink_open(&r->sink[1], 1);
        sink_open(&r->sink[2], 2);
        r->deadline = host->timeout_ms == 0 ? 0 : now_ns() + (int64_t)host->timeout_ms * 1000000;
        relay(r);
        set_color(r, 0);
        if (r->over) {
            stop(r);
        } else {
            reap(r);
        }
        if (r->words.len > 0) {
            end->words = xstrdup(r->words.text);
        }
        if (r->serial.len > 0) {
            end->serial = xstrdup(r->serial.text);
        }
    }
    const int fds[] = {r->in, r->out, r->words.fd, r->serial.fd, r->signals};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    for (int i = 1; i <= 2; i++) {
        if (r->sink[i].fd > 2) {
            close(r->sink[i].fd);
        }
    }
    if (r->text != NULL) {
        fclose(r->text);
    }
    free(r->text_data);
    free(r->words.text);
    free(r->serial.text);
    channel_free(&r->channel);
    signal(SIGPIPE, pipe_before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
