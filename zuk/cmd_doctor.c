/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk doctor [--json]: is this machine ready, and what to do if not.
 *
 * One finding a line on stdout: "ok", "note" (zuk works, something could be
 * better or is not there) or "BAD" (it does not), with the next step below.
 * Status 1 when there is a BAD one.  Nothing is changed but what every zuk
 * puts into its cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zuk/accel.h"
#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/json.h"
#include "zuk/kernel.h"
#include "zuk/options.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/toolchain.h"
#include "zuk/util.h"
#include "zuk/vm.h"

enum state { OK, NOTE, BAD };

static const char *const state_words[] = {"ok", "note", "BAD"};

struct finding {
    const char *what;
    enum state state;
    const char *text; /* what was found */
    const char *hint; /* what to do, or NULL */
};

struct findings {
    VEC(struct finding) list;
};

static void found(struct findings *f, const char *what, enum state state, const char *text,
                  const char *hint) {
    *vec_push(&f->list) = (struct finding){what, state, text, hint};
}

/* The first line that a program prints, NULL when it cannot be run. */
static const char *first_line(const char *program, const char *argument) {
    char *out;
    const char *argv[] = {program, argument, NULL};
    struct run run = {.argv = argv, .out = &out, .timeout_ms = 20000};
    if (run_program(&run) != 0) {
        return NULL;
    }
    out[strcspn(out, "\n")] = '\0';
    return out;
}

static void look_at_machine(struct findings *f) {
    struct utsname name;
    if (uname(&name) != 0) {
        return;
    }
    const char *text = xasprintf("%s %s, %s", name.sysname, name.release, name.machine);
    bool known = strcmp(name.machine, "x86_64") == 0 || strcmp(name.machine, "aarch64") == 0;
    found(f, "machine", known ? OK : NOTE, text,
          known ? NULL : "zuk is tested on x86_64 and aarch64 machines");
}

static void look_at_qemu(struct findings *f) {
    const char *given = getenv("ZUK_QEMU");
    const char *name = given != NULL && *given != '\0' ? given : VM_QEMU;
    const char *qemu = which(name);
    const char *install = "install QEMU " VM_QEMU_OLDEST
                          " or newer (Debian, Ubuntu: apt-get install qemu-system-x86), or set "
                          "ZUK_QEMU";
    if (qemu == NULL) {
        found(f, "QEMU", BAD, xasprintf("%s is not on PATH", name), install);
        return;
    }
    const char *line = first_line(qemu, "--version");
    const char *version = line == NULL ? NULL : strstr(line, "version ");
    unsigned major, minor, want_major, want_minor;
    if (version == NULL || sscanf(version, "version %u.%u", &major, &minor) != 2 ||
        sscanf(VM_QEMU_OLDEST, "%u.%u", &want_major, &want_minor) != 2) {
        found(f, "QEMU", BAD, xasprintf("%s does not say its version", qemu), install);
        return;
    }
    bool old = major < want_major || (major == want_major && minor < want_minor);
    found(f, "QEMU", old ? BAD : OK, xasprintf("%s, %s", version, qemu), old ? install : NULL);
}

static void look_at_kvm(struct findings *f) {
    struct accel a = accel_choose();
    const char *hint = "nothing to do: zuk takes TCG, and everything works with it";
    if (!a.kvm && access("/dev/kvm", F_OK) != 0) {
        hint = "zuk takes TCG.  For KVM: switch virtualisation on in the firmware, or nested "
               "virtualisation in the host, and load kvm_intel or kvm_amd";
    } else if (!a.kvm && access("/dev/kvm", R_OK | W_OK) != 0) {
        hint = "zuk takes TCG.  For KVM: sudo usermod -aG kvm $USER, then log in again";
    }
    found(f, "KVM", a.kvm ? OK : NOTE, a.reason, a.kvm ? NULL : hint);
}

