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

enum { SIZE_MAX_BYTES = 256 << 10, DEPTH_MAX = 16, NODES_MAX = 10000, ANCHORS_MAX = 256 };

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    unsigned line, column; /* from 1 */
    const char *text;      /* NODE_SCALAR */
    bool quoted;
    VEC(struct node *) items; /* NODE_MAP: key, value, key, value */
    /* As if every alias in it were written out. */
    size_t parts, bytes;
    unsigned height;
};

/* &name; node is NULL while it is being read: an alias in there is a cycle. */
struct anchor {
    const char *name;
    const struct node *node;
};

struct reader {
    yaml_parser_t parser;
    const char *path;
    size_t nodes; /* read so far, aliases written out; and the bytes of their texts */
    size_t bytes;
    VEC(struct anchor) anchors;
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

/* Counts what a node brings; false after diag_error. */
static bool afford(struct reader *r, const yaml_mark_t *at, size_t parts, size_t bytes) {
    r->nodes += parts;
    r->bytes += bytes;
    if (r->nodes > NODES_MAX || r->bytes > SIZE_MAX_BYTES) {
        refuse(r, at, "the file has too many parts");
        return false;
    }
    return true;
}

static struct node *read_node(struct reader *r, yaml_event_t *event, unsigned depth);

static void add_item(struct node *n, struct node *item) {
    *vec_push(&n->items) = item;
    n->parts += item->parts;
    n->bytes += item->bytes;
    n->height = item->height + 1 > n->height ? item->height + 1 : n->height;
}

static bool has_key(const struct node *map, const char *key) {
    for (size_t i = 0; i + 1 < map->items.len; i += 2) {
        const struct node *k = map->items.data[i];
        if (k->kind == NODE_SCALAR && strcmp(k->text, key) == 0) {
            return true;
        }
    }
    return false;
}

/* Pairs of `from` whose keys `to` lacks; false after diag_error. */
static bool merge_pairs(struct reader *r, struct node *to, const struct node *from) {
    if (from->kind != NODE_MAP) {
        diag_error("%s: what << merges is a map, or a list of maps", place(r, from));
        r->failed = true;
        return false;
    }
    for (size_t i = 0; i + 1 < from->items.len; i += 2) {
        struct node *key = from->items.data[i];
        if (key->kind == NODE_SCALAR && !has_key(to, key->text)) {
            add_item(to, key);
            add_item(to, from->items.data[i + 1]);
        }
    }
    return true;
}

/* `<<: *base`, YAML's merge key: the map's own keys win, then those named first. */
static struct node *merge(struct reader *r, struct node *n) {
    struct node own = *n;
    VEC(const struct node *) merged = {0};
    n->items.data = NULL;
    n->items.len = n->items.cap = 0;
    for (size_t i = 0; i + 1 < own.items.len; i += 2) {
        const struct node *key = own.items.data[i];
        if (key->kind == NODE_SCALAR && !key->quoted && strcmp(key->text, "<<") == 0) {
            *vec_push(&merged) = own.items.data[i + 1];
        } else {
            add_item(n, own.items.data[i]);
            add_item(n, own.items.data[i + 1]);
        }
    }
    n->parts = own.parts; /* it was paid for where it is written */
    n->bytes = own.bytes;
    n->height = own.height;
    for (size_t i = 0; i < merged.len; i++) {
        const struct node *from = merged.data[i];
        for (size_t k = 0; from->kind == NODE_LIST && k < from->items.len; k++) {
            if (!merge_pairs(r, n, from->items.data[k])) {
                return NULL;
            }
        }
        if (from->kind != NODE_LIST && !merge_pairs(r, n, from)) {
            return NULL;
        }
    }
    return n;
}

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
        add_item(n, item);
    }
    return n->kind == NODE_MAP && has_key(n, "<<") ? merge(r, n) : n;
}

/* The node that an alias stands for, with the alias's place. */
static struct node *follow(struct reader *r, const yaml_mark_t *at, const char *name,
                           unsigned depth) {
    const struct anchor *anchor = NULL;
    for (size_t i = r->anchors.len; i > 0 && anchor == NULL; i--) {
        const struct anchor *a = &r->anchors.data[i - 1]; /* the last of that name */
        anchor = strcmp(a->name, name) == 0 ? a : NULL;
    }
    if (anchor == NULL) {
        return refuse(r, at, xasprintf("there is no &%s above, for *%s to stand for", name, name));
    }
    if (anchor->node == NULL) {
        return refuse(r, at, xasprintf("*%s stands for what it is a part of", name));
    }
    struct node *n = xalloc(sizeof *n);
    *n = *anchor->node;
    n->line = (unsigned)at->line + 1;
    n->column = (unsigned)at->column + 1;
    if (depth + n->height > DEPTH_MAX) {
        return refuse(r, at, "the file is nested too deeply");
    }
    return afford(r, at, n->parts, n->bytes) ? n : NULL;
}

