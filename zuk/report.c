/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the guest said about itself, and how the run ended.  See report.h.
 */
#include "zuk/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "abi/image.h"
#include "zuk/diag.h"
#include "zuk/json.h"
#include "zuk/profile.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/story.h"
#include "zuk/strace.h"
#include "zuk/symbolize.h"
#include "zuk/trace.h"
#include "zuk/util.h"

enum { CRASHES_MAX = 256, CRASH_BYTES_MAX = 32 << 20 };

/* Text of the guest, straight to a stream: what comes without end must not be kept. */
static void print_clean(FILE *out, const uint8_t *text, size_t size) {
    for (size_t i = 0; i < size && text[i] != '\0'; i++) {
        if (text[i] == '\t' || (text[i] >= 0x20 && text[i] != 0x7f)) {
            fputc(text[i], out);
        }
    }
    fputc('\n', out);
}

static const char *app_name(const struct report *r) {
    return r->image != NULL && r->image->name != NULL ? r->image->name : "the app";
}

/* ---- records as they come ---- */

static void keep_crash(struct report *r, const uint8_t *data, size_t size) {
    if (r->crash_count == CRASHES_MAX || r->crash_bytes + size > CRASH_BYTES_MAX) {
        return;
    }
    r->crash_bytes += size;
    if (r->crash_count == r->crash_cap) {
        r->crashes = vec_grow(r->crashes, &r->crash_cap, r->crash_count, sizeof *r->crashes);
    }
    struct report_record *kept = &r->crashes[r->crash_count++];
    *kept = (struct report_record){.data = xalloc(size + 1), .size = size};
    memcpy(kept->data, data, size);
}

static void take_crash(struct report *r, FILE *out, const uint8_t *data, size_t size) {
    struct story_parts parts;
    if (!story_parse(data, size, &parts)) {
        fputs("zuk: warning: the guest sent a crash report that makes no sense\n", out);
        return;
    }
    if (parts.crash.kind != CRASH_NOTICE || r->json) {
        keep_crash(r, data, size);
        return;
    }
    struct story s;
    struct paint c = diag_paint(out);
    story_tell(r->image, r->debug_path, &parts, &s);
    fprintf(out, "%szuk: warning:%s %s\n", c.bold, c.off, s.sentence);
    if (diag_verbosity > 0) {
        story_print_stack(out, &s, parts.crash.thread);
    }
    fprintf(out, "  %shint:%s %s\n", c.cyan, c.off, s.hint);
}

static void take_timeline(struct report *r, FILE *out, const uint8_t *data, size_t size) {
    struct report_timeline t;
    if (size < sizeof t) {
        return;
    }
    memcpy(&t, data, sizeof t);
    if (r->first_cycles == 0) {
        r->first_cycles = r->last_cycles = t.cycles;
    }
    fprintf(out, "%12" PRIu64 " cycles %+12" PRId64 "  ", t.cycles - r->first_cycles,
            (int64_t)(t.cycles - r->last_cycles));
    print_clean(out, data + sizeof t, size - sizeof t);
    r->last_cycles = t.cycles;
}

void report_record(void *report, FILE *out, unsigned type, const uint8_t *data, size_t size) {
    struct report *r = report;
    switch (type) {
    case REPORT_CRASH:
        take_crash(r, out, data, size);
        break;
    case REPORT_TRACE: {
        if (r->trace != NULL) {
            trace_call(r->trace, data, size);
        }
        if (r->trace != NULL && !r->strace) {
            break;
        }
        char *line = strace_line(data, size);
        if (line != NULL) {
            fprintf(out, "%s\n", line);
        }
        free(line);
        break;
    }
    case REPORT_TIMELINE:
        if (r->profile != NULL) {
            profile_phase(r->profile, data, size);
        }
        if (r->profile == NULL || r->timeline) {
            take_timeline(r, out, data, size);
        }
        break;
    case REPORT_SAMPLE:
        if (r->profile != NULL) {
            profile_sample(r->profile, data, size);
        }
        break;
    case REPORT_LOG:
        if (diag_verbosity > 0) {
            fputs("kernel: ", out);
            print_clean(out, data, size);
        }
        break;
    default:
        break; /* a newer guest's */
    }
}

/* ---- the end ---- */

/* How it ended, in one word and one status; the sentence where no crash record
 * gives a better one. */
struct verdict {
    const char *outcome;
    int status;
    const char *sentence; /* NULL: nothing to say */
    const char *hint;
    const char *details; /* captured text, or NULL */
    const char *details_of;
};

