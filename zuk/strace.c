/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls as text.  See strace.h and strace.def.
 *
 * Numbers of flags are this host's; guest and host are the same architecture.
 */
#include "zuk/strace.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "zuk/features.h"
#include "zuk/util.h"

enum kind {
    NONE,
    INT,
    OFFSET,
    UINT,
    HEX,
    PTR,
    ZERO,
    NEVER,
    FD,
    DIRFD,
    PATH,
    IN,
    OUT,
    MODE,
    SIGNAL,
    OPEN,
    PROT,
    MAP,
    WHENCE,
    SIGACTION,
    SIGHOW,
    SIGSET,
    SIGSTACK,
    IOCTL,
    IOVEC,
    IOVEC_OUT,
    ACCESS,
    MREMAP,
    MSYNC,
    ADVICE,
    TIME,
    FAMILY,
    SOCKTYPE,
    SOCKFLAGS,
    FDFLAGS,
    SOCKADDR,
    CLONE,
    FCNTL,
    FLOCK,
    RLIMIT,
    PRCTL,
    ARCH_PRCTL,
    FUTEX,
    CLOCK,
    AT,
    AT_ACCESS,
    POLLFDS,
};

#define STRACE_VECTOR 6 /* struct report_data.arg of the first piece of a vector */

struct format {
    const char *name;
    unsigned char result;
    unsigned char args[6];
};

static const struct format formats[] = {
#define TRACE(name, result, ...) {#name, result, {__VA_ARGS__}},
#include "zuk/strace.def"
#undef TRACE
};

/* ---- names of numbers ---- */

struct name {
    uint64_t value;
    const char *name;
};
#define N(x)                                                                                       \
    { (uint64_t)(x), #x }

static const struct name open_names[] = {N(O_WRONLY),
                                         N(O_RDWR),
                                         N(O_CREAT),
                                         N(O_EXCL),
                                         N(O_NOCTTY),
                                         N(O_TRUNC),
                                         N(O_APPEND),
                                         N(O_NONBLOCK),
                                         {020000000 | O_DIRECTORY, "O_TMPFILE"},
                                         N(O_DIRECTORY),
                                         N(O_NOFOLLOW),
                                         N(O_CLOEXEC),
                                         N(O_PATH),
                                         N(O_SYNC),
                                         N(O_DSYNC),
                                         N(O_DIRECT),
                                         {0100000, "O_LARGEFILE"},
                                         {0, NULL}};
static const struct name prot_names[] = {N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), {0, NULL}};
static const struct name map_names[] = {{3, "MAP_SHARED_VALIDATE"},
                                        N(MAP_SHARED),
                                        N(MAP_PRIVATE),
                                        {0x100000, "MAP_FIXED_NOREPLACE"},
                                        N(MAP_FIXED),
                                        N(MAP_ANONYMOUS),
                                        N(MAP_GROWSDOWN),
                                        N(MAP_NORESERVE),
                                        N(MAP_POPULATE),
                                        N(MAP_STACK),
                                        N(MAP_HUGETLB),
                                        {0, NULL}};
static const struct name mremap_names[] = {
    N(MREMAP_MAYMOVE), N(MREMAP_FIXED), {4, "MREMAP_DONTUNMAP"}, {0, NULL}};
static const struct name msync_names[] = {N(MS_ASYNC), N(MS_SYNC), N(MS_INVALIDATE), {0, NULL}};
static const struct name access_names[] = {N(R_OK), N(W_OK), N(X_OK), {0, NULL}};
static const struct name flock_names[] = {
    N(LOCK_SH), N(LOCK_EX), N(LOCK_UN), N(LOCK_NB), {0, NULL}};
static const struct name at_names[] = {{0x100, "AT_SYMLINK_NOFOLLOW"}, {0x200, "AT_REMOVEDIR"},
                                       {0x400, "AT_SYMLINK_FOLLOW"},   {0x800, "AT_NO_AUTOMOUNT"},
                                       {0x1000, "AT_EMPTY_PATH"},      {0, NULL}};
static const struct name at_access_names[] = {
    {0x100, "AT_SYMLINK_NOFOLLOW"}, {0x200, "AT_EACCESS"}, {0x1000, "AT_EMPTY_PATH"}, {0, NULL}};
