/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk export unikraft: what there is in the folder is in export_unikraft.
 */
#include "zuk/export.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/input.h"
#include "zuk/program.h"
#include "zuk/progress.h"
#include "zuk/project.h"
#include "zuk/resolve.h"
#include "zuk/toolchain.h"

#define UNIKRAFT_VERSION "0.17.0"

/* Symbols that are data in every libc, with room for what they are. */
static const char *const data_names[] = {"environ",
                                         "__environ",
                                         "_environ",
                                         "stdin",
                                         "stdout",
                                         "stderr",
                                         "optarg",
                                         "optind",
                                         "opterr",
                                         "optopt",
                                         "timezone",
                                         "__timezone",
                                         "daylight",
                                         "__daylight",
                                         "tzname",
                                         "__tzname",
                                         "signgam",
                                         "program_invocation_name",
                                         "program_invocation_short_name",
                                         "__progname",
                                         "h_errno",
                                         "in6addr_any",
                                         "in6addr_loopback",
                                         "__stack_chk_guard",
                                         "__libc_single_threaded",
                                         "_DYNAMIC"};

struct contents {
    VEC(const char *) archives; /* paths */
    VEC(const char *) objects;
    VEC(const char *) undefined; /* sorted */
    bool libc;                   /* some of them are libc's */
    bool raw_calls;              /* some code makes system calls itself */
    bool raw_output;             /* and what it writes is among them */
    const char *compiler_rt;
    const char *zig;
};

