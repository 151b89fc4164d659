/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kraftfiles: libyaml's events -> a bounded tree -> settings (kraftfile.h).
 * Source: the Kraftfile reference, v0.6.
 */
#include "zuk/kraftfile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "zuk/diag.h"
#include "zuk/options.h"

enum { SIZE_MAX_BYTES = 256 << 10, DEPTH_MAX = 16, NODES_MAX = 10000 };

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    unsigned line, column; /* from 1 */
    const char *text;      /* NODE_SCALAR */
    bool quoted;
    VEC(struct node *) items; /* NODE_MAP: key, value, key, value */
};

struct reader {
    yaml_parser_t parser;
    const char *path;
    size_t nodes;
    bool failed;
    struct kraftfile *out;
    struct config *config;
};

/* --- the tree ----------------------------------------------------------- */

static const char *place(const struct reader *r, const struct node *n) {
    return xasprintf("%s:%u:%u", r->path, n->line, n->column);
}

static struct node *refuse(struct reader *r, const yaml_mark_t *at, const char *what) {
    diag_error("%s:%zu:%zu: %s", r->path, at->line + 1, at->column + 1, what);
    r->failed = true;
    return NULL;
}

static bool next(struct reader *r, yaml_event_t *event) {
    if (yaml_parser_parse(&r->parser, event)) {
        return true;
    }
    const yaml_parser_t *p = &r->parser;
    yaml_mark_t at = p->problem_mark;
    refuse(r, &at,
           xasprintf("this is no YAML: %s", p->problem == NULL ? "it cannot be read" : p->problem));
    return false;
}

static struct node *read_node(struct reader *r, yaml_event_t *event, unsigned depth);

static struct node *read_items(struct reader *r, struct node *n, yaml_event_type_t end,
                               unsigned depth) {
    for (;;) {
        yaml_event_t event;
        if (!next(r, &event)) {
            return NULL;
        }
        if (event.type == end) {
            yaml_event_delete(&event);
            break;
        }
        struct node *item = read_node(r, &event, depth + 1); /* deletes the event */
        if (item == NULL) {
            return NULL;
        }
        *vec_push(&n->items) = item;
    }
    return n;
}

/* The node that an event begins; the event is deleted. */
static struct node *read_node(struct reader *r, yaml_event_t *event, unsigned depth) {
    yaml_mark_t at = event->start_mark;
    yaml_event_type_t type = event->type;
    struct node *n = xalloc(sizeof *n);
    n->line = (unsigned)at.line + 1;
    n->column = (unsigned)at.column + 1;
    if (type == YAML_SCALAR_EVENT) {
        const char *value = (const char *)event->data.scalar.value;
        size_t length = event->data.scalar.length;
        n->text = xstrndup(value, length);
        n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        bool nul = memchr(value, 0, length) != NULL;
        yaml_event_delete(event);
        if (nul) {
            return refuse(r, &at, "the text holds a NUL byte");
        }
    } else {
        yaml_event_delete(event);
    }
    if (++r->nodes > NODES_MAX) {
        return refuse(r, &at, "the file has too many parts");
    }
    switch (type) {
    case YAML_SCALAR_EVENT:
        return n;
    case YAML_ALIAS_EVENT:
        return refuse(r, &at, "aliases (*name) are not taken: write the value out");
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        if (depth >= DEPTH_MAX) {
            return refuse(r, &at, "the file is nested too deeply");
        }
        n->kind = type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
        return read_items(
            r, n, n->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth);
    default:
        return refuse(r, &at, "this is not expected here");
    }
}

/* The only document's node; NULL after diag_error or when there is none. */
static struct node *read_document(struct reader *r) {
    struct node *root = NULL;
    for (bool more = true; more && !r->failed;) {
        yaml_event_t event;
        if (!next(r, &event)) {
            return NULL;
        }
        switch (event.type) {
        case YAML_STREAM_END_EVENT:
            more = false;
            yaml_event_delete(&event);
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            yaml_event_delete(&event);
            break;
        case YAML_DOCUMENT_START_EVENT: {
            yaml_mark_t at = event.start_mark;
            yaml_event_delete(&event);
            if (root != NULL) {
                return refuse(r, &at, "a second document: a Kraftfile is one");
            }
            break;
        }
        default:
            root = read_node(r, &event, 0);
            break;
        }
    }
    return r->failed ? NULL : root;
}

/* --- what the keys mean ------------------------------------------------- */

static void wrong_type(struct reader *r, const struct node *n, const char *key,
                       const char *wanted) {
    static const char *const kinds[] = {"a text", "a list", "a map"};
    diag_error("%s: %s is %s, not %s", place(r, n), key, wanted, kinds[n->kind]);
    r->failed = true;
}