static struct verdict verdict_of_exit(const struct report *r, const struct report_exit *e) {
    switch (e->reason) {
    case REASON_EXIT:
        return (struct verdict){.outcome = "exit", .status = e->status};
    case REASON_SIGNAL: {
        const char *name = strace_signal(e->signal);
        return (struct verdict){
            .outcome = "signal",
            .status = 128 + (e->signal & 127),
            .sentence = xasprintf("%s was ended by signal %u%s", app_name(r), e->signal,
                                  name == NULL ? "" : xasprintf(" (%s)", name)),
        };
    }
    case REASON_MISSING:
        return (struct verdict){.outcome = "missing",
                                .status = EXIT_MISSING,
                                .sentence = "the app used something that is missing"};
    case REASON_MEMORY:
        return (struct verdict){.outcome = "out-of-memory",
                                .status = 137,
                                .sentence = "out of memory",
                                .hint = "give it more with -m"};
    case REASON_PANIC:
        return (struct verdict){
            .outcome = "panic", .status = EXIT_KERNEL, .sentence = "kernel panic"};
    case REASON_DEADLOCK:
        return (struct verdict){.outcome = "deadlock",
                                .status = EXIT_KERNEL,
                                .sentence =
                                    "deadlock: no thread can run, and none waits for a time"};
    default:
        return (struct verdict){.outcome = "unknown",
                                .status = EXIT_KERNEL,
                                .sentence =
                                    xasprintf("the guest ended for a reason unknown to this "
                                              "zuk (%u)",
                                              e->reason)};
    }
}

/* Is that QEMU too old?  Asked only when it failed. */
static const char *version_hint(const char *qemu) {
    char *out = NULL;
    char *err = NULL;
    const char *argv[] = {qemu, "--version", NULL};
    struct run run = {.argv = argv, .out = &out, .err = &err, .timeout_ms = 3000};
    if (qemu == NULL || run_program(&run) != 0 || out == NULL) {
        return NULL;
    }
    const char *version = strstr(out, "version ");
    unsigned major, minor, want_major, want_minor;
    if (version == NULL || sscanf(version, "version %u.%u", &major, &minor) != 2 ||
        sscanf(VM_QEMU_OLDEST, "%u.%u", &want_major, &want_minor) != 2) {
        return NULL;
    }
    if (major < want_major || (major == want_major && minor < want_minor)) {
        return xasprintf("this is QEMU %u.%u; zuk needs " VM_QEMU_OLDEST " or newer", major, minor);
    }
    return NULL;
}

static struct verdict verdict_of_failure(const struct vm_end *end, const char *qemu) {
    struct verdict v = {.outcome = "vm-failed", .status = EXIT_VM, .details_of = "QEMU"};
    int status = end->qemu_status;
    const char *words = clean_text(end->words, strlen(end->words));
    if (strstr(words, "KVM internal error") != NULL) {
        v.sentence = "KVM gave up on the guest";
        v.hint = "run it with --accel tcg";
    } else if (WIFSIGNALED(status)) {
        v.sentence = xasprintf("QEMU was killed by signal %d", WTERMSIG(status));
        v.hint = WTERMSIG(status) == SIGKILL ? "perhaps the host ran out of memory" : NULL;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
        v.sentence = xasprintf("QEMU failed with status %d", WEXITSTATUS(status));
        v.hint = strstr(words, "kvm") != NULL || strstr(words, "KVM") != NULL
                     ? "KVM is not usable here; run it with --accel tcg"
                 : strstr(words, "Address already in use") != NULL
                     ? "another program holds that port; choose one with --gdb=PORT"
                     : version_hint(qemu);
    } else {
        v.sentence = "QEMU did not start";
        v.hint = version_hint(qemu);
    }
    v.details = words;
    return v;
}

static struct verdict verdict_of(const struct report *r, const struct vm_end *end,
                                 uint64_t timeout_ms, const char *qemu) {
    switch (end->outcome) {
    case VM_EXIT:
        return verdict_of_exit(r, &end->exit);
    case VM_CRASHED:
        return (struct verdict){
            .outcome = "crashed",
            .status = EXIT_KERNEL,
            .sentence = end->spoke ? "the guest stopped without a word (triple fault?)"
                                   : "the guest stopped before it could say anything",
            .hint = end->serial[0] != '\0' ? NULL : "a run with -v, or --gdb, may tell more",
        };
    case VM_FAILED:
        return verdict_of_failure(end, qemu);
    case VM_SIGNAL:
        return (struct verdict){.outcome = "interrupted", .status = 128 + end->signal};
    case VM_TIMEOUT:
        return (struct verdict){
            .outcome = "timeout",
            .status = EXIT_TIMEOUT,
            .sentence = xasprintf("%s still ran after %g s and was ended (--timeout)", app_name(r),
                                  (double)timeout_ms / 1000),
            .hint = end->spoke ? NULL : "it said nothing at all: --strace shows its calls",
        };
    case VM_CLOSED:
        return (struct verdict){.outcome = "closed", .status = 128 + SIGPIPE};
    case VM_OUTPUT:
        return (struct verdict){
            .outcome = "output",
            .status = EXIT_USER,
            .sentence = xasprintf("cannot write the app's output: %s", strerror(end->error))};
    case VM_BROKEN:
        return (struct verdict){.outcome = "broken-channel",
                                .status = EXIT_KERNEL,
                                .sentence =
                                    "the guest sent nonsense on its channel and was stopped"};
    }
    return (struct verdict){
        .outcome = "unknown", .status = EXIT_BUG, .sentence = "unknown outcome"};
}

