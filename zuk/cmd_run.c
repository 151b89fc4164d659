/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk run INPUT... [-- ARGUMENT...]: build what is not an image yet, boot it,
 * relay its streams, report how it ended.
 *
 * What belongs to this run only (arguments, environment, policies) travels on
 * the kernel's command line, so an image that is built once serves every run.
 */
#include "zuk/cmd_run.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "abi/image.h"
#include "zuk/accel.h"
#include "zuk/build.h"
#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/features.h"
#include "zuk/kraft.h"
#include "zuk/profile.h"
#include "zuk/progress.h"
#include "zuk/report.h"
#include "zuk/rootfs.h"
#include "zuk/settings.h"
#include "zuk/symbolize.h"
#include "zuk/trace.h"
#include "zuk/util.h"
#include "zuk/vm.h"
#include "zuk/vms.h"
#include "zuk/watch.h"

#define MIB (UINT64_C(1) << 20)

enum {
    DEFAULT_MIB = 64,
    GRACE_MS = 10000, /* as zuk stop's */
    WATCH_GRACE_MS = 2000,
    SLACK_KIB = 48, /* page tables, stacks, first pages: the least, measured with hello */
};

/* ---- which image ---- */

/* Path of the image to boot, made when the input is none; NULL after
 * diag_error. */
static const char *find_image(const struct options *o, const struct config *config,
                              const char **work) {
    *work = NULL;
    if (o->input_count == 1 && image_is(o->inputs[0])) {
        return o->inputs[0];
    }
    *work = settings_work(o);
    if (*work == NULL) {
        return NULL;
    }
    struct app_request app = settings_app(o, *work);
    struct image_request image = settings_image(
        o, config, *work, o->output != NULL ? o->output : path_join(*work, "image.elf"));
    return build_image(&app, &image) ? image.output : NULL;
}

/* ---- the kernel's command line ---- */

struct tokens {
    char *text;
    size_t len, cap;
};

static void token(struct tokens *t, const char *key, const char *value) {
    const char *encoded = value == NULL ? "" : vm_encode(value);
    size_t need = t->len + strlen(key) + strlen(encoded) + 2;
    if (need > t->cap) {
        size_t cap = t->cap < 512 ? 1024 : t->cap * 2;
        cap = cap < need ? need : cap;
        char *text = xalloc(cap);
        memcpy(text, t->text == NULL ? "" : t->text, t->len);
        t->text = text;
        t->cap = cap;
    }
    t->len += (size_t)sprintf(t->text + t->len, "%s%s%s", t->len == 0 ? "" : " ", key, encoded);
}

static const char *policy_name(enum image_policy policy) {
    return policy == IMAGE_POLICY_ENOSYS   ? "enosys"
           : policy == IMAGE_POLICY_IGNORE ? "ignore"
                                           : "trap";
}

static void terminal_token(struct tokens *t) {
    struct winsize size;
    char *value = xasprintf("%d%d%d", isatty(0), isatty(1), isatty(2));
    if (strcmp(value, "000") == 0) {
        return; /* what the kernel takes for granted */
    }
    for (int fd = 0; fd < 3; fd++) {
        if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
            value = xasprintf("%s:%ux%u", value, size.ws_row, size.ws_col);
            break;
        }
    }
    token(t, "terminal=", value);
}

