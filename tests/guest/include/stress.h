/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads that do everything at once, for so many seconds: argv[1]; the seed of
 * their choices: argv[2].  Each kind of work keeps an invariant that is checked
 * while it runs or at the end: nothing is lost, nothing comes twice, no byte is
 * another's.  In the guest no memory may be missing afterwards: what the kernel keeps
 * for the next of a kind (stacks of threads, small objects) is made before, more of
 * each than the work can need; the app's own pages and page tables are counted.
 */
#ifndef STRESS_H
#define STRESS_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 8, PAGE = 4096, ACTIONS = 12 };

enum { KEPT_THREADS = 6 * WORKERS, KEPT_AREAS = 600, KEPT_SPAN = 256 << 20, TABLE_SPAN = 2 << 20 };

enum { SPARSE_PAGES = 7 + 8 }; /* of each size of object, and of the threads' halves */
enum { TABLE_PAGES = 64 };     /* of the threads' stacks: where they lie differs */

struct worker {
    pthread_t thread;
    unsigned index;
    atomic_int id;
    uint64_t random;
    unsigned long done[ACTIONS];
    atomic_ulong signals_sent, signals_sum;             /* to it */
    volatile unsigned long got, got_sum;                /* by its handler */
    unsigned long written, written_sum, read, read_sum; /* of its pipe */
    int pipe[2];
};

static struct worker workers[WORKERS];
static _Thread_local struct worker *self;
static atomic_int over, finished, failures, living;
static struct timespec end_time;

