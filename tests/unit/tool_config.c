/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/config.c and features_overrule(): who wins, what sticks, what is kept.
 */
#include "tests/unit/tool_scratch.h"

#include "tests/unit/tool_feature.h"

#include "zuk/config.h"
#include "zuk/features.h"
#include "zuk/kconfig.h"
#include "zuk/scan.h"

static void test_names_are_unique(void **state) {
    (void)state;
    for (const struct config_option *a = config_options(); a->name != NULL; a++) {
        assert_ptr_equal(config_option(a->name), a);
        assert_ptr_equal(config_option(xasprintf("config_%s", a->name)), a);
    }
    assert_null(config_option("NO_SUCH"));
    assert_null(config_option("CONFIG_"));
}

static void test_precedence(void **state) {
    (void)state;
    struct config c = {0};
    assert_true(config_say(&c, "FILES", "n", CONFIG_COMMAND, "--set"));
    assert_true(config_say(&c, "CONFIG_FILES", "y", CONFIG_FILE, ".config:1"));
    assert_true(config_say(&c, "files", "y", CONFIG_KRAFTFILE, "Kraftfile:1:1"));
    assert_string_equal(config_word(&c, "FILES")->where, "--set");
    assert_string_equal(config_value(&c, "FILES"), "n");
    assert_string_equal(config_value(&c, "MACHINE"), "microvm");
    assert_null(config_value(&c, "IO")); /* only deduced */
    assert_true(config_say(&c, "FILES", "y", CONFIG_COMMAND, "--set"));
    assert_string_equal(config_value(&c, "FILES"), "y"); /* the later of equals */
}

static void test_values(void **state) {
    (void)state;
    static const char *const good[] = {
        "FILES=y",         "MACHINE=q35",
        "MEMORY_SIZE=64M", "MEMORY_SIZE=",
        "MISSING=enosys",  "STRIP=n",
        "MACHINE_PC=y",    "MISSING_TRAP=n",
        "MISSING_CALLS=",  "MISSING_CALLS=fork=enosys ptrace=ignore"};
    static const char *const bad[] = {"FILES",        "=y",
                                      "FILES=",       "FILES=m",
                                      "MACHINE=virt", "MEMORY_SIZE=lots",
                                      "STRIP=yes",    "MISSING=ignore",
                                      "FLIES=y",      "MISSING_CALLS=fork",
                                      "MACHINE_PC=q", "MISSING_CALLS=fork=enosys frok=trap"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct config c = {0};
        if (!config_say_text(&c, good[i], "here")) {
            fail_msg("%s is refused", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct config c = {0};
        said_begin();
        bool taken = config_say_text(&c, bad[i], "here");
        char *said = said_end();
        assert_false(taken);
        assert_said(said, "here: ");
    }
    said_begin();
    struct config c = {0};
    assert_false(config_say_text(&c, "FLIES=y", "here"));
    assert_said(said_end(), "did you mean CONFIG_FILES?");
}

static void test_file(void **state) {
    (void)state;
    static const char text[] = "# a comment\n\n  CONFIG_FILES=y  \r\n# CONFIG_IO is not set\n"
                               "CONFIG_MISSING_CALLS=\"fork=enosys\"\nCONFIG_MACHINE_Q35=y\n"
                               "# CONFIG_MACHINE_PC is not set\nCONFIG_POLL=n";
    struct config c = {0};
    assert_true(config_parse(&c, "f", text, sizeof text - 1, true));
    assert_int_equal(c.words.len, 5);
    assert_string_equal(config_value(&c, "FILES"), "y");
    assert_string_equal(config_word(&c, "FILES")->where, "f:3");
    assert_string_equal(config_value(&c, "IO"), "n");
    assert_string_equal(config_value(&c, "MISSING_CALLS"), "fork=enosys");
    assert_string_equal(config_value(&c, "MACHINE"), "q35");
    assert_string_equal(config_value(&c, "POLL"), "n");
}

static void test_file_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"FILES=y\n", "f:1: 'FILES' is no line of options"},
        {"\nhello\n", "f:2: 'hello' is no line of options"},
        {"CONFIG_STRIP=\"y\n", "f:1: the quotes of CONFIG_STRIP do not match"},
        {"CONFIG_FILES=maybe\n", "f:1: CONFIG_FILES is y or n, not 'maybe'"},
        {"CONFIG_FLIES=y\n", "f:1: there is no option CONFIG_FLIES"},
        {"=y\n", "f:1: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct config c = {0};
        said_begin();
        bool ok = config_parse(&c, "f", bad[i].text, strlen(bad[i].text), true);
        assert_said(said_end(), bad[i].says);
        assert_false(ok);
    }
    struct config c = {0};
    said_begin();
    assert_false(config_parse(&c, "f", "a\0b", 3, true));
    assert_said(said_end(), "NUL");
    said_begin(); /* where it was only found, an unknown option is a warning */
    assert_true(config_parse(&c, "f", "CONFIG_64BIT=y\n", 15, false));
    assert_said(said_end(), "f:1: there is no option CONFIG_64BIT: the line does nothing");
    assert_int_equal(c.words.len, 0);
}

