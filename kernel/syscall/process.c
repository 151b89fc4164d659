/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who the process is and what it may: ids, limits, prctl.
 *
 * One process, number 1, leader of its group and session, root at the start.
 * Ids can be given up, with Linux's rules (kernel/sys.c); nothing in here
 * checks them.
 */
#include "syscall/process.h"

#include "boot/bootinfo.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

/* ---- process and thread ids --------------------------------------------- */

SYSCALL_HANDLER(getpid) {
    return PROCESS_ID;
}

SYSCALL_HANDLER(gettid) {
    return thread_current()->id;
}

SYSCALL_HANDLER(getppid) {
    return 0;
}

SYSCALL_HANDLER(getpgrp) {
    return PROCESS_ID;
}

static bool is_process(long id) {
    return id == 0 || id == PROCESS_ID;
}

SYSCALL_HANDLER(getpgid) {
    return is_process((int)a) ? PROCESS_ID : -ESRCH;
}

SYSCALL_HANDLER(getsid) {
    return is_process((int)a) ? PROCESS_ID : -ESRCH;
}

SYSCALL_HANDLER(setpgid) {
    if ((int)b < 0)
        return -EINVAL;
    return is_process((int)a) ? -EPERM : -ESRCH; /* a session's leader stays where it is */
}

SYSCALL_HANDLER(setsid) {
    return -EPERM;
}

/* ---- children: there are none -------------------------------------------- */

#define WNOHANG 1u
#define WUNTRACED 2u /* WSTOPPED of waitid */
#define WEXITED 4u
#define WCONTINUED 8u
#define WNOWAIT 0x1000000u
#define WAIT_CLONES 0xe0000000u /* __WNOTHREAD, __WALL, __WCLONE */
enum { P_ALL, P_PID, P_PGID, P_PIDFD };

SYSCALL_HANDLER(wait4) {
    if ((uint32_t)c & ~(WNOHANG | WUNTRACED | WCONTINUED | WAIT_CLONES))
        return -EINVAL;
    return (int)a == INT32_MIN ? -ESRCH : -ECHILD;
}

SYSCALL_HANDLER(waitid) {
    uint32_t options = (uint32_t)d;
    int id = (int)b;
    long error = -ECHILD;
    if (options & ~(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WAIT_CLONES) ||
        !(options & (WUNTRACED | WEXITED | WCONTINUED)) || a > P_PIDFD || (a == P_PID && id <= 0) ||
        ((a == P_PGID || a == P_PIDFD) && id < 0))
        error = -EINVAL;
    else if (a == P_PIDFD)
        error = -EBADF; /* no descriptor stands for a process */
    /* Linux fills these in whatever it answers. */
    static const struct { uint32_t signal, error, code; } head;
    static const struct { uint32_t pid, user, status; } child;
    if (c &&
        (user_write(c, &head, sizeof head) < 0 || user_write(c + 16, &child, sizeof child) < 0))
        return -EFAULT;
    return error;
}

SYSCALL_HANDLER(sched_yield) {
    thread_yield();
    return 0;
}

SYSCALL_HANDLER(set_robust_list) {
    if (b != 24) /* sizeof(struct robust_list_head) */
        return -EINVAL;
    thread_current()->robust_list = a;
    return 0;
}

SYSCALL_HANDLER(get_robust_list) {
    struct thread *t = thread_of((int)a);
    if (!t)
        return -ESRCH;
    uint64_t size = 24;
    if (user_write(c, &size, sizeof(size)) < 0)
        return -EFAULT;
    return user_write(b, &t->robust_list, sizeof(t->robust_list));
}

/* ---- user and group ids -------------------------------------------------- */

enum { REAL, EFFECTIVE, SAVED, FILESYSTEM_ID };
enum kind { USER, GROUP };
static uint32_t ids[2][4];
#define KEEP UINT32_MAX

static bool privileged(void) {
    return ids[USER][EFFECTIVE] == 0;
}

uint32_t process_user(void) {
    return ids[USER][REAL];
}

uint32_t process_group(void) {
    return ids[GROUP][REAL];
}

bool process_is_root(void) {
    return privileged();
}

