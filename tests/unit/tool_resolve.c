/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/object.c, symtab.c, resolve.c, stub.c, source.c, lines.c: what an
 * archive's members mean to each other, and what is left.
 */
#include "tests/unit/tool_scratch.h"

#include "abi/image.h"
#include "zuk/input.h"
#include "zuk/program.h"
#include "zuk/resolve.h"
#include "zuk/source.h"
#include "zuk/stub.h"

/* --- helpers ------------------------------------------------------------ */

static struct object *open_object(const char *path) {
    struct file_map map;
    assert_true(file_map(path, &map));
    struct object *object = xalloc(sizeof *object);
    object->label = xstrdup(path_base(path));
    object->data = map.data;
    object->size = map.size;
    return object;
}

static void add_object(struct resolution *r, const char *path) {
    assert_true(resolve_object(r, open_object(path)));
}

static void add_archive(struct resolution *r, const char *path, bool library) {
    struct input *input = xalloc(sizeof *input);
    assert_true(input_open(input, path));
    assert_int_equal(input->kind, FILE_ARCHIVE);
    assert_true(library ? resolve_library(r, &input->archive)
                        : resolve_archive(r, &input->archive));
}

static bool is_linked(const struct resolution *r, const char *label) {
    for (size_t i = 0; i < r->linked.len; i++) {
        if (strcmp(r->linked.data[i]->label, label) == 0) {
            return true;
        }
    }
    return false;
}

static const struct undefined *find_undefined(const struct resolution *r, const char *name) {
    for (size_t i = 0; i < r->undefined.len; i++) {
        if (strcmp(r->undefined.data[i].name, name) == 0) {
            return &r->undefined.data[i];
        }
    }
    return NULL;
}

/* --- resolution --------------------------------------------------------- */

/* x.a needs y.a, which needs x.a: a linker that reads archives once fails. */
static void archives_in_any_order(void **state) {
    (void)state;
    char *main_o = compile("main", "int a(void); int main(void) { return a(); }", NULL);
    char *a = compile("a", "int b(void); int a(void) { return b(); }", NULL);
    char *b = compile("b", "int c(void); int b(void) { return c(); }", NULL);
    char *c = compile("c", "int c(void) { return 1; }", NULL);
    char *d = compile("unused", "int nobody(void); int unused(void) { return nobody(); }", NULL);
    const char *const x[] = {c, a, d, NULL}, *const y[] = {b, NULL};
    char *xa = archive("rcs", "x.a", x), *ya = archive("rcs", "y.a", y);
    for (int order = 0; order < 6; order++) {
        struct resolution r = {0};
        for (int i = 0; i < 3; i++) {
            int what = (order / 3 ? 2 - i + order : i + order) % 3;
            if (what == 0) {
                add_object(&r, main_o);
            } else {
                add_archive(&r, what == 1 ? xa : ya, order % 2);
            }
        }
        assert_true(resolve_run(&r) && resolve_finish(&r));
        assert_int_equal(r.linked.len, 4);
        assert_true(is_linked(&r, "x.a(c.o)") && is_linked(&r, "y.a(b.o)"));
        assert_false(is_linked(&r, "x.a(unused.o)"));
        assert_int_equal(r.undefined.len, 0);
    }
}

static void weak_references_extract_nothing(void **state) {
    (void)state;
    char *m = compile("main",
                      "__attribute__((weak)) int maybe(void);"
                      "int main(void) { return maybe ? maybe() : 0; }",
                      NULL);
    char *o = compile("maybe", "int maybe(void) { return 1; }", NULL);
    const char *const members[] = {o, NULL};
    struct resolution r = {0};
    add_object(&r, m);
    add_archive(&r, archive("rcs", "weak.a", members), false);
    assert_true(resolve_run(&r) && resolve_finish(&r));
    assert_int_equal(r.linked.len, 1);
    assert_int_equal(r.undefined.len, 0);
}

static void strong_beats_common_beats_weak(void **state) {
    (void)state;
    char *w = compile("w", "__attribute__((weak)) int v = 1;", NULL);
    char *c = compile("c", "int v;", "-fcommon");
    char *s = compile("s", "int v = 2;", NULL);
    struct resolution r = {0};
    add_object(&r, w);
    assert_true(resolve_run(&r));
    struct symbol *v = symtab_find(&r.table, "v");
    assert_true(v->is_weak);
    add_object(&r, c);
    assert_true(resolve_run(&r));
    assert_true(v->is_common && !v->is_weak);
    add_object(&r, s);
    assert_true(resolve_run(&r));
    assert_true(!v->is_common && !v->is_weak);
    assert_string_equal(v->object->label, "s.o");
    add_object(&r, compile("s2", "int v = 3;", NULL));
    said_begin();
    bool ok = resolve_run(&r);
    assert_said(said_end(), "'v' is defined twice: in s.o and in s2.o");
    assert_false(ok);
}