static void idle(struct reader *r, const struct node *n, const char *key) {
    *vec_push(&r->out->idle) = xasprintf("%s (line %u)", key, n->line);
}

typedef void taker(struct reader *r, const struct node *n, const char *key);

struct key {
    const char *name;
    taker *take; /* NULL: has no meaning here */
};

static bool is_null(const struct node *n) {
    return n->kind == NODE_SCALAR && !n->quoted &&
           (*n->text == '\0' || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

/* Hands each pair of a map to the taker of its key. */
static void take_map(struct reader *r, const struct node *n, const char *what,
                     const struct key *keys) {
    for (size_t i = 0; i + 1 < n->items.len; i += 2) {
        const struct node *name = n->items.data[i], *value = n->items.data[i + 1];
        if (name->kind != NODE_SCALAR) {
            wrong_type(r, name, "a key", "a text");
            continue;
        }
        for (size_t k = 0; k < i; k += 2) {
            const struct node *other = n->items.data[k];
            if (other->kind == NODE_SCALAR && strcmp(other->text, name->text) == 0) {
                diag_error("%s: '%s' is there twice, first in line %u", place(r, name), name->text,
                           other->line);
                r->failed = true;
            }
        }
        const struct key *k = keys;
        VEC(const char *) names = {0};
        for (; k->name != NULL && strcmp(k->name, name->text) != 0; k++) {
            *vec_push(&names) = k->name;
        }
        *vec_push(&names) = NULL;
        const char *full =
            *what == '\0' ? k->name : xasprintf("%s.%s", what, k->name == NULL ? "" : k->name);
        if (k->name != NULL && k->take != NULL && !is_null(value)) {
            k->take(r, value, full);
        } else if (k->name != NULL && k->take == NULL) {
            idle(r, name, full);
        } else if (k->name == NULL && strncmp(name->text, "x-", 2) != 0) {
            diag_error("%s: there is no key '%s'%s", place(r, name), name->text,
                       *what == '\0' ? "" : xasprintf(" in %s", what));
            const char *nearest = options_nearest(name->text, names.data);
            if (nearest != NULL) {
                diag_hint("did you mean '%s'?", nearest);
            }
            r->failed = true;
        }
    }
}

static void take_spec(struct reader *r, const struct node *n, const char *key) {
    if (n->kind != NODE_SCALAR) {
        wrong_type(r, n, key, "a version such as v0.6");
        return;
    }
    const char *v = n->text + (*n->text == 'v');
    if (strcmp(v, "0.4") != 0 && strcmp(v, "0.5") != 0 && strcmp(v, "0.6") != 0) {
        diag_error("%s: %s '%s' is not known: v0.6 is the newest", place(r, n), key, n->text);
        r->failed = true;
    }
}

static void take_name(struct reader *r, const struct node *n, const char *key) {
    if (n->kind != NODE_SCALAR) {
        wrong_type(r, n, key, "a text");
    } else if (*n->text == '\0' || strpbrk(n->text, "/\n") != NULL || *n->text == '.') {
        diag_error("%s: '%s' is no name for an image", place(r, n), n->text);
        r->failed = true;
    } else {
        r->out->name = n->text;
    }
}

/* A list of words, or one text that spaces divide (quotes keep them together). */
static void take_cmd(struct reader *r, const struct node *n, const char *key) {
    r->out->has_args = true;
    if (n->kind == NODE_MAP) {
        wrong_type(r, n, key, "a list of arguments");
        return;
    }
    for (size_t i = 0; i < n->items.len; i++) {
        if (n->items.data[i]->kind != NODE_SCALAR) {
            wrong_type(r, n->items.data[i], "an argument", "a text");
            return;
        }
        *vec_push(&r->out->args) = n->items.data[i]->text;
    }
    const char *s = n->kind == NODE_SCALAR ? n->text : "";
    while (*(s += strspn(s, " \t\n")) != '\0') {
        char *word = xalloc(strlen(s) + 1), *to = word;
        for (char quote = 0; *s != '\0' && (quote != 0 || strchr(" \t\n", *s) == NULL); s++) {
            if (*s == quote) {
                quote = 0;
            } else if (quote == 0 && (*s == '"' || *s == '\'')) {
                quote = *s;
            } else {
                *to++ = *s;
            }
        }
        *vec_push(&r->out->args) = word;
    }
}

static void take_env(struct reader *r, const struct node *n, const char *key) {
    if (n->kind == NODE_SCALAR) {
        wrong_type(r, n, key, "a map or a list of NAME=VALUE");
        return;
    }
    size_t step = n->kind == NODE_MAP ? 2 : 1;
    for (size_t i = 0; i + step <= n->items.len; i += step) {
        const struct node *name = n->items.data[i], *value = n->items.data[i + step - 1];
        if (name->kind != NODE_SCALAR || value->kind != NODE_SCALAR) {
            wrong_type(r, name->kind != NODE_SCALAR ? name : value, "a variable", "a text");
        } else if (*name->text == '\0' || *name->text == '=' ||
                   (step == 1) != (strchr(name->text, '=') != NULL)) {
            diag_error("%s: '%s' is no %s", place(r, name), name->text,
                       step == 1 ? "NAME=VALUE" : "name of a variable");
            r->failed = true;
        } else {
            *vec_push(&r->out->env) =
                step == 1 ? name->text : xasprintf("%s=%s", name->text, value->text);
        }
    }
}

static void take_rootfs_source(struct reader *r, const struct node *n, const char *key) {
    if (n->kind != NODE_SCALAR) {
        wrong_type(r, n, key, "a folder or an archive");
        return;
    }
    r->out->rootfs = n->text;
    r->out->rootfs_where = place(r, n);
}

static void take_rootfs(struct reader *r, const struct node *n, const char *key) {
    static const struct key keys[] = {
        {"source", take_rootfs_source}, {"type", NULL}, {"format", NULL}, {NULL, NULL}};
    if (n->kind == NODE_MAP) {
        take_map(r, n, key, keys);
    } else {
        take_rootfs_source(r, n, key);
    }
}

static void take_ports(struct reader *r, const struct node *n, const char *key) {
    if (n->kind != NODE_LIST) {
        wrong_type(r, n, key, "a list of HOST:GUEST");
        return;
    }
    for (size_t i = 0; i < n->items.len; i++) {
        const struct node *item = n->items.data[i];
        if (item->kind != NODE_SCALAR) {
            wrong_type(r, item, "a port", "HOST:GUEST");
            continue;
        }
        *vec_push(&r->out->ports) = (struct kraftfile_port){item->text, place(r, item)};
    }
}

/* One option: ours becomes a word, another's is Unikraft's. */
static void take_option(struct reader *r, const struct node *at, const char *name,
                        const char *value) {
    static const struct {
        const char *yaml, *value;
    } words[] = {{"yes", "y"}, {"true", "y"},  {"on", "y"},
                 {"no", "n"},  {"false", "n"}, {"off", "n"}};
    const struct config_option *o = config_option(name);
    if (o == NULL) {
        idle(r, at, xasprintf("kconfig %s", name));
        return;
    }
    if (o->kind == CONFIG_FEATURE || o->kind == CONFIG_BOOL) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            value = strcasecmp(words[i].yaml, value) == 0 ? words[i].value : value;
        }
    }
    r->failed |= !config_say(r->config, name, value, CONFIG_KRAFTFILE, place(r, at));
}

