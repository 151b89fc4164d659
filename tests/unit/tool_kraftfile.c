/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/kraftfile.c: every key of the specification, both spellings, and what is
 * refused, with its line and column.
 */
#include "tool_scratch.h"

#include "zuk/kraftfile.h"

static bool parse(const char *text, struct kraftfile *k, struct config *c) {
    *c = (struct config){0};
    return kraftfile_parse("Kraftfile", text, strlen(text), k, c);
}

static void test_all_keys(void **state) {
    (void)state;
    static const char text[] = "specification: v0.5\n"
                               "name: httpd\n"
                               "unikraft:\n"
                               "  version: stable\n"
                               "  source: somewhere\n"
                               "  kconfig:\n"
                               "  - CONFIG_POLL=y\n"
                               "  - CONFIG_LIBVFSCORE=y\n"
                               "libraries: {musl: stable}\n"
                               "targets:\n"
                               "- fc/arm64\n"
                               "- plat: qemu\n"
                               "  arch: x86_64\n"
                               "  kconfig:\n"
                               "    CONFIG_FILES: no\n"
                               "- name: other\n"
                               "  architecture: arm64\n"
                               "  platform: {name: qemu}\n"
                               "cmd: one \"two words\" 'it''s'\n"
                               "env: {A: b, EMPTY: ''}\n"
                               "rootfs: {source: ./root, type: dir}\n"
                               "volumes: [./a:/b]\n"
                               "ports: ['8080:80', 53:53/udp]\n"
                               "labels: {a: b}\n"
                               "template: app/x\n"
                               "runtime: base:latest\n"
                               "x-of-mine: {anything: [goes]}\n";
    struct kraftfile k;
    struct config c;
    assert_true(parse(text, &k, &c));
    assert_string_equal(k.name, "httpd");
    assert_int_equal(k.args.len, 3);
    assert_string_equal(k.args.data[1], "two words");
    assert_int_equal(k.env.len, 2);
    assert_string_equal(k.env.data[0], "A=b");
    assert_string_equal(k.env.data[1], "EMPTY=");
    assert_string_equal(k.rootfs, "./root");
    assert_int_equal(k.ports.len, 2);
    assert_string_equal(k.ports.data[1].text, "53:53/udp");
    assert_string_equal(k.ports.data[1].where, "Kraftfile:23:20");
    assert_string_equal(config_value(&c, "POLL"), "y");
    assert_string_equal(config_word(&c, "POLL")->where, "Kraftfile:7:5");
    assert_string_equal(config_value(&c, "FILES"), "n");
    static const char *const idle[] = {"unikraft.version (line 4)",
                                       "unikraft.source (line 5)",
                                       "kconfig CONFIG_LIBVFSCORE (line 8)",
                                       "libraries (line 9)",
                                       "target fc/arm64 (line 11)",
                                       "target qemu/arm64 (line 16)",
                                       "rootfs.type (line 21)",
                                       "volume ./a:/b (line 22)"};
    for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++) {
        bool found = false;
        for (size_t n = 0; n < k.idle.len; n++) {
            found |= strncmp(k.idle.data[n], idle[i], strcspn(idle[i], "(")) == 0;
        }
        if (!found) {
            fail_msg("%s is not said to have no meaning", idle[i]);
        }
    }
    assert_int_equal(k.idle.len, sizeof idle / sizeof idle[0] + 3);
}

static void test_forms(void **state) {
    (void)state;
    struct kraftfile k;
    struct config c;
    assert_true(parse("", &k, &c));
    assert_true(parse("# nothing\n", &k, &c));
    assert_true(parse("name:\ncmd: ~\nenv:\n", &k, &c)); /* left open */
    assert_true(k.name == NULL && !k.has_args && k.env.len == 0);
    assert_true(parse("cmd: []\n", &k, &c));
    assert_true(k.has_args && k.args.len == 0);
    assert_true(parse("spec: 'v0.6'\ncmd: [-p, '80']\nenv: [A=b=c]\nrootfs: x.cpio\n"
                      "unikraft: v0.16.1\ntargets: [qemu/x86_64, kvm]\n",
                      &k, &c));
    assert_string_equal(k.args.data[0], "-p");
    assert_string_equal(k.env.data[0], "A=b=c");
    assert_string_equal(k.rootfs, "x.cpio");
    said_begin();
    assert_true(parse("targets: [fc/arm64]\n", &k, &c));
    assert_said(said_end(), "Kraftfile:1:10: none of the targets is qemu/x86_64");
}

