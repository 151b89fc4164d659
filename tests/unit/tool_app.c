/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/app.c, project.c, toolchain.c, strip.c: from inputs to an executable,
 * linked with the pinned Zig's musl and run here.  `zig build` is played by a
 * script, so that its behaviour can be chosen.
 */
#include "tests/unit/tool_scratch.h"

#include <elf.h>

#include "zuk/app.h"
#include "zuk/object.h"
#include "zuk/program.h"
#include "zuk/toolchain.h"

static struct app app;
static struct app_request request;

static char *make(bool expected, const char *const *inputs, size_t count) {
    request.inputs = inputs;
    request.input_count = count;
    request.work = in_scratch("work");
    assert_true(make_dirs(request.work));
    unsigned before = diag_error_count();
    said_begin();
    bool ok = app_make(&request, &app);
    char *said = said_end();
    if (ok != expected) {
        fail_msg("app_make gave %d and said:\n%s", ok, said);
    }
    assert_int_equal(ok, diag_error_count() == before);
    return said;
}

static char *make_one(bool expected, const char *input) {
    return make(expected, &input, 1);
}

static int run_app(const char *path, char **out) {
    const char *const argv[] = {path, "one", "two", NULL};
    struct run run = {.argv = argv, .out = out, .timeout_ms = 10000};
    return run_program(&run);
}

static int fresh(void **state) {
    (void)state;
    request = (struct app_request){0};
    return 0;
}

/* --- linking ------------------------------------------------------------ */

static const char hello[] = "#include <stdio.h>\n"
                            "int helper(int);\n"
                            "int main(int argc, char **argv) {\n"
                            "    printf(\"%d %s\\n\", argc, argv[2]);\n"
                            "    return helper(argc);\n"
                            "}\n";

static void an_archive_is_linked_and_runs(void **state) {
    (void)state;
    const char *const members[] = {compile("hello", hello, "-g"),
                                   compile("helper", "int helper(int x) { return x + 4; }", NULL),
                                   NULL};
    char *said = make_one(true, archive("rcs", "libgreet.a", members));
    assert_true(!strstr(said, "warning"));
    assert_string_equal(app.name, "greet");
    assert_true(app.linked);
    assert_int_equal(app.stub_count, 0);
    char *out;
    assert_int_equal(run_app(app.path, &out), 7);
    assert_string_equal(out, "3 two\n");
}

static void a_missing_function_gets_a_stub(void **state) {
    (void)state;
    char *said = make_one(true, compile("hello", hello, "-g"));
    assert_said(said, "warning: undefined symbol 'helper' in ");
    assert_said(said, "hello.c:5");
    assert_int_equal(app.stub_count, 1);
    assert_string_equal(app.stubs[0], "helper");
    char *out;
    assert_int_equal(run_app(app.path, &out), 128 + 4); /* SIGILL: ud2 */
    request.strict = true;
    assert_said(make_one(false, in_scratch("hello.o")), "error: undefined symbol 'helper'");
}

static size_t section_count(const char *path, uint32_t type) {
    struct file_map map;
    assert_true(file_map(path, &map));
    Elf64_Ehdr eh;
    memcpy(&eh, map.data, sizeof eh);
    size_t count = 0;
    for (size_t i = 0; i < eh.e_shnum; i++) {
        Elf64_Shdr sh;
        memcpy(&sh, map.data + eh.e_shoff + i * sizeof sh, sizeof sh);
        count += sh.sh_type == type;
    }
    file_unmap(&map);
    return count;
}

static void stripping_keeps_the_program(void **state) {
    (void)state;
    const char *const inputs[] = {compile("hello", hello, "-g"),
                                  compile("helper", "int helper(int x) { return x; }", NULL)};
    request.strip = true;
    make(true, inputs, 2);
    assert_string_not_equal(app.path, app.debug_path);
    assert_int_equal(section_count(app.path, SHT_SYMTAB), 0);
    assert_int_equal(section_count(app.debug_path, SHT_SYMTAB), 1);
    struct stat small, large;
    assert_true(stat(app.path, &small) == 0 && stat(app.debug_path, &large) == 0);
    assert_true(small.st_size < large.st_size / 2);
    char *out;
    assert_int_equal(run_app(app.path, &out), 3);
    assert_string_equal(out, "3 two\n");
    make_one(true, app.path); /* is still an executable that zuk takes */
}