static void take_kconfig(struct reader *r, const struct node *n, const char *key) {
    if (n->kind == NODE_SCALAR) {
        wrong_type(r, n, key, "a map or a list of CONFIG_OPTION=VALUE");
        return;
    }
    size_t step = n->kind == NODE_MAP ? 2 : 1;
    for (size_t i = 0; i + step <= n->items.len; i += step) {
        const struct node *name = n->items.data[i], *value = n->items.data[i + step - 1];
        const char *equals = name->kind == NODE_SCALAR ? strchr(name->text, '=') : NULL;
        if (name->kind != NODE_SCALAR || value->kind != NODE_SCALAR) {
            wrong_type(r, name->kind != NODE_SCALAR ? name : value, "an option", "a text");
        } else if (step == 2) {
            take_option(r, name, name->text, value->text);
        } else if (equals == NULL) {
            diag_error("%s: '%s' is not CONFIG_OPTION=VALUE", place(r, name), name->text);
            r->failed = true;
        } else {
            take_option(r, name, xstrndup(name->text, (size_t)(equals - name->text)), equals + 1);
        }
    }
}

static void take_unikraft(struct reader *r, const struct node *n, const char *key) {
    static const struct key keys[] = {
        {"source", NULL}, {"version", NULL}, {"kconfig", take_kconfig}, {NULL, NULL}};
    if (n->kind == NODE_MAP) {
        take_map(r, n, key, keys);
    } else if (n->kind == NODE_SCALAR) {
        idle(r, n, key); /* a version */
    } else {
        wrong_type(r, n, key, "a map or a version");
    }
}

/* --- targets ------------------------------------------------------------ */

static void take_nothing(struct reader *r, const struct node *n, const char *key) {
    (void)r, (void)n, (void)key; /* target_of() has looked at it */
}

static const struct node *value_of(const struct node *map, const char *a, const char *b) {
    for (size_t i = 0; i + 1 < map->items.len; i += 2) {
        const struct node *name = map->items.data[i];
        if (name->kind == NODE_SCALAR &&
            (strcmp(name->text, a) == 0 || strcmp(name->text, b) == 0)) {
            return map->items.data[i + 1];
        }
    }
    return NULL;
}