static bool is_data(const char *name) {
    for (size_t i = 0; i < sizeof data_names / sizeof data_names[0]; i++) {
        if (strcmp(name, data_names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* --- what the input is -------------------------------------------------- */

static bool take_input(struct contents *c, const char *path) {
    struct input input;
    if (!input_open(&input, path)) {
        return false;
    }
    if (input.kind == FILE_EXECUTABLE) {
        diag_error("'%s' is an executable: Unikraft links libraries and objects", path);
        diag_hint("make a static library of it, that defines main");
        return false;
    }
    if (input.kind == FILE_ARCHIVE) {
        *vec_push(&c->archives) = path;
    } else {
        *vec_push(&c->objects) = path;
    }
    return true;
}

static bool take_inputs(const struct app_request *request, struct contents *c) {
    bool ok = true;
    for (size_t i = 0; i < request->input_count; i++) {
        if (!is_dir(request->inputs[i])) {
            ok = take_input(c, request->inputs[i]) && ok;
            continue;
        }
        struct project project = {0};
        if (request->input_count > 1) {
            diag_error("a project's folder is exported alone: name it without other inputs");
            return false;
        }
        if (!project_build(request, request->inputs[i], &project) ||
            !take_input(c, project.artifact)) {
            return false;
        }
        for (size_t k = 0; k < project.overrides.len; k++) {
            ok = take_input(c, project.overrides.data[k]) && ok;
        }
    }
    return ok;
}

static bool open_library(struct resolution *r, const char *path) {
    struct file_map *map = xalloc(sizeof *map);
    struct archive *archive = xalloc(sizeof *archive);
    return file_map(path, map) && archive_read(archive, path, map->data, map->size) &&
           resolve_library(r, archive);
}

static bool open_inputs(const struct contents *c, struct resolution *r) {
    bool ok = true;
    for (size_t i = 0; i < c->objects.len + c->archives.len; i++) {
        struct input *input = xalloc(sizeof *input);
        bool object = i < c->objects.len;
        const char *path = object ? c->objects.data[i] : c->archives.data[i - c->objects.len];
        if (!input_open(input, path)) {
            return false;
        }
        struct object *o = xalloc(sizeof *o);
        *o = (struct object){.label = path, .data = input->map.data, .size = input->map.size};
        ok = (object ? resolve_object(r, o) : resolve_archive(r, &input->archive)) && ok;
    }
    if (ok && r->mains.len != 1) {
        diag_error(r->mains.len == 0 ? "no main in the input" : "main is defined %zu times",
                   r->mains.len);
        diag_hint("Unikraft calls main: 'export fn main' in Zig, main in C");
        return false;
    }
    if (ok) {
        struct object *extracted = symbol_refer(symtab_get(&r->table, "main"), false);
        ok = extracted == NULL || resolve_object(r, extracted);
    }
    return ok;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* 0f 05 in code: a word like it inside another instruction costs a select. */
static bool makes_calls(const struct object *o) {
    for (size_t i = 0; i < o->section_count; i++) {
        const Elf64_Shdr *s = &o->sections[i];
        if ((s->sh_flags & SHF_EXECINSTR) != 0 && s->sh_type == SHT_PROGBITS &&
            s->sh_offset <= o->size && s->sh_size <= o->size - s->sh_offset && s->sh_size > 1 &&
            memmem(o->data + s->sh_offset, s->sh_size, "\x0f\x05", 2) != NULL) {
            return true;
        }
    }
    return false;
}

/* What the inputs and compiler_rt leave undefined; is some of it libc's? */
static bool look(struct contents *c) {
    struct toolchain toolchain;
    if (!toolchain_find(&toolchain)) {
        return false;
    }
    c->zig = toolchain.zig;
    c->compiler_rt = toolchain.libraries[toolchain.library_count - 1];
    struct resolution r = {0}, with_libc = {0};
    if (!open_inputs(c, &r) || !open_library(&r, c->compiler_rt) || !resolve_run(&r) ||
        !resolve_finish(&r)) {
        return false;
    }
    bool ok = true, writes = false;
    for (size_t i = 0; i < r.undefined.len; i++) {
        const struct undefined *u = &r.undefined.data[i];
        if (u->is_tls) {
            diag_error("undefined TLS symbol '%s' in %s", u->name, u->object->label);
            diag_hint("thread-local data cannot stand for itself; define it, or add the object "
                      "that does");
            ok = false;
        }
        *vec_push(&c->undefined) = u->name;
        writes |= strcmp(u->name, "write") == 0 || strcmp(u->name, "writev") == 0;
    }
    for (size_t i = 0; i < r.linked.len; i++) {
        c->raw_calls |= makes_calls(r.linked.data[i]);
    }
    c->raw_output = c->raw_calls && !writes;
    if (c->undefined.len > 0) {
        qsort(c->undefined.data, c->undefined.len, sizeof *c->undefined.data, by_name);
    }
    if (!open_inputs(c, &with_libc)) {
        return false;
    }
    for (size_t i = 0; i < toolchain.library_count; i++) {
        ok = open_library(&with_libc, toolchain.libraries[i]) && ok;
    }
    ok = ok && resolve_run(&with_libc) && resolve_finish(&with_libc);
    c->libc = with_libc.undefined.len < r.undefined.len;
    return ok;
}

/* --- undefined.c -------------------------------------------------------- */

struct text {
    VEC(char) bytes;
};

static void say(struct text *t, const char *words) {
    for (; *words != '\0'; words++) {
        *vec_push(&t->bytes) = *words;
    }
}

static const char undefined_top[] =
    "/* Made by zuk export.  Weak definitions of what the library uses and neither it\n"
    " * nor compiler_rt defines: whatever Unikraft provides takes their place, and what\n"
    " * it does not names itself when it is called; but for the few that logging needs,\n"
    " * which do what the console can.  No header is included, so that no declaration\n"
    " * can differ. */\n"
    "\n"
    "typedef __SIZE_TYPE__ zuk_size;\n"
    "\n"
    "#define ZUK_WEAK __attribute__((weak))\n"
    "\n"
    "/* Unikraft's own reference to main is weak and takes nothing out of an archive. */\n"
    "extern int zuk_main(int argc, char **argv) __asm__(\"main\");\n"
    "__attribute__((used)) static int (*const zuk_entry)(int argc, char **argv) = zuk_main;\n"
    "\n"
    "/* The console, of whichever Unikraft; none may be there. */\n"
    "extern long uk_console_out(const char *text, zuk_size size) ZUK_WEAK;\n"
    "extern int ukplat_coutk(const char *text, unsigned size) ZUK_WEAK;\n"
    "\n"
    "static void zuk_put(const char *text, zuk_size size) {\n"
    "    if (uk_console_out) {\n"
    "        uk_console_out(text, size);\n"
    "    } else if (ukplat_coutk) {\n"
    "        ukplat_coutk(text, (unsigned)size);\n"
    "    }\n"
    "}\n"
    "\n"
    "/* As write does: stderr in red. */\n"
    "static void zuk_print(int fd, const char *text, zuk_size size) {\n"
    "    if (fd == 2) {\n"
    "        zuk_put(\"\\033[31m\", 5);\n"
    "    }\n"
    "    zuk_put(text, size);\n"
    "    if (fd == 2) {\n"
    "        zuk_put(\"\\033[0m\", 4);\n"
    "    }\n"
    "}\n";

static const char undefined_stub[] =
    "\n"
    "extern long zuk_write(int fd, const void *data, zuk_size size) __asm__(\"write\");\n"
    "\n"
    "__attribute__((noreturn)) static void zuk_undefined(const char *name) {\n"
    "    zuk_size size = 0;\n"
    "    while (name[size] != 0) {\n"
    "        size++;\n"
    "    }\n"
    "    zuk_write(2, \"undefined function \", 19);\n"
    "    zuk_write(2, name, size);\n"
    "    zuk_write(2, \" was called\\n\", 12);\n"
    "    __builtin_trap();\n"
    "}\n"
    "\n"
    "/* Each under a name of ours: the compiler knows what some of them should be. */\n"
    "#define ZUK_FUNCTION(number, name)                 \\\n"
    "    void zuk_function_##number(void) __asm__(name); \\\n"
    "    ZUK_WEAK void zuk_function_##number(void) {     \\\n"
    "        zuk_undefined(name);                       \\\n"
    "    }\n"
    "#define ZUK_DATA(number, name)                        \\\n"
    "    extern char zuk_data_##number[64] __asm__(name);  \\\n"
    "    ZUK_WEAK char zuk_data_##number[64] __attribute__((aligned(16)));\n"
    "\n";

static const char undefined_write[] =
    "\n"
    "ZUK_WEAK long zuk_write(int fd, const void *data, zuk_size size) {\n"
    "    zuk_print(fd, data, size);\n"
    "    return (long)size;\n"
    "}\n";

static const char undefined_writev[] =
    "\n"
    "struct zuk_piece {\n"
    "    const void *data;\n"
    "    zuk_size size;\n"
    "};\n"
    "\n"
    "long zuk_writev(int fd, const struct zuk_piece *pieces, int count) __asm__(\"writev\");\n"
    "ZUK_WEAK long zuk_writev(int fd, const struct zuk_piece *pieces, int count) {\n"
    "    long all = 0;\n"
    "    for (int i = 0; i < count; i++) {\n"
    "        long done = zuk_write(fd, pieces[i].data, pieces[i].size);\n"
    "        if (done < 0) {\n"
    "            return all > 0 ? all : done;\n"
    "        }\n"
    "        all += done;\n"
    "    }\n"
    "    return all;\n"
    "}\n";

static const char undefined_isatty[] =
    "\n"
    "int *zuk_errno(void) __asm__(\"__errno_location\");\n"
    "ZUK_WEAK int *zuk_errno(void) {\n"
    "    static int number;\n"
    "    return &number;\n"
    "}\n"
    "\n"
    "int zuk_isatty(int fd) __asm__(\"isatty\");\n"
    "ZUK_WEAK int zuk_isatty(int fd) {\n"
    "    *zuk_errno() = fd < 0 || fd > 2 ? 9 : 25; /* EBADF, ENOTTY */\n"
    "    return 0;\n"
    "}\n";

/* What undefined.c has a body for. */
static bool is_served(const char *name) {
    static const char *const served[] = {"write", "writev", "isatty", "__errno_location"};
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++) {
        if (strcmp(name, served[i]) == 0) {
            return true;
        }
    }
    return false;
}

char *export_undefined(const char *const *names, size_t count) {
    struct text t = {0};
    say(&t, undefined_top);
    say(&t, undefined_stub);
    for (size_t i = 0; i < count; i++) {
        if (!is_served(names[i])) {
            say(&t, xasprintf("ZUK_%s(%zu, \"%s\")\n", is_data(names[i]) ? "DATA" : "FUNCTION", i,
                              names[i]));
        }
    }
    say(&t, undefined_write);
    say(&t, undefined_writev);
    say(&t, undefined_isatty);
    *vec_push(&t.bytes) = '\0';
    return t.bytes.data;
}

/* --- the folder --------------------------------------------------------- */

/* "hello-zig" -> hellozig: what addlib takes. */
char *export_name(const char *folder) {
    char *real = realpath(folder, NULL);
    const char *base = path_base(real != NULL ? real : folder);
    VEC(char) name = {0};
    for (const char *s = base; *s != '\0'; s++) {
        if (isalnum((unsigned char)*s)) {
            *vec_push(&name) = (char)tolower((unsigned char)*s);
        }
    }
    *vec_push(&name) = '\0';
    free(real);
    return name.len > 1 ? name.data : xstrdup("zuk");
}

static char *upper(const char *name) {
    char *up = xstrdup(name);
    for (char *s = up; *s != '\0'; s++) {
        *s = (char)toupper((unsigned char)*s);
    }
    return up;
}

static bool put(const char *folder, const char *name, const char *text) {
    return write_file(path_join(folder, name), text, strlen(text));
}

static bool copy(const char *from, const char *folder, const char *name) {
    struct file_map map;
    if (!file_map(from, &map)) {
        return false;
    }
    bool ok = write_file(path_join(folder, name), map.data, map.size);
    file_unmap(&map);
    return ok;
}

static bool pack(const struct contents *c, const char *folder, const char *name) {
    VEC(const char *) argv = {0};
    const char *path = path_join(folder, name);
    *vec_push(&argv) = c->zig;
    *vec_push(&argv) = "ar";
    *vec_push(&argv) = "rcsD";
    *vec_push(&argv) = path;
    for (size_t i = 0; i < c->objects.len; i++) {
        *vec_push(&argv) = c->objects.data[i];
    }
    *vec_push(&argv) = NULL;
    unlink(path);
    struct run run = {.argv = argv.data, .out_to_err = true};
    if (run_program(&run) != 0) {
        diag_error("cannot write '%s'", path);
        return false;
    }
    return true;
}

/* The library files; their names are added to the Makefile. */
static bool put_libraries(const struct contents *c, const char *folder, const char *library,
                          struct text *makefile) {
    char *up = upper(library);
    for (size_t i = 0; i < c->archives.len; i++) {
        const char *name =
            i == 0 ? xasprintf("lib%s.a", library) : xasprintf("lib%s-%zu.a", library, i + 1);
        if (!copy(c->archives.data[i], folder, name)) {
            return false;
        }
        say(makefile, xasprintf("UK_ALIBS-y += $(APP%s_BASE)/%s\n", up, name));
    }
    if (c->objects.len > 0) {
        const char *name = xasprintf("lib%s-objects.a", library);
        if (!pack(c, folder, name)) {
            return false;
        }
        say(makefile, xasprintf("UK_ALIBS-y += $(APP%s_BASE)/%s\n", up, name));
    }
    say(makefile, xasprintf("UK_ALIBS-y += $(APP%s_BASE)/libcompiler_rt.a\n", up));
    return copy(c->compiler_rt, folder, "libcompiler_rt.a");
}

static char *config_uk(const struct contents *c, const char *library) {
    struct text t = {0};
    say(&t, "# What the app's calls need.  Made by zuk export.\n");
    say(&t, xasprintf("config APP%s_NEEDS\n\tbool\n\tdefault y\n"
                      "\tselect LIBUKBOOT_DISABLE_WEAK_MAIN\n",
                      upper(library)));
    if (c->libc) {
        say(&t, "\tselect LIBMUSL\n");
    }
    if (c->raw_calls) {
        say(&t, "\tselect LIBSYSCALL_SHIM\n\tselect LIBSYSCALL_SHIM_HANDLER\n"
                "\tselect LIBPOSIX_PROCESS\n");
    }
    if (c->raw_output) { /* the call itself, for which undefined.c cannot stand in */
        say(&t, "\tselect LIBPOSIX_TTY\n");
    }
    *vec_push(&t.bytes) = '\0';
    return t.bytes.data;
}

static char *kraftfile(const struct contents *c, const char *library) {
    return xasprintf("# Made by zuk export.  The library is for x86_64: for arm64 export one that "
                     "is built for it.\n"
                     "spec: v0.6\n"
                     "name: %s\n"
                     "unikraft:\n"
                     "  version: " UNIKRAFT_VERSION "\n"
                     "  kconfig:\n"
                     "    CONFIG_LIBUKDEBUG_PRINTK: 'y'\n"
                     "    # Its boot ends on a CPU without RDSEED, such as that of QEMU 7 without "
                     "KVM;\n"
                     "    # 'y' when the app needs getrandom.\n"
                     "    CONFIG_LIBUKRANDOM: 'n'\n"
                     "%s%s%s"
                     "targets:\n"
                     "  - qemu/x86_64\n"
                     "  - qemu/arm64\n",
                     library,
                     c->raw_calls ? "    CONFIG_LIBSYSCALL_SHIM_HANDLER: 'y'\n"
                                    "    CONFIG_LIBPOSIX_PROCESS: 'y'\n"
                                  : "",
                     c->raw_output ? "    CONFIG_LIBPOSIX_TTY: 'y'\n" : "",
                     c->libc ? "libraries:\n  musl:\n    version: " UNIKRAFT_VERSION "\n" : "");
}

static char *defconfig(const struct contents *c, const char *library) {
    return xasprintf("CONFIG_UK_NAME=\"%s\"\n"
                     "CONFIG_ARCH_X86_64=y\n"
                     "CONFIG_PLAT_KVM=y\n"
                     "CONFIG_KVM_VMM_QEMU=y\n"
                     "CONFIG_LIBUKDEBUG_PRINTK=y\n"
                     "CONFIG_OPTIMIZE_DEADELIM=y\n"
                     "# CONFIG_LIBUKRANDOM is not set\n"
                     "%s%s%s",
                     library, c->libc ? "CONFIG_LIBMUSL=y\n" : "",
                     c->raw_calls ? "CONFIG_LIBSYSCALL_SHIM=y\nCONFIG_LIBSYSCALL_SHIM_HANDLER=y\n"
                                    "CONFIG_LIBPOSIX_PROCESS=y\n"
                                  : "",
                     c->raw_output ? "CONFIG_LIBPOSIX_TTY=y\n" : "");
}

/* All of it; Makefile.uk, without which it is no application, comes last. */
static bool fill(const struct contents *c, const char *folder, const char *library) {
    const char *up = upper(library);
    struct text makefile = {0};
    say(&makefile, xasprintf("# Made by zuk export.\n"
                             "$(eval $(call addlib,app%s))\n"
                             "APP%s_SRCS-y += $(APP%s_BASE)/undefined.c\n",
                             library, up, up));
    if (!put(folder, "Kraftfile", kraftfile(c, library)) ||
        !put_libraries(c, folder, library, &makefile)) {
        return false;
    }
    *vec_push(&makefile.bytes) = '\0';
    return put(folder, "undefined.c", export_undefined(c->undefined.data, c->undefined.len)) &&
           put(folder, "Config.uk", config_uk(c, library)) &&
           put(folder, "defconfig", defconfig(c, library)) &&
           put(folder, "Makefile.uk", makefile.bytes.data);
}

/* Was it begun by us, at least? */
static bool is_exported(const char *folder) {
    static const char mark[] = "# Made by zuk export.";
    char *path = path_join(folder, "Kraftfile");
    struct file_map map;
    if (!is_file(path) || !file_map(path, &map)) {
        return false;
    }
    bool ours = map.size >= sizeof mark - 1 && memcmp(map.data, mark, sizeof mark - 1) == 0;
    file_unmap(&map);
    return ours;
}

static bool export_to(const struct app_request *request, const char *output) {
    struct contents c = {0};
    char *folder = xstrdup(output);
    for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/'; n--) {
        folder[n - 1] = '\0';
    }
    bool again = access(folder, F_OK) == 0;
    if (again && !is_exported(folder)) {
        diag_error("'%s' is there already, and is no exported folder", folder);
        diag_hint("-o names a new folder");
        return false;
    }
    if (!take_inputs(request, &c) || !look(&c)) {
        return false;
    }
    progress_step(PROGRESS_NEXT, "writing %s", folder);
    const char *library = export_name(folder);
    if (again) { /* what else is in it stays: Kraft's own files, the user's */
        const char *makefile = path_join(folder, "Makefile.uk");
        if (unlink(makefile) != 0 && errno != ENOENT) {
            diag_error("cannot write '%s': %s", makefile, strerror(errno));
            return false;
        }
        return fill(&c, folder, library);
    }
    const char *temporary = new_folder(folder);
    return temporary != NULL && fill(&c, temporary, library) &&
           new_folder_commit(temporary, folder);
}

bool export_unikraft(const struct app_request *request, const char *output) {
    bool project = request->input_count == 1 && is_dir(request->inputs[0]);
    progress_plan(PROGRESS_BIT(PROGRESS_NEXT) | toolchain_steps() |
                  (project ? PROGRESS_BIT(PROGRESS_ASK) | PROGRESS_BIT(PROGRESS_PROJECT) : 0));
    bool ok = export_to(request, output);
    progress_end();
    return ok;
}