/* glibc's names in an object of the host's compiler; errno, stdio, stat. */
static void an_object_for_gnu_works(void **state) {
    (void)state;
    static const char code[] =
        "#define _FILE_OFFSET_BITS 64\n"
        "#include <fcntl.h>\n#include <stdio.h>\n#include <sys/stat.h>\n"
        "int main(int argc, char **argv) {\n"
        "    struct stat st; int x = 0;\n"
        "    int fd = open(argv[0], O_RDONLY);\n"
        "    sscanf(\"42\", \"%d\", &x);\n"
        "    return fstat(fd, &st) == 0 && st.st_size > 1000 && x == 42 ? 9 : 1;\n"
        "}\n";
    make_one(true, compile("gnu", code, NULL));
    char *out;
    assert_int_equal(run_app(app.path, &out), 9);
    struct file_map map;
    assert_true(file_map(in_scratch("work/stubs.S"), &map));
    assert_non_null(memmem(map.data, map.size, "jmp     \"open\"", 14));
    file_unmap(&map);
}

static void entries_are_checked(void **state) {
    (void)state;
    const char *const twice[] = {compile("m1", "int main(void) { return 0; }", NULL),
                                 compile("m2", "int main(void) { return 0; }", NULL)};
    char *said = make(false, twice, 2);
    assert_said(said, "main is defined 2 times");
    assert_said(said, "m1.o");
    assert_said(said, "m2.o");
    assert_said(make_one(false, compile("none", "int f(void) { return 0; }", NULL)), "no main in ");
}

/* Without main, an object's own _start begins the app; no crt1.o. */
static void a_bare_start_is_enough(void **state) {
    (void)state;
    make_one(true, compile("bare",
                           "__asm__(\".globl _start\\n_start: mov $60, %eax\\n"
                           "mov $5, %edi\\nsyscall\");",
                           NULL));
    char *out;
    assert_int_equal(run_app(app.path, &out), 5);
}

/* It passes our reader and not the linker's: one line of ours, no file. */
static void the_linkers_refusal_is_ours(void **state) {
    (void)state;
    char *path =
        compile("odd", "int f(void); int main(void) { return f(); } int f(void) { return 0; }",
                "-ffunction-sections");
    struct file_map map;
    assert_true(file_map(path, &map));
    uint8_t *copy = xalloc(map.size);
    memcpy(copy, map.data, map.size);
    Elf64_Ehdr eh;
    memcpy(&eh, copy, sizeof eh);
    for (size_t i = 0; i < eh.e_shnum; i++) {
        Elf64_Shdr sh;
        memcpy(&sh, copy + eh.e_shoff + i * sizeof sh, sizeof sh);
        for (uint64_t at = 0; sh.sh_type == SHT_RELA && at < sh.sh_size; at += sizeof(Elf64_Rela)) {
            copy[sh.sh_offset + at + 8] = 200; /* no such relocation */
        }
    }
    said_begin();
    unlink(in_scratch("work/app.elf"));
    said_end();
    char *said = make_one(false, put_file("odd.o", copy, map.size));
    assert_said(said, "ld.lld: error: ");
    assert_said(said, "zuk: error: cannot link ");
    assert_false(is_file(in_scratch("work/app.elf")));
}

/* --- executables -------------------------------------------------------- */

static char *build(const char *name, const char *const *flags) {
    char *source = put_file("exe.c", "int main(void) { return 0; }\n", 29);
    const char *argv[16] = {"cc", source, "-o", in_scratch(name)};
    for (size_t i = 0; flags[i]; i++) {
        argv[4 + i] = flags[i];
    }
    must_run(argv);
    return in_scratch(name);
}

static void executables_are_checked(void **state) {
    (void)state;
    const char *const is_static[] = {"-static", NULL}, *const pie[] = {"-static-pie", NULL},
                      *const dynamic[] = {NULL}, *const shared[] = {"-shared", "-fPIC", NULL};
    char *path = build("static", is_static);
    make_one(true, path);
    assert_string_equal(app.path, path);
    assert_string_equal(app.name, "static");
    assert_false(app.linked);
    make_one(true, build("pie", pie));
    char *said = make_one(false, build("dynamic", dynamic));
    assert_said(said, "is dynamically linked: it wants libc.so.6");
    assert_said(said, "-target x86_64-linux-musl");
    assert_said(make_one(false, build("lib.so", shared)), "is a shared library");
    const char *const both[] = {path, path};
    assert_said(make(false, both, 2), "is an executable: it cannot be linked with other files");
}