static const struct name clone_names[] = {N(CLONE_VM),
                                          N(CLONE_FS),
                                          N(CLONE_FILES),
                                          N(CLONE_SIGHAND),
                                          N(CLONE_THREAD),
                                          N(CLONE_SYSVSEM),
                                          N(CLONE_SETTLS),
                                          N(CLONE_PARENT_SETTID),
                                          N(CLONE_CHILD_CLEARTID),
                                          N(CLONE_CHILD_SETTID),
                                          N(CLONE_DETACHED),
                                          N(CLONE_VFORK),
                                          N(CLONE_UNTRACED),
                                          N(CLONE_NEWNS),
                                          N(CLONE_PARENT),
                                          {0, NULL}};
static const struct name socktype_flags[] = {N(SOCK_NONBLOCK), N(SOCK_CLOEXEC), {0, NULL}};
static const struct name sa_names[] = {
    {0x04000000, "SA_RESTORER"}, {4, "SA_SIGINFO"},          {0x08000000, "SA_ONSTACK"},
    {0x10000000, "SA_RESTART"},  {0x40000000, "SA_NODEFER"}, {0x80000000, "SA_RESETHAND"},
    {1, "SA_NOCLDSTOP"},         {2, "SA_NOCLDWAIT"},        {0, NULL}};

static const struct name whence_words[] = {N(SEEK_SET),      N(SEEK_CUR),      N(SEEK_END),
                                           {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}, {0, NULL}};
static const struct name sighow_words[] = {N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK), {0, NULL}};
static const struct name advice_words[] = {
    N(MADV_NORMAL), N(MADV_RANDOM),   N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED),
    N(MADV_FREE),   N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP), {0, NULL}};
static const struct name family_words[] = {
    N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK), {0, NULL}};
static const struct name socktype_words[] = {
    N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_SEQPACKET), {0, NULL}};
static const struct name fcntl_words[] = {
    N(F_DUPFD), N(F_GETFD),  N(F_SETFD),         N(F_GETFL),      N(F_SETFL),      N(F_GETLK),
    N(F_SETLK), N(F_SETLKW), N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), {0, NULL}};
static const struct name rlimit_words[] = {N(RLIMIT_CPU),   N(RLIMIT_FSIZE),  N(RLIMIT_DATA),
                                           N(RLIMIT_STACK), N(RLIMIT_CORE),   N(RLIMIT_RSS),
                                           N(RLIMIT_NPROC), N(RLIMIT_NOFILE), N(RLIMIT_MEMLOCK),
                                           N(RLIMIT_AS),    {0, NULL}};
static const struct name prctl_words[] = {N(PR_SET_NAME),
                                          N(PR_GET_NAME),
                                          N(PR_SET_DUMPABLE),
                                          N(PR_SET_PDEATHSIG),
                                          {0x53564d41, "PR_SET_VMA"},
                                          {0, NULL}};
static const struct name arch_prctl_words[] = {
    N(ARCH_SET_FS), N(ARCH_GET_FS), N(ARCH_SET_GS), N(ARCH_GET_GS), {0, NULL}};
static const struct name futex_words[] = {
    N(FUTEX_WAIT),        N(FUTEX_WAKE),    N(FUTEX_REQUEUE),   N(FUTEX_CMP_REQUEUE),
    N(FUTEX_WAKE_OP),     N(FUTEX_LOCK_PI), N(FUTEX_UNLOCK_PI), N(FUTEX_WAIT_BITSET),
    N(FUTEX_WAKE_BITSET), {0, NULL}};
static const struct name clock_words[] = {
    N(CLOCK_REALTIME),          N(CLOCK_MONOTONIC),     N(CLOCK_PROCESS_CPUTIME_ID),
    N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE),
    N(CLOCK_MONOTONIC_COARSE),  N(CLOCK_BOOTTIME),      {0, NULL}};
static const struct name ioctl_words[] = {N(TIOCGWINSZ), N(TCGETS),    N(TCSETS),
                                          N(TCSETSW),    N(TCSETSF),   N(FIONREAD),
                                          N(FIONBIO),    N(TIOCGPGRP), {0, NULL}};
static const struct name poll_names[] = {N(POLLIN),  N(POLLPRI),  N(POLLOUT), N(POLLERR),
                                         N(POLLHUP), N(POLLNVAL), {0, NULL}};

static const struct name *const words_of[] = {
    [WHENCE] = whence_words, [SIGHOW] = sighow_words,
    [ADVICE] = advice_words, [FAMILY] = family_words,
    [FCNTL] = fcntl_words,   [RLIMIT] = rlimit_words,
    [PRCTL] = prctl_words,   [ARCH_PRCTL] = arch_prctl_words,
    [CLOCK] = clock_words,   [IOCTL] = ioctl_words,
    [POLLFDS] = NULL,
};

