/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk new NAME [--lang zig|c]: a folder with a project that builds and runs at
 * once.  The files are templates in which @NAME@ is the project's name, @ID@
 * the same as a Zig identifier, and @FINGERPRINT@ what Zig wants a package to
 * have; zuk/ in it is the Zig package (build.zig at the top of the repository).
 *
 * The folder is made under another name and renamed when it is whole, so that a
 * project is there entirely or not at all.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/options.h"
#include "zuk/util.h"

struct file {
    const char *path, *text;
};

static const char build_zig[] =
    "const std = @import(\"std\");\n"
    "const zuk = @import(\"zuk\");\n"
    "\n"
    "pub fn build(b: *std.Build) void {\n"
    "    const target = b.standardTargetOptions(.{ .default_target = zuk.target });\n"
    "    const optimize = b.standardOptimizeOption(.{});\n"
    "\n"
    "    const app = b.createModule(.{\n"
    "        .root_source_file = b.path(\"src/app.zig\"),\n"
    "        .target = target,\n"
    "        .optimize = optimize,\n"
    "        .link_libc = true,\n"
    "    });\n"
    "    const library = b.addLibrary(.{\n"
    "        .name = \"@NAME@\",\n"
    "        .linkage = .static,\n"
    "        .root_module = b.createModule(.{\n"
    "            .root_source_file = b.path(\"src/main.zig\"),\n"
    "            .target = target,\n"
    "            .optimize = optimize,\n"
    "            .link_libc = true,\n"
    "            .imports = &.{.{ .name = \"app\", .module = app }},\n"
    "        }),\n"
    "    });\n"
    "    b.installArtifact(library);\n"
    "\n"
    "    // zig build run -- ARGUMENT..., zig build test\n"
    "    _ = zuk.addUnikernel(b, library, .{ .tests = b.addTest(.{ .root_module = app }) });\n"
    "}\n";

static const char build_zig_zon[] = ".{\n"
                                    "    .name = .@ID@,\n"
                                    "    .version = \"0.1.0\",\n"
                                    "    .fingerprint = @FINGERPRINT@,\n"
                                    "    .minimum_zig_version = \"0.14.0\",\n"
                                    "    .dependencies = .{ .zuk = .{ .path = \"zuk\" } },\n"
                                    "    .paths = .{ \"build.zig\", \"build.zig.zon\", \"src\", "
                                    "\"zuk\" },\n"
                                    "}\n";

static const char main_zig[] =
    "const app = @import(\"app\");\n"
    "\n"
    "extern \"c\" fn printf(format: [*:0]const u8, ...) c_int;\n"
    "\n"
    "export fn main(argc: c_int, argv: [*]const [*:0]const u8) c_int {\n"
    "    const words = argv[1..@intCast(argc)];\n"
    "    _ = printf(\"Hello from @NAME@, with %zu %s\\n\", words.len, app.plural(words.len));\n"
    "    for (words) |word| _ = printf(\"  %s\\n\", word);\n"
    "    return 0;\n"
    "}\n";

static const char app_zig[] =
    "const std = @import(\"std\");\n"
    "\n"
    "pub fn plural(count: usize) [*:0]const u8 {\n"
    "    return if (count == 1) \"argument\" else \"arguments\";\n"
    "}\n"
    "\n"
    "test plural {\n"
    "    try std.testing.expectEqualStrings(\"arguments\", std.mem.span(plural(0)));\n"
    "    try std.testing.expectEqualStrings(\"argument\", std.mem.span(plural(1)));\n"
    "}\n";