static void lying_executables_are_refused(void **state) {
    (void)state;
    const char *const flags[] = {"-static", NULL};
    struct file_map map;
    assert_true(file_map(build("static", flags), &map));
    Elf64_Ehdr eh;
    memcpy(&eh, map.data, sizeof eh);
    static const size_t cuts[] = {1, 20, 63, 64, 100, 400, 5000};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        make_one(false, put_file("cut", map.data, cuts[i]));
    }
    uint8_t *copy = xalloc(map.size);
    static const struct {
        size_t offset;
        uint64_t value;
        const char *said;
    } lies[] = {
        {offsetof(Elf64_Phdr, p_offset), UINT64_MAX - 4095, "lies outside the file"},
        {offsetof(Elf64_Phdr, p_filesz), UINT64_C(1) << 62, "lies outside the file"},
        {offsetof(Elf64_Phdr, p_memsz), 1, "is larger in the file than in memory"},
        {offsetof(Elf64_Phdr, p_memsz), UINT64_MAX, "has an address that no program can have"},
        {offsetof(Elf64_Phdr, p_vaddr), UINT64_C(0xffffffff80000000),
         "has an address that no program"},
        {offsetof(Elf64_Phdr, p_vaddr), 0x400123, "cannot be mapped"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        memcpy(copy, map.data, map.size);
        for (size_t p = 0; p < eh.e_phnum; p++) {
            uint8_t *ph = copy + eh.e_phoff + p * sizeof(Elf64_Phdr);
            if (ph[0] == PT_LOAD && ph[1] == 0) {
                memcpy(ph + lies[i].offset, &lies[i].value, 8);
                break;
            }
        }
        assert_said(make_one(false, put_file("lie", copy, map.size)), lies[i].said);
    }
    uint64_t entry = 0x10;
    memcpy(copy, map.data, map.size);
    memcpy(copy + offsetof(Elf64_Ehdr, e_entry), &entry, 8);
    assert_said(make_one(false, put_file("lie", copy, map.size)), "where it has no code");
    file_unmap(&map);
}

/* --- projects ----------------------------------------------------------- */

/* A folder with build.zig, and a zig that runs `install` in it. */
static char *project(const char *name, const char *help, const char *install) {
    char *folder = in_scratch(name);
    assert_true(make_dirs(folder));
    put_file(xasprintf("%s/build.zig", name), "//\n", 3);
    char *script = xasprintf("#!/bin/sh\n"
                             "if [ \"$2\" = --help ]; then echo '%s'; exit 0; fi\n"
                             "[ \"$1 $2 $3\" = 'build install --prefix' ] || exit 99\n"
                             "P=$4; shift 4; echo \"args: $*\" >args; mkdir -p $P/bin $P/lib\n"
                             "cd %s\n%s\n",
                             help, scratch, install);
    request.zig = put_file("zig", script, strlen(script));
    assert_int_equal(chmod(request.zig, 0755), 0);
    return folder;
}

static char *arguments(const char *folder) {
    struct file_map map;
    assert_true(file_map(path_join(folder, "args"), &map));
    return xstrndup((const char *)map.data, map.size);
}

static void a_project_installs_a_library(void **state) {
    (void)state;
    const char *const members[] = {compile("m1", "int main(void) { return 6; }", NULL), NULL};
    const char *const helpers[] = {compile("h", "int helper(void) { return 6; }", NULL), NULL};
    archive("rcs", "libm1.a", members);
    archive("rcs", "libh.a", helpers);
    static const char *const args[] = {"-Doptimize=Debug", NULL};
    request.zig_args = args;
    char *folder = project("project", "  -Dtarget=[string]  The CPU", "cp libm1.a libh.a $P/lib");
    make_one(true, folder);
    assert_string_equal(app.name, "project");
    char *out;
    assert_int_equal(run_app(app.path, &out), 6);
    assert_string_equal(arguments(folder), "args: -Dtarget=x86_64-linux-musl -Doptimize=Debug\n");

    /* the build.zig has no such option now, and installs something else */
    request.zig_args = NULL;
    folder = project("project", "no options", "cp libh.a $P/lib");
    char *said = make_one(false, folder);
    assert_said(said, "installs no static library that defines main, and no executable");
    assert_said(said, "libh.a has no main");
    assert_string_equal(arguments(folder), "args: \n");
}