static const char comdat[] = ".section .text.f,\"axG\",@progbits,f,comdat\n"
                             ".globl f\n.type f,@function\nf: call %s\nret\n"
                             ".section .note.GNU-stack,\"\",@progbits\n";

static char *assemble(const char *name, const char *text) {
    char *source = put_file(xasprintf("%s.s", name), text, strlen(text));
    char *object = in_scratch(xasprintf("%s.o", name));
    const char *const argv[] = {"as", "-o", object, source, NULL};
    must_run(argv);
    return object;
}

/* Only the first group counts: neither a second definition nor what the second
 * refers to. */
static void comdat_groups_are_kept_once(void **state) {
    (void)state;
    char first[512], second[512];
    snprintf(first, sizeof first, comdat, "from_first");
    snprintf(second, sizeof second, comdat, "from_second");
    struct resolution r = {0};
    add_object(&r, assemble("first", first));
    add_object(&r, assemble("second", second));
    assert_true(resolve_run(&r) && resolve_finish(&r));
    assert_non_null(find_undefined(&r, "from_first"));
    assert_null(find_undefined(&r, "from_second"));
    assert_string_equal(symtab_find(&r.table, "f")->object->label, "first.o");
}

static void all_mains_are_noted(void **state) {
    (void)state;
    char *m = compile("m1", "int main(void) { return 0; }", NULL);
    char *n = compile("m2", "int main(void) { return 0; }", NULL);
    char *w = compile("m3", "__attribute__((weak)) int main(void) { return 0; }", NULL);
    const char *const members[] = {m, n, w, NULL};
    struct resolution r = {0};
    add_archive(&r, archive("rcs", "mains.a", members), false);
    assert_int_equal(r.mains.len, 2);
    assert_string_equal(r.mains.data[1]->label, "mains.a(m2.o)");
}

/* --- what is left ------------------------------------------------------- */

static const char uses[] = "int fn(int); extern int data; extern __thread int tls;\n"
                           "int both(void); int unused_declaration(void);\n"
                           "int (*pointer)(void) = both;\n"
                           "int a(void) { return fn(1); }\n"
                           "int b(void) { return data; }\n"
                           "int c(void) { return both(); }\n"
                           "#ifdef TLS\n"
                           "int d(void) { return tls; }\n"
                           "#endif\n";

static void kinds_and_lines_of_uses(void **state) {
    (void)state;
    static const char *const flags[] = {"-gdwarf-4", "-gdwarf-5"};
    for (size_t i = 0; i < 2; i++) {
        struct resolution r = {0};
        add_object(&r, compile("uses", uses, flags[i]));
        add_object(&r, compile("more", "int fn(int); int e(void) { return fn(2); }", NULL));
        assert_true(resolve_run(&r) && resolve_finish(&r));
        assert_int_equal(r.undefined.len, 3);
        const struct undefined *fn = find_undefined(&r, "fn"), *data = find_undefined(&r, "data"),
                               *both = find_undefined(&r, "both");
        assert_true(fn->is_call && !data->is_call && both->is_call);
        assert_int_equal(fn->other_objects, 1);
        assert_string_equal(fn->object->label, "uses.o");
        const char *lines[3];
        source_lines(&r, lines);
        assert_said(lines[fn - r.undefined.data], "uses.c:4");
        assert_said(lines[data - r.undefined.data], "uses.c:5");
        assert_said(lines[both - r.undefined.data], "uses.c:6");
    }
}

/* DWARF 4 keeps the folder of a relative name in .debug_info. */
static void relative_names_get_their_folder(void **state) {
    (void)state;
    static const char *const flags[] = {"-gdwarf-4", "-gdwarf-5"};
    assert_true(make_dirs(in_scratch("sub")));
    put_file("sub/rel.c", "\n\nint fn(void); int a(void) { return fn(); }\n", 45);
    for (size_t i = 0; i < 2; i++) {
        const char *const argv[] = {"cc", flags[i], "-c", "sub/rel.c", "-o", "rel.o", NULL};
        struct run run = {.argv = argv, .cwd = scratch, .out_to_err = true};
        assert_int_equal(run_program(&run), 0);
        struct resolution r = {0};
        add_object(&r, in_scratch("rel.o"));
        assert_true(resolve_run(&r) && resolve_finish(&r));
        const char *lines[1];
        assert_int_equal(r.undefined.len, 1);
        source_lines(&r, lines);
        assert_string_equal(lines[0], xasprintf("%s/sub/rel.c:3", scratch));
    }
}