/* What v0.4, v0.5 and the schema of v0.6 allow beside the usual forms. */
static void test_older(void **state) {
    (void)state;
    struct kraftfile k;
    struct config c;
    assert_true(parse("specification: '0.5'\n"
                      "outdir: build\n"
                      "unikraft: {version: 0.5, kconfig: [CONFIG_POLL=y]}\n"
                      "targets:\n"
                      "- name: a\n"
                      "  architecture: {name: x86_64, kconfig: {CONFIG_EPOLL: y}}\n"
                      "  platform: {name: kvm, kconfig: [CONFIG_FILES=y], memory: 64}\n"
                      "  initrd: {output: x.cpio}\n"
                      "  command: -p 80\n"
                      "- {architecture: x86_64, platform: xen, command: never}\n"
                      "volumes:\n"
                      "- {driver: 9pfs, source: ./data, destination: /data}\n"
                      "- {driver: initrd, source: ./root, destination: /}\n"
                      "- ./a:/b:ro\n",
                      &k, &c));
    assert_int_equal(k.args.len, 2);
    assert_string_equal(k.args.data[1], "80");
    assert_string_equal(k.rootfs, "./root");
    assert_string_equal(config_value(&c, "EPOLL"), "y");
    assert_string_equal(config_value(&c, "FILES"), "y");
    static const char *const idle[] = {
        "outdir (line 2)",           "unikraft.version (line 3)",   "targets.plat.memory (line 7)",
        "targets.initrd (line 8)",   "target xen/x86_64 (line 10)", "volume /data (line 12)",
        "volume ./a:/b:ro (line 14)"};
    assert_int_equal(k.idle.len, sizeof idle / sizeof idle[0]);
    for (size_t i = 0; i < k.idle.len; i++) {
        bool found = false;
        for (size_t n = 0; n < k.idle.len; n++) {
            found |= strcmp(k.idle.data[n], idle[i]) == 0;
        }
        if (!found) {
            fail_msg("%s is not said to have no meaning", idle[i]);
        }
    }
    /* cmd and rootfs win over their older places, wherever they stand */
    assert_true(parse("cmd: [new]\nrootfs: [./new]\n"
                      "volumes: [{driver: initrd, source: old, destination: /}]\n"
                      "targets: [{plat: qemu, arch: x86_64, command: [old, older]}]\n",
                      &k, &c));
    assert_int_equal(k.args.len, 1);
    assert_string_equal(k.rootfs, "./new");
    assert_true(parse("targets: [{plat: qemu/x86_64, command: [old, older]}]\ncmd: [new]\n"
                      "volumes: [{type: initrd, source: old}]\nrootfs: {source: ./new}\n",
                      &k, &c));
    assert_int_equal(k.args.len, 1);
    assert_string_equal(k.args.data[0], "new");
    assert_string_equal(k.rootfs, "./new");
}