/* Sets of flags, and the word for none. */
static const struct {
    const struct name *names;
    const char *none;
} flags_of[] = {
    [OPEN] = {open_names, "O_RDONLY"},
    [FDFLAGS] = {open_names, "0"},
    [SOCKFLAGS] = {socktype_flags, "0"},
    [PROT] = {prot_names, "PROT_NONE"},
    [MAP] = {map_names, "0"},
    [ACCESS] = {access_names, "F_OK"},
    [MREMAP] = {mremap_names, "0"},
    [MSYNC] = {msync_names, "0"},
    [FLOCK] = {flock_names, "0"},
    [AT] = {at_names, "0"},
    [AT_ACCESS] = {at_access_names, "0"},
    [POLLFDS] = {NULL, NULL},
};

static const char *word_for(const struct name *names, uint64_t value) {
    for (; names->name != NULL; names++) {
        if (names->value == value) {
            return names->name;
        }
    }
    return NULL;
}

const char *strace_name(uint64_t number) {
    const char *name = features_call_name(number);
    return name != NULL ? name : xasprintf("call %" PRIu64, number);
}

const char *strace_errno(int number) {
    return number > 0 && number < 4096 ? strerrorname_np(number) : NULL;
}

const char *strace_signal(int number) {
    const char *name = number > 0 && number < 65 ? sigabbrev_np(number) : NULL;
    return name == NULL ? NULL : xasprintf("SIG%s", name);
}

/* ---- text ---- */

struct text {
    char *data;
    size_t len, cap;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool reserve(struct text *t, size_t more) {
    if (t->len + more + 1 <= t->cap) {
        return true;
    }
    size_t cap = t->cap == 0 ? 256 : t->cap;
    while (cap < t->len + more + 1) {
        cap *= 2;
    }
    char *data = realloc(t->data, cap);
    if (data == NULL) {
        return false;
    }
    t->data = data;
    t->cap = cap;
    return true;
}

static void put(struct text *t, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    char small[512]; /* every format below stays within it */
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return;
    }
    size_t size = (size_t)n < sizeof small ? (size_t)n : sizeof small - 1;
    if (reserve(t, size)) {
        memcpy(t->data + t->len, small, size + 1);
        t->len += size;
    }
}

static void put_quoted(struct text *t, const uint8_t *bytes, size_t size, size_t limit) {
    size_t shown = size < limit ? size : limit;
    if (!reserve(t, 4 * shown + 8)) {
        return;
    }
    char *p = t->data + t->len;
    *p++ = '"';
    for (size_t i = 0; i < shown; i++) {
        uint8_t c = bytes[i];
        static const char escapes[] = "\a\b\t\n\v\f\r";
        const char *e = c == 0 ? NULL : strchr(escapes, c);
        if (e != NULL) {
            *p++ = '\\';
            *p++ = "abtnvfr"[e - escapes];
        } else if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        } else if (c >= 0x20 && c < 0x7f) {
            *p++ = (char)c;
        } else {
            bool digit = i + 1 < shown && bytes[i + 1] >= '0' && bytes[i + 1] <= '9';
            p += sprintf(p, digit ? "\\%03o" : "\\%o", c);
        }
    }
    *p++ = '"';
    strcpy(p, shown < size ? "..." : "");
    t->len = (size_t)(p - t->data) + strlen(p);
}

char *strace_quote(const uint8_t *bytes, size_t size, size_t limit) {
    struct text t = {0};
    put_quoted(&t, bytes, size, limit);
    return t.data;
}

static void put_flags(struct text *t, const struct name *names, const char *none, uint64_t value) {
    const char *separator = "";
    bool any = false;
    for (; names->name != NULL; names++) {
        if (names->value != 0 && (value & names->value) == names->value) {
            put(t, "%s%s", separator, names->name);
            separator = "|";
            value &= ~names->value;
            any = true;
        }
    }
    if (value != 0) {
        put(t, "%s0x%" PRIx64, separator, value);
    } else if (!any) {
        put(t, "%s", none);
    }
}

static void put_word(struct text *t, const struct name *names, uint64_t value) {
    const char *word = word_for(names, value);
    if (word != NULL) {
        put(t, "%s", word);
    } else {
        put(t, "0x%" PRIx64, value);
    }
}

