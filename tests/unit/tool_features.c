/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/features.c and options.c: calls and words become options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tool_feature.h"
#include "zuk/diag.h"
#include "zuk/features.h"
#include "zuk/options.h"
#include "zuk/scan.h"

static bool has_object(const struct features *f, const char *path) {
    struct feature_object *objects;
    size_t count = features_objects(f, "x86_64", &objects);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(objects[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

static void test_calls_choose(void **state) {
    (void)state;
    struct scan scan = {.calls = {[1] = true}, .from = {[1] = "std.posix.write"}};
    struct features f;
    features_choose(&scan, &f);
    assert_true(find(&f, "CORE")->on);
    assert_string_equal(find(&f, "CORE")->reason, "in every image");
    assert_true(find(&f, "IO")->on);
    assert_string_equal(find(&f, "IO")->reason, "write, from std.posix.write");
    assert_false(find(&f, "POLL")->on);
    assert_string_equal(find(&f, "POLL")->reason, "no call asks for it");
    assert_true(find(&f, "SERIAL")->on);
    assert_true(has_object(&f, "syscall/io"));
    assert_false(has_object(&f, "syscall/poll"));
    assert_non_null(strstr(f.names, "CORE"));
    assert_null(strstr(f.names, "POLL"));
}

static void test_needs(void **state) {
    (void)state;
    struct scan scan = {.calls = {[7] = true}}; /* poll needs descriptors */
    struct features f;
    features_choose(&scan, &f);
    assert_true(find(&f, "POLL")->on);
    assert_string_equal(find(&f, "POLL")->reason, "poll");
    assert_true(find(&f, "IO")->on);
    assert_non_null(strstr(find(&f, "IO")->reason, "needs it"));
}

static void test_vdso(void **state) {
    (void)state;
    struct scan scan = {.calls = {[228] = true}, .vdso = true}, without = {.calls = {[228] = true}};
    struct features f;
    features_choose(&scan, &f);
    assert_true(find(&f, "VDSO")->on && has_object(&f, "app/vdso"));
    assert_non_null(strstr(find(&f, "VDSO")->reason, "__vdso_clock_gettime"));
    features_choose(&without, &f);
    assert_false(find(&f, "VDSO")->on || has_object(&f, "app/vdso"));
}

static void test_unprovided(void **state) {
    (void)state;
    struct scan with = {.calls = {[57] = true, [500] = true}}, without = {.unknown = false};
    struct features a, b; /* fork, and a number that no call has */
    features_choose(&with, &a);
    features_choose(&without, &b);
    assert_string_equal(a.names, b.names);
    char *text = features_text(&a, &with);
    assert_non_null(strstr(text, "fork"));
    assert_non_null(strstr(text, "absent"));
}

static bool has_handler(const struct features *f, const char *name) {
    const char **handlers;
    size_t count = features_handlers(f, &handlers);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(handlers[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_handlers(void **state) {
    (void)state;
    struct scan scan = {.calls = {[1] = true, [57] = true}}; /* write, fork */
    struct features f;
    features_choose(&scan, &f);
    assert_true(has_handler(&f, "write"));
    assert_false(has_handler(&f, "writev")); /* IO's, too, but nobody calls it */
    assert_false(has_handler(&f, "read"));   /* STDIN is off */
    assert_false(has_handler(&f, "fork"));   /* nobody provides it */
    /* A word for an option is one for all its calls, and for what it needs. */
    struct features_word on = {.name = "STDIN", .on = true, .where = "-"};
    features_overrule(&f, &on, 1);
    assert_true(has_handler(&f, "read"));
    assert_true(has_handler(&f, "writev"));
    assert_false(has_handler(&f, "poll"));
    struct features_word off = {.name = "STDIN", .on = false, .where = "-"};
    features_overrule(&f, &off, 1);
    assert_false(has_handler(&f, "read"));
    features_all("", &f);
    assert_true(has_handler(&f, "read"));
    assert_true(has_handler(&f, "io_uring_enter"));
    assert_false(has_handler(&f, "fork"));
}

static void test_unknown_takes_all(void **state) {
    (void)state;
    struct scan_site site = {0x1234, "f", "the number is computed"};
    struct scan scan = {.unknown = true, .sites = &site, .site_count = 1};
    struct features f;
    features_choose(&scan, &f);
    for (size_t i = 0; i < f.count; i++) {
        bool asked = strcmp(f.list[i].name, "FAIL") == 0 || strcmp(f.list[i].name, "PROFILE") == 0;
        assert_true(f.list[i].on != asked); /* only when asked */
    }
    assert_non_null(strstr(find(&f, "POLL")->reason, "the number is computed, at 0x1234 in f"));
    assert_non_null(strstr(features_text(&f, &scan), "# unknown: 0x1234 in f"));
}

static void test_names(void **state) {
    (void)state;
    assert_int_equal(features_call_number("write"), 1);
    assert_int_equal(features_call_number("openat2"), 437);
    assert_int_equal(features_call_number("clock_gettime64"), -1); /* not on x86_64 */
    assert_int_equal(features_call_number(""), -1);
    assert_string_equal(features_call_name(231), "exit_group");
    assert_null(features_call_name(400));
    assert_null(features_call_name(UINT64_MAX));
    assert_int_equal(features_call_policy(334), IMAGE_POLICY_ENOSYS);
    assert_int_equal(features_call_policy(57), IMAGE_POLICY_REFUSE);
    assert_int_equal(features_call_policy(240), IMAGE_POLICY_TRAP);
}

static void test_policies(void **state) {
    (void)state;
    struct features_policy p;
    assert_true(features_policy("trap", &p));
    assert_true(p.every && p.policy == IMAGE_POLICY_TRAP);
    assert_true(features_policy("fork=ignore", &p));
    assert_true(!p.every && p.number == 57 && p.policy == IMAGE_POLICY_IGNORE);
    static const char *const bad[] = {
        "", "ignore", "fork", "fork=", "fork=no", "frok=trap", "=trap"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unsigned before = diag_error_count();
        assert_false(features_policy(bad[i], &p));
        assert_int_equal(diag_error_count(), before + 1);
    }
}

static int parse(unsigned sets, struct options *o, const char *a, const char *b, const char *c,
                 const char *d) {
    char *argv[] = {"build", (char *)a, (char *)b, (char *)c, (char *)d, NULL};
    int argc = 1;
    while (argv[argc] != NULL) {
        argc++;
    }
    return options_parse(argc, argv, sets, o);
}

static void test_options(void **state) {
    (void)state;
    struct options o;
    assert_int_equal(parse(OPTIONS_BUILD, &o, "a.o", "-oX", "--", "-v"), -1);
    assert_int_equal(o.input_count, 1);
    assert_string_equal(o.output, "X");
    assert_true(o.args_given);
    assert_int_equal(o.arg_count, 1);
    assert_string_equal(o.args[0], "-v");
    assert_int_equal(parse(OPTIONS_RUN, &o, "--gdb", "x", "-m", "64K"), -1);
    assert_true(o.gdb && o.gdb_port == 1234 && o.memory == 65536);
    assert_int_equal(parse(OPTIONS_RUN, &o, "--gdb", "99", "--timeout=1.5", "x"), -1);
    assert_true(o.gdb_port == 99 && o.timeout_ms == 1500);
    assert_string_equal(o.inputs[0], "x");
    assert_int_equal(parse(OPTIONS_RUN | OPTIONS_PROGRAM, &o, "-eA=b", "prog", "-m", "x"), -1);
    assert_string_equal(o.env[0], "A=b");
    assert_int_equal(o.arg_count, 2);
    assert_string_equal(o.args[0], "-m");
    assert_int_equal(parse(OPTIONS_BUILD, &o, "-DX=1", "-D", "y", "d"), -1);
    assert_string_equal(o.zig_args[0], "-DX=1");
    assert_string_equal(o.zig_args[1], "-Dy");
    assert_null(o.zig_args[2]);
}

static void test_options_refused(void **state) {
    (void)state;
    struct options o;
    static const struct {
        unsigned sets;
        const char *words[3];
    } bad[] = {
        {OPTIONS_BUILD | OPTIONS_PROGRAM, {NULL}},
        {OPTIONS_BUILD, {"--foo", "x"}},
        {OPTIONS_BUILD, {"--strace", "x"}}, /* of another command */
        {OPTIONS_BUILD, {"x", "-o"}},
        {OPTIONS_BUILD, {"x", "--strict=yes"}},
        {OPTIONS_BUILD, {"x", "-e", "=1"}},
        {OPTIONS_RUN, {"x", "-m", "64X"}},
        {OPTIONS_RUN, {"x", "-m", "0"}},
        {OPTIONS_RUN, {"x", "-m", "99999999999G"}},
        {OPTIONS_RUN, {"x", "--timeout", "0"}},
        {OPTIONS_RUN, {"x", "--timeout", "nan"}},
        {OPTIONS_RUN, {"x", "--accel", "xen"}},
        {OPTIONS_RUN, {"x", "--machine", "virt"}},
        {OPTIONS_RUN, {"x", "--gdb=70000"}},
        {OPTIONS_RUN, {"x", "--color=pink"}},
        {OPTIONS_RUN, {"x", "--missing", "what"}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const *w = bad[i].words;
        if (parse(bad[i].sets, &o, w[0], w[0] == NULL ? NULL : w[1],
                  w[0] == NULL || w[1] == NULL ? NULL : w[2], NULL) != EXIT_USAGE) {
            fail_msg("row %zu is taken", i);
        }
    }
}

static void test_nearest(void **state) {
    (void)state;
    const char *const words[] = {"--artifact", "--strict", "--strip", "--output", NULL};
    assert_string_equal(options_nearest("--strickt", words), "--strict");
    assert_string_equal(options_nearest("--stri", words), "--strict");
    assert_string_equal(options_nearest("--ouptut", words), "--output");
    assert_null(options_nearest("--foo", words));
    assert_null(options_nearest("--sss", words)); /* the dashes are no likeness */
    const char *const calls[] = {"brk", "fork", NULL};
    assert_string_equal(options_nearest("frok", calls), "fork"); /* two letters swapped */
    assert_string_equal(options_nearest("bkr", calls), "brk");
    assert_null(options_nearest("frmm", calls));
    assert_null(options_nearest("", calls));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_choose), cmocka_unit_test(test_needs),
        cmocka_unit_test(test_vdso),         cmocka_unit_test(test_unprovided),
        cmocka_unit_test(test_handlers),     cmocka_unit_test(test_unknown_takes_all),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_options),      cmocka_unit_test(test_options_refused),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