static void test_aliases(void **state) {
    (void)state;
    struct kraftfile k;
    struct config c;
    assert_true(parse("x-common: &common {A: '1', B: '2'}\n"
                      "x-other: &other {B: '3', C: '4'}\n"
                      "name: &n app\n"
                      "env: {<<: [*common, *other], A: *n}\n"
                      "cmd: [*n, &n two, *n]\n",
                      &k, &c));
    assert_int_equal(k.env.len, 3);
    assert_string_equal(k.env.data[0], "A=app");
    assert_string_equal(k.env.data[1], "B=2");
    assert_string_equal(k.env.data[2], "C=4");
    assert_int_equal(k.args.len, 3);
    assert_string_equal(k.args.data[0], "app");
    assert_string_equal(k.args.data[2], "two");
    assert_true(parse("x-a: &a {CONFIG_POLL: y}\nunikraft: {kconfig: *a}\n", &k, &c));
    assert_string_equal(config_value(&c, "POLL"), "y");
    assert_true(parse("env: {'<<': x}\n", &k, &c)); /* quoted: a name like others */
    assert_string_equal(k.env.data[0], "<<=x");

    /* lists of lists, each of nine of the one before */
    char bomb[2000] = "x-0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 9; i++) {
        size_t at = strlen(bomb);
        snprintf(bomb + at, sizeof bomb - at,
                 "x-%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    said_begin();
    assert_false(parse(bomb, &k, &c));
    assert_said(said_end(), "the file has too many parts");
    /* few parts, many bytes */
    char *text = xalloc(200 << 10);
    strcpy(text, "x-l: &l ");
    memset(text + 8, 'a', 100 << 10);
    strcat(text, "\nenv: {A: *l, B: *l, C: *l}\n");
    said_begin();
    assert_false(parse(text, &k, &c));
    assert_said(said_end(), "Kraftfile:2:17: the file has too many parts");
    /* deep by aliases only */
    strcpy(text, "x-0: &d0 [x]\n");
    for (int i = 1; i < 20; i++) {
        sprintf(text + strlen(text), "x-%d: &d%d [*d%d]\n", i, i, i - 1);
    }
    said_begin();
    assert_false(parse(text, &k, &c));
    assert_said(said_end(), "the file is nested too deeply");
    *text = '\0';
    for (int i = 0; i < 300; i++) {
        sprintf(text + strlen(text), "x-%d: &n%d x\n", i, i);
    }
    said_begin();
    assert_false(parse(text, &k, &c));
    assert_said(said_end(), "the file has too many anchors");
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"nmae: x\n", "Kraftfile:1:1: there is no key 'nmae'\n  hint: did you mean 'name'?"},
        {"name: x\nunikraft:\n  kconfg: {}\n",
         "Kraftfile:3:3: there is no key 'kconfg' in unikraft\n  hint: did you mean 'kconfig'?"},
        {"name: [a]\n", "Kraftfile:1:7: name is a text, not a list"},
        {"cmd: {a: b}\n", "Kraftfile:1:6: cmd is a list of arguments, not a map"},
        {"cmd: [[a]]\n", "Kraftfile:1:7: an argument is a text, not a list"},
        {"env: x\n", "Kraftfile:1:6: env is a map or a list of NAME=VALUE, not a text"},
        {"env: [A]\n", "Kraftfile:1:7: 'A' is no NAME=VALUE"},
        {"env: {A=b: c}\n", "Kraftfile:1:7: 'A=b' is no name of a variable"},
        {"ports: 80\n", "Kraftfile:1:8: ports is a list of HOST:GUEST, not a text"},
        {"targets: x86_64\n", "Kraftfile:1:10: targets is a list, not a text"},
        {"targets: [{plot: qemu}]\n", "there is no key 'plot' in targets"},
        {"spec: v9\n", "Kraftfile:1:7: spec 'v9' is not known"},
        {"name: a/b\n", "Kraftfile:1:7: 'a/b' is no name for an image"},
        {"name: a\nname: b\n", "Kraftfile:2:1: 'name' is there twice, first in line 1"},
        {"- a\n", "Kraftfile:1:1: a Kraftfile is a map of keys, not a list"},
        {"unikraft: {kconfig: {CONFIG_FILES: maybe}}\n", "CONFIG_FILES is y or n, not 'maybe'"},
        {"unikraft: {kconfig: [CONFIG_FILES]}\n", "'CONFIG_FILES' is not CONFIG_OPTION=VALUE"},
        {"x-a: &x [*x]\n", "Kraftfile:1:10: *x stands for what it is a part of"},
        {"x-a: &x {b: {c: *x}}\n", "*x stands for what it is a part of"},
        {"name: *x\nx-a: &x y\n", "Kraftfile:1:7: there is no &x above"},
        {"x-a: &x [1]\nname: *x\n", "Kraftfile:2:7: name is a text, not a list"},
        {"env: {<<: [a]}\n", "Kraftfile:1:12: what << merges is a map"},
        {"env: {<<: a}\n", "Kraftfile:1:11: what << merges is a map"},
        {"volumes: {a: b}\n", "Kraftfile:1:10: volumes is a list of volumes, not a map"},
        {"volumes: [[a]]\n", "a volume is SOURCE:DESTINATION or a map, not a list"},
        {"volumes: [{drivre: initrd}]\n",
         "no key 'drivre' in volumes\n  hint: did you mean 'driver'?"},
        {"targets: [{arch: [x86_64]}]\n", "a target's part is a text, not a list"},
        {"targets: [{arch: {nmae: x86_64}}]\n", "no key 'nmae' in targets.arch"},
        {"rootfs: [a, b]\n", "Kraftfile:1:9: rootfs is a folder or an archive, not a list"},
        {"name: x\n---\nname: y\n", "Kraftfile:2:1: a second document"},
        {"name: \"x\n", "this is no YAML: "},
        {"\tname: x\n", "Kraftfile:1:1: this is no YAML: "},
        {"name: \"a\\0b\"\n", "Kraftfile:1:7: the text holds a NUL byte"},
        {"a: [[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]\n", "the file is nested too deeply"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kraftfile k;
        struct config c;
        said_begin();
        bool ok = parse(bad[i].text, &k, &c);
        char *said = said_end();
        assert_said(said, bad[i].says);
        assert_false(ok);
    }
}

static void test_large(void **state) {
    (void)state;
    struct kraftfile k;
    struct config c;
    size_t size = 300 << 10;
    char *text = xalloc(size + 1);
    memset(text, '#', size);
    said_begin();
    assert_false(parse(text, &k, &c));
    assert_said(said_end(), "larger than 256 KiB");
    strcpy(text, "cmd: [");
    for (size_t i = 6; i < 60000; i += 2) {
        memcpy(text + i, "a,", 3);
    }
    said_begin();
    assert_false(parse(text, &k, &c));
    assert_said(said_end(), "the file has too many parts");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_keys), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_older),    cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
