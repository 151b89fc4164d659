/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls with hostile arguments, the same for the same seed wherever it
 * runs: tests/conform/hostile compares what Linux and the guest answer.
 *
 *     hostile compare SEED EPISODES [FIRST [each]]   a line for each call;
 *                                             each: written before it is made
 *     hostile numbers SEED ROUNDS             every call number, only "done"
 *     hostile list                            the names of the calls
 *
 * An episode is CALLS calls from a fresh state (files, descriptors, mappings,
 * signals), so that one difference does not make all that follows different.
 * What is drawn never depends on what a call answered.  No call may block, and
 * none can harm the program itself: its memory, its log, its handlers.
 *
 * A line is `NAME(arguments) = result`; results that no two systems share
 * (times, new addresses, ids) are "ok".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "arguments.h"

#define CALLS 32
#define LOG_FD 200
#define WORK "/w"

/* ---- the table ------------------------------------------------------------------------ */

struct argument {
    char letter;
    unsigned long (*make)(void);
    const unsigned long *pool;
    unsigned count;
};

static unsigned long far_pair(void) {
    return far_time(4);
}

#define POOL(letter, array)                                                                        \
    { letter, NULL, array, COUNT(array) }
static const struct argument arguments[] = {
    {'f', descriptor, NULL, 0},
    {'D', folder, NULL, 0},
    {'p', path, NULL, 0},
    {'b', buffer, NULL, 0},
    {'T', short_time, NULL, 0},
    {'d', short_select, NULL, 0},
    {'I', far_pair, NULL, 0},
    {'t', file_times, NULL, 0},
    {'S', signal_set, NULL, 0},
    {'A', signal_action, NULL, 0},
    {'K', signal_stack, NULL, 0},
    {'v', vectors, NULL, 0},
    {'P', polled, NULL, 0},
    {'L', lock, NULL, 0},
    {']', offset_at, NULL, 0},
    {'`', selected, NULL, 0},
    {'[', watch, NULL, 0},
    {'r', limit, NULL, 0},
    {'h', open_how, NULL, 0},
    {'q', signal_value, NULL, 0},
    {'E', timer_event, NULL, 0},
    {'C', scheduling, NULL, 0},
    {'k', capability, NULL, 0},
    {'1', flag, NULL, 0},
    {'w', word, NULL, 0},
    {'x', bad_pointer, NULL, 0},
    POOL('z', sizes),
    POOL('o', offsets),
    POOL('n', numbers),
    POOL('c', counts),
    POOL('O', open_flags),
    POOL('m', modes),
    POOL('M', node_modes),
    POOL('a', accesses),
    POOL('F', path_flags),
    POOL('y', masks),
    POOL('W', whences),
    POOL('R', write_flags),
    POOL('e', rename_flags),
    POOL('u', owners),
    POOL('s', space_modes),
    POOL('Z', space_offsets),
    POOL('l', locks),
    POOL('@', field_at),
    POOL('#', field_sizes),
    POOL('/', advised),
    POOL('!', protections),
    POOL('+', map_flags),
    POOL('=', file_offsets),
    POOL('Y', advices),
    POOL('j', sync_flags),
    POOL('J', remap_flags),
    POOL('g', signals),
    POOL('G', fixed_signals),
    POOL('8', set_sizes),
    POOL('H', mask_hows),
    POOL('i', ids),
    POOL('X', clocks),
    POOL('\\', sleep_clocks),
    POOL('V', clock_flags),
    POOL('N', descriptors_new),
    POOL('&', copy_flags),
    POOL('<', firsts),
    POOL('>', lasts),
    POOL('-', range_flags),
    POOL('B', limits),
    POOL('?', whos),
    POOL('Q', requests),
    POOL('*', controls),
    POOL('U', options),
    POOL('^', futex_ops),
    POOL('%', random_flags),
    POOL('$', policies),
    POOL('~', families),
    POOL('.', poll_counts),
    POOL(',', set_counts),
    POOL('|', timer_flags),
    POOL(';', settime_flags),
    POOL(':', commands_of_clock),
    POOL('_', barriers),
    POOL('"', names_max),
    POOL('\'', portions),
    POOL('\t', copy_how),
};

enum result {
    NUMBER,    /* as it is */
    FINE,      /* "ok" */
    BYTES,     /* as many bytes at the second argument: their hash too */
    OPENED,    /* a descriptor, which takes a slot */
    MAPPED,    /* an address: of the field as it is, others given back */
    STATUS_AT, /* struct stat at the argument `where` */
    PAIR,      /* two descriptors at the first argument, which take slots */
    TIMER,     /* a timer's number at the third argument */
};