static void look_at_zig(struct findings *f) {
    diag_quiet = true; /* the finding says it */
    const char *pinned = pinned_zig();
    diag_quiet = false;
    const char *version = pinned == NULL ? NULL : first_line(pinned, "version");
    const char *hint = "run ./bootstrap in zuk's source folder, or set ZUK_ZIG to a zig program";
    if (version == NULL) {
        found(f, "pinned Zig", BAD, pinned == NULL ? "not found" : xasprintf("%s fails", pinned),
              hint);
    } else {
        found(f, "pinned Zig", OK, xasprintf("%s, %s", version, pinned), NULL);
    }
    const char *user = which("zig");
    if (user == NULL) {
        found(f, "Zig on PATH", version == NULL ? NOTE : OK,
              "none: projects are built by the pinned one", NULL);
        return;
    }
    version = first_line(user, "version");
    unsigned minor;
    bool known = version != NULL && sscanf(version, "0.%u", &minor) == 1 && minor >= 12;
    found(f, "Zig on PATH", known ? OK : NOTE,
          xasprintf("%s, %s", version == NULL ? "no version" : version, user),
          known ? NULL : "projects are tested with Zig 0.12 and newer; --zig names another");
}

static void look_at_kernel(struct findings *f) {
    diag_quiet = true;
    const char *lib = lib_dir();
    diag_quiet = false;
    const char *path = lib == NULL ? NULL : path_join(lib, "x86_64/stamp");
    struct file_map map = {0};
    bool ok = path != NULL && is_file(path) && file_map(path, &map) && map.data != NULL &&
              is_file(path_join(lib, "x86_64/kernel.ld"));
    bool fits = ok && kernel_fits(path_join(lib, "x86_64"));
    found(f, "kernel", fits ? OK : BAD,
          lib == NULL   ? "no objects"
          : ok && !fits ? xasprintf("the objects in %s are of another version than this zuk", lib)
          : ok          ? xasprintf("%s, %.*s", lib, (int)strcspn((const char *)map.data, "\n"),
                                    (const char *)map.data)
                        : xasprintf("none in %s", lib),
          fits ? NULL : "run ./bootstrap (or make) in zuk's source folder, or set ZUK_LIB");
}

static void look_at_cache(struct findings *f) {
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
    const char *dir = cache_dir();
    bool lasting = false;
    if (cache != NULL && *cache == '/') {
        lasting = strncmp(dir, cache, strlen(cache)) == 0;
    } else if (home != NULL && *home == '/') {
        lasting = strncmp(dir, home, strlen(home)) == 0;
    }
    found(f, "cache", lasting ? OK : NOTE,
          lasting ? dir
                  : xasprintf("neither XDG_CACHE_HOME nor HOME can be written: %s it is", dir),
          lasting ? NULL : "set XDG_CACHE_HOME to a folder that you may write to");
    diag_quiet = true;
    bool compiled = toolchain_known();
    diag_quiet = false;
    found(f, "libc", compiled ? OK : NOTE,
          compiled ? "musl and compiler_rt are compiled"
                   : "not compiled yet: the first build of an archive takes a minute longer",
          NULL);
    struct statvfs fs;
    if (statvfs(dir, &fs) == 0) {
        unsigned long long mib = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
        found(f, "disk",
              mib < 64    ? BAD
              : mib < 512 ? NOTE
                          : OK,
              xasprintf("%llu MiB free for the cache", mib),
              mib < 512 ? "zuk wants about 500 MiB; the cache may be removed at any time" : NULL);
    }
}

static void look_at_memory(struct findings *f) {
    char text[4096] = "";
    int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    const char *at = n <= 0 ? NULL : strstr(text, "MemAvailable:");
    unsigned long kib;
    if (at != NULL && sscanf(at, "MemAvailable: %lu", &kib) == 1) {
        found(f, "memory", kib >> 10 < 256 ? NOTE : OK, xasprintf("%lu MiB available", kib >> 10),
              kib >> 10 < 256 ? "a guest takes 64 MiB unless -m says otherwise" : NULL);
    }
}