/* Does an -e set that variable? */
static bool is_given(const struct options *o, const char *variable) {
    size_t length = strcspn(variable, "=") + 1;
    for (size_t i = 0; i < o->env_count; i++) {
        if (strncmp(o->env[i], variable, length) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL after diag_error. */
static const char *kernel_tokens(const struct options *o, const struct image_info *info,
                                 const char *argv0, bool network) {
    struct tokens t = {0};
    const char *ip = network ? net_kernel(&o->net, info->name) : NULL;
    if (ip != NULL) {
        token(&t, "ip=", ip);
    }
    if (argv0 != NULL || o->args_given) {
        token(&t, "arg=", argv0 != NULL ? argv0 : info->arg0 != NULL ? info->arg0 : info->name);
        for (size_t i = 0; i < o->arg_count; i++) {
            token(&t, "arg=", o->args[i]);
        }
    }
    for (size_t i = 0; i < o->env_count; i++) {
        token(&t, "env=", o->env[i]);
    }
    for (char **e = environ; o->env_all && *e != NULL; e++) {
        if (strchr(*e, '=') != NULL && !is_given(o, *e)) {
            token(&t, "env=", *e);
        }
    }
    for (size_t i = 0; i < o->missing_count; i++) {
        struct features_policy p;
        if (!features_policy(o->missing[i], &p)) {
            return NULL;
        }
        token(&t, p.every ? "missing=*:" : xasprintf("missing=%u:", p.number),
              policy_name(p.policy));
    }
    if (o->fail != 0) {
        token(&t, "fail=", xasprintf("%" PRIu64, o->fail));
    }
    if (o->isolate) {
        token(&t, "isolate", NULL);
    }
    if (o->strace || o->trace != NULL) {
        token(&t, "strace", NULL);
    }
    if (o->cpus > 1) {
        token(&t, "cpus=", xasprintf("%u", o->cpus));
    }
    if (o->profile != NULL) {
        token(&t, "profile=", xasprintf("%d", PROFILE_PERIOD_US));
    }
    if (o->timeline || o->profile != NULL) {
        token(&t, "timeline", NULL);
    }
    if (!o->dry_run) {
        terminal_token(&t);
    }
    return t.text == NULL ? "" : t.text;
}

/* The run's tree of files becomes the module, with the tokens that do not fit
 * the command line.  False after diag_error. */
static bool bring_files(struct vm_config *config, const struct options *o, uint64_t *size) {
    bool spills = strlen(config->cmdline) > IMAGE_CMDLINE_MAX;
    const struct rootfs_request request = {.sources = o->rootfs,
                                           .source_count = o->rootfs_count,
                                           .certificates = o->certificates,
                                           .cwd = o->cwd_ro,
                                           .text = spills ? config->cmdline : NULL};
    progress_plan(PROGRESS_BIT(PROGRESS_FILES));
    progress_step(PROGRESS_FILES, "packing the files for the guest");
    int fd = rootfs_make(&request, size);
    progress_end();
    if (fd < 0) {
        return false;
    }
    config->cmdline = spills ? "" : config->cmdline;
    config->module = xasprintf("/proc/self/fd/%d", fd);
    if (!o->dry_run) {
        return true;
    }
    /* A command to paste needs a file that lasts. */
    struct file_map map;
    if (!file_map(config->module, &map)) {
        return false;
    }
    config->module = xasprintf("%s/files-%016llx", cache_dir(),
                               (unsigned long long)hash64(0, map.data, map.size));
    bool ok = write_file(config->module, map.data, map.size);
    file_unmap(&map);
    return ok;
}

/* Tokens that do not fit the command line go into a file for -initrd: one
 * without a name for a run, a lasting one for a command to paste. */
static bool spill(struct vm_config *config, bool lasting) {
    size_t size = strlen(config->cmdline);
    if (size <= IMAGE_CMDLINE_MAX || config->module != NULL) {
        return true;
    }
    const char *text = config->cmdline;
    config->cmdline = "";
    if (lasting) {
        config->module = xasprintf("%s/arguments-%016llx", cache_dir(),
                                   (unsigned long long)hash64(0, text, size));
        return write_file(config->module, text, size);
    }
    int fd = memfd_create("zuk-arguments", 0);
    if (fd >= 0 && fd < 4) {
        int moved = fcntl(fd, F_DUPFD, 4); /* QEMU's 0 to 3 are taken */
        close(fd);
        fd = moved;
    }
    for (size_t done = 0; fd >= 0 && done < size;) {
        ssize_t n = write(fd, text + done, size - done);
        if (n <= 0) {
            fd = -1;
            break;
        }
        done += (size_t)n;
    }
    if (fd < 0) {
        diag_error("cannot pass %zu bytes of arguments to the guest: %s", size, strerror(errno));
        return false;
    }
    config->module = xasprintf("/proc/self/fd/%d", fd);
    return true;
}

/* ---- the machine ---- */

static uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

/* 0 after diag_error. */
static uint64_t choose_memory(const struct options *o, const struct image_info *info,
                              uint64_t module_size) {
    uint64_t need = round_up(info->end_paddr + SLACK_KIB * 1024 + module_size, 64 * 1024);
    if (o->memory == 0) {
        uint64_t memory =
            round_up(info->end_paddr + module_size, 16 * MIB) + (DEFAULT_MIB - 16) * MIB;
        return memory < DEFAULT_MIB * MIB ? DEFAULT_MIB * MIB : memory;
    }
    if (o->memory < need) {
        diag_error("%s needs %llu KiB of memory to start, and -m gives it %llu KiB", info->name,
                   (unsigned long long)need >> 10, (unsigned long long)o->memory >> 10);
        if (settings_files(o)) {
            diag_hint("-m %lluK is the least; the files for the guest take %llu KiB of it",
                      (unsigned long long)need >> 10, (unsigned long long)module_size >> 10);
            return 0;
        }
        diag_hint("-m %lluK is the least for this image; without -m zuk takes what it needs",
                  (unsigned long long)need >> 10);
        return 0;
    }
    return o->memory;
}

static void choose_accel(const struct options *o, struct vm_config *config) {
    if (o->accel == ACCEL_TCG) {
        diag_verbose("accelerator: tcg, as asked");
        return;
    }
    progress_plan(PROGRESS_BIT(PROGRESS_KVM));
    struct accel a = accel_choose();
    progress_end();
    if (o->accel == ACCEL_AUTO) {
        config->kvm = a.kvm;
        diag_verbose("accelerator: %s (%s)", a.kvm ? "kvm" : "tcg", a.reason);
        return;
    }
    config->kvm = true;
    config->interpreted = a.interpreted;
    diag_verbose("accelerator: kvm, as asked");
    if (a.interpreted && o->isolate) {
        diag_verbose("%s; the app itself runs at full speed, its system calls do not", a.reason);
    } else if (!a.kvm) {
        diag_warning("--accel kvm is not what zuk would take: %s", a.reason);
        diag_hint(a.interpreted
                      ? "--accel auto (the default), --accel tcg, or --isolate: user mode "
                        "needs no interpreter"
                      : "--accel auto (the default) or --accel tcg");
    }
}

static const char *find_qemu(void) {
    const char *given = getenv("ZUK_QEMU");
    bool named = given != NULL && *given != '\0';
    const char *qemu = which(named ? given : VM_QEMU);
    if (qemu == NULL) {
        if (named) {
            diag_error("ZUK_QEMU names '%s', which is not a program", given);
        } else {
            diag_error(VM_QEMU " is not on PATH");
        }
        diag_hint("install QEMU " VM_QEMU_OLDEST
                  " or newer (Debian, Ubuntu: apt-get install qemu-system-x86), or set ZUK_QEMU");
    }
    return qemu;
}

/* The app with its debug information, where the image was made without it:
 * `zuk build` leaves it in IMAGE.zuk, `zuk run` in its own folder. */
static const char *debug_file(const struct image_info *info, const char *work) {
    return path_join(work != NULL ? work : xasprintf("%s.zuk", info->path), "app.debug.elf");
}

/* The app's ELF as a file of its own; NULL after diag_error. */
static const char *app_file(const struct image_info *info, const char *work) {
    const char *path = debug_file(info, work);
    if (symbolize_same_program(path, info->path, info->app_offset, info->app_size)) {
        return path;
    }
    struct file_map map;
    if (!file_map(info->path, &map)) {
        return NULL;
    }
    path = xasprintf("%s/gdb-%016llx.elf", cache_dir(),
                     (unsigned long long)hash64(0, info->path, strlen(info->path)));
    bool ok = info->app_offset <= map.size && info->app_size <= map.size - info->app_offset &&
              write_file(path, map.data + info->app_offset, info->app_size);
    file_unmap(&map);
    return ok ? path : NULL;
}

/* Where the app will lie: 0 when its addresses are its own. */
static uint64_t app_base(const char *path) {
    Elf64_Ehdr e;
    struct file_map map;
    if (!file_map(path, &map)) {
        return 0;
    }
    uint64_t align = 1;
    bool pie = map.size >= sizeof e && (memcpy(&e, map.data, sizeof e), e.e_type == ET_DYN);
    for (unsigned i = 0; pie && i < e.e_phnum; i++) {
        Elf64_Phdr ph;
        uint64_t at = e.e_phoff + (uint64_t)i * sizeof ph;
        if (at > map.size || map.size - at < sizeof ph) {
            break;
        }
        memcpy(&ph, map.data + at, sizeof ph);
        align = ph.p_type == PT_LOAD && ph.p_align > align ? ph.p_align : align;
    }
    file_unmap(&map);
    return pie ? round_up(IMAGE_PIE_BASE, align) : 0;
}

static void say_gdb(const struct options *o, const struct image_info *info, const char *work) {
    const char *app = app_file(info, work);
    const char *kernel = kernel_symbols(info->kernel_id);
    VEC(const char *) line = {0};
    *vec_push(&line) = "gdb";
    if (kernel != NULL) {
        *vec_push(&line) = kernel;
    }
    if (app != NULL) {
        uint64_t base = app_base(app);
        *vec_push(&line) = "-ex";
        *vec_push(&line) =
            base == 0 ? xasprintf("add-symbol-file %s", app)
                      : xasprintf("add-symbol-file %s -o 0x%llx", app, (unsigned long long)base);
    }
    *vec_push(&line) = "-ex";
    *vec_push(&line) = xasprintf("target remote localhost:%u", o->gdb_port);
    *vec_push(&line) = NULL;
    diag_note("QEMU waits for gdb; in another terminal:");
    if (diag_verbosity >= 0) {
        fprintf(stderr, "\n    %s\n\n", vm_shell_line(line.data));
    }
    diag_note("then 'hbreak main' and 'continue' (the app's memory is not there yet: hbreak, not "
              "break)");
}

/* Can the kernel in the image read files that a run brings? */
static bool reads_files(const struct image_info *info) {
    if (features_listed(info->options, "ROOTFS")) {
        return true;
    }
    diag_error("'%s' was made without files in mind: it cannot take %s", info->path,
               "--rootfs, --cwd-ro or --ca-certificates");
    diag_hint("build it again with --rootfs (an empty folder will do)");
    return false;
}

/* Can the kernel in the image tell where the app is? */
static bool can_profile(const struct options *o, const struct image_info *info) {
    if (o->profile == NULL) {
        return true;
    }
    if (o->dry_run) {
        diag_error("--profile and --dry-run do not go together: samples need the channel");
        return false;
    }
    if (o->cpus > 1) {
        diag_error("--profile watches one CPU, and --cpus %u gives more", o->cpus);
        diag_hint("leave --cpus out: threads take turns then");
        return false;
    }
    if (!features_listed(info->options, "PROFILE")) {
        diag_error("'%s' was made without the sampler of --profile", info->path);
        diag_hint("run what the image was made of, or build it again with --set PROFILE=y");
        return false;
    }
    return true;
}

/* Will there be a network card?  An app that calls nothing about sockets has
 * no use for one, and its kernel no driver. */
static bool wants_network(const struct options *o, const struct image_info *info) {
    if (!net_on(&o->net) || features_listed(info->options, "INET")) {
        return net_on(&o->net);
    }
    diag_warning("'%s' can make no socket of the network: %s has no use", info->name,
                 o->net.forward_count > 0 ? "-p"
                 : o->net.pcap != NULL    ? "--pcap"
                                          : "--net");
    return false;
}

static int boot(const struct options *o, const struct image_info *info, const char *argv0,
                const char *work) {
    if (!net_check(&o->net) || !can_profile(o, info)) {
        return EXIT_USAGE;
    }
    bool network = wants_network(o, info);
    if (network && !o->dry_run && !net_ports_free(&o->net)) {
        return EXIT_VM;
    }
    const char *cmdline = kernel_tokens(o, info, argv0, network);
    const char *qemu = find_qemu();
    if (cmdline == NULL || qemu == NULL) {
        return cmdline == NULL ? EXIT_USAGE : EXIT_VM;
    }
    if (settings_files(o) && !reads_files(info)) {
        return EXIT_USER;
    }
    struct net_config net = o->net;
    if (network && !net_set_queues(&net, o->cpus)) {
        return EXIT_USAGE;
    }
    struct vm_config config = {
        .qemu = qemu,
        .image = info->path,
        .machine = o->machine,
        .cpus = o->cpus,
        .cmdline = cmdline,
        .net = network ? &net : NULL,
        .gdb_port = o->gdb ? o->gdb_port : 0,
        .stand_alone = o->dry_run,
    };
    uint64_t module_size = strlen(cmdline);
    if (settings_files(o) && !bring_files(&config, o, &module_size)) {
        return EXIT_USER;
    }
    config.memory = choose_memory(o, info, module_size);
    if (config.memory == 0) {
        return EXIT_VM;
    }
    if (!spill(&config, o->dry_run)) {
        return EXIT_USER;
    }
    choose_accel(o, &config);
    if (o->dry_run) {
        config.image = realpath(info->path, NULL);
        printf("%s\n", vm_shell_line(vm_command(&config)));
        return fflush(stdout) == 0 ? EXIT_OK : EXIT_USER;
    }
    const char *const *argv = vm_command(&config);
    if (diag_verbosity > 0) {
        const char *kernel = kernel_symbols(info->kernel_id);
        diag_verbose("kernel: %s", kernel != NULL ? kernel : "no symbols of it in the cache");
        diag_verbose("%s", vm_shell_line(argv));
    }
    if (o->gdb) {
        say_gdb(o, info, work);
    }
    struct report report = {
        .image = info,
        .debug_path = debug_file(info, work),
        .json = o->json,
        .strace = o->strace,
        .timeline = o->timeline,
        .out = stderr,
    };
    if ((o->trace != NULL && (report.trace = trace_open(o->trace, info->name)) == NULL) ||
        (o->profile != NULL && (report.profile = profile_open(o->profile, info->name)) == NULL)) {
        return EXIT_USER;
    }
    struct vm_host host = {
        .timeout_ms = o->timeout_ms,
        /* zuk stop says itself how long, and then again */
        .grace_ms = o->detach  ? (uint64_t)OPTIONS_PATIENCE_MS
                    : o->watch ? WATCH_GRACE_MS
                               : GRACE_MS,
        .color = diag_color(stderr),
        .serial_live = diag_verbosity > 0,
        .record = report_record,
        .arg = &report,
        .wrote = vms_wrote,
        .spoke = vms_spoke,
    };
    struct vm_end end;
    vm_run(argv, &host, &end);
    int status = report_end(&report, &end, o->timeout_ms, qemu);
    bool written = report.trace == NULL || trace_close(report.trace);
    written &= report.profile == NULL || profile_close(report.profile);
    return !written && status == EXIT_OK ? EXIT_USER : status;
}

/* An image has its options already; what a run can still choose is taken. */
static bool check_words(const struct options *o, const struct config *config) {
    if (o->input_count != 1 || !image_is(o->inputs[0])) {
        return true;
    }
    for (size_t i = 0; i < config->words.len; i++) {
        const struct config_word *w = &config->words.data[i];
        if (strcmp(w->option->name, "MEMORY_SIZE") != 0 &&
            strcmp(w->option->name, "MACHINE") != 0) {
            diag_error("%s: CONFIG_%s is chosen when an image is made, and '%s' is one", w->where,
                       w->option->name, o->inputs[0]);
            diag_hint("run what the image was made of, or build it again");
            return false;
        }
    }
    return true;
}

struct job {
    struct options *o;
    const struct image_info *info;
    const char *argv0, *work;
};

static int boot_job(void *arg) {
    const struct job *job = arg;
    return boot(job->o, job->info, job->argv0, job->work);
}

static int run_once(struct options *o, const char *argv0) {
    const char *work;
    struct config config;
    if (!settings_load(o, &config) || !check_words(o, &config)) {
        return EXIT_USER;
    }
    const char *image = find_image(o, &config, &work);
    struct image_info info;
    if (image == NULL || !image_open(image, &info)) {
        return EXIT_USER;
    }
    struct job job = {o, &info, argv0, work};
    return o->detach && !o->dry_run ? vms_detach(o->name, info.name, image, boot_job, &job)
                                    : boot_job(&job);
}

static int watch_job(void *arg) {
    const struct job *job = arg;
    return run_once(job->o, job->argv0);
}

int run_inputs(struct options *o, const char *argv0) {
    if (o->unikraft) {
        return kraft_run(o);
    }
    struct job job = {.o = o, .argv0 = argv0};
    if (o->watch && o->detach) {
        diag_error("--watch and --detach do not go together");
        return EXIT_USAGE;
    }
    return o->watch ? watch_inputs(o->inputs, o->input_count, watch_job, &job) : run_once(o, argv0);
}

int cmd_run(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_BUILD | OPTIONS_RUN, &o);
    return status >= 0 ? status : run_inputs(&o, NULL);
}