static void thread_local_data_is_an_error(void **state) {
    (void)state;
    struct resolution r = {0};
    add_object(&r, compile("uses", uses, "-DTLS"));
    assert_true(resolve_run(&r) && resolve_finish(&r));
    assert_true(find_undefined(&r, "tls")->is_tls);
    said_begin();
    bool ok = stub_report(&r, false);
    char *said = said_end();
    assert_false(ok);
    assert_said(said, "zuk: error: undefined TLS symbol 'tls' in uses.o");
    assert_said(said, "zuk: warning: undefined symbol 'fn' in uses.o");
}

static void strict_makes_each_an_error(void **state) {
    (void)state;
    struct resolution r = {0};
    add_object(&r, compile("uses", uses, NULL));
    assert_true(resolve_run(&r) && resolve_finish(&r));
    unsigned before = diag_error_count();
    said_begin();
    bool ok = stub_report(&r, true);
    said_end();
    assert_false(ok);
    assert_int_equal(diag_error_count(), before + 3);
}

static const uint8_t *text_of(const struct object *o, size_t *size) {
    for (size_t i = 1; i < o->section_count; i++) {
        if (strcmp(object_section_name(o, i), ".text.zuk_stubs") == 0) {
            *size = (size_t)o->sections[i].sh_size;
            return o->data + o->sections[i].sh_offset;
        }
    }
    fail_msg("no .text.zuk_stubs");
    return NULL;
}

static Elf64_Sym symbol_of(const struct object *o, const char *name) {
    for (size_t i = 0; i < o->symbol_count; i++) {
        if (strcmp(o->symbols[i].name, name) == 0) {
            Elf64_Sym symbol;
            memcpy(&symbol,
                   o->data + o->sections[o->symtab].sh_offset + o->symbols[i].index * sizeof symbol,
                   sizeof symbol);
            return symbol;
        }
    }
    fail_msg("no symbol '%s'", name);
    return (Elf64_Sym){0};
}

