/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vDSO: its functions are found by name and version, tell what the system calls
 * tell, go forwards from thread to thread, follow a clock that is set, and pass on
 * what they do not know.  They cannot be written to.
 * machines: microvm q35
 * cpus: 1 2
 * isolate: test
 */
#define _GNU_SOURCE
#include <elf.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define VERSION "LINUX_2.6"
#define S 1000000000LL

static const Elf64_Ehdr *file;

static const void *at(uint64_t offset) {
    return (const char *)file + offset;
}

static uint32_t sysv_hash(const char *s) {
    uint32_t h = 0;
    for (; *s; s++) {
        h = (h << 4) + (unsigned char)*s;
        h = (h ^ (h >> 28) << 4) & 0x0fffffff;
    }
    return h;
}

struct tables {
    const char *names;
    const Elf64_Sym *symbols;
    const uint32_t *hash;
    const uint16_t *versym;
    const Elf64_Verdef *verdef;
};

/* As the loader of glibc and others do; the addresses in it are offsets. */
static struct tables tables(void) {
    struct tables t = {0};
    const Elf64_Phdr *p = at(file->e_phoff);
    for (unsigned i = 0; i < file->e_phnum; i++) {
        if (p[i].p_type != PT_DYNAMIC)
            continue;
        for (const Elf64_Dyn *d = at(p[i].p_offset); d->d_tag != DT_NULL; d++) {
            const void *where = at(d->d_un.d_val);
            if (d->d_tag == DT_STRTAB)
                t.names = where;
            if (d->d_tag == DT_SYMTAB)
                t.symbols = where;
            if (d->d_tag == DT_HASH)
                t.hash = where;
            if (d->d_tag == DT_VERSYM)
                t.versym = where;
            if (d->d_tag == DT_VERDEF)
                t.verdef = where;
        }
    }
    return t;
}

static const char *version_of(const struct tables *t, unsigned symbol) {
    const Elf64_Verdef *d = t->verdef;
    for (;; d = (const void *)((const char *)d + d->vd_next)) {
        const Elf64_Verdaux *aux = (const void *)((const char *)d + d->vd_aux);
        const char *name = t->names + aux->vda_name;
        if (d->vd_ndx == (t->versym[symbol] & 0x7fff))
            return d->vd_hash == sysv_hash(name) ? name : "the hash is wrong";
        if (!d->vd_next)
            return "there is none";
    }
}

static void *look_up(const char *name) {
    struct tables t = tables();
    if (!t.names || !t.symbols || !t.versym || !t.verdef)
        return NULL;
    /* Newer Linux has a hash table of another kind only; the names follow the symbols there. */
    long count = t.hash ? t.hash[1] : ((const char *)t.names - (const char *)t.symbols) / 24;
    for (unsigned i = 1; i < count; i++) {
        const Elf64_Sym *s = &t.symbols[i];
        if (strcmp(t.names + s->st_name, name) == 0)
            return strcmp(version_of(&t, i), VERSION) == 0 ? (void *)at(s->st_value) : NULL;
    }
    return NULL;
}

static int (*gettime)(clockid_t, struct timespec *);
static int (*timeofday)(struct timeval *, struct timezone *);
static time_t (*seconds)(time_t *);

static long long ns(const struct timespec *t) {
    return t->tv_sec * S + t->tv_nsec;
}

static long long now(clockid_t clock) {
    struct timespec t;
    return gettime(clock, &t) ? -1 : ns(&t);
}

static long long asked(clockid_t clock) {
    struct timespec t;
    return syscall(SYS_clock_gettime, clock, &t) ? -1 : ns(&t);
}

/* What the kernel says before, the functions, the kernel after: in order.  Linux's
 * coarse clocks stand still for a tick. */
static void compare(clockid_t clock, int exact) {
    long long slack = exact ? 0 : S / 50;
    for (int i = 0; i < 2000; i++) {
        long long before = asked(clock), middle = now(clock), after = asked(clock);
        if (before < 0 || middle < before - slack || after < middle - slack) {
            CHECK_EQ(clock, -1);
            printf("%lld %lld %lld\n", before, middle, after);
            return;
        }
    }
}