static void look_at_network(struct findings *f) {
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    found(f, "network", OK, "QEMU's user network needs no permission", NULL);
    found(f, "tap", fd >= 0 && geteuid() == 0 ? OK : NOTE,
          fd < 0           ? xasprintf("/dev/net/tun: %s", strerror(error))
          : geteuid() == 0 ? "/dev/net/tun opens, and this is root"
                           : "/dev/net/tun opens; only root makes a tap device",
          fd >= 0 && geteuid() == 0
              ? NULL
              : "as root: ip tuntap add dev tap0 mode tap user $USER; then QEMU may use it");
}

/* What `build --reproducible` wants: a user and a mount namespace. */
static bool namespaces_permitted(void) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : 1);
    }
    int status = 1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0;
}

static void look_at_programs(struct findings *f) {
    bool permitted = namespaces_permitted();
    found(f, "namespaces", permitted ? OK : NOTE,
          permitted ? "permitted: build --reproducible covers debug builds"
                    : "not permitted: build --reproducible strips, and wants a release mode",
          permitted ? NULL : "sysctl kernel.unprivileged_userns_clone=1, where the host has it");
    const char *gdb = which("gdb");
    found(f, "gdb", gdb != NULL ? OK : NOTE, gdb != NULL ? gdb : "not on PATH",
          gdb != NULL ? NULL : "only --gdb wants it: apt-get install gdb");
    const char *kraft = which("kraft");
    found(f, "kraft", OK, kraft != NULL ? kraft : "not on PATH; only --kernel unikraft wants it",
          NULL);
}

static void print_json(const struct findings *f, bool ready) {
    json_t *list = json_array();
    for (size_t i = 0; i < f->list.len; i++) {
        const struct finding *x = &f->list.data[i];
        json_t *item = json_pack("{s:s,s:s,s:o}", "what", x->what, "state", state_words[x->state],
                                 "text", json_text(x->text));
        if (x->hint != NULL) {
            json_object_set_new(item, "hint", json_text(x->hint));
        }
        json_array_append_new(list, item);
    }
    json_t *all = json_pack("{s:b,s:o}", "ready", (int)ready, "findings", list);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

int cmd_doctor(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_JSON | OPTIONS_NO_INPUT, &o);
    if (status >= 0) {
        return status;
    }
    if (o.input_count > 0) {
        diag_error("zuk doctor takes no '%s'", o.inputs[0]);
        return EXIT_USAGE;
    }
    struct findings f = {0};
    look_at_machine(&f);
    look_at_qemu(&f);
    progress_plan(PROGRESS_BIT(PROGRESS_KVM) | PROGRESS_BIT(PROGRESS_NEXT));
    look_at_kvm(&f);
    progress_step(PROGRESS_NEXT, "looking at this machine");
    look_at_zig(&f);
    look_at_kernel(&f);
    look_at_cache(&f);
    look_at_memory(&f);
    look_at_network(&f);
    look_at_programs(&f);
    progress_end();
    size_t bad = 0;
    for (size_t i = 0; i < f.list.len; i++) {
        bad += f.list.data[i].state == BAD;
    }
    if (o.json) {
        print_json(&f, bad == 0);
        return fflush(stdout) == 0 && bad == 0 ? EXIT_OK : EXIT_USER;
    }
    bool color = diag_color(stdout);
    static const char *const colors[] = {"\033[32m", "\033[33m", "\033[1;31m"};
    for (size_t i = 0; i < f.list.len; i++) {
        const struct finding *x = &f.list.data[i];
        printf("%s%-4s%s  %-12s %s\n", color ? colors[x->state] : "", state_words[x->state],
               color ? "\033[0m" : "", x->what, x->text);
        if (x->hint != NULL) {
            printf("                    hint: %s\n", x->hint);
        }
    }
    printf("%s\n",
           bad == 0 ? "This machine is ready." : "This machine is not ready: see BAD above.");
    return fflush(stdout) == 0 && bad == 0 ? EXIT_OK : EXIT_USER;
}