static void several_artifacts_want_a_choice(void **state) {
    (void)state;
    const char *const members[] = {compile("m1", "int main(void) { return 6; }", NULL), NULL};
    archive("rcs", "libm1.a", members);
    const char *const flags[] = {"-static", NULL};
    build("prog", flags);
    char *folder = project("two", "", "cp libm1.a $P/lib; cp prog $P/bin");
    char *said = make_one(false, folder);
    assert_said(said, "installs 2 artifacts: choose one");
    assert_said(said, "--artifact prog");
    assert_said(said, "--artifact libm1.a");
    static const char *const names[] = {"prog", "m1", "libm1", "libm1.a"};
    for (size_t i = 0; i < 4; i++) {
        request.artifact = names[i];
        make_one(true, folder);
        assert_int_equal(app.linked, i > 0);
    }
    request.artifact = "other";
    assert_said(make_one(false, folder), "installs no 'other'");
}

static void a_failing_build_speaks_for_itself(void **state) {
    (void)state;
    char *folder = project("failing", "", "echo 'main.zig:1:1: error: no'; exit 2");
    char *said = make_one(false, folder);
    char *expected = xasprintf("main.zig:1:1: error: no\n"
                               "zuk: error: 'zig build' failed in '%s' (status 2)\n",
                               folder);
    assert_string_equal(said, expected);
}

static void a_dynamic_result_names_the_remedy(void **state) {
    (void)state;
    const char *const flags[] = {NULL};
    build("prog", flags);
    char *said = make_one(false, project("native", "", "cp prog $P/bin"));
    assert_said(said, "is dynamically linked: it wants libc.so.6");
    assert_said(said, "build.zig' takes no -Dtarget");
}

static void a_folder_needs_a_build_zig(void **state) {
    (void)state;
    assert_said(make_one(false, scratch), "is a folder without a build.zig");
}

/* --- the toolchain ------------------------------------------------------ */

static void linker_lines_are_read(void **state) {
    (void)state;
    struct toolchain t = {0};
    assert_true(toolchain_parse(&t,
                                "clang -o x /z/o/1/x.o\nld.lld -o x /z/o/1/crt1.o x.o --as-needed "
                                "/z/o/2/libc.a \"/z z/o/4/libcompiler_rt.a\"\n"));
    assert_string_equal(t.crt1, "/z/o/1/crt1.o");
    assert_int_equal(t.library_count, 2);
    assert_string_equal(t.libraries[0], "/z/o/2/libc.a");
    assert_string_equal(t.libraries[1], "/z z/o/4/libcompiler_rt.a");
    assert_false(toolchain_parse(&t, "ld.lld /a/crt1.o /a/libc.a\n"));
    assert_false(toolchain_parse(&t, ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_archive_is_linked_and_runs, fresh),
        cmocka_unit_test_setup(a_missing_function_gets_a_stub, fresh),
        cmocka_unit_test_setup(stripping_keeps_the_program, fresh),
        cmocka_unit_test_setup(an_object_for_gnu_works, fresh),
        cmocka_unit_test_setup(entries_are_checked, fresh),
        cmocka_unit_test_setup(a_bare_start_is_enough, fresh),
        cmocka_unit_test_setup(the_linkers_refusal_is_ours, fresh),
        cmocka_unit_test_setup(executables_are_checked, fresh),
        cmocka_unit_test_setup(lying_executables_are_refused, fresh),
        cmocka_unit_test_setup(a_project_installs_a_library, fresh),
        cmocka_unit_test_setup(several_artifacts_want_a_choice, fresh),
        cmocka_unit_test_setup(a_failing_build_speaks_for_itself, fresh),
        cmocka_unit_test_setup(a_dynamic_result_names_the_remedy, fresh),
        cmocka_unit_test_setup(a_folder_needs_a_build_zig, fresh),
        cmocka_unit_test_setup(linker_lines_are_read, fresh),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