static void put_pointer(struct text *t, uint64_t value) {
    if (value == 0) {
        put(t, "NULL");
    } else {
        put(t, "0x%" PRIx64, value);
    }
}

/* The bytes behind argument `arg`: false when there are none. */
static bool find_data(const struct strace_data *data, unsigned arg, const uint8_t **bytes,
                      size_t *size) {
    if (data == NULL) {
        return false;
    }
    const uint8_t *p = data->bytes;
    size_t left = data->size;
    for (uint32_t i = 0; i < data->count; i++) {
        struct report_data d;
        if (left < sizeof d) {
            return false;
        }
        memcpy(&d, p, sizeof d);
        p += sizeof d;
        left -= sizeof d;
        if (left < d.size) {
            return false;
        }
        if (d.arg == arg) {
            *bytes = p;
            *size = d.size;
            return true;
        }
        p += d.size;
        left -= d.size;
    }
    return false;
}

static uint64_t word_at(const uint8_t *bytes, size_t size) {
    uint64_t value = 0;
    memcpy(&value, bytes, size);
    return value;
}

static void put_signal(struct text *t, uint64_t value) {
    const char *name = value > 0 && value < 65 ? sigabbrev_np((int)value) : NULL;
    if (name != NULL) {
        put(t, "SIG%s", name);
    } else {
        put(t, "%" PRIu64, value);
    }
}

static void put_sigset(struct text *t, uint64_t set) {
    bool inverted = __builtin_popcountll(set) > 32;
    set = inverted ? ~set : set;
    put(t, inverted ? "~[" : "[");
    const char *separator = "";
    for (int n = 1; n <= 64; n++) {
        if (set >> (n - 1) & 1) {
            const char *name = sigabbrev_np(n);
            if (name != NULL) {
                put(t, "%s%s", separator, name);
            } else {
                put(t, "%s%d", separator, n);
            }
            separator = " ";
        }
    }
    put(t, "]");
}

static void put_sigaction(struct text *t, const uint8_t *b) {
    uint64_t handler = word_at(b, 8), flags = word_at(b + 8, 8), mask = word_at(b + 24, 8);
    put(t, "{");
    if (handler <= 1) {
        put(t, handler == 0 ? "SIG_DFL" : "SIG_IGN");
    } else {
        put(t, "0x%" PRIx64, handler);
    }
    put(t, ", ");
    put_sigset(t, mask);
    put(t, ", ");
    put_flags(t, sa_names, "0", flags);
    put(t, "}");
}

static void put_sockaddr(struct text *t, const uint8_t *b, size_t size) {
    uint64_t family = word_at(b, 2);
    put(t, "{");
    put_word(t, family_words, family);
    if (family == AF_INET && size >= 8) {
        put(t, ", %u.%u.%u.%u:%u", b[4], b[5], b[6], b[7], b[2] << 8 | b[3]);
    } else if (family == AF_UNIX) {
        put(t, ", ");
        put_quoted(t, b + 2, strnlen((const char *)b + 2, size - 2), 108);
    }
    put(t, "}");
}

/* `whole` bytes, of which `size` came along. */
static void put_start(struct text *t, const uint8_t *b, size_t size, uint64_t whole) {
    size_t n = whole < size ? (size_t)whole : size;
    put_quoted(t, b, n, 32);
    put(t, "%s", n < whole && n <= 32 ? "..." : "");
}

static void put_vector(struct text *t, const struct strace_data *data, const uint8_t *b,
                       size_t size, uint64_t count, uint64_t bytes) {
    put(t, "[");
    for (unsigned i = 0; (i + 1) * 16 <= size && i < count; i++) {
        uint64_t base = word_at(b + 16 * i, 8), length = word_at(b + 16 * i + 8, 8);
        uint64_t told = length < bytes ? length : bytes;
        const uint8_t *start;
        size_t there;
        put(t, "%s{", i == 0 ? "" : ", ");
        if (told > 0 && find_data(data, STRACE_VECTOR + i, &start, &there)) {
            put_start(t, start, there, told);
        } else if (length == 0) {
            put(t, "\"\"");
        } else {
            put(t, "0x%" PRIx64, base);
        }
        put(t, ", %" PRIu64 "}", length);
        bytes -= told;
    }
    put(t, "%s]", count > size / 16 ? ", ..." : "");
}

