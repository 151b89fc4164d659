/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Real-time signals queue in order with their values, standard ones merge;
 * what is pending for a thread and for the process; who may claim what.
 * isolate: test
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int order[32], values[32], codes[32], count;
static pid_t main_tid, took;

static void note(int sig, siginfo_t *info, void *context) {
    (void)context;
    order[count] = sig;
    codes[count] = info->si_code;
    values[count++] = info->si_value.sival_int;
    took = gettid();
}

static long queue_to(pid_t pid, int sig, int code, int value) {
    siginfo_t info = {.si_code = code, .si_pid = getpid(), .si_uid = getuid()};
    info.si_value.sival_int = value;
    return syscall(SYS_rt_sigqueueinfo, pid, sig, &info);
}

static void *thread_body(void *arg) {
    (void)arg;
    /* The main thread blocks everything: this one takes the process's. */
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    took = 0;
    kill(getpid(), SIGUSR2);
    CHECK(took == gettid());
    /* For the main thread only: not pending here. */
    CHECK_EQ(syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1), 0);
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
    CHECK_ERRNO(queue_to(getpid(), SIGRTMIN, SI_USER, 0), EPERM);
    return NULL;
}

int main(void) {
    sigset_t all, set, pending;
    struct timespec zero = {0, 0}, some = {0, 20000000};
    siginfo_t info;
    main_tid = gettid();
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigfillset(&a.sa_mask);
    int signals[] = {SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMIN + 1};
    for (int i = 0; i < 4; i++)
        CHECK_EQ(sigaction(signals[i], &a, NULL), 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);

    union sigval v;
    for (int i = 0; i < 5; i++) {
        v.sival_int = 10 + i;
        CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, v), 0);
        v.sival_int = 20 + i;
        CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
        v.sival_int = 30 + i;
        CHECK_EQ(sigqueue(getpid(), SIGUSR1, v), 0);
    }
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
    CHECK_EQ(sigismember(&pending, SIGUSR2), 0);
    /* One to the thread besides the process's: both come. */
    CHECK_EQ(syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQ(sigtimedwait(&set, &info, &zero), SIGRTMIN);
    CHECK_EQ(info.si_value.sival_int, 20);
    CHECK_EQ(info.si_code, SI_QUEUE);
    CHECK(info.si_pid == getpid() && info.si_uid == getuid());
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    for (int i = 0; i < count; i++)
        printf("%d %d %d\n", order[i], codes[i],
               order[i] == SIGUSR1 && codes[i] == SI_TKILL ? 0 : values[i]);
    count = 0;

    sigprocmask(SIG_SETMASK, &all, NULL);
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, thread_body, NULL), 0);
    pthread_join(t, NULL);
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
    CHECK_EQ(sigismember(&pending, SIGUSR2), 0);

    /* To ignore it is to drop it. */
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
    sigaddset(&set, SIGUSR1);
    CHECK_ERRNO(sigtimedwait(&set, &info, &some), EAGAIN);

    /* A stop signal and SIGCONT drop each other. */
    raise(SIGTSTP);
    raise(SIGCONT);
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGTSTP), 0);
    CHECK_EQ(sigismember(&pending, SIGCONT), 1);
    raise(SIGTSTP);
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGCONT), 0);

    /* The limit: values are lost or refused, never the signal by kill. */
    struct rlimit limit = {0, 0};
    CHECK_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
    CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
    CHECK_EQ(kill(getpid(), SIGRTMIN), 0);
    CHECK_EQ(sigtimedwait(&set, &info, &zero), SIGRTMIN);
    CHECK_EQ(info.si_code, SI_USER);

    CHECK_ERRNO(kill(getpid(), 65), EINVAL);
    CHECK_ERRNO(kill(99999999, 65), ESRCH);
    CHECK_ERRNO(kill(getpid(), -1), EINVAL);
    CHECK_EQ(kill(getpid(), 0), 0);
    CHECK_ERRNO(syscall(SYS_tgkill, 0, main_tid, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 99999999, 65), ESRCH);
    CHECK_ERRNO(syscall(SYS_tkill, -1, 65), EINVAL);
    CHECK_ERRNO(queue_to(99999999, 65, SI_QUEUE, 0), ESRCH);
    CHECK_ERRNO(queue_to(99999999, 65, SI_USER, 0), EPERM);
    CHECK_ERRNO(queue_to(getpid(), 65, SI_QUEUE, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, 99999999, 65, (void *)8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), -1, 1, &info), EINVAL);
    return check_done();
}
