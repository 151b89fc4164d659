/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk size IMAGE [--json] [--html OUT] [--diff OTHER]: where the bytes are.
 * zuk inspect IMAGE [--json]: what an image says of itself.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/image.h"
#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/elf_file.h"
#include "zuk/features.h"
#include "zuk/json.h"
#include "zuk/options.h"
#include "zuk/progress.h"
#include "zuk/sizes.h"

enum { SHOWN = 8 }; /* of the source files of a room */

static void print(const struct size_node *n, unsigned depth, uint64_t total) {
    printf("%12llu %5.1f %%  %*s%s\n", (unsigned long long)n->size,
           total == 0 ? 0.0 : 100.0 * (double)n->size / (double)total, (int)(depth * 2), "",
           n->name);
    size_t shown = depth < 2 ? n->children.len : depth == 2 ? SHOWN : 0;
    uint64_t rest = 0;
    size_t hidden = 0;
    for (size_t i = 0; i < n->children.len; i++) {
        if (i < shown) {
            print(n->children.data[i], depth + 1, total);
        } else {
            rest += n->children.data[i]->size;
            hidden++;
        }
    }
    if (shown > 0 && hidden > 0) {
        printf("%12llu          %*s(%zu more)\n", (unsigned long long)rest, (int)(depth * 2 + 2),
               "", hidden);
    }
}

static void print_diff(const struct size_node *n, unsigned depth) {
    if (n->size == n->before) {
        return;
    }
    printf("%12llu -> %-12llu %+10lld  %*s%s\n", (unsigned long long)n->before,
           (unsigned long long)n->size, (long long)(n->size - n->before), (int)(depth * 2), "",
           n->name);
    for (size_t i = 0; i < n->children.len; i++) {
        print_diff(n->children.data[i], depth + 1);
    }
}

static json_t *to_json(const struct size_node *n, bool diff) {
    json_t *o = json_object(), *list = json_array();
    json_object_set_new(o, "name", json_text(n->name));
    json_object_set_new(o, "size", json_integer((json_int_t)n->size));
    if (diff) {
        json_object_set_new(o, "before", json_integer((json_int_t)n->before));
    }
    for (size_t i = 0; i < n->children.len; i++) {
        json_array_append_new(list, to_json(n->children.data[i], diff));
    }
    if (n->children.len > 0) {
        json_object_set(o, "children", list);
    }
    json_decref(list);
    return o;
}

static bool print_json(json_t *value) {
    bool ok = json_dumpf(value, stdout, JSON_INDENT(1)) == 0 && putchar('\n') != EOF;
    json_decref(value);
    return ok;
}

static int finish(bool ok) {
    if (!ok || fflush(stdout) != 0) {
        diag_error("cannot write the answer");
        return EXIT_USER;
    }
    return EXIT_OK;
}

/* One image, and nothing else. */
static int parse(int argc, char **argv, unsigned sets, struct options *o) {
    int status = options_parse(argc, argv, sets | OPTIONS_JSON, o);
    if (status < 0 && o->input_count != 1) {
        diag_error("zuk %s: one image, not %zu", argv[0], o->input_count);
        return EXIT_USAGE;
    }
    if (status < 0 && is_file(o->inputs[0]) && !image_is(o->inputs[0])) {
        diag_error("'%s' is no image", o->inputs[0]);
        diag_hint("'zuk build' makes one");
        return EXIT_USER;
    }
    return status;
}

static bool measure(const struct options *o, struct size_node **tree, struct size_node **other) {
    progress_plan(o->diff == NULL ? 1 : 3);
    progress_step(0, "measuring %s", o->inputs[0]);
    bool ok = sizes_read(o->inputs[0], tree);
    if (ok && o->diff != NULL) {
        progress_step(1, "measuring %s", o->diff);
        ok = sizes_read(o->diff, other);
    }
    progress_end();
    return ok;
}

int cmd_size(int argc, char **argv) {
    struct options o;
    int status = parse(argc, argv, OPTIONS_SIZE, &o);
    if (status >= 0) {
        return status;
    }
    struct size_node *tree, *other = NULL;
    if (!measure(&o, &tree, &other)) {
        return EXIT_USER;
    }
    if (other != NULL) {
        sizes_compare(tree, other);
    }
    sizes_sort(tree);
    if (o.html != NULL) {
        const char *page = sizes_html(tree, tree->name, other == NULL ? NULL : path_base(o.diff));
        if (!write_file(o.html, page, strlen(page))) {
            return EXIT_USER;
        }
    }
    if (o.json) {
        return finish(print_json(to_json(tree, other != NULL)));
    }
    if (other != NULL) {
        print_diff(tree, 0);
        if (tree->size == tree->before) {
            puts("of the same size");
        }
    } else if (o.html == NULL) {
        print(tree, 0, tree->size);
    }
    return finish(true);
}

/* --- inspect ------------------------------------------------------------ */

static const char *policy_word(unsigned policy) {
    static const char *const words[] = {
        "as each call has it", "trap", "enosys", "ignore", "refuse", "deny"};
    return policy < sizeof words / sizeof words[0] ? words[policy] : "?";
}