/* May an unprivileged process take that id? */
static bool is_own(enum kind k, uint32_t id, bool saved_too) {
    return id == KEEP || id == ids[k][REAL] || id == ids[k][EFFECTIVE] ||
           (saved_too && id == ids[k][SAVED]);
}

static long set_ids(enum kind k, uint32_t real, uint32_t effective, uint32_t saved) {
    uint32_t want[] = {real, effective, saved};
    for (unsigned i = 0; i < 3; i++) {
        if (want[i] != KEEP)
            ids[k][i] = want[i];
    }
    ids[k][FILESYSTEM_ID] = ids[k][EFFECTIVE];
    return 0;
}

/* setuid, setgid: root gives up everything, others swap. */
static long set_id(enum kind k, uint32_t id) {
    if (id == KEEP)
        return -EINVAL;
    if (privileged())
        return set_ids(k, id, id, id);
    if (id != ids[k][REAL] && id != ids[k][SAVED])
        return -EPERM;
    return set_ids(k, KEEP, id, KEEP);
}

static long set_re_ids(enum kind k, uint32_t real, uint32_t effective) {
    if (!privileged() && (!is_own(k, real, false) || !is_own(k, effective, true)))
        return -EPERM;
    uint32_t now = effective == KEEP ? ids[k][EFFECTIVE] : effective;
    bool save = real != KEEP || (effective != KEEP && effective != ids[k][REAL]);
    return set_ids(k, real, effective, save ? now : KEEP);
}

static long set_res_ids(enum kind k, uint32_t real, uint32_t effective, uint32_t saved) {
    if (!privileged() &&
        (!is_own(k, real, true) || !is_own(k, effective, true) || !is_own(k, saved, true)))
        return -EPERM;
    return set_ids(k, real, effective, saved);
}

static long get_res_ids(enum kind k, vaddr_t real, vaddr_t effective, vaddr_t saved) {
    if (user_write(real, &ids[k][REAL], 4) < 0 || user_write(effective, &ids[k][EFFECTIVE], 4) < 0)
        return -EFAULT;
    return user_write(saved, &ids[k][SAVED], 4);
}

static long set_fs_id(enum kind k, uint32_t id) {
    uint32_t old = ids[k][FILESYSTEM_ID];
    if (id != KEEP && (privileged() || is_own(k, id, true) || id == old))
        ids[k][FILESYSTEM_ID] = id;
    return old;
}

SYSCALL_HANDLER(getuid) {
    return ids[USER][REAL];
}

SYSCALL_HANDLER(geteuid) {
    return ids[USER][EFFECTIVE];
}

SYSCALL_HANDLER(getgid) {
    return ids[GROUP][REAL];
}

SYSCALL_HANDLER(getegid) {
    return ids[GROUP][EFFECTIVE];
}

SYSCALL_HANDLER(setuid) {
    return set_id(USER, (uint32_t)a);
}

SYSCALL_HANDLER(setgid) {
    return set_id(GROUP, (uint32_t)a);
}

SYSCALL_HANDLER(setreuid) {
    return set_re_ids(USER, (uint32_t)a, (uint32_t)b);
}

SYSCALL_HANDLER(setregid) {
    return set_re_ids(GROUP, (uint32_t)a, (uint32_t)b);
}

SYSCALL_HANDLER(setresuid) {
    return set_res_ids(USER, (uint32_t)a, (uint32_t)b, (uint32_t)c);
}

SYSCALL_HANDLER(setresgid) {
    return set_res_ids(GROUP, (uint32_t)a, (uint32_t)b, (uint32_t)c);
}

SYSCALL_HANDLER(getresuid) {
    return get_res_ids(USER, a, b, c);
}

SYSCALL_HANDLER(getresgid) {
    return get_res_ids(GROUP, a, b, c);
}

SYSCALL_HANDLER(setfsuid) {
    return set_fs_id(USER, (uint32_t)a);
}

SYSCALL_HANDLER(setfsgid) {
    return set_fs_id(GROUP, (uint32_t)a);
}

SYSCALL_HANDLER(getgroups) {
    return (int)a < 0 ? -EINVAL : 0;
}