static const char build_zig_c[] =
    "const std = @import(\"std\");\n"
    "const zuk = @import(\"zuk\");\n"
    "\n"
    "pub fn build(b: *std.Build) void {\n"
    "    const target = b.standardTargetOptions(.{ .default_target = zuk.target });\n"
    "    const optimize = b.standardOptimizeOption(.{});\n"
    "\n"
    "    const library = b.addLibrary(.{\n"
    "        .name = \"@NAME@\",\n"
    "        .linkage = .static,\n"
    "        .root_module = b.createModule(.{\n"
    "            .target = target,\n"
    "            .optimize = optimize,\n"
    "            .link_libc = true,\n"
    "        }),\n"
    "    });\n"
    "    library.root_module.addCSourceFiles(.{\n"
    "        .root = b.path(\"src\"),\n"
    "        .files = &.{\"main.c\"},\n"
    "        .flags = &.{ \"-std=c11\", \"-Wall\", \"-Wextra\" },\n"
    "    });\n"
    "    b.installArtifact(library);\n"
    "\n"
    "    // zig build run -- ARGUMENT...\n"
    "    _ = zuk.addUnikernel(b, library, .{});\n"
    "}\n";

static const char main_c[] = "#include <stdio.h>\n"
                             "\n"
                             "int main(int argc, char **argv) {\n"
                             "    printf(\"Hello from @NAME@, with %d argument%s\\n\", argc - 1, "
                             "argc == 2 ? \"\" : \"s\");\n"
                             "    for (int i = 1; i < argc; i++) {\n"
                             "        printf(\"  %s\\n\", argv[i]);\n"
                             "    }\n"
                             "    return 0;\n"
                             "}\n";

static const char kraftfile[] = "spec: v0.6\n"
                                "name: @NAME@\n"
                                "cmd: [] # the arguments of main\n";

static const char gitignore[] = ".zig-cache/\nzig-out/\nzig-pkg/\n*.elf\n*.zuk/\n";

#define README_TOP                                                                                 \
    "# @NAME@\n"                                                                                   \
    "\n"                                                                                           \
    "A static library that defines `main`; [zuk](zuk/build.zig) makes a unikernel of it.\n"        \
    "\n"                                                                                           \
    "    zuk run . -- one two         # build it, boot it\n"                                       \
    "    zuk build . -o @NAME@.elf    # the image only; zuk run @NAME@.elf boots it\n"             \
    "    zig build run -- one two     # the same, by build.zig\n"
#define README_END                                                                                 \
    "\n"                                                                                           \
    "`zuk/` is the package that build.zig imports.  `Kraftfile` holds the arguments\n"             \
    "and what else the image shall have; `zuk help` tells the rest.\n"

static const struct file zig_files[] = {
    {"build.zig", build_zig},
    {"build.zig.zon", build_zig_zon},
    {"src/main.zig", main_zig},
    {"src/app.zig", app_zig},
    {"Kraftfile", kraftfile},
    {".gitignore", gitignore},
    {"README.md", README_TOP
     "    zig build test               # the tests of src/app.zig, in the guest\n" README_END},
    {NULL, NULL},
};

static const struct file c_files[] = {
    {"build.zig", build_zig_c},
    {"build.zig.zon", build_zig_zon},
    {"src/main.c", main_c},
    {"Kraftfile", kraftfile},
    {".gitignore", gitignore},
    {"README.md", README_TOP README_END},
    {NULL, NULL},
};

/* Letters, digits, - and _, a letter first: what is a file name, a Kraftfile
 * name and, with _ for -, a Zig identifier. */
static bool check_name(const char *name) {
    bool ok = isalpha((unsigned char)name[0]) && strlen(name) <= 32;
    for (const char *s = name; *s != '\0'; s++) {
        ok = ok && (isalnum((unsigned char)*s) || *s == '-' || *s == '_');
    }
    if (!ok) {
        diag_error("'%s' is no name for a project", name);
        diag_hint("at most 32 letters, digits, - and _, a letter first");
    }
    return ok;
}

/* The name as an identifier that is no word of Zig's. */
static const char *identifier(const char *name) {
    static const char *const words[] = {
        "test",     "const",       "var",         "fn",          "pub",
        "export",   "extern",      "error",       "struct",      "enum",
        "union",    "if",          "else",        "while",       "for",
        "switch",   "return",      "try",         "catch",       "defer",
        "async",    "await",       "and",         "or",          "asm",
        "align",    "break",       "continue",    "comptime",    "inline",
        "noalias",  "noinline",    "opaque",      "orelse",      "packed",
        "resume",   "suspend",     "threadlocal", "unreachable", "usingnamespace",
        "volatile", "linksection", "callconv",    "addrspace",   "allowzero",
        "anyframe", "anytype",     "errdefer",    "nosuspend"};
    char *id = xstrdup(name);
    for (char *s = id; *s != '\0'; s++) {
        *s = *s == '-' ? '_' : *s;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(id, words[i]) == 0) {
            id = xasprintf("%.30s_1", id);
            break;
        }
    }
    return id;
}

