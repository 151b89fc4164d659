/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /proc: the one process, its threads, its descriptors, the machine
 * (proc(5); texts keep Linux's layout, because programs parse them).
 *
 * `arg` is the thread's id below task/, the descriptor's number below fd/.
 */
#include "boot/bootinfo.h"
#include "clock/clock.h"
#include "fs/devfs.h"
#include "fs/ramfs.h"
#include "fs/stdio.h"
#include "fs/table.h"
#include "lib/align.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "sched/thread.h"

#define PROCESS 1
#define KIB(pages) ((pages) * (PAGE_SIZE / 1024))

/* ---- threads ------------------------------------------------------------------ */

static struct thread *thread_by_id(uint64_t id) {
    list_for_each (node, &thread_all) {
        struct thread *t = list_entry(node, struct thread, all);
        if (t->id == id)
            return t;
    }
    return NULL;
}

static int64_t next_thread(uint64_t arg, int64_t number) {
    int64_t best = -1;
    (void)arg;
    list_for_each (node, &thread_all) {
        int64_t id = list_entry(node, struct thread, all)->id;
        if (id >= number && (best < 0 || id < best))
            best = id;
    }
    return best;
}

static uint64_t thread_count(void) {
    uint64_t n = 0;
    list_for_each (node, &thread_all)
        n++;
    return n;
}

/* Below /proc/1 itself arg is 0: the first thread. */
static struct thread *thread_for(uint64_t arg) {
    struct thread *t = thread_by_id(arg ? arg : PROCESS);
    return t ? t : thread_current();
}

/* A thread that nobody named bears the program's name. */
#define NAME_SIZE 15
static const char *name_of(const struct thread *t) {
    return t->name[0] ? t->name : ramfs_program_name();
}

static void comm_text(struct text *t, uint64_t arg) {
    text_format(t, "%.*s\n", NAME_SIZE, name_of(thread_for(arg)));
}

static int comm_store(uint64_t arg, const char *bytes, size_t size) {
    struct thread *t = thread_for(arg);
    size = MIN(size, sizeof(t->name) - 1);
    memset(t->name, 0, sizeof(t->name));
    memcpy(t->name, bytes, size);
    return 0;
}

/* Bytes of address space in use. */
static uint64_t space_size(void) {
    uint64_t size = 0;
    for (struct area *a = area_find_after(0); a; a = area_find_after(a->end))
        size += a->end - a->start;
    return size;
}

static char state_of(const struct thread *t) {
    return t->state == THREAD_WAITING ? 'S' : 'R';
}

static void status_text(struct text *t, uint64_t arg) {
    struct thread *th = thread_for(arg);
    text_format(t, "Name:\t%.*s\nUmask:\t0%u%u%u\nState:\t%c (%s)\n", NAME_SIZE, name_of(th),
                vfs_umask >> 6 & 7, vfs_umask >> 3 & 7, vfs_umask & 7, state_of(th),
                state_of(th) == 'S' ? "sleeping" : "running");
    text_format(t, "Tgid:\t1\nNgid:\t0\nPid:\t%u\nPPid:\t0\nTracerPid:\t0\n", th->id);
    text_format(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t \n");
    text_format(t, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\n",
                space_size() / 1024, space_size() / 1024);
    text_format(t, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nVmSwap:\t       0 kB\n", KIB(area_pages()),
                KIB(area_pages()));
    text_format(t, "Threads:\t%lu\nSigQ:\t0/0\n", thread_count());
    text_format(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", th->signal_pending,
                signal_shared, th->signal_mask);
    uint64_t cpus = th->cpus ? th->cpus : sched_cpu_set();
    text_format(t, "Seccomp:\t0\nCpus_allowed:\t%lx\nCpus_allowed_list:\t", cpus);
    text_set(t, cpus);
}

static void stat_text(struct text *t, uint64_t arg) {
    struct thread *th = thread_for(arg);
    uint64_t ticks = (arg ? thread_busy_ns(th) : sched_busy_ns()) / 10000000;
    text_format(t, "%u (%.*s) %c 0 1 1 0 -1 0 0 0 0 0 %lu 0 0 0 20 0 %lu 0 0 %lu %lu", th->id,
                NAME_SIZE, name_of(th), state_of(th), ticks, thread_count(), space_size(),
                area_pages());
    text_format(t,
                " 18446744073709551615 0 0 %lu 0 0 0 0 0 0 0 0 0 17 %u 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                IMAGE_STACK_TOP, th->cpu);
}

static void statm_text(struct text *t, uint64_t arg) {
    (void)arg;
    text_format(t, "%lu %lu 0 0 0 0 0\n", space_size() / PAGE_SIZE, area_pages());
}

/* ---- memory ------------------------------------------------------------------ */

static void maps_text(struct text *t, uint64_t arg) {
    (void)arg;
    for (struct area *a = area_find_after(0); a && !t->error; a = area_find_after(a->end)) {
        bool vdso = a->source && a->source == &area_vdso, file = a->source && !vdso;
        char line[128];
        size_t n = format(line, sizeof(line), "%08lx-%08lx %c%c%c%c %08lx 00:%02x %u ", a->start,
                          a->end, a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
                          a->prot & PROT_EXEC ? 'x' : '-', a->flags & AREA_SHARED ? 's' : 'p',
                          file ? a->offset : 0, file || a->flags & AREA_IMAGE ? 2 : 0,
                          a->flags & AREA_IMAGE ? 1 : 0);
        text_bytes(t, line, n);
        /* Linux starts the name in column 73. */
        const char *kind = a->flags & AREA_IMAGE                               ? "/"
                           : vdso && a->prot & PROT_EXEC                       ? "[vdso]"
                           : vdso                                              ? "[vvar]"
                           : a->flags & AREA_HEAP                              ? "[heap]"
                           : a->flags & AREA_STACK && !(a->flags & AREA_GUARD) ? "[stack]"
                                                                               : "";
        static const char blanks[] = "                                ";
        if (*kind)
            text_format(t, "%.*s%s%s", (int)MIN(73 - MIN(n, (size_t)73), sizeof(blanks) - 1),
                        blanks, kind, a->flags & AREA_IMAGE ? ramfs_program_name() : "");
        text_bytes(t, "\n", 1);
    }
}

static void meminfo_text(struct text *t, uint64_t arg) {
    uint64_t total = KIB(frame_total()), left = KIB(frame_free_count());
    (void)arg;
    text_format(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\n", total, left);
    text_format(t, "MemAvailable:   %8lu kB\nBuffers:        %8u kB\nCached:         %8u kB\n",
                left, 0u, 0u);
    text_format(t, "SwapCached:     %8u kB\nSwapTotal:      %8u kB\nSwapFree:       %8u kB\n", 0u,
                0u, 0u);
    text_format(t, "Slab:           %8lu kB\n", heap_pages ? KIB(heap_pages()) : 0);
    text_format(t, "AnonPages:      %8lu kB\nKernelStack:    %8lu kB\nPageTables:     %8lu kB\n",
                KIB(area_pages()), arch_kstack_pages ? KIB(arch_kstack_pages()) : 0,
                KIB(arch_table_pages()));
}

/* ---- descriptors --------------------------------------------------------------- */

static int64_t next_fd(uint64_t arg, int64_t number) {
    (void)arg;
    return number < FD_MAX ? fd_next((int)number) : -1;
}

static long fd_link(uint64_t arg, char *buf, size_t size) {
    struct file *f = fd_get((int)arg);
    if (!f)
        return -ENOENT;
    struct file_info info = {0};
    if (!f->path && f->ops->info)
        f->ops->info(f, &info);
    char text[64];
    const char *path = f->path ? f->path : f->ops->name ? f->ops->name : text;
    if (path == text && (info.mode & S_IFMT) == S_IFCHR)
        format(text, sizeof(text), "/dev/tty");
    else if (path == text)
        format(text, sizeof(text), "%s:[%lu]",
               (info.mode & S_IFMT) == S_IFIFO    ? "pipe"
               : (info.mode & S_IFMT) == S_IFSOCK ? "socket"
                                                  : "anon_inode",
               info.inode);
    size_t n = strlen(path);
    memcpy(buf, path, MIN(n, size));
    file_put(f);
    return (long)n;
}

static struct inode *fd_follow(uint64_t arg) {
    struct file *f = fd_get((int)arg);
    if (!f)
        return ERR_PTR(-ENOENT);
    struct inode *i = ERR_PTR(-ENXIO);
    if (f->inode)
        i = inode_get(f->inode);
    else if (f->ops == &stdio_input_ops || f->ops == &stdio_output_ops)
        i = devfs_stream((unsigned)(uintptr_t)f->data);
    file_put(f);
    return i;
}

/* ---- links ---------------------------------------------------------------------- */

static long copy_text(char *buf, size_t size, const char *text) {
    size_t n = strlen(text);
    memcpy(buf, text, MIN(n, size));
    return (long)n;
}

static long exe_link(uint64_t arg, char *buf, size_t size) {
    (void)arg;
    char text[FS_NAME_MAX + 2];
    format(text, sizeof(text), "/%s", ramfs_program_name());
    return copy_text(buf, size, text);
}

static struct inode *exe_follow(uint64_t arg) {
    struct inode *i = ramfs_program();
    (void)arg;
    return i ? inode_get(i) : ERR_PTR(-ENOENT);
}

static long cwd_link(uint64_t arg, char *buf, size_t size) {
    (void)arg;
    char *text = heap_alloc(FS_PATH_MAX);
    if (!text)
        return -ENOMEM;
    long n = path_text(vfs_cwd(), NULL, text, FS_PATH_MAX);
    if (n >= 0)
        n = copy_text(buf, size, text);
    heap_free(text, FS_PATH_MAX);
    return n;
}

static struct inode *cwd_follow(uint64_t arg) {
    (void)arg;
    return inode_get(vfs_cwd());
}

static long root_link(uint64_t arg, char *buf, size_t size) {
    (void)arg;
    return copy_text(buf, size, "/");
}

static struct inode *root_follow(uint64_t arg) {
    (void)arg;
    return inode_get(vfs_root());
}

static long self_link(uint64_t arg, char *buf, size_t size) {
    (void)arg;
    return copy_text(buf, size, "1");
}

static long thread_self_link(uint64_t arg, char *buf, size_t size) {
    (void)arg;
    char text[32];
    format(text, sizeof(text), "1/task/%u", thread_current()->id);
    return copy_text(buf, size, text);
}

static long mounts_link(uint64_t arg, char *buf, size_t size) {
    (void)arg;
    return copy_text(buf, size, "self/mounts");
}

/* ---- the rest -------------------------------------------------------------------- */

/* Values of one key ("arg", "env") in one piece of the command line; false:
 * there are none. */
static bool cmdline_values(struct text *t, const char *key, const char *text, size_t size) {
    struct cmdline it;
    bool any = false;
    char *value = heap_alloc(PAGE_SIZE);
    cmdline_start(&it, text, size);
    while (value && cmdline_next(&it)) {
        if (!cmdline_is(&it, key))
            continue;
        size_t n = cmdline_decode(value, PAGE_SIZE, it.value, it.value_len);
        text_bytes(t, value, MIN(n, PAGE_SIZE - 1) + 1);
        any = true;
    }
    heap_free(value, PAGE_SIZE);
    return any;
}

/* The whole command line's values, each with a NUL. */
static bool given(struct text *t, const char *key) {
    bool any = cmdline_values(t, key, bootinfo.cmdline, SIZE_MAX);
    if (bootinfo.module)
        any = cmdline_values(t, key, bootinfo.module, bootinfo.module_size) || any;
    return any;
}

/* Strings that the image brings along. */
static void built_in(struct text *t, uint32_t offset, uint32_t count) {
    const char *s = (const char *)bootinfo.manifest + offset;
    while (count--) {
        size_t n = strlen(s) + 1;
        text_bytes(t, s, n);
        s += n;
    }
}

static void cmdline_text(struct text *t, uint64_t arg) {
    const struct image_manifest *m = bootinfo.manifest;
    (void)arg;
    if (!given(t, "arg"))
        built_in(t, m->argv, m->argc);
}

/* A variable that is given and built in stands there twice: the first counts. */
static void environ_text(struct text *t, uint64_t arg) {
    const struct image_manifest *m = bootinfo.manifest;
    (void)arg;
    given(t, "env");
    built_in(t, m->envv, m->envc);
}

static void mounts_text(struct text *t, uint64_t arg) {
    (void)arg;
    for (const struct filesystem *const *fs = filesystems_start; fs < filesystems_end; fs++)
        text_format(t, "%s %s %s rw 0 0\n", (*fs)->name, (*fs)->where, (*fs)->name);
}

static void filesystems_text(struct text *t, uint64_t arg) {
    (void)arg;
    for (const struct filesystem *const *fs = filesystems_start; fs < filesystems_end; fs++)
        text_format(t, "nodev\t%s\n", (*fs)->name);
}

static void cpuinfo_text(struct text *t, uint64_t arg) {
    uint64_t khz = arch_cycles_hz() / 1000;
    unsigned count = sched_cpu_total();
    (void)arg;
    for (unsigned i = 0; i < count; i++) {
        text_format(t, "processor\t: %u\nmodel name\t: zuk virtual CPU\ncpu MHz\t\t: %lu.%03lu\n",
                    i, khz / 1000, khz % 1000);
        text_format(t, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n\n",
                    count, i, count);
    }
}

static void uptime_text(struct text *t, uint64_t arg) {
    uint64_t cs = clock_monotonic() / 10000000;
    (void)arg;
    uint64_t idle = sched_idle_ns / 10000000;
    text_format(t, "%lu.%02lu %lu.%02lu\n", cs / 100, cs % 100, idle / 100, idle % 100);
}

/* What is not idle is the program's.  The idle time of one CPU is not kept. */
static void machine_stat_text(struct text *t, uint64_t arg) {
    unsigned count = sched_cpu_total();
    uint64_t now = clock_monotonic(), busy = sched_busy_ns() / 10000000;
    uint64_t idle = sched_idle_ns / 10000000;
    (void)arg;
    text_format(t, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", busy, idle);
    for (unsigned i = 0; i < count; i++)
        text_format(t, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", i, busy / count, idle / count);
    text_format(t, "ctxt 0\nbtime %lu\n", (clock_realtime() - now) / 1000000000);
    text_format(t, "processes %lu\nprocs_running 1\nprocs_blocked 0\n", thread_count());
}

static void loadavg_text(struct text *t, uint64_t arg) {
    (void)arg;
    text_format(t, "0.00 0.00 0.00 1/%lu 1\n", thread_count());
}

static void version_text(struct text *t, uint64_t arg) {
    (void)arg;
    text_format(t, "Linux version 6.12.0-zuk (zuk) #1 zuk\n");
}

static void osrelease_text(struct text *t, uint64_t arg) {
    (void)arg;
    text_format(t, "6.12.0-zuk\n");
}

static void pid_max_text(struct text *t, uint64_t arg) {
    (void)arg;
    text_format(t, "32768\n");
}

static void zero_text(struct text *t, uint64_t arg) {
    (void)arg;
    text_format(t, "0\n");
}

#define TEXT(n, fn)                                                                                \
    { .name = n, .mode = S_IFREG | 0444, .text = fn }
#define DIR(n, table)                                                                              \
    { .name = n, .mode = S_IFDIR | 0555, .children = table }
#define LINK(n, fn)                                                                                \
    { .name = n, .mode = S_IFLNK | 0777, .link = fn }
#define MAGIC(n, fn, to)                                                                           \
    { .name = n, .mode = S_IFLNK | 0777, .link = fn, .follow = to }
#define END                                                                                        \
    { .mode = 0 }

static const struct table_entry fds[] = {
    {.mode = S_IFLNK | 0700, .next = next_fd, .link = fd_link, .follow = fd_follow},
    END,
};

#define THREAD_ENTRIES                                                                             \
    {.name = "comm", .mode = S_IFREG | 0644, .text = comm_text, .store = comm_store},              \
        TEXT("status", status_text), TEXT("stat", stat_text), TEXT("statm", statm_text),           \
        TEXT("maps", maps_text), TEXT("cmdline", cmdline_text), TEXT("environ", environ_text),     \
        TEXT("mounts", mounts_text), MAGIC("exe", exe_link, exe_follow),                           \
        MAGIC("cwd", cwd_link, cwd_follow), MAGIC("root", root_link, root_follow), {               \
        .name = "fd", .mode = S_IFDIR | 0500, .children = fds                                      \
    }

static const struct table_entry thread_entries[] = {THREAD_ENTRIES, END};
static const struct table_entry tasks[] = {
    {.mode = S_IFDIR | 0555, .next = next_thread, .children = thread_entries},
    END,
};
static const struct table_entry process_entries[] = {THREAD_ENTRIES, DIR("task", tasks), END};
static const struct table_entry sys_kernel[] = {
    TEXT("osrelease", osrelease_text),
    TEXT("pid_max", pid_max_text),
    END,
};
static const struct table_entry sys_vm[] = {TEXT("overcommit_memory", zero_text), END};
static const struct table_entry sys[] = {DIR("kernel", sys_kernel), DIR("vm", sys_vm), END};
static const struct table_entry entries[] = {
    DIR("1", process_entries),
    LINK("self", self_link),
    LINK("thread-self", thread_self_link),
    LINK("mounts", mounts_link),
    TEXT("meminfo", meminfo_text),
    TEXT("cpuinfo", cpuinfo_text),
    TEXT("filesystems", filesystems_text),
    TEXT("stat", machine_stat_text),
    TEXT("uptime", uptime_text),
    TEXT("loadavg", loadavg_text),
    TEXT("version", version_text),
    DIR("sys", sys),
    END,
};
static const struct table_entry top = {.mode = S_IFDIR | 0555, .children = entries};

static struct inode *mount_proc(void) {
    return table_mount(&top, 4);
}

static const struct filesystem procfs = {"proc", "/proc", mount_proc};
FILESYSTEM(procfs);