/* Groups are accepted and forgotten: files have no owner but root. */
SYSCALL_HANDLER(setgroups) {
    if (!privileged())
        return -EPERM;
    return a > 65536 ? -EINVAL : 0;
}

#define CAPABILITY_VERSION_3 0x20080522u

SYSCALL_HANDLER(capget) {
    struct {
        uint32_t version;
        int32_t pid;
    } header;
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2] = {{0}};
    if (user_read(&header.version, a, sizeof(header.version)) < 0)
        return -EFAULT;
    if (header.version != CAPABILITY_VERSION_3) {
        header.version = CAPABILITY_VERSION_3;
        if (user_write(a, &header.version, sizeof(header.version)) < 0)
            return -EFAULT;
        return b ? -EINVAL : 0;
    }
    if (!b)
        return 0;
    if (user_read(&header, a, sizeof(header)) < 0)
        return -EFAULT;
    if (header.pid < 0)
        return -EINVAL;
    if (!thread_of(header.pid))
        return -ESRCH;
    if (privileged()) {
        data[0].effective = data[0].permitted = UINT32_MAX;
        data[1].effective = data[1].permitted = 0x1ff; /* up to CAP_CHECKPOINT_RESTORE, 40 */
    }
    return user_write(b, data, sizeof(data));
}

/* ---- limits -------------------------------------------------------------- */

/* Open descriptors; only where files are linked. */
extern uint32_t fd_limit __attribute__((weak));
#define FD_HARD_LIMIT 1024
/* Pending signals; only where signals are linked. */
extern uint32_t signal_limit __attribute__((weak));
#define SIGNAL_HARD_LIMIT 4096

static struct linux_rlimit limits[RLIMIT_COUNT];
static uint32_t limits_set; /* bit: the app has set it */

/* The main stack: what the app's header asked for. */
static uint64_t stack_size(void) {
    return bootinfo.manifest->stack_size;
}

static struct linux_rlimit limit_get(unsigned resource) {
    struct linux_rlimit l = {UINT64_MAX, UINT64_MAX};
    if (limits_set >> resource & 1)
        return limits[resource];
    switch (resource) {
    case RLIMIT_STACK:
        l.soft = stack_size();
        break;
    case RLIMIT_CORE:
        l.soft = 0;
        break;
    case RLIMIT_NOFILE:
        l.soft = l.hard = FD_HARD_LIMIT;
        break;
    case RLIMIT_SIGPENDING:
        l.soft = l.hard = SIGNAL_HARD_LIMIT;
        break;
    case RLIMIT_NICE:
    case RLIMIT_RTPRIO:
        l.soft = l.hard = 0;
        break;
    }
    return l;
}

static long limit_set(unsigned resource, const struct linux_rlimit *l) {
    if (l->soft > l->hard)
        return -EINVAL;
    if (l->hard > limit_get(resource).hard && (!privileged() || resource == RLIMIT_NOFILE))
        return -EPERM;
    limits[resource] = *l;
    limits_set |= 1u << resource;
    if (resource == RLIMIT_NOFILE && &fd_limit)
        fd_limit = (uint32_t)l->soft;
    if (resource == RLIMIT_SIGPENDING && &signal_limit)
        signal_limit = l->soft > UINT32_MAX ? UINT32_MAX : (uint32_t)l->soft;
    return 0;
}

static long limit_change(int id, unsigned resource, vaddr_t new, vaddr_t old) {
    struct linux_rlimit was, want;
    if (new &&user_read(&want, new, sizeof(want)) < 0)
        return -EFAULT;
    if (!thread_of(id))
        return -ESRCH;
    if (resource >= RLIMIT_COUNT)
        return -EINVAL;
    was = limit_get(resource);
    long error = new ? limit_set(resource, &want) : 0;
    if (error || !old)
        return error;
    return user_write(old, &was, sizeof(was));
}

SYSCALL_HANDLER(getrlimit) {
    if ((unsigned)a >= RLIMIT_COUNT)
        return -EINVAL;
    struct linux_rlimit l = limit_get((unsigned)a);
    return user_write(b, &l, sizeof(l));
}