static uint32_t crc32_of(const char *text) {
    uint32_t crc = ~UINT32_C(0);
    for (; *text != '\0'; text++) {
        crc ^= (unsigned char)*text;
        for (int i = 0; i < 8; i++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
        }
    }
    return ~crc;
}

/* A package's identity, as `zig init` makes it: the name's CRC-32 and a random
 * number that is neither 0 nor all ones. */
static char *fingerprint(const char *id) {
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random || random == 0 || random == ~0U) {
        random = 1;
    }
    return xasprintf("0x%08x%08x", crc32_of(id), random);
}

/* With every WORD replaced. */
static char *replace(const char *text, const char *word, const char *by) {
    char *done = xstrdup("");
    for (const char *at; (at = strstr(text, word)) != NULL; text = at + strlen(word)) {
        done = xasprintf("%s%.*s%s", done, (int)(at - text), text, by);
    }
    return xasprintf("%s%s", done, text);
}

static bool put(const char *folder, const char *path, const char *text) {
    char *full = path_join(folder, path);
    char *parent = xstrndup(full, (size_t)(strrchr(full, '/') - full));
    return make_dirs(parent) && write_file(full, text, strlen(text));
}

/* The package, from beside the kernel's objects. */
static bool put_package(const char *folder) {
    static const char *const names[] = {"build.zig", "build.zig.zon"};
    const char *lib = lib_dir();
    for (size_t i = 0; lib != NULL && i < sizeof names / sizeof names[0]; i++) {
        struct file_map map;
        if (!file_map(path_join(lib, xasprintf("zig/%s", names[i])), &map)) {
            return false;
        }
        char *text = xstrndup((const char *)map.data, map.size);
        file_unmap(&map);
        if (strcmp(names[i], "build.zig.zon") == 0) {
            text = replace(text, ", \"LICENSE\"", "");
        }
        if (!put(folder, xasprintf("zuk/%s", names[i]), text)) {
            return false;
        }
    }
    return lib != NULL;
}

static bool put_files(const char *folder, const struct file *files, const char *name) {
    const char *id = identifier(name);
    const char *print = fingerprint(id);
    for (const struct file *f = files; f->path != NULL; f++) {
        const char *text = replace(f->text, "@NAME@", name);
        text = replace(replace(text, "@ID@", id), "@FINGERPRINT@", print);
        if (!put(folder, f->path, text)) {
            return false;
        }
    }
    return true;
}

static bool make_project(const char *path, const char *name, const char *lang) {
    if (access(path, F_OK) == 0) {
        diag_error("'%s' is there already", path);
        diag_hint("zuk new makes a new folder and overwrites nothing; choose another name");
        return false;
    }
    const char *temporary = new_folder(path);
    return temporary != NULL &&
           put_files(temporary, strcmp(lang, "c") == 0 ? c_files : zig_files, name) &&
           put_package(temporary) && new_folder_commit(temporary, path);
}

int cmd_new(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_NEW, &o);
    if (status >= 0) {
        return status;
    }
    if (o.input_count > 1 || o.args_given) {
        diag_error("zuk new takes one name");
        return EXIT_USAGE;
    }
    char *path = xstrdup(o.inputs[0]);
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) {
        path[n - 1] = '\0';
    }
    const char *name = path_base(path);
    if (!check_name(name)) {
        return EXIT_USAGE;
    }
    if (!make_project(path, name, o.lang)) {
        return EXIT_USER;
    }
    diag_note("made '%s'; next: zuk run %s", path, path);
    return EXIT_OK;
}