/* Do we build that one?  "qemu/x86_64", or its parts; NULL parts fit. */
static bool is_our_target(const char *plat, const char *arch) {
    return (plat == NULL || strcmp(plat, "qemu") == 0 || strcmp(plat, "kvm") == 0) &&
           (arch == NULL || strcmp(arch, "x86_64") == 0 || strcmp(arch, "amd64") == 0);
}

static bool take_target(struct reader *r, const struct node *n) {
    static const struct key keys[] = {{"name", take_nothing},
                                      {"plat", take_nothing},
                                      {"platform", take_nothing},
                                      {"arch", take_nothing},
                                      {"architecture", take_nothing},
                                      {"kconfig", take_nothing},
                                      {NULL, NULL}};
    const char *plat = NULL, *arch = NULL;
    const struct node *kconfig = NULL;
    if (n->kind == NODE_SCALAR) {
        const char *slash = strchr(n->text, '/');
        plat = slash == NULL ? n->text : xstrndup(n->text, (size_t)(slash - n->text));
        arch = slash == NULL ? NULL : slash + 1;
    } else if (n->kind == NODE_MAP) {
        take_map(r, n, "targets", keys);
        const struct node *p = value_of(n, "plat", "platform"),
                          *a = value_of(n, "arch", "architecture");
        const struct node *part =
            p != NULL && p->kind == NODE_MAP ? value_of(p, "name", "name") : p;
        const char *slash;
        if ((part != NULL && part->kind != NODE_SCALAR) || (a != NULL && a->kind != NODE_SCALAR)) {
            wrong_type(r, part != NULL && part->kind != NODE_SCALAR ? part : a, "a target's part",
                       "a text");
            return false;
        }
        plat = part == NULL ? NULL : part->text;
        arch = a == NULL ? NULL : a->text;
        if (plat != NULL && arch == NULL && (slash = strchr(plat, '/')) != NULL) {
            arch = slash + 1;
            plat = xstrndup(plat, (size_t)(slash - plat));
        }
        kconfig = value_of(n, "kconfig", "kconfig");
    } else {
        wrong_type(r, n, "a target", "PLATFORM/ARCHITECTURE or a map");
        return false;
    }
    if (!is_our_target(plat, arch)) {
        idle(r, n, xasprintf("target %s/%s", plat == NULL ? "*" : plat, arch == NULL ? "*" : arch));
        return false;
    }
    if (kconfig != NULL && !is_null(kconfig)) {
        take_kconfig(r, kconfig, "targets.kconfig");
    }
    return true;
}

static void take_targets(struct reader *r, const struct node *n, const char *key) {
    if (n->kind != NODE_LIST) {
        wrong_type(r, n, key, "a list");
        return;
    }
    bool ours = n->items.len == 0;
    bool before = r->failed;
    for (size_t i = 0; i < n->items.len; i++) {
        ours |= take_target(r, n->items.data[i]);
    }
    if (!ours && r->failed == before) {
        diag_warning("%s: none of the targets is qemu/x86_64, which is what zuk builds",
                     place(r, n));
    }
}

static const struct key top_keys[] = {
    {"spec", take_spec},
    {"specification", take_spec},
    {"name", take_name},
    {"unikraft", take_unikraft},
    {"libraries", NULL},
    {"targets", take_targets},
    {"cmd", take_cmd},
    {"env", take_env},
    {"rootfs", take_rootfs},
    {"volumes", NULL},
    {"ports", take_ports},
    {"labels", NULL},
    {"template", NULL},
    {"runtime", NULL},
    {NULL, NULL},
};

bool kraftfile_parse(const char *path, const char *text, size_t size, struct kraftfile *out,
                     struct config *config) {
    struct reader r = {.path = path, .out = out, .config = config};
    *out = (struct kraftfile){0};
    if (size > SIZE_MAX_BYTES) {
        diag_error("'%s' is no Kraftfile: it is larger than %d KiB", path, SIZE_MAX_BYTES >> 10);
        return false;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        diag_error("'%s' cannot be read: out of memory", path);
        return false;
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    const struct node *root = read_document(&r);
    yaml_parser_delete(&r.parser);
    if (r.failed || root == NULL || is_null(root)) {
        return !r.failed;
    }
    if (root->kind != NODE_MAP) {
        wrong_type(&r, root, "a Kraftfile", "a map of keys");
        return false;
    }
    take_map(&r, root, "", top_keys);
    return !r.failed;
}

const char *kraftfile_find(const char *folder) {
    static const char *const names[] = {"Kraftfile", "kraft.yaml", "kraft.yml"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *path = strcmp(folder, ".") == 0 ? names[i] : path_join(folder, names[i]);
        if (is_file(path)) {
            return path;
        }
    }
    return NULL;
}