SYSCALL_HANDLER(setrlimit) {
    struct linux_rlimit l;
    if (user_read(&l, b, sizeof(l)) < 0)
        return -EFAULT;
    return (unsigned)a >= RLIMIT_COUNT ? -EINVAL : limit_set((unsigned)a, &l);
}

SYSCALL_HANDLER(prlimit64) {
    return limit_change((int)a, (unsigned)b, c, d);
}

/* ---- prctl and the rest -------------------------------------------------- */

static uint32_t parent_death_signal, dumpable = 1, no_new_privs;
static uint64_t timer_slack = 50000; /* ns; timers are exact anyway */

static long set_name(struct thread *t, vaddr_t src) {
    char name[sizeof(t->name)] = {0};
    long length = user_read_string(name, src, sizeof(name) - 1);
    if (length == -EFAULT)
        return -EFAULT;
    name[sizeof(name) - 1] = 0;
    memcpy(t->name, name, sizeof(name));
    return 0;
}

/* A thread that nobody named bears the program's name. */
static long get_name(const struct thread *t, vaddr_t dst) {
    const struct image_manifest *m = bootinfo.manifest;
    char name[sizeof(t->name)] = {0};
    const char *src = t->name[0] || !m->name ? t->name : (const char *)m + m->name;
    memcpy(name, src, strnlen(src, sizeof(name) - 1));
    return user_write(dst, name, sizeof(name));
}

SYSCALL_HANDLER(prctl) {
    struct thread *t = thread_current();
    switch ((int)a) {
    case PR_SET_NAME:
        return set_name(t, b);
    case PR_GET_NAME:
        return get_name(t, b);
    case PR_SET_PDEATHSIG:
        if (b > 64)
            return -EINVAL;
        parent_death_signal = (uint32_t)b;
        return 0;
    case PR_GET_PDEATHSIG:
        return user_write(b, &parent_death_signal, sizeof(parent_death_signal));
    case PR_GET_DUMPABLE:
        return dumpable;
    case PR_SET_DUMPABLE:
        if (b > 1)
            return -EINVAL;
        dumpable = (uint32_t)b;
        return 0;
    case PR_SET_NO_NEW_PRIVS:
        if (b != 1 || c || d || e)
            return -EINVAL;
        no_new_privs = 1;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return b || c || d || e ? -EINVAL : (long)no_new_privs;
    case PR_SET_TIMERSLACK:
        timer_slack = (long)b <= 0 ? 50000 : b;
        return 0;
    case PR_GET_TIMERSLACK:
        return (long)timer_slack;
    case PR_GET_SECCOMP:
        return 0;
    case PR_CAPBSET_READ:
        return b <= 40 ? 1 : -EINVAL;
    case PR_GET_TID_ADDRESS:
        return user_write(b, &t->clear_tid, sizeof(t->clear_tid));
    default:
        return -EINVAL;
    }
}

static uint32_t personality_now;

SYSCALL_HANDLER(personality) {
    long old = personality_now;
    if ((uint32_t)a != 0xffffffff)
        personality_now = (uint32_t)a;
    return old;
}

static int nice_now;

/* The target of getpriority and setpriority: 0 or -errno. */
static long priority_target(int which, int who) {
    if ((unsigned)which > 2) /* PRIO_PROCESS, PRIO_PGRP, PRIO_USER */
        return -EINVAL;
    if (which == 2)
        return who == 0 || (uint32_t)who == ids[USER][REAL] ? 0 : -ESRCH;
    return (which == 0 ? thread_of(who) != NULL : is_process(who)) ? 0 : -ESRCH;
}

SYSCALL_HANDLER(getpriority) {
    long error = priority_target((int)a, (int)b);
    return error ? error : 20 - nice_now;
}

SYSCALL_HANDLER(setpriority) {
    long error = priority_target((int)a, (int)b);
    if (error)
        return error;
    int nice = (int)c < -20 ? -20 : (int)c > 19 ? 19 : (int)c;
    if (nice < nice_now && !privileged())
        return -EACCES;
    nice_now = nice;
    return 0;
}
