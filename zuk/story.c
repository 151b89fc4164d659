/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A crash record -> one sentence, a stack, registers, calls, a remedy
 * (story.h); and that in one of two ways.
 */
#include "zuk/story.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/image.h"
#include "zuk/build.h"
#include "zuk/diag.h"
#include "zuk/features.h"
#include "zuk/json.h"
#include "zuk/strace.h"
#include "zuk/symbolize.h"
#include "zuk/util.h"

enum { FRAMES_SHOWN = 24 };

static const char *const register_names[REPORT_REGS_X86_64] = {
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8",
    "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"};

/* ---- taking records apart ---- */

bool story_parse(const uint8_t *data, size_t size, struct story_parts *out) {
    if (size < sizeof out->crash) {
        return false;
    }
    memcpy(&out->crash, data, sizeof out->crash);
    const struct report_crash *c = &out->crash;
    uint64_t calls = (uint64_t)c->call_count * sizeof(struct report_call);
    uint64_t need = sizeof *c + calls + c->stack_size + c->kstack_size + c->message_size;
    if (need != size) {
        return false;
    }
    out->calls = data + sizeof *c;
    out->stack = out->calls + calls;
    out->kstack = out->stack + c->stack_size;
    out->message = (const char *)out->kstack + c->kstack_size;
    return true;
}

static struct report_call call_at(const struct story_parts *p, uint32_t i) {
    struct report_call call;
    memcpy(&call, p->calls + i * sizeof call, sizeof call);
    return call;
}

/* ---- what there is to say ---- */

static const char *stub_name(const struct image_info *image, uint32_t index) {
    if (image == NULL || index >= image->stub_count) {
        return xasprintf("symbol %u", index);
    }
    const char *name = image->stubs[index];
    return clean_text(name, strlen(name));
}

