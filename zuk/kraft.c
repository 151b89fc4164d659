/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The user's kraft (kraft.h).
 */
#include "zuk/kraft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/export.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/settings.h"
#include "zuk/util.h"

#define TARGET "--plat", "qemu", "--arch", "x86_64"

/* Options that only zuk's own kernel, or zuk's way to run it, knows. */
static const char *foreign(const struct options *o) {
    const struct {
        bool given;
        const char *name;
    } options[] = {
        {o->strace, "--strace"},
        {o->trace != NULL, "--trace"},
        {o->timeline, "--timeline"},
        {o->profile != NULL, "--profile"},
        {o->json, "--json"},
        {o->isolate, "--isolate"},
        {o->fail != 0, "--fail"},
        {o->gdb, "--gdb"},
        {o->dry_run, "--dry-run"},
        {o->detach, "--detach"},
        {o->watch, "--watch"},
        {o->timeout_ms != 0, "--timeout"},
        {o->env_all, "--env-all"},
        {o->cwd_ro, "--cwd-ro"},
        {o->rootfs_count > 0, "--rootfs"},
        {o->certificates != NULL, "--ca-certificates"},
        {o->missing_count > 0, "--missing"},
        {o->set_count > 0, "--set"},
        {o->config != NULL, "--config"},
        {o->cpus > 1, "--cpus"},
        {o->accel == ACCEL_TCG || o->accel == ACCEL_KVM, "--accel"},
        {o->machine_given, "--machine"},
        {o->net.pcap != NULL, "--pcap"},
        {o->strip, "--strip"},
        {o->strict, "--strict"},
        {o->reproducible, "--reproducible, --lock or --locked"},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i].given) {
            return options[i].name;
        }
    }
    return NULL;
}

struct kraft {
    const char *program, *folder, *name;
};

/* -1 to go on, else the exit status. */
static int prepare(const struct options *o, struct kraft *k) {
    const char *option = foreign(o);
    if (option != NULL) {
        diag_error("%s does not go together with --kernel unikraft", option);
        diag_hint("it is of zuk's own kernel, or of the way zuk runs it; 'kraft' has its own");
        return EXIT_USAGE;
    }
    k->program = which("kraft");
    if (k->program == NULL) {
        diag_error("--kernel unikraft needs kraft, which is not on PATH");
        diag_hint(
            "install KraftKit (https://unikraft.org/docs/cli/install), or leave --kernel out: "
            "zuk has a kernel of its own");
        return EXIT_USER;
    }
    const char *work = settings_work(o);
    if (work == NULL) {
        return EXIT_USER;
    }
    k->name = export_name(settings_name(o));
    k->folder = xasprintf("%s/unikraft/%s", work, k->name);
    struct app_request request = settings_app(o, work);
    return make_dirs(xasprintf("%s/unikraft", work)) && export_unikraft(&request, k->folder)
               ? -1
               : EXIT_USER;
}

static bool build(const struct kraft *k, bool out_to_err) {
    const char *argv[] = {k->program, "build", TARGET, NULL};
    diag_verbose("%s: kraft build --plat qemu --arch x86_64", k->folder);
    const struct run run = {.argv = argv, .cwd = k->folder, .out_to_err = out_to_err};
    progress_plan(1);
    progress_step(0, "building %s by kraft build", k->name);
    int status = run_program(&run);
    progress_end();
    if (status < 0) {
        diag_error("cannot start '%s': %s", k->program, strerror(errno));
    } else if (status > 0) {
        diag_error("kraft build failed with status %d in %s", status, k->folder);
        diag_hint("kraft's own words stand above; 'zuk export unikraft' writes that folder where "
                  "you want it");
    }
    return status == 0;
}

int kraft_build(struct options *o) {
    struct kraft k;
    int status = prepare(o, &k);
    if (status >= 0) {
        return status;
    }
    if (!build(&k, false)) {
        return EXIT_USER;
    }
    const char *kernel = xasprintf("%s/.unikraft/build/%s_qemu-x86_64", k.folder, k.name);
    if (!is_file(kernel)) {
        diag_error("kraft build left no kernel '%s'", kernel);
        diag_hint("another version of kraft may name it otherwise: look there");
        return EXIT_USER;
    }
    if (o->output == NULL) {
        diag_note("the kernel is %s", kernel);
        return EXIT_OK;
    }
    struct file_map map;
    if (!file_map(kernel, &map)) {
        return EXIT_USER;
    }
    struct output *out = output_open(o->output, 0777);
    bool ok = out != NULL && output_write(out, map.data, map.size) && output_commit(out);
    file_unmap(&map);
    return ok ? EXIT_OK : EXIT_USER;
}

int kraft_run(struct options *o) {
    struct kraft k;
    int status = prepare(o, &k);
    if (status >= 0) {
        return status;
    }
    if (!build(&k, true)) {
        return EXIT_USER;
    }
    VEC(const char *) argv = {0};
    const char *const fixed[] = {k.program, "run", TARGET};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        *vec_push(&argv) = fixed[i];
    }
    if (o->memory != 0) {
        *vec_push(&argv) = "--memory";
        *vec_push(&argv) = xasprintf("%" PRIu64 "Mi", (o->memory + (1 << 20) - 1) >> 20);
    }
    for (size_t i = 0; i < o->net.forward_count; i++) {
        const struct net_forward *f = &o->net.forwards[i];
        *vec_push(&argv) = "--port";
        *vec_push(&argv) = xasprintf("%s%s%u:%u/%s", f->host_ip, *f->host_ip == '\0' ? "" : ":",
                                     f->host, f->guest, f->udp ? "udp" : "tcp");
    }
    for (size_t i = 0; i < o->env_count; i++) {
        *vec_push(&argv) = "--env";
        *vec_push(&argv) = o->env[i];
    }
    if (o->name != NULL) {
        *vec_push(&argv) = "--name";
        *vec_push(&argv) = o->name;
    }
    *vec_push(&argv) = ".";
    if (o->arg_count > 0) {
        *vec_push(&argv) = "--";
    }
    for (size_t i = 0; i < o->arg_count; i++) {
        *vec_push(&argv) = o->args[i];
    }
    *vec_push(&argv) = NULL;
    if (chdir(k.folder) == 0) {
        fflush(NULL);
        execv(k.program, (char *const *)(uintptr_t)argv.data);
    }
    diag_error("cannot start '%s': %s", k.program, strerror(errno));
    return EXIT_USER;
}
