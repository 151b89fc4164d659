/* SPDX-License-Identifier: BSD-3-Clause
 *
 * rt_sigtimedwait, rt_sigsuspend, rt_sigpending, rt_sigqueueinfo and
 * rt_tgsigqueueinfo: waiting for signals and sending them with a value.
 * cpus: 1 4
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

typedef unsigned long mask; /* as the kernel takes it */
#define BIT(sig) (1ul << ((sig)-1))

static int caught, value_caught, code_caught;

static void handler(int sig, siginfo_t *info, void *context) {
    (void)sig;
    (void)context;
    caught++;
    value_caught = info->si_value.sival_int;
    code_caught = info->si_code;
}

static mask pending(void) {
    mask set = 0;
    CHECK_EQ(syscall(SYS_rt_sigpending, &set, sizeof set), 0);
    return set;
}

static mask blocked(void) {
    mask set = 0;
    CHECK_EQ(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, sizeof set), 0);
    return set;
}

static void block(mask set) {
    CHECK_EQ(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof set), 0);
}

static long wait_for(mask set, siginfo_t *info, long ns) {
    struct timespec t = {0, ns};
    return syscall(SYS_rt_sigtimedwait, &set, info, &t, sizeof set);
}

static long queue(int sig, int code, int value) {
    siginfo_t info = {.si_signo = sig, .si_code = code};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    return syscall(SYS_rt_sigqueueinfo, getpid(), sig, &info);
}

static void timed_wait(void) {
    siginfo_t info;
    CHECK_ERRNO(wait_for(BIT(SIGUSR1), &info, 0), EAGAIN);
    CHECK_ERRNO(wait_for(BIT(SIGUSR1), &info, 10000000), EAGAIN);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(pending(), BIT(SIGUSR1));
    memset(&info, 0, sizeof info);
    CHECK_EQ(wait_for(BIT(SIGUSR1) | BIT(SIGUSR2), &info, 0), SIGUSR1);
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, getpid());
    CHECK_EQ(pending(), 0); /* taken; no handler ran */
    CHECK_EQ(caught, 0);
    kill(getpid(), SIGUSR2);
    CHECK_ERRNO(wait_for(BIT(SIGUSR1), &info, 1000000), EAGAIN); /* another one does not count */
    CHECK_EQ(wait_for(BIT(SIGUSR2), NULL, 0), SIGUSR2);
    mask set = BIT(SIGUSR1);
    struct timespec bad = {0, 1000000000};
    CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 4), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 8), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, 8, NULL, NULL, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, 8, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigpending, 8, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigpending, &set, 9), EINVAL);
}

static void queued_values(void) {
    siginfo_t info;
    int first = SIGRTMIN + 3, second = SIGRTMIN + 1;
    block(blocked() | BIT(first) | BIT(second));
    CHECK_EQ(queue(first, SI_QUEUE, 5), 0);
    CHECK_EQ(queue(second, SI_QUEUE, 7), 0);
    CHECK_EQ(wait_for(~0ul, &info, 0), second); /* the lowest number first */
    CHECK_EQ(info.si_value.sival_int, 7);
    CHECK_EQ(wait_for(~0ul, &info, 0), first);
    CHECK_EQ(info.si_value.sival_int, 5);
    CHECK_EQ(info.si_code, SI_QUEUE);
    CHECK_EQ(queue(SIGUSR1, SI_QUEUE, 1), 0); /* an ordinary one comes once */
    CHECK_EQ(queue(SIGUSR1, SI_QUEUE, 2), 0);
    CHECK_EQ(wait_for(BIT(SIGUSR1), &info, 0), SIGUSR1);
    CHECK_EQ(info.si_value.sival_int, 1);
    CHECK_ERRNO(wait_for(BIT(SIGUSR1), &info, 0), EAGAIN);
}

static void queueing_errors(void) {
    siginfo_t info = {.si_code = SI_QUEUE};
    CHECK_EQ(queue(0, SI_QUEUE, 0), 0); /* only asks */
    CHECK_ERRNO(queue(65, SI_QUEUE, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, 99999999, SIGUSR1, &info), ESRCH);
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 8), EFAULT);
    long tid = syscall(SYS_gettid);
    CHECK_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGUSR2, &info), 0);
    CHECK_EQ(pending(), BIT(SIGUSR2));
    CHECK_EQ(wait_for(BIT(SIGUSR2), &info, 0), SIGUSR2);
    CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), 99999999, SIGUSR2, &info), ESRCH);
    CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, -1, tid, SIGUSR2, &info), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR2, &info), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGUSR2, 8), EFAULT);
}

static void suspending(void) {
    mask none = 0, before = blocked();
    CHECK_EQ(queue(SIGUSR1, SI_QUEUE, 42), 0);
    CHECK_EQ(caught, 0);
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &none, sizeof none), EINTR);
    CHECK_EQ(caught, 1);
    CHECK_EQ(value_caught, 42);
    CHECK_EQ(code_caught, SI_QUEUE);
    CHECK_EQ(blocked(), before); /* the mask is back */
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &none, 4), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, 8, 8), EFAULT);
    kill(getpid(), SIGUSR1); /* pending meanwhile: comes when it is let through */
    kill(getpid(), SIGUSR2);
    mask only_first = BIT(SIGUSR2);
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &only_first, sizeof only_first), EINTR);
    CHECK_EQ(caught, 2);
    CHECK_EQ(pending(), BIT(SIGUSR2));
    CHECK_EQ(wait_for(BIT(SIGUSR2), NULL, 0), SIGUSR2);
}

/* One that the mask lets in comes, however short the call. */
static void no_time(void) {
    mask none = 0;
    struct timespec zero = {0, 0};
    struct {
        mask *set;
        size_t size;
    } let_in = {&none, sizeof none};
    caught = 0;
    kill(getpid(), SIGUSR1);
    CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, &zero, &none, sizeof none), EINTR);
    CHECK_EQ(caught, 1);
    kill(getpid(), SIGUSR1);
    CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &let_in), EINTR);
    CHECK_EQ(caught, 2);
}

/* One that is ignored when it is let through ends no sleep. */
static void ignored(void) {
    mask none = 0, before = blocked();
    struct itimerval soon = {{0, 0}, {0, 20000}};
    struct timespec moment = {0, 1000000};
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaddset(&a.sa_mask, SIGWINCH);
    CHECK_EQ(sigaction(SIGUSR1, &a, NULL), 0);
    block(before | BIT(SIGWINCH));
    kill(getpid(), SIGWINCH);
    CHECK_EQ(pending(), BIT(SIGWINCH));
    CHECK_EQ(syscall(SYS_ppoll, NULL, 0, &moment, &none, sizeof none), 0);
    CHECK_EQ(pending(), 0);
    kill(getpid(), SIGWINCH);
    kill(getpid(), SIGUSR1);
    caught = 0;
    CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, &moment, &none, sizeof none), EINTR);
    CHECK_EQ(caught, 1);
    CHECK_EQ(pending(), BIT(SIGWINCH)); /* kept out by the handler that came before it */
    caught = 0;
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &none, sizeof none), EINTR);
    CHECK_EQ(caught, 1);
    block(before);
}

int main(void) {
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGUSR2, &a, NULL);
    sigaction(SIGALRM, &a, NULL);
    block(BIT(SIGUSR1) | BIT(SIGUSR2));
    timed_wait();
    queued_values();
    queueing_errors();
    suspending();
    no_time();
    ignored();
    return check_done();
}