/* What the kernel wrote to COM1 belongs to the report when things went wrong. */
static void print_captured(FILE *out, const char *who, const char *text) {
    struct paint c = diag_paint(out);
    char *clean = clean_text(text, strlen(text));
    for (char *line = strtok(clean, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        fprintf(out, "  %s%s:%s %s\n", c.dim, who, c.off, line);
    }
}

/* A kept record and what it has to say. */
struct told {
    struct story_parts parts;
    struct story story;
};

/* One for each crash; keep_crash took none that does not parse. */
static struct told *tell_all(const struct report *r) {
    struct told *all = xalloc((r->crash_count + 1) * sizeof *all);
    for (size_t i = 0; i < r->crash_count; i++) {
        if (story_parse(r->crashes[i].data, r->crashes[i].size, &all[i].parts)) {
            story_tell(r->image, r->debug_path, &all[i].parts, &all[i].story);
        }
    }
    return all;
}

static void print_end(const struct report *r, const struct vm_end *end, const struct verdict *v,
                      const struct told *crashes) {
    bool headline = end->outcome == VM_EXIT && end->exit.reason == REASON_DEADLOCK;
    if (v->sentence != NULL && (r->crash_count == 0 || headline || end->outcome != VM_EXIT)) {
        diag_error("%s", v->sentence);
    }
    for (size_t i = 0; i < r->crash_count; i++) {
        story_print(r->out, &crashes[i].parts, &crashes[i].story);
    }
    if (v->details != NULL && *v->details != '\0') {
        print_captured(r->out, v->details_of, v->details);
    }
    if (v->sentence != NULL && end->outcome != VM_OUTPUT && diag_verbosity <= 0) {
        print_captured(r->out, "kernel", end->serial); /* -v has shown it */
    }
    if (v->hint != NULL && r->crash_count == 0) {
        diag_hint("%s", v->hint);
    }
}

static void print_json(const struct report *r, const struct vm_end *end, const struct verdict *v,
                       const struct told *crashes) {
    json_t *o = json_object();
    json_object_set_new(o, "outcome", json_string(v->outcome));
    json_object_set_new(o, "status", json_integer(v->status));
    if (end->outcome == VM_EXIT && end->exit.reason == REASON_SIGNAL) {
        json_object_set_new(o, "signal", json_integer(end->exit.signal));
    }
    if (v->sentence != NULL) {
        json_object_set_new(o, "text", json_text(v->sentence));
    }
    if (v->hint != NULL) {
        json_object_set_new(o, "hint", json_text(v->hint));
    }
    if (v->details != NULL && *v->details != '\0') {
        json_object_set_new(o, "qemu", json_text(v->details));
    }
    if (end->serial[0] != '\0') {
        json_object_set_new(o, "serial", json_text(clean_text(end->serial, strlen(end->serial))));
    }
    if (r->crash_count > 0) {
        json_t *list = json_array();
        for (size_t i = 0; i < r->crash_count; i++) {
            json_array_append_new(list, story_json(&crashes[i].parts, &crashes[i].story));
        }
        json_object_set_new(o, "reports", list);
    }
    if (r->profile != NULL) {
        json_object_set_new(o, "profile", profile_json(r->profile));
    }
    char *text = json_dumps(o, JSON_COMPACT);
    fprintf(r->out, "%s\n", text == NULL ? "{}" : text);
    free(text);
    json_decref(o);
}

int report_end(struct report *r, const struct vm_end *end, uint64_t timeout_ms, const char *qemu) {
    struct verdict v = verdict_of(r, end, timeout_ms, qemu);
    fflush(r->out);
    enum { CRASHES, SAMPLES };
    progress_plan((r->crash_count > 0 ? PROGRESS_BIT(CRASHES) : 0) |
                  (r->profile != NULL ? PROGRESS_BIT(SAMPLES) : 0));
    if (r->crash_count > 0) {
        progress_step(CRASHES, "naming the functions of %zu stack%s", r->crash_count,
                      r->crash_count == 1 ? "" : "s");
    }
    const struct told *crashes = tell_all(r);
    if (r->profile != NULL) {
        struct symbolize_request q = {0};
        story_files(r->image, r->debug_path, &q);
        progress_step(SAMPLES, "naming the functions of the samples");
        profile_finish(r->profile, &q);
    }
    progress_end();
    if (r->json) {
        print_json(r, end, &v, crashes);
    } else {
        print_end(r, end, &v, crashes);
        if (r->profile != NULL) {
            profile_print(r->profile, r->out);
        }
    }
    fflush(r->out);
    return v.status;
}