static void test_edit(void **state) {
    (void)state;
    const struct config_option *files = config_option("FILES"), *machine = config_option("MACHINE");
    static const char text[] = "# mine\nCONFIG_FILES=y\nCONFIG_IO=y\n# CONFIG_FILES is not set\n";
    assert_string_equal(config_edit(text, sizeof text - 1, files, "n"),
                        "# mine\n# CONFIG_FILES is not set\nCONFIG_IO=y\n");
    assert_string_equal(config_edit(text, sizeof text - 1, files, NULL), "# mine\nCONFIG_IO=y\n");
    assert_string_equal(config_edit("", 0, machine, "q35"), "CONFIG_MACHINE=\"q35\"\n");
    assert_string_equal(config_edit("CONFIG_MACHINE_PC=y\n", 20, machine, NULL), "");
    /* what is written is read again */
    const struct config_option *calls = config_option("MISSING_CALLS");
    char *line = config_line(calls, "fork=enosys");
    struct config c = {0};
    assert_true(config_parse(&c, "f", line, strlen(line), true));
    assert_string_equal(config_value(&c, "MISSING_CALLS"), "fork=enosys");
}

/* An app that opens files (open) and makes names (mkdir). */
static void deduce(struct features *f, struct scan *scan) {
    *scan = (struct scan){.calls = {[2] = true, [83] = true}, .from = {[2] = "fopen"}};
    features_choose(scan, f);
    assert_true(find(f, "FILES")->on && find(f, "NAMES")->on);
}

static void test_off(void **state) {
    (void)state;
    struct scan scan;
    struct features f;
    struct config c = {0};
    deduce(&f, &scan);
    assert_true(config_say_text(&c, "FILES=n", "--set"));
    said_begin();
    config_apply(&c, &f, &scan, false);
    char *said = said_end();
    assert_false(find(&f, "FILES")->on);
    assert_string_equal(find(&f, "FILES")->reason, "--set says so");
    assert_false(find(&f, "NAMES")->on); /* it needs them */
    assert_string_equal(find(&f, "NAMES")->reason, "it needs FILES, which --set turns off");
    assert_said(said, "CONFIG_FILES=n (--set says so), but the app can make its calls: open, from "
                      "fopen");
    assert_said(said, "CONFIG_NAMES=n (it needs FILES");
    assert_null(strstr(f.names, "FILES"));
}

static void test_did_not_stick(void **state) {
    (void)state;
    struct scan scan;
    struct features f;
    struct config c = {0};
    deduce(&f, &scan);
    assert_true(config_say_text(&c, "CORE=n", "--set"));
    assert_true(config_say(&c, "FILES", "n", CONFIG_KRAFTFILE, "Kraftfile:4:5"));
    assert_true(config_say(&c, "ROOTFS", "y", CONFIG_FILE, ".config:1"));
    said_begin();
    config_apply(&c, &f, &scan, false);
    char *said = said_end();
    assert_said(said, "CONFIG_CORE=n (--set) did not stick: it is in every image");
    assert_said(said, "CONFIG_FILES=n (Kraftfile:4:5) did not stick: CONFIG_ROOTFS=y (.config:1) "
                      "needs it");
    assert_true(find(&f, "CORE")->on && find(&f, "FILES")->on && find(&f, "ROOTFS")->on);

    struct config d = {0}; /* the other way round: the n is the stronger word */
    deduce(&f, &scan);
    assert_true(config_say(&d, "FILES", "n", CONFIG_COMMAND, "--set"));
    assert_true(config_say(&d, "ROOTFS", "y", CONFIG_FILE, ".config:1"));
    said_begin();
    config_apply(&d, &f, &scan, false);
    assert_said(said_end(), "CONFIG_ROOTFS=y (.config:1) did not stick: it needs CONFIG_FILES, "
                            "which --set turns off");
    assert_false(find(&f, "FILES")->on || find(&f, "ROOTFS")->on);
}