/* The object that zuk writes, and the one that as makes of stubs.S. */
static void stubs_are_what_the_kernel_expects(void **state) {
    (void)state;
    struct resolution r = {0};
    add_object(&r, compile("uses", uses, NULL));
    add_object(&r, compile("gnu", "int open64(void); int g(void) { return open64(); }", NULL));
    add_object(&r, compile("musl", "int open(void) { return 0; }", NULL));
    assert_true(resolve_run(&r) && resolve_twins(&r) && resolve_finish(&r));
    assert_int_equal(r.twins.len, 1);
    said_begin();
    assert_true(stub_report(&r, false));
    said_end();
    assert_true(stub_write(&r, scratch));
    struct file_map listing;
    assert_true(file_map(in_scratch("stubs.S"), &listing));
    const char *const objects[] = {
        in_scratch("stubs.o"),
        assemble("listed", xstrndup((const char *)listing.data, listing.size))};
    size_t sizes[2];
    const uint8_t *texts[2];
    for (size_t i = 0; i < 2; i++) {
        struct object *o = open_object(objects[i]);
        assert_true(object_read(o));
        texts[i] = text_of(o, &sizes[i]);
        for (size_t k = 0; k < r.undefined.len; k++) {
            const struct undefined *u = &r.undefined.data[k];
            Elf64_Sym symbol = symbol_of(o, u->name);
            if (u->is_call) {
                const uint8_t *stub = texts[i] + symbol.st_value;
                assert_int_equal(stub[0] << 8 | stub[1], 0x0f0b); /* ud2 */
                assert_true(load32(stub + 2) == IMAGE_STUB_MAGIC);
                assert_int_equal(load32(stub + 6), k);
            } else {
                assert_int_equal(symbol.st_shndx, SHN_ABS);
                assert_true(symbol.st_value == IMAGE_STUB_BASE + k * IMAGE_PAGE);
            }
        }
        assert_int_equal(texts[i][symbol_of(o, "open64").st_value], 0xe9);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(texts[0], texts[1], sizes[0]);
}

/* --- glibc's names ------------------------------------------------------ */

static void twins_by_rule(void **state) {
    (void)state;
    assert_string_equal(gnu_twin("fstat64"), "fstat");
    assert_string_equal(gnu_twin("__memcpy_chk"), "memcpy");
    assert_string_equal(gnu_twin("__isoc23_strtol"), "strtol");
    assert_string_equal(gnu_twin("__pread64_chk"), "pread");
    assert_null(gnu_twin("__printf_chk")); /* an argument before the others */
    assert_null(gnu_twin("__fgets_chk"));
    assert_null(gnu_twin("__recv_chk"));
    assert_null(gnu_twin("my_open64"));
    assert_null(gnu_twin("64"));
    assert_true(gnu_only("__printf_chk") && gnu_only("aio_read64") && gnu_only("_IO_printf"));
    assert_false(gnu_only("my_chk") || gnu_only("printf") || gnu_only("__my_table"));
}

static void gnu_archives_are_refused_by_name(void **state) {
    (void)state;
    struct resolution r = {0};
    add_object(&r, compile("fort",
                           "int __printf_chk(int); int __fgets_chk(int);"
                           "int f(void) { return __printf_chk(1) + __fgets_chk(2); }",
                           "-w"));
    assert_true(resolve_run(&r));
    said_begin();
    bool ok = resolve_twins(&r);
    char *said = said_end();
    assert_false(ok);
    assert_said(said, "fort.o is built for gnu: rebuild with -target x86_64-linux-musl");
    assert_said(said, "'__printf_chk'");
    assert_said(said, "'__fgets_chk'");
}

/* --- damaged inputs ----------------------------------------------------- */

/* The section headers stand at the end, so no cut leaves a whole file. */
static void every_cut_is_refused(void **state) {
    (void)state;
    char *o = compile("whole", "int f(int); int main(void) { return f(1); }", "-g");
    const char *const members[] = {o, NULL};
    const char *const files[] = {o, archive("rcs", "whole.a", members)};
    for (size_t i = 0; i < 2; i++) {
        struct file_map map;
        assert_true(file_map(files[i], &map));
        for (size_t size = 1; size < map.size; size += 7) {
            char *cut = put_file("cut", map.data, size);
            struct resolution r = {0};
            struct input input;
            unsigned before = diag_error_count();
            said_begin();
            bool ok = input_open(&input, cut) &&
                      (input.kind == FILE_ARCHIVE ? resolve_archive(&r, &input.archive)
                                                  : resolve_object(&r, open_object(cut)));
            said_end();
            assert_false(ok);
            assert_true(diag_error_count() > before);
            file_unmap(&input.map);
        }
        file_unmap(&map);
    }
}

static void other_machines_are_named(void **state) {
    (void)state;
    struct file_map map;
    assert_true(file_map(compile("m", "int main(void) { return 0; }", NULL), &map));
    uint8_t *copy = xalloc(map.size);
    memcpy(copy, map.data, map.size);
    static const struct {
        uint8_t machine;
        const char *said;
    } cases[] = {{EM_AARCH64, "is for aarch64, not for x86_64"},
                 {EM_RISCV, "is for riscv64, not for x86_64"},
                 {EM_386, "is for 32-bit x86, not for x86_64"}};
    for (size_t i = 0; i < 3; i++) {
        copy[18] = cases[i].machine;
        struct object object = {.label = "m.o", .data = copy, .size = map.size};
        said_begin();
        bool ok = object_read(&object);
        assert_said(said_end(), cases[i].said);
        assert_false(ok);
    }
}

static void thin_archives_name_their_files(void **state) {
    (void)state;
    char *o = compile("thinned", "int main(void) { return 0; }", NULL);
    const char *const members[] = {o, NULL};
    char *a = archive("rcsT", "thin.a", members);
    struct resolution r = {0};
    add_archive(&r, a, false);
    assert_int_equal(r.mains.len, 1);
    unlink(o);
    struct input input;
    said_begin();
    bool ok = input_open(&input, a);
    char *said = said_end();
    assert_false(ok);
    assert_said(said, "thinned.o");
    assert_said(said, "is a thin archive");
}

static void inputs_are_told_by_content(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *said;
    } cases[] = {
        {"", 0, "is empty"},
        {"!<arch>\n", 8, "is an empty archive"},
        {"\177ELF", 4, "cut off"},
        {"MZ\220\0", 4, "is a Windows program"},
        {"int main;\n", 10, "is a text file"},
        {"BC\300\336\0\0", 6, "is LLVM bitcode"},
        {"!<arch>\nxyz", 11, "it ends inside a member's header"},
        {"\1\2\3\4", 4, "is a file of unknown format"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = put_file("thing.a", cases[i].bytes, cases[i].size);
        struct input input;
        said_begin();
        bool ok = input_open(&input, path);
        assert_said(said_end(), cases[i].said);
        assert_false(ok);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archives_in_any_order),
        cmocka_unit_test(weak_references_extract_nothing),
        cmocka_unit_test(strong_beats_common_beats_weak),
        cmocka_unit_test(comdat_groups_are_kept_once),
        cmocka_unit_test(all_mains_are_noted),
        cmocka_unit_test(kinds_and_lines_of_uses),
        cmocka_unit_test(relative_names_get_their_folder),
        cmocka_unit_test(thread_local_data_is_an_error),
        cmocka_unit_test(strict_makes_each_an_error),
        cmocka_unit_test(stubs_are_what_the_kernel_expects),
        cmocka_unit_test(twins_by_rule),
        cmocka_unit_test(gnu_archives_are_refused_by_name),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(other_machines_are_named),
        cmocka_unit_test(thin_archives_name_their_files),
        cmocka_unit_test(inputs_are_told_by_content),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