/* What an image carries of others, with their licences. */
static size_t licences(const struct image_info *i, const uint8_t *app, const char **out) {
    size_t n = 0;
    struct elf_file f;
    const char *why;
    uint64_t value;
    out[n++] = "zuk's kernel: BSD-3-Clause";
    if (features_listed(i->options, "INET")) {
        out[n++] = "lwIP: BSD-3-Clause";
    }
    if (elf_file_open(app, i->app_size, &f, &why)) {
        if (elf_file_symbol(&f, "__init_libc", &value)) {
            out[n++] = "musl: MIT";
        } else if (elf_file_symbol(&f, "__libc_setup_tls", &value)) {
            out[n++] = "glibc: LGPL-2.1-or-later";
        }
    }
    out[n++] = "the app: its own, and that of what it was linked with";
    return n;
}

static json_t *strings(const char *const *list, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_text(list[i]));
    }
    return array;
}

static bool inspect_json(const struct image_info *i, const struct elf_file *f,
                         const char *const *licence, size_t licence_count) {
    json_t *o = json_object(), *segments = json_array(), *policies = json_object();
    for (size_t k = 0; k < f->segment_count; k++) {
        const Elf64_Phdr *p = &f->segments[k];
        if (p->p_type == PT_LOAD) {
            json_array_append_new(segments,
                                  json_pack("{s:I,s:I,s:I,s:I}", "physical", (json_int_t)p->p_paddr,
                                            "offset", (json_int_t)p->p_offset, "file_size",
                                            (json_int_t)p->p_filesz, "memory_size",
                                            (json_int_t)p->p_memsz));
        }
    }
    for (size_t k = 0; k < i->policy_count; k++) {
        const char *name = features_call_name(i->policies[k].number);
        json_object_set_new(policies, name == NULL ? xasprintf("%u", i->policies[k].number) : name,
                            json_string(policy_word(i->policies[k].policy)));
    }
    json_object_set_new(o, "name", json_text(i->name));
    json_object_set_new(o, "kernel",
                        json_string(xasprintf("%016llx", (unsigned long long)i->kernel_id)));
    json_object_set_new(o, "options", json_text(i->options));
    json_object_set_new(o, "arguments", strings(i->args, i->arg_count));
    json_object_set_new(o, "environment", strings(i->env, i->env_count));
    json_object_set_new(o, "undefined", strings(i->stubs, i->stub_count));
    json_object_set_new(o, "missing", json_string(policy_word(i->default_policy)));
    json_object_set_new(o, "policies", policies);
    json_object_set_new(o, "app_size", json_integer((json_int_t)i->app_size));
    json_object_set_new(o, "files_size", json_integer((json_int_t)i->root_size));
    json_object_set_new(o, "memory_end", json_integer((json_int_t)i->end_paddr));
    json_object_set_new(o, "segments", segments);
    json_object_set_new(o, "licences", strings(licence, licence_count));
    if (i->sbom != NULL) {
        json_object_set_new(o, "spdx", json_text(i->sbom));
    }
    return print_json(o);
}

static void print_list(const char *what, const char *const *list, size_t count) {
    for (size_t k = 0; k < count; k++) {
        printf("%-14s %s\n", k == 0 ? what : "", list[k]);
    }
}

static void inspect_text(const struct image_info *i, const struct elf_file *f,
                         const char *const *licence, size_t licence_count) {
    printf("%-14s %s\n", "app", i->name);
    printf("%-14s %016llx, options %s\n", "kernel", (unsigned long long)i->kernel_id, i->options);
    print_list("arguments", i->args, i->arg_count);
    print_list("environment", i->env, i->env_count);
    print_list("undefined", i->stubs, i->stub_count);
    printf("%-14s %s\n", "missing calls", policy_word(i->default_policy));
    for (size_t k = 0; k < i->policy_count; k++) {
        const char *name = features_call_name(i->policies[k].number);
        printf("%-14s %s: %s\n", "", name == NULL ? "?" : name, policy_word(i->policies[k].policy));
    }
    for (size_t k = 0; k < f->segment_count; k++) {
        const Elf64_Phdr *p = &f->segments[k];
        const char *what = p->p_offset == i->manifest_offset                   ? "manifest"
                           : p->p_offset == i->app_offset                      ? "app"
                           : i->root_size > 0 && p->p_offset == i->root_offset ? "files"
                                                                               : "kernel";
        if (p->p_type == PT_LOAD) {
            printf("%-14s %-9s at 0x%llx, %llu bytes in the file, %llu in memory, %s%s%s\n",
                   "segment", what, (unsigned long long)p->p_paddr, (unsigned long long)p->p_filesz,
                   (unsigned long long)p->p_memsz, (p->p_flags & PF_R) != 0 ? "r" : "-",
                   (p->p_flags & PF_W) != 0 ? "w" : "-", (p->p_flags & PF_X) != 0 ? "x" : "-");
        }
    }
    print_list("licences", licence, licence_count);
    if (i->sbom != NULL) {
        printf("\n%s", i->sbom);
    }
}

int cmd_inspect(int argc, char **argv) {
    struct options o;
    struct image_info info;
    struct file_map map;
    struct elf_file f;
    const char *why, *licence[8];
    int status = parse(argc, argv, 0, &o);
    if (status >= 0) {
        return status;
    }
    if (!image_open(o.inputs[0], &info) || !file_map(o.inputs[0], &map)) {
        return EXIT_USER;
    }
    if (!elf_file_open(map.data, map.size, &f, &why)) {
        diag_error("'%s' %s", o.inputs[0], why);
        return EXIT_USER;
    }
    size_t count = licences(&info, map.data + info.app_offset, licence);
    bool ok = true;
    if (o.json) {
        ok = inspect_json(&info, &f, licence, count);
    } else {
        inspect_text(&info, &f, licence, count);
    }
    return finish(ok);
}