static const char *copy_name(const yaml_char_t *name) {
    return name == NULL ? NULL : xstrdup((const char *)name);
}

/* The text of a scalar event, which is deleted. */
static struct node *read_scalar(struct reader *r, struct node *n, yaml_event_t *event) {
    yaml_mark_t at = event->start_mark;
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    n->text = xstrndup(value, length);
    n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    n->parts = 1;
    n->bytes = length;
    bool nul = memchr(value, 0, length) != NULL;
    yaml_event_delete(event);
    if (nul) {
        return refuse(r, &at, "the text holds a NUL byte");
    }
    return afford(r, &at, 1, length) ? n : NULL;
}

/* A list or a map; the event that begins it is deleted. */
static struct node *read_collection(struct reader *r, struct node *n, yaml_event_t *event,
                                    unsigned depth) {
    yaml_mark_t at = event->start_mark;
    n->kind = event->type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
    n->parts = 1;
    yaml_event_delete(event);
    if (depth >= DEPTH_MAX) {
        return refuse(r, &at, "the file is nested too deeply");
    }
    return afford(r, &at, 1, 0)
               ? read_items(r, n,
                            n->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT,
                            depth)
               : NULL;
}

/* The node that an event begins; the event is deleted. */
static struct node *read_node(struct reader *r, yaml_event_t *event, unsigned depth) {
    yaml_mark_t at = event->start_mark;
    struct node *n = xalloc(sizeof *n);
    n->line = (unsigned)at.line + 1;
    n->column = (unsigned)at.column + 1;
    const char *name = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        name = copy_name(event->data.alias.anchor);
        yaml_event_delete(event);
        return follow(r, &at, name, depth);
    case YAML_SCALAR_EVENT:
        name = copy_name(event->data.scalar.anchor);
        break;
    case YAML_SEQUENCE_START_EVENT:
        name = copy_name(event->data.sequence_start.anchor);
        break;
    case YAML_MAPPING_START_EVENT:
        name = copy_name(event->data.mapping_start.anchor);
        break;
    default:
        yaml_event_delete(event);
        return refuse(r, &at, "this is not expected here");
    }
    size_t anchor = r->anchors.len;
    if (name != NULL) {
        if (anchor == ANCHORS_MAX) {
            yaml_event_delete(event);
            return refuse(r, &at, "the file has too many anchors");
        }
        *vec_push(&r->anchors) = (struct anchor){name, NULL};
    }
    n = event->type == YAML_SCALAR_EVENT ? read_scalar(r, n, event)
                                         : read_collection(r, n, event, depth);
    if (name != NULL) {
        r->anchors.data[anchor].node = n;
    }
    return n;
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
    r->out->args.len = 0;
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
    } else if (n->kind == NODE_LIST && n->items.len == 1) {
        take_rootfs_source(r, n->items.data[0], key);
    } else {
        take_rootfs_source(r, n, key);
    }
}

static void take_nothing(struct reader *r, const struct node *n, const char *key) {
    (void)r, (void)n, (void)key; /* its taker looks at it by name */
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

/* The root file system from an initrd is what `rootfs` says now.  Others would be
 * shared with the host while the program runs. */
static void take_volume(struct reader *r, const struct node *n) {
    static const struct key keys[] = {{"driver", take_nothing},
                                      {"source", take_nothing},
                                      {"destination", take_nothing},
                                      {"mode", take_nothing},
                                      {"readonly", take_nothing},
                                      {"type", take_nothing},
                                      {NULL, NULL}};
    if (n->kind == NODE_SCALAR) {
        idle(r, n, xasprintf("volume %s", n->text));
        return;
    }
    if (n->kind != NODE_MAP) {
        wrong_type(r, n, "a volume", "SOURCE:DESTINATION or a map");
        return;
    }
    take_map(r, n, "volumes", keys);
    const struct node *driver = value_of(n, "driver", "type"),
                      *source = value_of(n, "source", "source"),
                      *destination = value_of(n, "destination", "destination");
    const struct node *const all[] = {driver, source, destination};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i] != NULL && all[i]->kind != NODE_SCALAR) {
            wrong_type(r, all[i], "a volume's part", "a text");
            return;
        }
    }
    const char *where = destination == NULL ? "/" : destination->text;
    if (driver != NULL && source != NULL && strcmp(driver->text, "initrd") == 0 &&
        strcmp(where, "/") == 0) {
        if (r->out->rootfs == NULL) {
            take_rootfs_source(r, source, "volumes.source");
        }
        return;
    }
    idle(r, n, xasprintf("volume %s", where));
}