static void test_on(void **state) {
    (void)state;
    struct scan scan = {.unknown = false};
    struct features f;
    struct config c = {0};
    features_choose(&scan, &f);
    assert_true(config_say_text(&c, "NAMES=y", "--set"));
    config_apply(&c, &f, &scan, false);
    assert_string_equal(find(&f, "NAMES")->reason, "--set says so");
    assert_string_equal(find(&f, "FILES")->reason, "NAMES needs it");
    /* turned off again, what came along goes too */
    struct features_word off = {"NAMES", false, CONFIG_COMMAND, "--set", NULL};
    features_overrule(&f, &off, 1);
    assert_false(find(&f, "NAMES")->on || find(&f, "FILES")->on);
}

static void test_full(void **state) {
    (void)state;
    struct scan scan;
    struct features f;
    struct config c = {0}, again = {0};
    deduce(&f, &scan);
    assert_true(config_say_text(&c, "MACHINE=q35", "--set"));
    char *text = config_full(&c, &f, "x.elf");
    assert_true(config_parse(&again, "x.config", text, strlen(text), true));
    assert_int_equal(again.words.len, f.count + 6 /* the values */);
    assert_string_equal(config_value(&again, "NAMES"), "y");
    assert_string_equal(config_value(&again, "SOCKETS"), "n");
    assert_string_equal(config_value(&again, "MACHINE"), "q35");
    assert_said(text, "--set says so\nCONFIG_MACHINE=\"q35\"");
}

/* The menu's answer becomes the fewest words. */
static void test_menu(void **state) {
    (void)state;
    struct scan scan;
    struct features f;
    struct config none = {0}, answer = {0}, words;
    deduce(&f, &scan);
    char *text = kconfig_text("a \"b\" \\ c\n", &f);
    assert_said(text, "mainmenu \"zuk: options of a \\\"b\\\" \\\\ c \"\n");
    assert_said(text, "config CORE\n    bool\n    default y");
    assert_said(text, "config NAMES\n    bool \"NAMES: ");
    assert_said(text, "    default y\n    select FILES\n    help\n      By itself on: mkdir.");
    char *start = kconfig_start(&none, &f);
    assert_true(config_parse(&answer, "menu", start, strlen(start), true));
    kconfig_differences(&answer, &f, &f, &words);
    assert_int_equal(words.words.len, 0); /* a visit without a change */

    static const char changed[] = "CONFIG_SOCKETS=y\nCONFIG_INET=y\nCONFIG_VIRTIO=y\n"
                                  "# CONFIG_NAMES is not set\nCONFIG_MACHINE_PC=y\n";
    answer = (struct config){0};
    assert_true(config_parse(&answer, "menu", changed, sizeof changed - 1, true));
    kconfig_differences(&answer, &f, &f, &words);
    assert_string_equal(config_value(&words, "NAMES"), "n");
    assert_string_equal(config_value(&words, "MACHINE"), "pc");
    assert_null(config_value(&words, "VIRTIO"));
    assert_true(words.words.len <= 4); /* INET or SOCKETS brings the others along */
}

static void test_callers_in_reasons(void **state) {
    (void)state;
    struct scan scan = {
        .calls = {[1] = true, [318] = true},
        .from = {[1] = "write", [318] = "getrandom"},
        .callers = {[318] = {.function = "main.serve", .file = "src/main.zig", .line = 14},
                    [1] = {.function = "main.say", .through = "print", .file = "a.zig", .line = 2}},
    };
    struct features f;
    features_choose(&scan, &f);
    assert_string_equal(find(&f, "RANDOM")->reason,
                        "getrandom() is called by main.serve (src/main.zig:14)");
    assert_string_equal(find(&f, "IO")->reason,
                        "write() is called by main.say through print (a.zig:2)");
    assert_true(features_listed("CORE FILES IO", "FILES"));
    assert_true(features_listed("CORE", "CORE"));
    assert_false(features_listed("ROOTFS VIRTIO_PCI", "VIRTIO"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_refused),
        cmocka_unit_test(test_edit),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_did_not_stick),
        cmocka_unit_test(test_on),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_menu),
        cmocka_unit_test(test_callers_in_reasons),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