#define HOLDS(c)                                                                                   \
    do {                                                                                           \
        if (!(c) && failures++ < 20)                                                               \
            printf("line %d: not true: %s (errno %d)\n", __LINE__, #c, errno);                     \
    } while (0)

static uint64_t choose(struct worker *w) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

/* ---- memory ---- */

static void map_and_unmap(struct worker *w) {
    size_t pages = 1 + choose(w) % 20;
    uint64_t mark = choose(w);
    uint64_t *p =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    HOLDS(p != MAP_FAILED);
    if (p == MAP_FAILED)
        return;
    for (size_t i = 0; i < pages; i++) {
        HOLDS(p[i * 512] == 0 && p[i * 512 + 511] == 0);
        p[i * 512] = p[i * 512 + 511] = mark + i;
    }
    if (choose(w) % 2)
        HOLDS(mprotect(p, pages * PAGE, PROT_READ) == 0);
    if (choose(w) % 4 == 0)
        sched_yield();
    for (size_t i = 0; i < pages; i++)
        HOLDS(p[i * 512] == mark + i && p[i * 512 + 511] == mark + i);
    if (choose(w) % 2) {
        HOLDS(madvise(p, pages * PAGE, MADV_DONTNEED) == 0);
        HOLDS(p[choose(w) % (pages * 512)] == 0);
    }
    size_t cut = choose(w) % pages; /* in two pieces */
    if (cut)
        HOLDS(munmap(p, cut * PAGE) == 0);
    HOLDS(munmap(p + cut * 512, (pages - cut) * PAGE) == 0);
}

static void remap(struct worker *w) {
    uint64_t mark = choose(w);
    uint64_t *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    HOLDS(p != MAP_FAILED);
    for (int i = 0; i < 4; i++)
        p[i * 512 + 7] = mark + (unsigned)i;
    size_t pages = 5 + choose(w) % 8;
    uint64_t *q = mremap(p, 4 * PAGE, pages * PAGE, MREMAP_MAYMOVE);
    HOLDS(q != MAP_FAILED);
    for (int i = 0; i < 4; i++)
        HOLDS(q[i * 512 + 7] == mark + (unsigned)i);
    HOLDS(q[4 * 512 + 7] == 0);
    HOLDS(munmap(q, pages * PAGE) == 0);
}

static void allocate(struct worker *w) {
    size_t size = 1 + choose(w) % 50000;
    unsigned char *p = malloc(size), mark = (unsigned char)choose(w);
    HOLDS(p != NULL);
    memset(p, mark, size);
    size_t more = size + choose(w) % 50000;
    p = realloc(p, more);
    HOLDS(p != NULL && p[0] == mark && p[size - 1] == mark);
    free(p);
}

/* ---- locks ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned long left, right, tokens;
static sem_t gate; /* three at a time */
static atomic_int inside;
static uint64_t latest; /* ns; mutex */

static uint64_t now_ns(void) {
    struct timespec t;
    HOLDS(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void locked(struct worker *w) {
    HOLDS(pthread_mutex_lock(&mutex) == 0);
    HOLDS(left == right);
    left++;
    uint64_t now = now_ns(); /* time goes on for all threads alike */
    HOLDS(now >= latest);
    latest = now;
    if (choose(w) % 16 == 0)
        sched_yield();
    right++;
    HOLDS(pthread_mutex_unlock(&mutex) == 0);
}

static void produce(struct worker *w) {
    HOLDS(pthread_mutex_lock(&mutex) == 0);
    tokens++;
    if (choose(w) % 2)
        pthread_cond_signal(&changed);
    else
        pthread_cond_broadcast(&changed);
    HOLDS(pthread_mutex_unlock(&mutex) == 0);
}

static struct timespec after(clockid_t clock, unsigned us) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += us * 1000l;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void consume(struct worker *w) {
    struct timespec t = after(CLOCK_REALTIME, (unsigned)(choose(w) % 1000));
    int r = 0;
    HOLDS(pthread_mutex_lock(&mutex) == 0);
    while (!tokens && r == 0)
        r = pthread_cond_timedwait(&changed, &mutex, &t);
    HOLDS(r == 0 || r == ETIMEDOUT);
    if (tokens)
        tokens--;
    HOLDS(pthread_mutex_unlock(&mutex) == 0);
}

static void pass_gate(struct worker *w) {
    struct timespec t = after(CLOCK_REALTIME, 2000);
    if (choose(w) % 2) {
        int r;
        while ((r = sem_timedwait(&gate, &t)) != 0 && errno == EINTR) {
        }
        if (r != 0) {
            HOLDS(errno == ETIMEDOUT);
            return;
        }
    } else {
        while (sem_wait(&gate) != 0)
            HOLDS(errno == EINTR);
    }
    HOLDS(++inside <= 3);
    sched_yield();
    inside--;
    HOLDS(sem_post(&gate) == 0);
}

/* ---- threads, signals, time, CPUs ---- */

static void *short_life(void *arg) {
    volatile char stack[9000];
    stack[choose(arg) % sizeof stack] = 1;
    return (void *)(uintptr_t)(choose(arg) | 1);
}

static void breed(struct worker *w) {
    struct worker child = {.random = choose(w) | 1}, same = {.random = child.random};
    pthread_t t;
    void *result;
    HOLDS(++living <= 2 * WORKERS);
    int r = pthread_create(&t, NULL, short_life, &child);
    HOLDS(r == 0);
    if (r == 0) {
        HOLDS(pthread_join(t, &result) == 0);
        choose(&same);
        HOLDS((uintptr_t)result == (choose(&same) | 1));
    }
    living--;
}

/* Each one arrives once, with its value. */
static void on_signal(int n, siginfo_t *info, void *context) {
    (void)n, (void)context;
    int e = errno;
    self->got++;
    self->got_sum += (unsigned long)info->si_value.sival_int;
    errno = e;
}

static void send_signal(struct worker *w) {
    struct worker *to = &workers[choose(w) % WORKERS];
    siginfo_t info = {.si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
    int value = (int)(choose(w) % 1000);
    if (!to->id)
        return; /* not there yet */
    info.si_value.sival_int = value;
    to->signals_sent++;
    to->signals_sum += (unsigned long)value;
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), (int)to->id, SIGRTMIN + 1, &info) != 0) {
        HOLDS(errno == EAGAIN); /* the queue is full */
        to->signals_sent--;
        to->signals_sum -= (unsigned long)value;
    }
}

static void doze(struct worker *w) {
    struct timespec t = {0, (long)(choose(w) % 300000)};
    uint64_t start = now_ns();
    int r = nanosleep(&t, NULL);
    HOLDS(r == 0 || errno == EINTR);
    HOLDS(r != 0 || now_ns() - start >= (uint64_t)t.tv_nsec);
}

static void wander(struct worker *w) {
    static cpu_set_t all;
    static int count;
    cpu_set_t one;
    if (w == NULL) { /* before the others */
        HOLDS(sched_getaffinity(0, sizeof all, &all) == 0);
        count = CPU_COUNT(&all);
        return;
    }
    int cpu = (int)(choose(w) % (unsigned)count);
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (CPU_ISSET(cpu, &all)) {
        HOLDS(sched_setaffinity(0, sizeof one, &one) == 0);
        HOLDS(sched_getcpu() == cpu);
    }
    HOLDS(sched_setaffinity(0, sizeof all, &all) == 0);
}

static void compute(struct worker *w) {
    double a = (double)(choose(w) % 1000), x = a;
    for (int i = 1; i <= 3000; i++)
        x += i * 0.5;
    HOLDS(x == a + 0.25 * 3000 * 3001);
}

/* ---- pipes ---- */

static void take(struct worker *w, const unsigned char *bytes, ssize_t n) {
    for (ssize_t i = 0; i < n; i++)
        w->read_sum += bytes[i];
    w->read += (unsigned long)n;
}

/* What it reads is its neighbour's. */
static void use_pipes(struct worker *w) {
    unsigned char bytes[600];
    size_t size = 1 + choose(w) % sizeof bytes;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)choose(w);
    ssize_t n = write(w->pipe[1], bytes, size);
    HOLDS(n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)));
    for (ssize_t i = 0; i < n; i++)
        w->written_sum += bytes[i];
    w->written += n > 0 ? (unsigned long)n : 0;
    n = read(workers[(w->index + 1) % WORKERS].pipe[0], bytes, sizeof bytes);
    HOLDS(n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)));
    take(w, bytes, n > 0 ? n : 0);
}