/* Arguments that point to bytes which came along; false: show the pointer. */
static bool put_bytes(struct text *t, enum kind kind, const struct report_call *call,
                      const struct strace_data *data, const uint8_t *b, size_t size, unsigned i) {
    switch (kind) {
    case PATH: {
        size_t length = strnlen((const char *)b, size);
        put_quoted(t, b, length, 256);
        put(t, "%s", length == size && size > 0 && length <= 256 ? "..." : "");
        return true;
    }
    case IN:
    case OUT: {
        uint64_t whole = kind == OUT ? (uint64_t)call->result : i < 5 ? call->args[i + 1] : size;
        if (kind == OUT && call->result < 0) {
            return false;
        }
        put_start(t, b, size, whole);
        return true;
    }
    case IOVEC:
    case IOVEC_OUT: {
        bool filled = kind == IOVEC_OUT;
        put_vector(t, data, b, size, i < 5 ? call->args[i + 1] : 0,
                   !filled            ? UINT64_MAX
                   : call->result > 0 ? (uint64_t)call->result
                                      : 0);
        return true;
    }
    case TIME:
        if (size < 16) {
            return false;
        }
        put(t, "{%" PRId64 ".%09" PRId64 "}", (int64_t)word_at(b, 8), (int64_t)word_at(b + 8, 8));
        return true;
    case SIGACTION:
        if (size < 32) {
            return false;
        }
        put_sigaction(t, b);
        return true;
    case SIGSET:
        if (size < 8) {
            return false;
        }
        put_sigset(t, word_at(b, 8));
        return true;
    case SIGSTACK:
        if (size < 24) {
            return false;
        }
        put(t, "{0x%" PRIx64 ", %" PRIu64 " bytes}", word_at(b, 8), word_at(b + 16, 8));
        return true;
    case SOCKADDR:
        if (size < 2) {
            return false;
        }
        put_sockaddr(t, b, size);
        return true;
    case POLLFDS:
        put(t, "[");
        for (size_t at = 0; at + 8 <= size; at += 8) {
            put(t, "%s{%d, ", at == 0 ? "" : ", ", (int)word_at(b + at, 4));
            put_flags(t, poll_names, "0", word_at(b + at + 4, 2));
            put(t, "}");
        }
        put(t, "]");
        return true;
    default:
        return false;
    }
}

static void put_scalar(struct text *t, enum kind kind, uint64_t value) {
    switch (kind) {
    case INT:
        put(t, "%" PRId64,
            value >> 32 == 0 || value >> 32 == 0xffffffff ? (int64_t)(int32_t)value
                                                          : (int64_t)value);
        break;
    case OFFSET:
        put(t, "%" PRId64, (int64_t)value);
        break;
    case FD:
        put(t, "%d", (int)value);
        break;
    case UINT:
        put(t, "%" PRIu64, value);
        break;
    case DIRFD:
        if ((int)value == AT_FDCWD) {
            put(t, "AT_FDCWD");
        } else {
            put(t, "%d", (int)value);
        }
        break;
    case MODE:
        put(t, "0%03o", (unsigned)value & 07777777);
        break;
    case SIGNAL:
        put_signal(t, (uint32_t)value);
        break;
    case CLONE:
        put_flags(t, clone_names, "0", value & ~UINT64_C(0xff));
        if ((value & 0xff) != 0) {
            put(t, "|");
            put_signal(t, value & 0xff);
        }
        break;
    case SOCKTYPE:
        put_word(t, socktype_words, value & 0xf);
        if ((value & ~UINT64_C(0xf)) != 0) {
            put(t, "|");
            put_flags(t, socktype_flags, "0", value & ~UINT64_C(0xf));
        }
        break;
    case FUTEX:
        put_word(t, futex_words, value & FUTEX_CMD_MASK & 0xffffffff);
        put(t, "%s%s", (value & FUTEX_PRIVATE_FLAG) != 0 ? "|FUTEX_PRIVATE_FLAG" : "",
            (value & FUTEX_CLOCK_REALTIME) != 0 ? "|FUTEX_CLOCK_REALTIME" : "");
        break;
    case OPEN:
    case FDFLAGS:
    case SOCKFLAGS:
    case PROT:
    case MAP:
    case ACCESS:
    case MREMAP:
    case MSYNC:
    case FLOCK:
    case AT:
    case AT_ACCESS:
        put_flags(t, flags_of[kind].names, flags_of[kind].none, (uint32_t)value);
        break;
    case WHENCE:
    case SIGHOW:
    case ADVICE:
    case FAMILY:
    case FCNTL:
    case RLIMIT:
    case PRCTL:
    case ARCH_PRCTL:
    case CLOCK:
    case IOCTL:
        put_word(t, words_of[kind], (uint32_t)value);
        break;
    case HEX:
        put(t, "%s%" PRIx64, value == 0 ? "" : "0x", value);
        break;
    default:
        put_pointer(t, value);
        break;
    }
}