static void take_volumes(struct reader *r, const struct node *n, const char *key) {
    if (n->kind == NODE_MAP) {
        wrong_type(r, n, key, "a list of volumes");
    } else if (n->kind == NODE_SCALAR) {
        take_volume(r, n);
    }
    for (size_t i = 0; n->kind == NODE_LIST && i < n->items.len; i++) {
        take_volume(r, n->items.data[i]);
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

/* Do we build that one?  "qemu/x86_64", or its parts; NULL parts fit. */
static bool is_our_target(const char *plat, const char *arch) {
    return (plat == NULL || strcmp(plat, "qemu") == 0 || strcmp(plat, "kvm") == 0) &&
           (arch == NULL || strcmp(arch, "x86_64") == 0 || strcmp(arch, "amd64") == 0);
}

/* A platform or an architecture: its name, or a map that has one. */
static bool take_part(struct reader *r, const struct node *n, const char *key, const char **name,
                      const struct node **kconfig) {
    static const struct key keys[] = {{"name", take_nothing},
                                      {"source", NULL},
                                      {"version", NULL},
                                      {"kconfig", take_nothing},
                                      {"pre_up", NULL},
                                      {"post_down", NULL},
                                      {"cpus", NULL},
                                      {"memory", NULL},
                                      {NULL, NULL}};
    *name = NULL;
    *kconfig = NULL;
    if (n == NULL || is_null(n)) {
        return true;
    }
    if (n->kind == NODE_MAP) {
        take_map(r, n, key, keys);
        *kconfig = value_of(n, "kconfig", "kconfig");
        n = value_of(n, "name", "name");
    }
    if (n != NULL && n->kind != NODE_SCALAR) {
        wrong_type(r, n, "a target's part", "a text");
        return false;
    }
    *name = n == NULL ? NULL : n->text;
    return true;
}

static bool take_target(struct reader *r, const struct node *n) {
    static const struct key keys[] = {{"name", take_nothing},
                                      {"plat", take_nothing},
                                      {"platform", take_nothing},
                                      {"arch", take_nothing},
                                      {"architecture", take_nothing},
                                      {"kconfig", take_nothing},
                                      {"command", take_nothing},
                                      {"initrd", NULL},
                                      {NULL, NULL}};
    const char *plat = NULL, *arch = NULL;
    const struct node *kconfig[3] = {NULL, NULL, NULL}, *command = NULL;
    if (n->kind == NODE_SCALAR) {
        plat = n->text;
    } else if (n->kind == NODE_MAP) {
        take_map(r, n, "targets", keys);
        if (!take_part(r, value_of(n, "plat", "platform"), "targets.plat", &plat, &kconfig[1]) ||
            !take_part(r, value_of(n, "arch", "architecture"), "targets.arch", &arch,
                       &kconfig[2])) {
            return false;
        }
        kconfig[0] = value_of(n, "kconfig", "kconfig");
        command = value_of(n, "command", "command");
    } else {
        wrong_type(r, n, "a target", "PLATFORM/ARCHITECTURE or a map");
        return false;
    }
    const char *slash = plat == NULL || arch != NULL ? NULL : strchr(plat, '/');
    if (slash != NULL) {
        arch = slash + 1;
        plat = xstrndup(plat, (size_t)(slash - plat));
    }
    if (!is_our_target(plat, arch)) {
        idle(r, n, xasprintf("target %s/%s", plat == NULL ? "*" : plat, arch == NULL ? "*" : arch));
        return false;
    }
    for (size_t i = 0; i < sizeof kconfig / sizeof kconfig[0]; i++) {
        if (kconfig[i] != NULL && !is_null(kconfig[i])) {
            take_kconfig(r, kconfig[i], "targets.kconfig");
        }
    }
    if (command != NULL && !is_null(command) && !r->out->has_args) {
        take_cmd(r, command, "targets.command"); /* v0.5's place for it; `cmd` wins */
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
    {"outdir", NULL},
    {"unikraft", take_unikraft},
    {"libraries", NULL},
    {"targets", take_targets},
    {"cmd", take_cmd},
    {"env", take_env},
    {"rootfs", take_rootfs},
    {"volumes", take_volumes},
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