static bool starts_with(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Is this frame somebody's plumbing rather than the user's code? */
static bool is_plumbing(const struct symbol_frame *f) {
    static const char *const prefixes[] = {"__syscall",    "os.linux.", "posix.", "Io.Threaded",
                                           "compiler_rt.", "process.",  "debug.", "start."};
    static const char *const functions[] = {
        "syscall",          "abort",        "raise",  "__restore_sigs",
        "__block_app_sigs", "pthread_kill", "memcpy", "memmove",
        "memset",           "memcmp",       "strlen", "sccp",
        "(signal handler)",
    };
    static const char *const files[] = {
        "/lib/std/",  "/libc/musl/",   "/lib/libc/",   "/lib/c/",
        "/lib/c.zig", "/compiler_rt/", "/src/thread/", "/src/internal/",
    };
    if (f->kernel) {
        return true;
    }
    for (size_t i = 0; f->function != NULL && i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (starts_with(f->function, prefixes[i])) {
            return true;
        }
    }
    for (size_t i = 0; f->function != NULL && i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(f->function, functions[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; f->file != NULL && i < sizeof files / sizeof files[0]; i++) {
        if (strstr(f->file, files[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Paths under the current folder, and those of Zig's own sources, short. */
static const char *short_path(const char *path) {
    static const struct {
        const char *folder;
        size_t skip;
    } known[] = {{"/lib/libc/musl/", 10}, {"/lib/std/", 5}, {"/lib/compiler_rt/", 5}};
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof cwd) != NULL) {
        size_t n = strlen(cwd);
        if (n > 1 && strncmp(path, cwd, n) == 0 && path[n] == '/') {
            return path + n + 1;
        }
    }
    if (starts_with(path, "./")) {
        return path + 2;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *at = strstr(path, known[i].folder);
        if (at != NULL) {
            return at + known[i].skip;
        }
    }
    return path;
}

static const char *location(const struct symbol_frame *f) {
    if (f->file == NULL) {
        return NULL;
    }
    return f->line == 0 ? short_path(f->file) : xasprintf("%s:%u", short_path(f->file), f->line);
}

/* " in parse (src/main.zig:12)", or "". */
static const char *in_place(const char *preposition, const struct symbol_frame *f) {
    if (f == NULL || (f->function == NULL && f->file == NULL)) {
        return "";
    }
    const char *where = location(f);
    const char *function = f->function == NULL ? "?" : f->function;
    return where == NULL ? xasprintf(" %s %s", preposition, function)
                         : xasprintf(" %s %s (%s)", preposition, function, where);
}

static const struct symbol_frame *users_frame(const struct story *s, size_t from) {
    for (size_t i = from; i < s->frame_count; i++) {
        if (!is_plumbing(&s->frames[i]) && s->frames[i].function != NULL && !s->frames[i].guessed) {
            return &s->frames[i];
        }
    }
    return from < s->frame_count ? &s->frames[from] : NULL;
}

void story_files(const struct image_info *image, const char *debug_path,
                 struct symbolize_request *q) {
    if (image == NULL) {
        return;
    }
    q->image_path = image->path;
    q->app_offset = image->app_offset;
    q->app_size = image->app_size;
    if (debug_path != NULL &&
        symbolize_same_program(debug_path, image->path, q->app_offset, q->app_size)) {
        q->app_path = debug_path;
    }
}

/* Frames of the kernel's trap handling mean nothing to the reader. */
static void find_stack(const struct image_info *image, const char *debug_path,
                       const struct story_parts *p, struct story *s) {
    struct symbolize_request q = {
        .app_base = p->crash.app_base,
        .skip_first = p->crash.kind == CRASH_FUNCTION,
        .stack = p->stack,
        .stack_size = p->crash.stack_size,
        .stack_base = p->crash.stack_base,
        .kstack = p->kstack,
        .kstack_size = p->crash.kstack_size,
        .kstack_base = p->crash.kstack_base,
    };
    story_files(image, debug_path, &q);
    /* An app that jumped into the kernel's half got nowhere. */
    q.kernel_path = image != NULL && p->crash.in_kernel ? kernel_symbols(image->kernel_id) : NULL;
    memcpy(q.regs, p->crash.regs, sizeof q.regs);
    (void)symbolize_stack(&q, &s->frames, &s->frame_count);
}

/* Has the app said itself where it stopped? */
static bool zig_told(const struct story *s) {
    for (size_t i = 0; i < s->frame_count; i++) {
        const char *f = s->frames[i].function;
        if (f != NULL && (starts_with(f, "debug.defaultPanic") ||
                          starts_with(f, "debug.defaultHandleSegfault"))) {
            return true;
        }
    }
    return false;
}

static const char *fault_name(const struct report_crash *c) {
    switch (c->signal) {
    case SIGSEGV:
        return "segmentation fault";
    case SIGBUS:
        return "bus error";
    case SIGILL:
        return "illegal instruction";
    case SIGFPE:
        return c->vector == 0 ? "division by zero" : "arithmetic fault";
    case SIGTRAP:
        return "breakpoint";
    default:
        return xasprintf("fault (signal %u)", c->signal);
    }
}

static const char *access_name(uint8_t access) {
    return access == 1 ? "write to" : access == 2 ? "execution of" : "read of";
}

/* What an address is, as far as it can be told. */
static const char *address_note(const struct report_crash *c) {
    if (c->address < IMAGE_PAGE) {
        return " (null pointer)";
    }
    if (c->address >> 47 != 0 && c->address >> 47 != 0x1ffff) {
        return " (not a valid address)";
    }
    if (c->address >> 47 != 0) {
        return " (the kernel's)";
    }
    if (c->area_end != 0) {
        return c->access == 1   ? " (memory that may not be written)"
               : c->access == 2 ? " (memory that may not be executed)"
                                : " (memory that may not be read)";
    }
    return " (nothing is there)";
}

static void tell_fault(const struct story_parts *p, struct story *s) {
    const struct report_crash *c = &p->crash;
    s->kind = "fault";
    s->what = fault_name(c);
    s->show_registers = true;
    const struct symbol_frame *first = s->frame_count > 0 ? &s->frames[0] : NULL;
    s->place = users_frame(s, 0);
    const char *where = in_place("in", first);
    if (first != NULL && s->place != first) {
        where = xasprintf("%s,%s", where, in_place("called from", s->place));
    }
    bool address = c->signal == SIGSEGV || c->signal == SIGBUS;
    if (address && c->vector == 13) { /* general protection: the CPU gives no address */
        s->sentence =
            xasprintf("%s: an address that is not valid, or an instruction that an app may "
                      "not use%s",
                      s->what, where);
    } else if (address) {
        s->sentence = xasprintf("%s: %s address 0x%" PRIx64 "%s%s", s->what, access_name(c->access),
                                c->address, address_note(c), where);
    } else {
        s->sentence = xasprintf("%s%s", s->what, where);
    }
    if (address && c->address >= IMAGE_PAGE && c->address < 2 * IMAGE_PAGE) {
        s->hint = "a small address: a field of a null pointer, perhaps";
    }
}

static void tell_stack(const struct story_parts *p, struct story *s) {
    const struct report_crash *c = &p->crash;
    s->kind = "stack-overflow";
    s->what = "stack overflow";
    s->show_registers = true;
    s->place = users_frame(s, 0);
    s->sentence = xasprintf("stack overflow in thread %u%s", c->thread, in_place("in", s->place));
    size_t same = 0;
    for (size_t i = 1; i < s->frame_count && i < 16; i++) {
        same += s->frames[i].function != NULL && s->frames[0].function != NULL &&
                strcmp(s->frames[i].function, s->frames[0].function) == 0;
    }
    s->hint =
        same >= 4 ? xasprintf("%s calls itself without end, or too deep for this stack",
                              s->frames[0].function)
        : c->thread > 1
            ? "give the thread a larger stack when it is made"
            : "link with a larger stack (zig: exe.stack_size; C: -Wl,-z,stack-size=16777216), "
              "or keep large arrays off it";
}

static struct report_call newest_call(const struct story_parts *p, uint32_t number) {
    struct report_call call = {.number = number, .result = INT64_MIN};
    for (uint32_t i = 0; i < p->crash.call_count; i++) {
        struct report_call at = call_at(p, i);
        if (at.number == number) {
            call = at;
        }
    }
    return call;
}

static void tell_call(const struct image_info *image, const struct story_parts *p,
                      struct story *s) {
    const struct report_crash *c = &p->crash;
    const char *name = features_call_name(c->number);
    s->kind = "missing-call";
    s->what = strace_name(c->number);
    s->place = users_frame(s, 0);
    struct report_call call = newest_call(p, c->number);
    s->sentence = name == NULL ? xasprintf("system call %u is not provided%s", c->number,
                                           in_place("- called from", s->place))
                               : xasprintf("system call %s (%u) is not provided%s", name, c->number,
                                           in_place("- called from", s->place));
    char *arguments = strace_arguments(&call, NULL);
    s->message = arguments == NULL ? NULL : xasprintf("called as %s", arguments);
    free(arguments);
    s->hint = name == NULL ? "this number belongs to no system call of Linux"
                           : xasprintf("if the program can do without it: --missing %s=enosys (it "
                                       "fails with ENOSYS) or --missing %s=ignore (it answers 0)",
                                       name, name);
    const char *option = features_call_option(c->number);
    if (option != NULL && image != NULL && features_listed(image->options, option)) {
        s->hint = xasprintf("the image was made without %s, since the program did not seem to call "
                            "it: --set %s=y brings all calls of that option; or --missing "
                            "%s=enosys",
                            name, option, name);
    } else if (option != NULL && image != NULL) {
        s->hint = xasprintf("the image was made without CONFIG_%s, which provides it: 'zuk config "
                            "why %s' tells who turned it off, --set %s=y turns it on; or "
                            "--missing %s=enosys",
                            option, option, option, name);
    }
}

/* A call that the kernel refused, and the app went on. */
static void tell_notice(const struct story_parts *p, struct story *s) {
    const char *name = features_call_name(p->crash.number);
    s->kind = "refused-call";
    s->what = strace_name(p->crash.number);
    s->place = users_frame(s, 0);
    if (name != NULL && strncmp(name, "socket", 6) == 0) {
        struct report_call call = newest_call(p, p->crash.number);
        char *arguments = strace_arguments(&call, NULL);
        s->sentence =
            xasprintf("there is no network in the image: %s fails with EAFNOSUPPORT%s",
                      arguments == NULL ? name : arguments, in_place("- called from", s->place));
        s->hint = "--set INET=y brings it; 'zuk config why INET' tells why it is not there";
        free(arguments);
        return;
    }
    s->sentence = xasprintf(
        "system call %s (%u) needs a second process, and there is one: it fails with %s%s",
        name == NULL ? "?" : name, p->crash.number,
        features_call_policy(p->crash.number) == IMAGE_POLICY_DENY ? "EACCES" : "ENOSYS",
        in_place("- called from", s->place));
    s->hint = xasprintf("use threads, or a machine for each program; --missing %s=trap stops here "
                        "with a stack, --missing %s=enosys is silent",
                        name == NULL ? "CALL" : name, name == NULL ? "CALL" : name);
}

static void tell_function(const struct image_info *image, const struct story_parts *p,
                          struct story *s) {
    const char *name = stub_name(image, p->crash.number);
    s->kind = "missing-function";
    s->what = name;
    s->place = users_frame(s, 0);
    s->sentence =
        xasprintf("undefined function '%s' was called%s", name, in_place("from", s->place));
    s->hint = xasprintf("add the object or archive that defines %s, or define it in undefined/%s.c "
                        "beside build.zig",
                        name, name);
}

static void tell_data(const struct image_info *image, const struct story_parts *p,
                      struct story *s) {
    const char *name = stub_name(image, p->crash.number);
    s->kind = "missing-data";
    s->what = name;
    s->place = users_frame(s, 0);
    s->sentence = xasprintf("undefined symbol '%s' was %s%s", name,
                            p->crash.access == 1   ? "written"
                            : p->crash.access == 2 ? "called"
                                                   : "read",
                            in_place("in", s->place));
    s->hint = xasprintf("add the object or archive that defines %s", name);
}

static void tell_memory(const struct story_parts *p, struct story *s) {
    const struct report_crash *c = &p->crash;
    s->kind = "out-of-memory";
    s->what = "out of memory";
    s->show_memory = true;
    s->place = users_frame(s, 0);
    s->sentence = xasprintf("out of memory: all %" PRIu64 " MiB are in use%s",
                            (c->memory_total + (1 << 19)) >> 20, in_place("in", s->place));
    s->hint =
        xasprintf("give it more: -m %" PRIu64 "M", 2 * ((c->memory_total + (1 << 20) - 1) >> 20));
}

void story_tell(const struct image_info *image, const char *debug_path, const struct story_parts *p,
                struct story *s) {
    const struct report_crash *c = &p->crash;
    *s = (struct story){0};
    find_stack(image, debug_path, p, s);
    if (c->message_size > 0) {
        s->message = clean_text(p->message, c->message_size);
    }
    switch (c->kind) {
    case CRASH_FAULT:
        tell_fault(p, s);
        break;
    case CRASH_STACK:
        tell_stack(p, s);
        break;
    case CRASH_CALL:
        tell_call(image, p, s);
        break;
    case CRASH_FUNCTION:
        tell_function(image, p, s);
        break;
    case CRASH_DATA:
        tell_data(image, p, s);
        break;
    case CRASH_MEMORY:
        tell_memory(p, s);
        break;
    case CRASH_PANIC:
        s->kind = "kernel-panic";
        s->what = s->message == NULL ? "no message" : s->message;
        s->sentence = xasprintf("kernel panic: %s", s->what);
        s->message = NULL;
        s->show_registers = true;
        s->place = s->frame_count > 0 ? &s->frames[0] : NULL;
        s->hint =
            "a bug in zuk's kernel, or the app wrote over it; please report it with the text above";
        break;
    case CRASH_NOTICE:
        tell_notice(p, s);
        break;
    case CRASH_DEADLOCK:
        s->kind = "deadlock";
        s->what = "deadlock";
        s->place = users_frame(s, 0);
        s->sentence = xasprintf("thread %u sleeps for ever%s", c->thread, in_place("in", s->place));
        s->part = true;
        break;
    case CRASH_SIGNAL: {
        const char *name = strace_signal(c->signal);
        s->kind = "signal";
        s->what = name == NULL ? xasprintf("signal %u", c->signal) : name;
        s->place = users_frame(s, 0);
        s->sentence = c->signal == SIGABRT
                          ? xasprintf("the app aborted (SIGABRT)%s", in_place("in", s->place))
                          : xasprintf("%s ended the app%s", s->what, in_place("in", s->place));
        s->told = c->signal == SIGABRT && zig_told(s);
        break;
    }
    default:
        s->kind = "unknown";
        s->what = "unknown";
        s->sentence = xasprintf("a report of unknown kind %u", c->kind);
    }
}

/* ---- for people ---- */

enum { SOURCE_WIDTH = 110 };

/* One line of source with its number, and the place under it.  Of a long line
 * the part around the place is shown. */
static void print_line(FILE *out, const struct paint *c, const struct symbol_frame *f,
                       const char *text) {
    const char *where = short_path(f->file);
    int margin = snprintf(NULL, 0, "%u", f->line) + 2;
    unsigned column = f->column;
    const char *dots = "";
    if (column > SOURCE_WIDTH - 20 && column <= strlen(text)) {
        unsigned skip = column - SOURCE_WIDTH / 2;
        text += skip;
        column = column - skip + 4;
        dots = "... ";
    }
    fprintf(out, "%s%*s-->%s %s:%u\n", c->blue, margin, "", c->off, where, f->line);
    fprintf(out, "%s%*s |%s\n", c->blue, margin, "", c->off);
    fprintf(out, "%s  %u |%s %s%.*s\n", c->blue, f->line, c->off, dots, SOURCE_WIDTH, text);
    if (column == 0 || column > strlen(text) + strlen(dots)) {
        return;
    }
    fprintf(out, "%s%*s |%s ", c->blue, margin, "", c->off);
    for (unsigned i = 0; i + 1 < column; i++) {
        fputc(*dots == '\0' && text[i] == '\t' ? '\t' : ' ', out);
    }
    fprintf(out, "%s^%s\n", c->red, c->off);
}

/* The line of source, when the file is there. */
static void print_source(FILE *out, const struct paint *c, const struct symbol_frame *f) {
    FILE *in = f->file == NULL || f->line == 0 || !is_file(f->file) ? NULL : fopen(f->file, "re");
    if (in == NULL) {
        return;
    }
    char line[2048];
    unsigned number = 1;
    bool whole = true; /* the chunk before ended its line */
    while (fgets(line, sizeof line, in) != NULL) {
        bool ends = strchr(line, '\n') != NULL;
        if (whole && number == f->line) {
            print_line(out, c, f, clean_text(line, strlen(line)));
            break;
        }
        if (ends) {
            number++;
        }
        whole = ends;
    }
    fclose(in);
}

static int function_width(const struct story *s, size_t shown) {
    int width = 8;
    for (size_t i = 0; i < shown; i++) {
        int n = s->frames[i].function == NULL ? 1 : (int)strlen(s->frames[i].function);
        width = n > width && n <= 40 ? n : width;
    }
    return width;
}

static bool same_frame(const struct symbol_frame *a, const struct symbol_frame *b) {
    return a->function != NULL && b->function != NULL && strcmp(a->function, b->function) == 0 &&
           a->line == b->line && a->kernel == b->kernel;
}

void story_print_stack(FILE *out, const struct story *s, unsigned thread) {
    const struct paint paint = diag_paint(out), *c = &paint;
    if (s->frame_count == 0) {
        return;
    }
    /* The first thread goes without saying. */
    const char *whose = thread > 1 ? xasprintf(" of thread %u", thread) : "";
    fprintf(out, "  %sstack%s%s (innermost first):\n", c->bold, whose, c->off);
    size_t shown = 0;
    bool names = false;
    int width = function_width(s, s->frame_count < FRAMES_SHOWN ? s->frame_count : FRAMES_SHOWN);
    for (size_t i = 0; i < s->frame_count && shown < FRAMES_SHOWN; i++, shown++) {
        const struct symbol_frame *f = &s->frames[i];
        const char *where = location(f);
        names = names || (f->function != NULL && !f->kernel);
        fprintf(out, "  %3zu  %-*s  %s%s%s%s%s", i, width, f->function == NULL ? "?" : f->function,
                c->dim, where != NULL ? where : xasprintf("0x%" PRIx64, f->address), c->off,
                f->kernel ? "  [kernel]" : "", f->inlined ? "  [inlined]" : "");
        fputs(f->guessed ? "  [guess]\n" : "\n", out);
        size_t same = 0;
        while (i + same + 1 < s->frame_count && same_frame(f, &s->frames[i + same + 1])) {
            same++;
        }
        if (same > 2) {
            i += same;
            fprintf(out, "       %s... %s%zu times more%s\n", c->dim,
                    i + 1 == s->frame_count ? "at least " : "", same, c->off);
        }
    }
    if (shown == FRAMES_SHOWN) {
        fprintf(out, "       %s...%s\n", c->dim, c->off);
    }
    if (!names) {
        fprintf(out, "       %s(no names: the app was built without symbols)%s\n", c->dim, c->off);
    }
}

static void print_registers(FILE *out, const struct paint *c, const struct report_crash *crash) {
    fprintf(out, "  %sregisters%s:\n", c->bold, c->off);
    for (int i = 0; i < REPORT_REGS_X86_64; i++) {
        fprintf(out, "%s%6s %016" PRIx64 "%s", i % 4 == 0 ? "    " : " ", register_names[i],
                crash->regs[i], i % 4 == 3 || i == REPORT_REGS_X86_64 - 1 ? "\n" : "");
    }
}

static void print_calls(FILE *out, const struct paint *c, const struct story_parts *p) {
    bool any = false;
    for (uint32_t i = 0; i < p->crash.call_count && i < 64; i++) {
        struct report_call call = call_at(p, i);
        if (call.number == UINT64_MAX) {
            continue;
        }
        if (!any) {
            fprintf(out, "  %slast system calls%s (newest last):\n", c->bold, c->off);
            any = true;
        }
        char *text = strace_call(&call, NULL);
        fprintf(out, "    %s\n", text == NULL ? "?" : text);
        free(text);
    }
}

static void print_memory(FILE *out, const struct paint *c, const struct report_crash *crash) {
    const struct {
        const char *who;
        uint64_t kib;
    } rows[] = {
        {"the app (stack, heap, data)", (uint64_t)crash->memory_app * 4},
        {"the image", (uint64_t)crash->memory_image * 4},
        {"the kernel",
         (crash->memory_kernel <= crash->memory_total >> 12 ? crash->memory_kernel : 0) *
             UINT64_C(4)},
        {"page tables", (uint64_t)crash->memory_tables * 4},
        {"free", crash->memory_free >> 10},
        {"all", crash->memory_total >> 10},
    };
    fprintf(out, "  %smemory%s (KiB):\n", c->bold, c->off);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fprintf(out, "    %-28s %10" PRIu64 "\n", rows[i].who, rows[i].kib);
    }
}

void story_print(FILE *out, const struct story_parts *p, const struct story *s) {
    struct paint c = diag_paint(out);
    if (s->part) {
        fprintf(out, "%s%s%s\n", c.bold, s->sentence, c.off);
    } else {
        fprintf(out, "%szuk: error:%s %s%s%s\n", c.red, c.off, c.bold, s->sentence, c.off);
    }
    if (s->told && diag_verbosity <= 0) {
        return;
    }
    if (s->message != NULL) {
        fprintf(out, "  %s\n", s->message);
    }
    if (s->place != NULL) {
        print_source(out, &c, s->place);
    }
    story_print_stack(out, s, p->crash.thread);
    if (s->show_memory) {
        print_memory(out, &c, &p->crash);
    }
    if (s->show_registers) {
        print_registers(out, &c, &p->crash);
    }
    print_calls(out, &c, p);
    if (s->hint != NULL) {
        fprintf(out, "  %shint:%s %s\n", c.cyan, c.off, s->hint);
    }
}

/* ---- as JSON ---- */

static json_t *json_hex(uint64_t value) {
    return json_sprintf("0x%" PRIx64, value);
}

static json_t *json_frames(const struct story *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->frame_count; i++) {
        const struct symbol_frame *f = &s->frames[i];
        json_t *o = json_object();
        json_object_set_new(o, "address", json_hex(f->address));
        if (f->function != NULL) {
            json_object_set_new(o, "function", json_text(f->function));
        }
        if (f->file != NULL) {
            json_object_set_new(o, "file", json_text(f->file));
            json_object_set_new(o, "line", json_integer(f->line));
        }
        json_object_set_new(o, "kernel", json_boolean(f->kernel));
        json_object_set_new(o, "inlined", json_boolean(f->inlined));
        json_object_set_new(o, "guessed", json_boolean(f->guessed));
        json_array_append_new(list, o);
    }
    return list;
}

json_t *story_json(const struct story_parts *p, const struct story *s) {
    const struct report_crash *c = &p->crash;
    json_t *o = json_object();
    json_object_set_new(o, "kind", json_string(s->kind));
    json_object_set_new(o, "what", json_text(s->what));
    json_object_set_new(o, "text", json_text(s->sentence));
    json_object_set_new(o, "thread", json_integer(c->thread));
    json_object_set_new(o, "address", json_hex(c->address));
    if (s->hint != NULL) {
        json_object_set_new(o, "hint", json_text(s->hint));
    }
    if (s->message != NULL) {
        json_object_set_new(o, "message", json_text(s->message));
    }
    if (s->place != NULL && s->place->file != NULL) {
        json_object_set_new(o, "file", json_text(s->place->file));
        json_object_set_new(o, "line", json_integer(s->place->line));
    }
    json_object_set_new(o, "stack", json_frames(s));
    json_t *regs = json_object();
    for (int i = 0; i < REPORT_REGS_X86_64; i++) {
        json_object_set_new(regs, register_names[i], json_hex(c->regs[i]));
    }
    json_object_set_new(o, "registers", regs);
    json_t *calls = json_array();
    for (uint32_t i = 0; i < c->call_count && i < 64; i++) {
        struct report_call call = call_at(p, i);
        char *text = call.number == UINT64_MAX ? NULL : strace_call(&call, NULL);
        if (text != NULL) {
            json_array_append_new(calls, json_text(text));
            free(text);
        }
    }
    json_object_set_new(o, "calls", calls);
    if (s->show_memory) {
        json_t *m = json_object();
        json_object_set_new(m, "total", json_integer((json_int_t)c->memory_total));
        json_object_set_new(m, "free", json_integer((json_int_t)c->memory_free));
        json_object_set_new(m, "app", json_integer((json_int_t)c->memory_app * IMAGE_PAGE));
        json_object_set_new(m, "image", json_integer((json_int_t)c->memory_image * IMAGE_PAGE));
        json_object_set_new(m, "kernel", json_integer((json_int_t)c->memory_kernel * IMAGE_PAGE));
        json_object_set_new(m, "tables", json_integer((json_int_t)c->memory_tables * IMAGE_PAGE));
        json_object_set_new(o, "memory", m);
    }
    return o;
}