/* ---- the whole ---- */

static void (*const actions[ACTIONS])(struct worker *w) = {
    map_and_unmap, remap, allocate,    locked, produce, consume,
    pass_gate,     breed, send_signal, doze,   wander,  use_pipes,
};

static void *work(void *arg) {
    sigset_t set;
    self = arg;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    HOLDS(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    self->id = gettid();
    while (!over) {
        unsigned i = (unsigned)(choose(self) % ACTIONS);
        actions[i](self);
        self->done[i]++;
        if (choose(self) % 4 == 0)
            compute(self);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > end_time.tv_sec ||
            (now.tv_sec == end_time.tv_sec && now.tv_nsec >= end_time.tv_nsec))
            over = 1;
    }
    finished++;
    while (over < 2) /* signals are still on their way */
        usleep(1000);
    return NULL;
}

static int signals_missing(void) {
    for (unsigned i = 0; i < WORKERS; i++) {
        if (workers[i].got != workers[i].signals_sent)
            return 1;
    }
    return 0;
}

static void run_for(double seconds, uint64_t seed) {
    memset(workers, 0, sizeof workers);
    clock_gettime(CLOCK_MONOTONIC, &end_time);
    end_time.tv_sec += (time_t)seconds;
    end_time.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    end_time.tv_sec += end_time.tv_nsec / 1000000000;
    end_time.tv_nsec %= 1000000000;
    over = finished = 0;
    tokens = 0;
    HOLDS(sem_init(&gate, 0, 3) == 0);
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    HOLDS(pthread_sigmask(SIG_BLOCK, &set, &before) == 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].index = i;
        workers[i].random = (seed + i + 1) * 0x9e3779b97f4a7c15ull;
        HOLDS(pipe2(workers[i].pipe, O_NONBLOCK) == 0);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        HOLDS(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    while (finished < WORKERS)
        usleep(20000);
    for (int i = 0; i < 5000 && signals_missing(); i++)
        usleep(1000);
    over = 2;
    unsigned long written = 0, written_sum = 0, read_all = 0, read_sum = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *w = &workers[i];
        HOLDS(pthread_join(w->thread, NULL) == 0);
        HOLDS(w->got == w->signals_sent);
        HOLDS(w->got_sum == w->signals_sum);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *w = &workers[i];
        unsigned char bytes[4096];
        ssize_t n;
        while ((n = read(w->pipe[0], bytes, sizeof bytes)) > 0)
            take(w, bytes, n);
        close(w->pipe[0]);
        close(w->pipe[1]);
        written += w->written;
        written_sum += w->written_sum;
        read_all += w->read;
        read_sum += w->read_sum;
        for (int k = 0; k < ACTIONS; k++)
            HOLDS(seconds < 100 || w->done[k] > 0); /* nobody starved */
    }
    HOLDS(written == read_all && written_sum == read_sum);
    HOLDS(left == right && inside == 0 && living == 0);
    HOLDS(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

/* ---- memory ---- */

static pthread_barrier_t all_there;

static void *be_there(void *unused) {
    pthread_barrier_wait(&all_there);
    return unused;
}

/* More of all that is kept for good than the work takes at any time. */
static void make_what_is_kept(void) {
    pthread_t threads[KEPT_THREADS];
    HOLDS(pthread_barrier_init(&all_there, NULL, KEPT_THREADS) == 0);
    for (int i = 0; i < KEPT_THREADS; i++)
        HOLDS(pthread_create(&threads[i], NULL, be_there, NULL) == 0);
    for (int i = 0; i < KEPT_THREADS; i++)
        HOLDS(pthread_join(threads[i], NULL) == 0);
    char *p = mmap(NULL, KEPT_SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    HOLDS(p != MAP_FAILED);
    for (size_t at = 0; at < KEPT_SPAN; at += TABLE_SPAN)
        p[at] = 1;
    p[KEPT_SPAN - 1] = 1;
    for (size_t i = 0; i < KEPT_AREAS; i += 2)
        HOLDS(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
    HOLDS(munmap(p, KEPT_SPAN) == 0);
    sigset_t set;
    siginfo_t info = {.si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    HOLDS(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    while (syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGRTMIN + 1, &info) == 0) {
    }
    HOLDS(errno == EAGAIN);
    while (sigtimedwait(&set, &info, &(struct timespec){0}) > 0) {
    }
    HOLDS(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

struct account {
    long others; /* pages that are neither free nor the app's, nor hold small objects */
    long slab;   /* those of small objects */
    long tables; /* page tables */
};

static struct account account(void) {
    char text[2048];
    long total, left, slab, anonymous, stacks, tables;
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    HOLDS(fd >= 0 && n > 0);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strstr(text, "Slab:");
    bool known = at && sscanf(text, "MemTotal: %ld kB MemFree: %ld", &total, &left) == 2 &&
                 sscanf(at, "Slab: %ld kB AnonPages: %ld kB KernelStack: %ld kB PageTables: %ld",
                        &slab, &anonymous, &stacks, &tables) == 4;
    HOLDS(known);
    if (!known)
        return (struct account){0};
    return (struct account){(total - left - slab - anonymous - tables) * 1024 / PAGE,
                            slab * 1024 / PAGE, tables * 1024 / PAGE};
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 5;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    struct utsname u;
    HOLDS(sigaction(SIGRTMIN + 1, &sa, NULL) == 0);
    HOLDS(uname(&u) == 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    wander(NULL);
    make_what_is_kept();
    run_for(seconds / 10, seed); /* the channel and the CPUs have what they need */
    struct account before = account();
    run_for(seconds, seed + 100);
    struct account after = account();
    long more = after.others - before.others, slab = after.slab - before.slab;
    long tables = after.tables - before.tables;
    if (strstr(u.release, "zuk") && (more != 0 || slab > SPARSE_PAGES || tables > TABLE_PAGES)) {
        printf("the kernel holds %ld pages more, %ld more of objects, %ld more of page tables\n",
               more, slab, tables);
        failures++;
    }
    if (failures)
        printf("%d failures; seed %llu\n", failures, (unsigned long long)seed);
    else
        printf("ok\n");
    return failures != 0;
}

#endif
