/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The KVM probe: a virtual CPU in real mode counts down in ring 0 and halts.
 * Hardware runs an instruction in about a cycle; an interpreter takes
 * hundreds.  A timer ends a loop that never halts; its signal is not SIGALRM,
 * which draws the line of progress meanwhile.
 */
#include "zuk/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "zuk/progress.h"
#include "zuk/util.h"

enum { LOOPS = 4000, SLOWEST_NS = 40, GIVE_UP_MS = 40, PAGE = 4096 };

/* mov $LOOPS, %cx; 1: dec %cx; jnz 1b; hlt */
static const uint8_t code[] = {0xb9, LOOPS & 0xff, LOOPS >> 8, 0x49, 0x75, 0xfd, 0xf4};

struct probe {
    int kvm, vm, cpu;
    uint8_t *memory;
    struct kvm_run *run;
    size_t run_size;
};

/* ioctl; a signal that is not ours may interrupt it. */
static int ask(int fd, unsigned long request, unsigned long argument) {
    int result;
    while ((result = ioctl(fd, request, argument)) < 0 && errno == EINTR) {
    }
    return result;
}

/* NULL when the CPU stands ready at the first instruction; what failed else. */
static const char *prepare(struct probe *p) {
    if (ask(p->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
        return "has an unknown version";
    }
    p->vm = ask(p->kvm, KVM_CREATE_VM, 0);
    if (p->vm < 0) {
        return "makes no VM";
    }
    p->memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->memory == MAP_FAILED) {
        p->memory = NULL;
        return "gets no memory";
    }
    memcpy(p->memory, code, sizeof code);
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = 0x1000,
        .memory_size = PAGE,
        .userspace_addr = (uintptr_t)p->memory,
    };
    if (ask(p->vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&region) != 0) {
        return "takes no memory";
    }
    p->cpu = ask(p->vm, KVM_CREATE_VCPU, 0);
    int size = ask(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (p->cpu < 0 || size < (int)sizeof *p->run) {
        return "makes no virtual CPU";
    }
    p->run_size = (size_t)size;
    p->run = mmap(NULL, p->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, p->cpu, 0);
    if (p->run == MAP_FAILED) {
        p->run = NULL;
        return "makes no virtual CPU";
    }
    struct kvm_sregs sregs;
    if (ask(p->cpu, KVM_GET_SREGS, (uintptr_t)&sregs) != 0) {
        return "shows no registers";
    }
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};
    if (ask(p->cpu, KVM_SET_SREGS, (uintptr_t)&sregs) != 0 ||
        ask(p->cpu, KVM_SET_REGS, (uintptr_t)&regs) != 0) {
        return "takes no registers";
    }
    return NULL;
}

static void on_timer(int signal) {
    (void)signal;
}

/* Runs to the hlt.  ns per loop of two instructions; -1: it did not get there;
 * *exit_reason then says what came instead. */
static double run_loop(struct probe *p, unsigned *exit_reason) {
    struct sigaction act = {.sa_handler = on_timer}, old;
    sigaction(SIGRTMIN, &act, &old);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    bool timed = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    const long ns = GIVE_UP_MS * 1000000L;
    struct itimerspec when = {.it_value.tv_nsec = ns, .it_interval.tv_nsec = ns};
    if (timed) {
        timer_settime(timer, 0, &when, NULL); /* repeats: one may fall before KVM_RUN */
    }
    int64_t start = now_ns(), took;
    int status;
    do { /* a signal before its time is another's */
        status = ioctl(p->cpu, KVM_RUN, 0);
        took = now_ns() - start;
    } while (status != 0 && errno == EINTR && timed && took < ns);
    if (timed) {
        timer_delete(timer);
    }
    sigaction(SIGRTMIN, &old, NULL);
    *exit_reason = status == 0 ? p->run->exit_reason : KVM_EXIT_INTR;
    return status == 0 && p->run->exit_reason == KVM_EXIT_HLT ? (double)took / LOOPS : -1;
}

static struct accel none(const char *reason) {
    return (struct accel){.reason = reason};
}

static struct accel real(const char *reason) {
    return (struct accel){.kvm = true, .reason = reason};
}

static struct accel slow(const char *reason) {
    return (struct accel){.interpreted = true, .reason = reason};
}

static struct accel judge(struct probe *p) {
    const char *failed = prepare(p);
    if (failed != NULL) {
        return none(xasprintf("/dev/kvm %s (%s)", failed, strerror(errno)));
    }
    unsigned reason;
    double ns = run_loop(p, &reason);
    if (ns < 0) {
        if (reason == KVM_EXIT_INTR) {
            return slow(
                xasprintf("KVM did not finish %d instructions in %d ms", 2 * LOOPS, GIVE_UP_MS));
        }
        return none(xasprintf("KVM stopped a plain loop with exit reason %u", reason));
    }
    if (ns > SLOWEST_NS) {
        return slow(xasprintf("KVM is not real here: %.0f ns per kernel-mode instruction", ns / 2));
    }
    return real(xasprintf("KVM runs kernel mode at %.1f ns per instruction", ns / 2));
}

struct accel accel_probe(void) {
    struct probe p = {.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), .vm = -1, .cpu = -1};
    if (p.kvm < 0) {
        return none(xasprintf("no KVM: /dev/kvm: %s", strerror(errno)));
    }
    struct accel a = judge(&p);
    if (p.run != NULL) {
        munmap(p.run, p.run_size);
    }
    if (p.memory != NULL) {
        munmap(p.memory, PAGE);
    }
    const int fds[] = {p.cpu, p.vm, p.kvm};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    return a;
}

static size_t read_small(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* The cache file: boot id and access to /dev/kvm, then a word, then the reason;
 * a line each. */
static const struct {
    const char *word;
    struct accel (*make)(const char *reason);
} kept[] = {{"kvm", real}, {"slow", slow}, {"none", none}};
enum { KEPT = sizeof kept / sizeof kept[0] };

struct accel accel_choose(void) {
    if (access("/dev/kvm", F_OK) != 0) {
        return none("no /dev/kvm");
    }
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        return none(
            xasprintf("no access to /dev/kvm: %s (the group kvm may help)", strerror(errno)));
    }
    char boot[64];
    read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    boot[strcspn(boot, "\n")] = '\0';
    char *path = path_join(cache_dir(), "accel");
    char text[512];
    read_small(path, text, sizeof text);
    size_t n = strlen(boot);
    if (n > 0 && strncmp(text, boot, n) == 0 && text[n] == '\n') {
        char *what = text + n + 1;
        size_t end = strcspn(what, "\n");
        for (size_t i = 0; i < KEPT && what[end] == '\n'; i++) {
            if (strlen(kept[i].word) == end && memcmp(what, kept[i].word, end) == 0) {
                char *reason = what + end + 1;
                reason[strcspn(reason, "\n")] = '\0';
                return kept[i].make(xstrdup(reason));
            }
        }
    }
    progress_step(PROGRESS_KVM, "measuring whether KVM is real (once after each boot)");
    struct accel a = accel_probe();
    if (n > 0) {
        size_t i = a.kvm ? 0 : a.interpreted ? 1 : 2;
        char *entry = xasprintf("%s\n%s\n%s\n", boot, kept[i].word, a.reason);
        (void)write_file(path, entry, strlen(entry));
    }
    return a;
}