static const struct call {
    const char *name;
    int number;
    const char *args; /* a letter each; {N}: that number */
    enum result result;
    int where;
} calls[] = {
#define C(name, args, ...)                                                                         \
    { #name, SYS_##name, args, __VA_ARGS__ }
    C(read, "fbz", BYTES, 0),
    C(write, "fbz", NUMBER, 0),
    C(pread64, "fbzo", BYTES, 0),
    C(pwrite64, "fbzo", NUMBER, 0),
    C(readv, "fvc", NUMBER, 0),
    C(writev, "fvc", NUMBER, 0),
    C(preadv, "fvco{0}", NUMBER, 0),
    C(pwritev, "fvco{0}", NUMBER, 0),
    C(preadv2, "fvco{0}R", NUMBER, 0),
    C(pwritev2, "fvco{0}R", NUMBER, 0),
    C(open, "pOm", OPENED, 0),
    C(open, "pOm", OPENED, 0),
    C(creat, "pm", OPENED, 0),
    C(openat, "DpOm", OPENED, 0),
    C(openat, "DpOm", OPENED, 0),
    C(openat2, "Dph{24}", OPENED, 0),
    C(openat2, "Dphz", OPENED, 0),
    C(close, "f", NUMBER, 0),
    C(stat, "pb", STATUS_AT, 1),
    C(lstat, "pb", STATUS_AT, 1),
    C(fstat, "fb", STATUS_AT, 1),
    C(newfstatat, "DpbF", STATUS_AT, 2),
    C(statx, "DpFyb", NUMBER, 0),
    C(access, "pa", NUMBER, 0),
    C(faccessat, "Dpa", NUMBER, 0),
    C(faccessat2, "DpaF", NUMBER, 0),
    C(lseek, "foW", NUMBER, 0),
    C(poll, "P.{0}", NUMBER, 0),
    C(ppoll, "P.TS8", NUMBER, 0),
    C(select, ",```d", FINE, 0),
    C(pselect6, ",```Tx", FINE, 0),
    C(mmap, "@#!+f=", MAPPED, 0),
    C(mmap, "@#!+f=", MAPPED, 0),
    C(munmap, "@#", NUMBER, 0),
    C(mprotect, "@#!", NUMBER, 0),
    C(mremap, "@##J@", MAPPED, 0),
    C(msync, "@#j", NUMBER, 0),
    C(mincore, "@#b", NUMBER, 0),
    C(madvise, "@/Y", NUMBER, 0),
    C(mlock, "@#", NUMBER, 0),
    C(mlock2, "@#n", NUMBER, 0),
    C(munlock, "@#", NUMBER, 0),
    C(munlockall, "", NUMBER, 0),
    C(brk, "x", FINE, 0),
    C(rt_sigaction, "gAb8", NUMBER, 0),
    C(rt_sigaction, "GAb8", NUMBER, 0),
    C(rt_sigprocmask, "HSb8", NUMBER, 0),
    C(rt_sigpending, "b8", NUMBER, 0),
    C(rt_sigtimedwait, "SbT8", NUMBER, 0),
    C(sigaltstack, "Kb", NUMBER, 0),
    C(kill, "{0}g", NUMBER, 0),
    C(kill, "ig", NUMBER, 0),
    C(tkill, "{1}g", NUMBER, 0),
    C(tkill, "ig", NUMBER, 0),
    C(tgkill, "{1}{1}g", NUMBER, 0),
    C(tgkill, "iig", NUMBER, 0),
    C(rt_sigqueueinfo, "{1}gq", NUMBER, 0),
    C(rt_sigqueueinfo, "igq", NUMBER, 0),
    C(rt_tgsigqueueinfo, "{1}{1}gq", NUMBER, 0),
    C(nanosleep, "Tb", NUMBER, 0),
    C(clock_nanosleep, "\\VTb", NUMBER, 0),
    C(clock_gettime, "Xb", NUMBER, 0),
    C(clock_getres, "Xb", NUMBER, 0),
    C(gettimeofday, "bb", NUMBER, 0),
    C(time, "b", FINE, 0),
    C(getitimer, ":b", NUMBER, 0),
    C(setitimer, ":Ib", NUMBER, 0),
    C(alarm, "{5000}", FINE, 0),
    C(alarm, "{0}", FINE, 0),
    C(timer_create, "XEb", TIMER, 0),
    C(timer_settime, "n;Ib", FINE, 0),
    C(timer_gettime, "{70000}b", NUMBER, 0),
    C(timer_getoverrun, "{70000}", NUMBER, 0),
    C(timer_delete, "{70000}", NUMBER, 0),
    C(timerfd_create, "X|", OPENED, 0),
    C(timerfd_settime, "f;Ib", NUMBER, 0),
    C(timerfd_gettime, "fb", NUMBER, 0),
    C(pipe2, "b|", PAIR, 0),
    C(eventfd2, "n|", OPENED, 0),
    C(epoll_create, "n", OPENED, 0),
    C(epoll_create1, "&", OPENED, 0),
    C(epoll_ctl, "fef[", NUMBER, 0),
    C(epoll_ctl, "f{1}f[", NUMBER, 0),
    C(epoll_wait, "fbc{0}", NUMBER, 0),
    C(epoll_pwait, "fbc{0}S8", NUMBER, 0),
    {"epoll_pwait2", 441, "fbcTS8", NUMBER, 0},
    C(signalfd4, "fS8|", OPENED, 0),
    C(signalfd4, "{4294967295}S{8}{2048}", OPENED, 0),
    C(memfd_create, "p&", OPENED, 0),
    C(sendfile, "ff]'", NUMBER, 0),
    C(splice, "f]f]'\t", NUMBER, 0),
    C(tee, "ff'\t", NUMBER, 0),
    C(vmsplice, "fvc\t", NUMBER, 0),
    C(copy_file_range, "f]f]'n", NUMBER, 0),
    C(dup, "f", OPENED, 0),
    C(dup2, "fN", OPENED, 0),
    C(dup3, "fN&", OPENED, 0),
    C(fcntl, "f{0}N", OPENED, 0),
    C(fcntl, "f{1030}N", OPENED, 0),
    C(fcntl, "f{2}n", NUMBER, 0),
    C(fcntl, "f{4}{2048}", NUMBER, 0),
    C(fcntl, "f{4}{3072}", NUMBER, 0),
    C(fcntl, "f{5}L", NUMBER, 0),
    C(fcntl, "f{6}L", NUMBER, 0),
    C(fcntl, "f{36}L", NUMBER, 0),
    C(fcntl, "f{37}L", NUMBER, 0),
    C(fcntl, "f*n", NUMBER, 0),
    C(close_range, "<>-", NUMBER, 0),
    C(fsync, "f", NUMBER, 0),
    C(fdatasync, "f", NUMBER, 0),
    C(flock, "fl", NUMBER, 0),
    C(truncate, "po", NUMBER, 0),
    C(ftruncate, "fo", NUMBER, 0),
    C(fallocate, "fsZZ", NUMBER, 0),
    C(getdents64, "fbz", FINE, 0),
    C(getdents, "fbz", FINE, 0),
    C(getcwd, "bz", NUMBER, 0),
    C(chdir, "p", NUMBER, 0),
    C(fchdir, "f", NUMBER, 0),
    C(rename, "pp", NUMBER, 0),
    C(renameat, "DpDp", NUMBER, 0),
    C(renameat2, "DpDpe", NUMBER, 0),
    C(mkdir, "pm", NUMBER, 0),
    C(mkdirat, "Dpm", NUMBER, 0),
    C(rmdir, "p", NUMBER, 0),
    C(link, "pp", NUMBER, 0),
    C(linkat, "DpDpF", NUMBER, 0),
    C(unlink, "p", NUMBER, 0),
    C(unlinkat, "DpF", NUMBER, 0),
    C(symlink, "pp", NUMBER, 0),
    C(symlinkat, "pDp", NUMBER, 0),
    C(readlink, "pbz", BYTES, 0),
    C(readlinkat, "Dpbz", NUMBER, 0),
    C(chmod, "pm", NUMBER, 0),
    C(fchmod, "fm", NUMBER, 0),
    C(fchmodat, "Dpm", NUMBER, 0),
    {"fchmodat2", 452, "DpmF", NUMBER, 0},
    C(chown, "puu", NUMBER, 0),
    C(lchown, "puu", NUMBER, 0),
    C(fchown, "fuu", NUMBER, 0),
    C(fchownat, "DpuuF", NUMBER, 0),
    C(umask, "m", NUMBER, 0),
    C(mknod, "pMn", NUMBER, 0),
    C(mknodat, "DpMn", NUMBER, 0),
    C(utime, "pt", NUMBER, 0),
    C(utimes, "pt", NUMBER, 0),
    C(futimesat, "Dpt", NUMBER, 0),
    C(utimensat, "DptF", NUMBER, 0),
    C(statfs, "pb", NUMBER, 0),
    C(fstatfs, "fb", NUMBER, 0),
    C(syncfs, "f", NUMBER, 0),
    C(fadvise64, "foon", NUMBER, 0),
    C(ioctl, "fQb", NUMBER, 0),
    C(ioctl, "f{21537}1", NUMBER, 0),
    C(ioctl, "f{21537}x", NUMBER, 0),
    C(getpid, "", NUMBER, 0),
    C(gettid, "", NUMBER, 0),
    C(getppid, "", NUMBER, 0),
    C(getpgrp, "", FINE, 0),
    C(getpgid, "i", FINE, 0),
    C(getsid, "i", FINE, 0),
    C(getuid, "", NUMBER, 0),
    C(geteuid, "", NUMBER, 0),
    C(getgid, "", NUMBER, 0),
    C(getegid, "", NUMBER, 0),
    C(setuid, "u", NUMBER, 0),
    C(setgid, "u", NUMBER, 0),
    C(setreuid, "uu", NUMBER, 0),
    C(setregid, "uu", NUMBER, 0),
    C(setresuid, "uuu", NUMBER, 0),
    C(setresgid, "uuu", NUMBER, 0),
    C(setfsuid, "u", NUMBER, 0),
    C(setfsgid, "u", NUMBER, 0),
    C(getresuid, "bbb", NUMBER, 0),
    C(getresgid, "bbb", NUMBER, 0),
    C(getgroups, "nb", FINE, 0),
    C(capget, "kb", NUMBER, 0),
    C(getpriority, "ni", NUMBER, 0),
    C(setpriority, "ni{0}", NUMBER, 0),
    C(getrlimit, "Bb", NUMBER, 0),
    C(setrlimit, "Br", NUMBER, 0),
    C(prlimit64, "iBrb", NUMBER, 0),
    C(prlimit64, "iB{0}b", NUMBER, 0),
    C(getrusage, "?b", NUMBER, 0),
    C(times, "b", FINE, 0),
    C(sysinfo, "b", NUMBER, 0),
    C(uname, "b", NUMBER, 0),
    C(sched_yield, "", NUMBER, 0),
    C(sched_getscheduler, "i", NUMBER, 0),
    C(sched_setscheduler, "i$C", NUMBER, 0),
    C(sched_setparam, "iC", NUMBER, 0),
    C(sched_getparam, "ib", NUMBER, 0),
    C(sched_get_priority_max, "$", NUMBER, 0),
    C(sched_get_priority_min, "$", NUMBER, 0),
    C(sched_rr_get_interval, "ib", NUMBER, 0),
    C(sched_getaffinity, "izb", FINE, 0),
    C(getcpu, "bb", NUMBER, 0),
    C(prctl, "Unnnn", FINE, 0),
    C(prctl, "{15}b{0}{0}{0}", NUMBER, 0),
    C(prctl, "{16}b{0}{0}{0}", NUMBER, 0),
    C(personality, "{4294967295}", NUMBER, 0),
    C(arch_prctl, "{4099}b", NUMBER, 0),
    C(set_robust_list, "bz", NUMBER, 0),
    C(futex, "w{0}{77}T{0}{0}", NUMBER, 0),
    C(futex, "b^nTbn", NUMBER, 0),
    C(getrandom, "bz%", FINE, 0),
    C(membarrier, "_nn", FINE, 0),
    C(socket, "~nn", OPENED, 0),
    C(bind, "fbz", NUMBER, 0),
    C(connect, "fbz", NUMBER, 0),
    C(listen, "fn", NUMBER, 0),
    C(accept, "fbb", NUMBER, 0),
    C(accept4, "fbbn", NUMBER, 0),
    C(getsockname, "fbb", NUMBER, 0),
    C(getpeername, "fbb", NUMBER, 0),
    C(sendto, "fbznbz", NUMBER, 0),
    C(recvfrom, "fbznbb", NUMBER, 0),
    C(sendmsg, "fvn", NUMBER, 0),
    C(recvmsg, "fvn", NUMBER, 0),
    C(sendmmsg, "fvcn", NUMBER, 0),
    C(recvmmsg, "fvcnT", NUMBER, 0),
    C(socketpair, "~nnb", NUMBER, 0),
    C(shutdown, "fn", NUMBER, 0),
    C(setsockopt, "fnnbz", NUMBER, 0),
    C(getsockopt, "fnnbb", NUMBER, 0),
#undef C
};

/* ---- the log ------------------------------------------------------------------------------ */

static char text[1 << 16];
static size_t text_size;

static void flush(void) {
    for (size_t done = 0; done < text_size;) {
        ssize_t n = write(LOG_FD, text + done, text_size - done);
        if (n <= 0)
            _exit(91);
        done += (size_t)n;
    }
    text_size = 0;
}

__attribute__((format(printf, 1, 2))) static void say(const char *form, ...) {
    va_list list;
    va_start(list, form);
    text_size += (size_t)vsnprintf(text + text_size, 512, form, list);
    va_end(list);
    if (text_size > sizeof text - 1024)
        flush();
}

static const struct {
    int number;
    const char *name;
} errors[] = {
#define E(name)                                                                                    \
    { name, #name }
    E(EPERM),      E(ENOENT),        E(ESRCH),           E(EINTR),
    E(EIO),        E(ENXIO),         E(E2BIG),           E(EBADF),
    E(EAGAIN),     E(ENOMEM),        E(EACCES),          E(EFAULT),
    E(EBUSY),      E(EEXIST),        E(EXDEV),           E(ENODEV),
    E(ENOTDIR),    E(EISDIR),        E(EINVAL),          E(EMFILE),
    E(ENOTTY),     E(ETXTBSY),       E(EFBIG),           E(ENOSPC),
    E(ESPIPE),     E(EROFS),         E(EMLINK),          E(EPIPE),
    E(EDOM),       E(ERANGE),        E(EDEADLK),         E(ENAMETOOLONG),
    E(ENOLCK),     E(ENOSYS),        E(ENOTEMPTY),       E(ELOOP),
    E(EOVERFLOW),  E(ENOTSOCK),      E(EDESTADDRREQ),    E(EMSGSIZE),
    E(EOPNOTSUPP), E(EAFNOSUPPORT),  E(ESOCKTNOSUPPORT), E(EPROTONOSUPPORT),
    E(EPROTOTYPE), E(ENOPROTOOPT),   E(ENOTCONN),        E(ETIMEDOUT),
    E(EADDRINUSE), E(EADDRNOTAVAIL), E(ECONNREFUSED),    E(EISCONN),
    E(ECANCELED),  E(ENODATA),
#undef E
};

static void say_error(int number) {
    for (unsigned i = 0; i < COUNT(errors); i++) {
        if (errors[i].number == number) {
            say("%s", errors[i].name);
            return;
        }
    }
    say("E%d", number);
}

/* ---- running one call --------------------------------------------------------------------- */

static ino_t root_inode; /* more stands there in the guest */
static volatile unsigned caught;

static void handler(int number) {
    (void)number;
    caught++;
}

static long call(long number, const unsigned long a[6]) {
    register unsigned long r10 __asm__("r10") = a[3];
    register unsigned long r8 __asm__("r8") = a[4];
    register unsigned long r9 __asm__("r9") = a[5];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static bool in_buffers(unsigned long at, unsigned long size) {
    return at >= READ_WRITE && at < HOLE && size <= HOLE - at;
}

static unsigned hash(unsigned long at, unsigned long size) {
    unsigned h = 2166136261u;
    for (unsigned long i = 0; i < size; i++)
        h = (h ^ ((const unsigned char *)at)[i]) * 16777619u;
    return h;
}

static void say_success(const struct call *c, long result, const unsigned long a[6]) {
    switch (c->result) {
    case NUMBER:
        say("%ld", result);
        break;
    case FINE:
        say("ok");
        break;
    case BYTES:
        say("%ld", result);
        if (in_buffers(a[1], (unsigned long)result))
            say(" %08x", hash(a[1], (unsigned long)result));
        break;
    case OPENED:
        say("%ld", result);
        slots[next_slot++ % SLOTS] = (int)result;
        break;
    case MAPPED: {
        unsigned long at = (unsigned long)result;
        if (at >= FIELD && at < FIELD + FIELD_PAGES * PAGE) {
            say("%#lx", at);
        } else {
            say("ok");
            munmap((void *)at, strcmp(c->name, "mremap") ? a[1] : a[2]);
        }
        break;
    }
    case STATUS_AT:
        say("%ld", result);
        if (in_buffers(a[c->where], sizeof(struct stat))) {
            struct stat s;
            memcpy(&s, (void *)a[c->where], sizeof s);
            if (s.st_ino != root_inode)
                say(" mode %o owner %u:%u links %lu", s.st_mode, s.st_uid, s.st_gid,
                    (unsigned long)s.st_nlink);
            if (!S_ISDIR(s.st_mode))
                say(" size %ld", (long)s.st_size);
        }
        break;
    case PAIR:
        say("ok");
        if (in_buffers(a[0], 2 * sizeof(int))) {
            int pair[2];
            memcpy(pair, (void *)a[0], sizeof pair);
            say(" %d %d", pair[0], pair[1]);
            slots[next_slot++ % SLOTS] = pair[0];
            slots[next_slot++ % SLOTS] = pair[1];
        }
        break;
    case TIMER:
        say("ok");
        if (in_buffers(a[2], 4)) {
            int id;
            memcpy(&id, (void *)a[2], 4);
            const unsigned long one[6] = {(unsigned long)id};
            call(SYS_timer_delete, one);
        }
        break;
    }
}

enum { RESULT = 1u << 16 };

/* What successful calls tell of the machine or the moment, which is no part of what is
 * compared: a later call shall not see it. */
static const struct {
    int number, at;
    unsigned size; /* in bytes; RESULT | N: N bytes for each that the result counts */
} told[] = {
    {SYS_stat, 1, sizeof(struct stat)},
    {SYS_lstat, 1, sizeof(struct stat)},
    {SYS_fstat, 1, sizeof(struct stat)},
    {SYS_newfstatat, 2, sizeof(struct stat)},
    {SYS_statx, 4, 256},
    {SYS_statfs, 1, 120},
    {SYS_fstatfs, 1, 120},
    {SYS_getdents, 1, RESULT | 1},
    {SYS_getdents64, 1, RESULT | 1},
    {SYS_clock_gettime, 1, 16},
    {SYS_gettimeofday, 0, 16},
    {SYS_gettimeofday, 1, 8},
    {SYS_time, 0, 8},
    {SYS_times, 0, 32},
    {SYS_getitimer, 1, 32},
    {SYS_setitimer, 2, 32},
    {SYS_timer_gettime, 1, 32},
    {SYS_timer_settime, 3, 32},
    {SYS_timerfd_gettime, 1, 32},
    {SYS_timerfd_settime, 3, 32},
    {SYS_sched_rr_get_interval, 1, 16},
    {SYS_getrlimit, 1, 16},
    {SYS_prlimit64, 3, 16},
    {SYS_getrusage, 1, 144},
    {SYS_sysinfo, 0, 112},
    {SYS_uname, 0, 390},
    {SYS_getgroups, 1, RESULT | 4},
    {SYS_sched_getaffinity, 2, RESULT | 1},
    {SYS_getcpu, 0, 4},
    {SYS_getcpu, 1, 4},
    {SYS_getrandom, 0, RESULT | 1},
};

static void forget(int number, long result, const unsigned long a[6]) {
    for (unsigned i = 0; i < COUNT(told); i++) {
        unsigned long size = told[i].size & ~RESULT;
        if (told[i].size & RESULT)
            size *= (unsigned long)result;
        if (told[i].number == number && size > 0 && in_buffers(a[told[i].at], size))
            memset((void *)a[told[i].at], 0, size);
    }
}

static unsigned long draw(const char **form) {
    char letter = *(*form)++;
    if (letter == '{') {
        char *end;
        unsigned long value = strtoul(*form, &end, 10);
        *form = end + 1;
        return value;
    }
    for (unsigned i = 0; i < COUNT(arguments); i++) {
        const struct argument *arg = &arguments[i];
        if (arg->letter == letter)
            return arg->make ? arg->make() : arg->pool[below(arg->count)];
    }
    _exit(92); /* the table names a letter that there is not */
}

/* Would it open a FIFO?  That may wait for a partner, who never comes. */
static bool opens_fifo(const struct call *c, const unsigned long a[6]) {
    bool here = c->args[0] == 'p';
    struct stat s;
    const unsigned long look[6] = {here ? (unsigned long)AT_FDCWD : a[0], here ? a[0] : a[1],
                                   (unsigned long)&s};
    return c->result == OPENED && strchr(c->args, 'p') && call(SYS_newfstatat, look) == 0 &&
           S_ISFIFO(s.st_mode);
}

static void one(bool before) {
    const struct call *c = &PICK(calls);
    unsigned long a[6] = {0};
    unsigned n = 0;
    next_place = 0;
    for (const char *form = c->args; *form; n++)
        a[n] = draw(&form);
    say("%s(", c->name);
    for (unsigned i = 0; i < n; i++) {
        if (a[i] > 0xffffffffffff0000)
            say("%s%ld", i ? ", " : "", (long)a[i]);
        else
            say(a[i] < 4096 ? "%s%lu" : "%s%#lx", i ? ", " : "", a[i]);
        /* The path itself, where it is short. */
        if (in_buffers(a[i], 256) && strchr("D", c->args[0]) && i < 2 && c->args[i] == 'p')
            say(" '%.20s'", (const char *)a[i]);
        else if (in_buffers(a[i], 256) && c->args[i] == 'p')
            say(" '%.20s'", (const char *)a[i]);
    }
    say(") = ");
    if (before)
        flush();
    if (opens_fifo(c, a)) {
        say("not tried\n");
        return;
    }
    caught = 0;
    long result = call(c->number, a);
    if (result < 0 && result > -4096)
        say_error((int)-result);
    else {
        say_success(c, result, a);
        forget(c->number, result, a);
    }
    if (caught)
        say(" caught %u", caught);
    say("\n");
}

/* ---- episodes ------------------------------------------------------------------------------- */

static void empty(const char *dir) {
    DIR *d = opendir(dir);
    struct dirent *e;
    char name[600];
    while (d && (e = readdir(d)) != NULL) {
        struct stat s;
        snprintf(name, sizeof name, "%s/%s", dir, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || lstat(name, &s))
            continue;
        if (S_ISDIR(s.st_mode)) {
            empty(name);
            rmdir(name);
        } else {
            unlink(name);
        }
    }
    if (d)
        closedir(d);
}

static void file(const char *name, size_t size) {
    static char bytes[6000];
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    memset(bytes, 'x', sizeof bytes);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        _exit(93);
    close(fd);
}

static void fresh(void) {
    const uint64_t none = 0;
    const unsigned long unmask[6] = {2, (unsigned long)&none, 0, 8};
    const struct itimerval off = {{0, 0}, {0, 0}};
    for (int i = 0; i < 3; i++)
        setitimer(i, &off, NULL);
    for (int i = 1; i < 65; i++) {
        const struct {
            void (*handler)(int);
            unsigned long flags;
            void (*restorer)(void);
            uint64_t mask;
        } action = {handler, 0x04000000, back, 0};
        const unsigned long set[6] = {(unsigned long)i, (unsigned long)&action, 0, 8};
        call(SYS_rt_sigaction, set);
    }
    call(SYS_rt_sigprocmask, unmask);
    const stack_t no_stack = {.ss_flags = SS_DISABLE};
    sigaltstack(&no_stack, NULL);
    const unsigned long dumpable[6] = {4, 1};
    call(SYS_prctl, dumpable);
    const int usual = 0;
    const unsigned long policy[6] = {0, 0, (unsigned long)&usual};
    call(SYS_sched_setscheduler, policy);
    const unsigned long limits_of_files[6] = {0, 7, (unsigned long)(const uint64_t[]){1024, 1024}};
    call(SYS_prlimit64, limits_of_files);
    const unsigned long range[6] = {3, LOG_FD - 1}, above[6] = {LOG_FD + 1, ~0u};
    call(SYS_close_range, range);
    call(SYS_close_range, above);
    umask(0);
    munmap((void *)(FIELD - PAGE), (FIELD_PAGES + 34) * PAGE);
    map(FIELD, 8 * PAGE, PROT_READ | PROT_WRITE);
    map(FIELD + 3 * PAGE, PAGE, PROT_READ);
    memset((void *)READ_WRITE, 0, 4 * PAGE);
    if (chdir("/") || (mkdir(WORK, 0755) && errno != EEXIST) || chmod(WORK, 0755))
        _exit(94);
    empty(WORK);
    if (chdir(WORK) || mkdir("d", 0755) || mkdir("d/d", 0755) || mkdir("e", 0755) ||
        symlink("a", "l") || symlink("d", "dl") || symlink("loop", "loop") ||
        symlink("nowhere", "dead"))
        _exit(95);
    file("a", 5000);
    file("d/a", 10);
    for (int i = 0; i < 3; i++) {
        int fd = open("/null", O_RDWR | O_CREAT | O_TRUNC, 0600);
        dup2(fd, i);
        if (fd > 2)
            close(fd);
    }
    slots[0] = open("a", O_RDWR);
    slots[1] = open("d", O_RDONLY | O_DIRECTORY);
    slots[2] = open("a", O_RDONLY);
    slots[3] = open("a", O_PATH);
    slots[4] = open("b", O_WRONLY | O_CREAT | O_APPEND, 0644);
    slots[5] = (int)syscall(SYS_timerfd_create, 1, 04000);
    slots[6] = open(".", O_RDONLY);
    slots[7] = 77;
    next_slot = 5;
    umask(022);
}

static void compare(uint64_t seed, unsigned long first, unsigned long count, bool each) {
    for (unsigned long e = first; e < first + count; e++) {
        fresh();
        chance_state = seed * 0x1000193 + e * 0x9e3779b1;
        say("episode %lu\n", e);
        for (unsigned i = 0; i < CALLS; i++) {
            one(each);
            if (each)
                flush();
        }
        flush();
    }
}

/* Every number with garbage; what ends or stops the program is left out, and who
 * it is, or its limits could not be raised again. */
static void every_number(uint64_t seed, unsigned long rounds) {
    static const int left_out[] = {SYS_exit,
                                   SYS_exit_group,
                                   SYS_rt_sigreturn,
                                   SYS_clone,
                                   SYS_fork,
                                   SYS_vfork,
                                   SYS_kill,
                                   SYS_tkill,
                                   SYS_tgkill,
                                   SYS_close_range,
                                   SYS_rt_sigqueueinfo,
                                   SYS_rt_tgsigqueueinfo,
                                   SYS_rt_sigaction,
                                   SYS_setuid,
                                   SYS_setreuid,
                                   SYS_setresuid};
    const struct itimerval tick = {{0, 20000}, {0, 20000}};
    for (unsigned long r = 0; r < rounds; r++) {
        fresh();
        chance_state = seed + r;
        setitimer(ITIMER_REAL, &tick, NULL); /* whatever sleeps is woken */
        for (long number = -3; number < 520; number++) {
            unsigned long a[6];
            bool skip = false;
            for (unsigned i = 0; i < 6; i++) {
                a[i] = below(3) ? bad_pointer() : PICK(numbers);
                if (below(8) == 0)
                    a[i] = READ_WRITE + below(4096);
                skip |= a[i] == LOG_FD;
            }
            for (unsigned i = 0; i < COUNT(left_out); i++)
                skip |= left_out[i] == number;
            /* What is mapped stays: only the field may be named. */
            if (number == SYS_munmap || number == SYS_mprotect || number == SYS_mremap ||
                number == SYS_mmap || number == SYS_madvise || number == SYS_brk ||
                number == SYS_arch_prctl || number == SYS_shmat || number == SYS_pkey_mprotect ||
                number == SYS_remap_file_pages) {
                a[0] = PICK(field_at);
                a[1] = number == SYS_madvise ? PICK(advised) : PICK(field_sizes);
                if (number == SYS_mremap)
                    a[2] = PICK(field_sizes), a[4] = PICK(field_at);
                skip |= number == SYS_arch_prctl;
            }
            if (skip)
                continue;
            long result = call(number, a);
            if (result >= 0 && number == SYS_mmap)
                munmap((void *)result, a[1]);
            if (number == SYS_setitimer || number == SYS_alarm || number == SYS_rt_sigprocmask)
                setitimer(ITIMER_REAL, &tick, NULL);
            if (number == SYS_rt_sigprocmask || number == SYS_rt_sigsuspend ||
                number == SYS_ppoll) {
                const uint64_t none = 0;
                const unsigned long unmask[6] = {2, (unsigned long)&none, 0, 8};
                call(SYS_rt_sigprocmask, unmask);
            }
        }
    }
    fresh();
    say("done\n");
    flush();
}

static unsigned long argument(int argc, char **argv, int i, unsigned long other) {
    return i < argc ? strtoul(argv[i], NULL, 0) : other;
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "list") == 0) {
        for (unsigned i = 0; i < COUNT(calls); i++)
            puts(calls[i].name);
        return 0;
    }
    struct stat root;
    if (stat("/", &root) == 0)
        root_inode = root.st_ino;
    setsid(); /* process group 0 is nobody else */
    if (dup2(1, LOG_FD) != LOG_FD)
        return 96;
    map(READ_WRITE, 4 * PAGE, PROT_READ | PROT_WRITE);
    map(READ_ONLY, PAGE, PROT_READ);
    map(NO_ACCESS, PAGE, PROT_NONE);
    if (strcmp(verb, "compare") == 0) {
        compare(argument(argc, argv, 2, 1), argument(argc, argv, 4, 0), argument(argc, argv, 3, 10),
                argc > 5);
    } else if (strcmp(verb, "numbers") == 0) {
        every_number(argument(argc, argv, 2, 1), argument(argc, argv, 3, 1));
    } else {
        return 2;
    }
    return 0;
}