static const struct format *find_format(const char *name) {
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

/* Arguments that mean nothing without a flag in an earlier one. */
static unsigned count_args(const struct format *f, const struct report_call *call) {
    unsigned n = 0;
    while (n < 6 && f->args[n] != NONE) {
        n++;
    }
    for (unsigned i = 0; i + 1 < n; i++) {
        if (f->args[i] == OPEN && f->args[i + 1] == MODE &&
            (call->args[i] & (O_CREAT | 020000000)) == 0) {
            return i + 1;
        }
        if (f->args[i] == MREMAP && (call->args[i] & MREMAP_FIXED) == 0) {
            return i + 1;
        }
        if (f->args[i] == FCNTL && (call->args[i] == F_GETFD || call->args[i] == F_GETFL)) {
            return i + 1;
        }
        if (f->args[i] == FUTEX && ((call->args[i] & 0x7f) == FUTEX_WAKE)) {
            return i + 2;
        }
        if (f->args[i] == FUTEX && ((call->args[i] & 0x7f) == FUTEX_WAIT)) {
            return i + 3;
        }
    }
    return n;
}

static void put_call(struct text *t, const struct report_call *call,
                     const struct strace_data *data) {
    const char *name = features_call_name(call->number);
    const struct format *f = name == NULL ? NULL : find_format(name);
    if (name == NULL) {
        put(t, "syscall_%" PRIu64 "(", call->number);
    } else {
        put(t, "%s(", name);
    }
    unsigned n = f == NULL ? 6 : count_args(f, call);
    for (unsigned i = 0; i < n; i++) {
        enum kind kind = f == NULL ? HEX : (enum kind)f->args[i];
        const uint8_t *bytes;
        size_t size;
        put(t, "%s", i == 0 ? "" : ", ");
        if (!find_data(data, i, &bytes, &size) || !put_bytes(t, kind, call, data, bytes, size, i)) {
            put_scalar(t, kind, call->args[i]);
        }
    }
    put(t, ")");
}

static void put_result(struct text *t, const struct report_call *call) {
    const char *name = features_call_name(call->number);
    const struct format *f = name == NULL ? NULL : find_format(name);
    if (call->result == INT64_MIN || (f != NULL && f->result == NEVER)) {
        put(t, call->result == INT64_MIN ? " = ?" : "");
        return;
    }
    const char *error =
        call->result < 0 && call->result > -4096 ? strace_errno((int)-call->result) : NULL;
    if (error != NULL) {
        put(t, " = -1 %s (%s)", error, strerrordesc_np((int)-call->result));
    } else if (f != NULL && f->result == HEX) {
        put(t, " = 0x%" PRIx64, (uint64_t)call->result);
    } else {
        put(t, " = %" PRId64, call->result);
    }
}

char *strace_arguments(const struct report_call *call, const struct strace_data *data) {
    struct text t = {0};
    put_call(&t, call, data);
    return t.data;
}

char *strace_call(const struct report_call *call, const struct strace_data *data) {
    struct text t = {0};
    put_call(&t, call, data);
    put_result(&t, call);
    return t.data;
}

char *strace_line(const uint8_t *record, size_t size) {
    struct report_trace trace;
    if (size < sizeof trace) {
        return NULL;
    }
    memcpy(&trace, record, sizeof trace);
    struct strace_data data = {record + sizeof trace, size - sizeof trace, trace.data_count};
    struct text t = {0};
    put(&t, "[%4" PRIu64 ".%06" PRIu64 "] ", trace.time / 1000000000, trace.time / 1000 % 1000000);
    if (trace.thread > 1) {
        put(&t, "[%u] ", trace.thread);
    }
    put_call(&t, &trace.call, &data);
    put_result(&t, &trace.call);
    if (trace.call.result != INT64_MIN) {
        put(&t, " <%" PRIu64 ".%06" PRIu64 ">", trace.duration / 1000000000,
            trace.duration / 1000 % 1000000);
    }
    return t.data;
}