static void compare_others(void) {
    struct timeval v;
    struct timezone zone = {1, 1};
    time_t stored;
    for (int i = 0; i < 500; i++) {
        long long before = asked(CLOCK_REALTIME_COARSE) / 1000;
        CHECK(timeofday(&v, &zone) == 0 && v.tv_usec >= 0 && v.tv_usec < 1000000);
        long long us = v.tv_sec * 1000000LL + v.tv_usec;
        CHECK(before <= us && us <= asked(CLOCK_REALTIME) / 1000);
        before = asked(CLOCK_REALTIME_COARSE) / S;
        time_t s = seconds(&stored);
        CHECK(s == stored && before <= s && s <= asked(CLOCK_REALTIME) / S);
    }
    CHECK(zone.tz_minuteswest == 0 && zone.tz_dsttime == 0);
    CHECK_EQ(timeofday(NULL, NULL), 0);
    CHECK(seconds(NULL) >= stored);
}

static void *reader(void *arg) {
    static _Atomic long long latest;
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        long long before = latest, t = now(CLOCK_MONOTONIC);
        if (t < before)
            return "a thread went back in time";
        while (before < t && !__atomic_compare_exchange_n((long long *)&latest, &before, t, 0,
                                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            ;
    }
    return NULL;
}

/* In the guest only: a test does not set the host's clock. */
static void set_it(void) {
    long long monotonic = now(CLOCK_MONOTONIC);
    struct timespec t = {2000000000, 5};
    CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
    CHECK(now(CLOCK_REALTIME) >= ns(&t) && now(CLOCK_REALTIME) < ns(&t) + 60 * S);
    compare(CLOCK_REALTIME, 1);
    struct timeval v = {12345, 678}; /* before the machine was started, so to speak */
    CHECK_EQ(settimeofday(&v, NULL), 0);
    CHECK(seconds(NULL) >= 12345 && seconds(NULL) < 12345 + 60);
    compare(CLOCK_REALTIME, 1);
    compare_others();
    CHECK(now(CLOCK_MONOTONIC) >= monotonic && now(CLOCK_MONOTONIC) - monotonic < 60 * S);
    compare(CLOCK_MONOTONIC, 1);
}

static void check_maps(void) {
    FILE *f = fopen("/proc/self/maps", "r");
    char line[256], vdso[32];
    unsigned found = 0, data = 0;
    snprintf(vdso, sizeof vdso, "%lx-", (unsigned long)file);
    while (f && fgets(line, sizeof line, f)) {
        found += strncmp(line, vdso, strlen(vdso)) == 0 &&
                 strstr(line, " r-xp 00000000 00:00 0 ") && strstr(line, "  [vdso]\n");
        data += strstr(line, " r--p 00000000 00:00 0 ") && strstr(line, "  [vvar]\n");
    }
    if (f)
        fclose(f);
    CHECK(found == 1 && data == 1);
}

int main(void) {
    file = (const void *)getauxval(AT_SYSINFO_EHDR);
    CHECK(file && memcmp(file->e_ident, ELFMAG, SELFMAG) == 0);
    gettime = (int (*)(clockid_t, struct timespec *))look_up("__vdso_clock_gettime");
    timeofday = (int (*)(struct timeval *, struct timezone *))look_up("__vdso_gettimeofday");
    seconds = (time_t(*)(time_t *))look_up("__vdso_time");
    CHECK(gettime && timeofday && seconds);
    CHECK(!look_up("__vdso_none"));
    if (!gettime || !timeofday || !seconds)
        return check_done();
    static const clockid_t exact[] = {
        CLOCK_MONOTONIC, CLOCK_REALTIME,           CLOCK_BOOTTIME,         CLOCK_MONOTONIC_RAW,
        CLOCK_TAI,       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    for (unsigned i = 0; i < sizeof exact / sizeof *exact; i++)
        compare(exact[i], 1);
    compare(CLOCK_MONOTONIC_COARSE, 0);
    compare(CLOCK_REALTIME_COARSE, 0);
    compare_others();
    struct timespec t;
    clockid_t own;
    CHECK_EQ(clock_getcpuclockid(0, &own), 0);
    CHECK_EQ(gettime(own, &t), 0);
    static const clockid_t none[] = {10, 12, 33, 77, 1 << 16, 0x7fffffff, -9};
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        CHECK_EQ(gettime(none[i], &t), -EINVAL);

    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, reader, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        if (wrong)
            puts(wrong);
    }
    check_maps();
    CHECK_ERRNO(mprotect((char *)file - 4096, 4096, PROT_READ | PROT_WRITE), EACCES);
    if (getpid() == 1)
        set_it();
    return check_done();
}
