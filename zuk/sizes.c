/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes -> symbols -> source files -> rooms (sizes.h).  A byte belongs to the
 * first symbol that covers it; what no symbol covers is said to be so.
 */
#include "zuk/sizes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/image.h"
#include "zuk/callers.h"
#include "zuk/diag.h"
#include "zuk/elf_file.h"
#include "zuk/lines.h"
#include "zuk/symbolize.h"

/* --- the tree ----------------------------------------------------------- */

static uint32_t *slot_of(struct size_node *n, const char *name) {
    size_t slot = hash64(0, name, strlen(name)) % n->index_size;
    while (n->index[slot] != 0 && strcmp(n->children.data[n->index[slot] - 1]->name, name) != 0) {
        slot = (slot + 1) % n->index_size;
    }
    return &n->index[slot];
}

static void index_children(struct size_node *n) {
    n->index_size = n->children.len * 4 + 15;
    n->index = xalloc(n->index_size * sizeof *n->index);
    for (size_t i = 0; i < n->children.len; i++) {
        *slot_of(n, n->children.data[i]->name) = (uint32_t)i + 1;
    }
}

/* The child of that name, made when new. */
static struct size_node *child(struct size_node *parent, const char *name) {
    if (parent->children.len * 2 >= parent->index_size) {
        index_children(parent);
    }
    uint32_t *slot = slot_of(parent, name);
    if (*slot == 0) {
        struct size_node *n = xalloc(sizeof *n);
        n->name = xstrdup(name);
        *vec_push(&parent->children) = n;
        *slot = (uint32_t)parent->children.len;
    }
    return parent->children.data[*slot - 1];
}

/* Adds bytes to root / path[0] / path[1] ...; NULL ends it. */
static void add(struct size_node *root, uint64_t size, const char *const *path) {
    root->size += size;
    for (; *path != NULL && size > 0; path++) {
        root = child(root, *path);
        root->size += size;
    }
}

static int by_size(const void *a, const void *b) {
    const struct size_node *x = *(struct size_node *const *)a, *y = *(struct size_node *const *)b;
    return x->size != y->size ? (x->size < y->size) - (x->size > y->size)
                              : strcmp(x->name, y->name);
}

void sizes_sort(struct size_node *tree) {
    if (tree->children.len > 0) {
        qsort(tree->children.data, tree->children.len, sizeof(struct size_node *), by_size);
        tree->index_size = 0; /* no longer by these places */
    }
    for (size_t i = 0; i < tree->children.len; i++) {
        sizes_sort(tree->children.data[i]);
    }
}

void sizes_compare(struct size_node *tree, const struct size_node *other) {
    tree->before = other->size;
    for (size_t i = 0; i < other->children.len; i++) {
        sizes_compare(child(tree, other->children.data[i]->name), other->children.data[i]);
    }
}

/* --- symbols ------------------------------------------------------------ */

struct symbol_range {
    uint64_t start, end;
    const char *name;
    bool function;
};

struct program { /* symbols and lines of one ELF file */
    struct elf_file file;
    VEC(struct symbol_range) symbols;
    struct line_place *places; /* of each symbol */
    bool kernel;
};

static int by_start(const void *a, const void *b) {
    const struct symbol_range *x = a, *y = b;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->end < y->end) - (x->end > y->end);
}

static const uint8_t *section(const struct elf_file *f, const char *name, size_t *size) {
    const Elf64_Shdr *s = elf_file_section(f, name);
    bool plain = s != NULL && (s->sh_flags & SHF_COMPRESSED) == 0;
    *size = plain ? s->sh_size : 0;
    return plain ? elf_file_bytes(f, s->sh_offset, s->sh_size) : NULL;
}

static bool open_program(const uint8_t *data, size_t size, bool kernel, struct program *p) {
    const char *why;
    *p = (struct program){.kernel = kernel};
    if (!elf_file_open(data, size, &p->file, &why)) {
        return false;
    }
    const Elf64_Sym *symbols;
    uint64_t names, names_end;
    size_t count = elf_file_symbols(&p->file, &symbols, &names, &names_end);
    for (size_t i = 0; i < count; i++) {
        unsigned type = ELF64_ST_TYPE(symbols[i].st_info);
        const char *name = elf_file_string(&p->file, names + symbols[i].st_name, names_end);
        if ((type == STT_FUNC || type == STT_OBJECT) && symbols[i].st_size > 0 && name != NULL &&
            symbols[i].st_value + symbols[i].st_size > symbols[i].st_value) {
            *vec_push(&p->symbols) =
                (struct symbol_range){symbols[i].st_value, symbols[i].st_value + symbols[i].st_size,
                                      name, type == STT_FUNC};
        }
    }
    size_t n = p->symbols.len;
    if (n > 0) {
        qsort(p->symbols.data, n, sizeof *p->symbols.data, by_start);
    }
    uint64_t *starts = xalloc((n + 1) * sizeof *starts);
    p->places = xalloc((n + 1) * sizeof *p->places);
    for (size_t i = 0; i < n; i++) {
        starts[i] = p->symbols.data[i].start;
    }
    struct line_sections l;
    l.line = section(&p->file, ".debug_line", &l.line_size);
    l.line_str = section(&p->file, ".debug_line_str", &l.line_str_size);
    l.str = section(&p->file, ".debug_str", &l.str_size);
    if (l.line != NULL) {
        lines_find(&l, starts, n, p->places);
    }
    return true;
}

/* "kernel/mm/frame.c" -> mm, frame; a source of lwIP -> net, lwip. */
static void kernel_path(const struct line_place *place, const char **room, const char **unit) {
    char *path =
        place->folder == NULL ? xstrdup(place->file) : path_join(place->folder, place->file);
    char *at = strstr(path, "kernel/");
    if (strstr(path, "lwip") != NULL && (at == NULL || strstr(at, "net/lwip") == NULL)) {
        *room = "lwIP";
        *unit = xstrdup(path_base(path));
        return;
    }
    at = at == NULL ? path : at + 7;
    char *slash = strchr(at, '/');
    if (slash == NULL) {
        *room = "main";
        *unit = at;
        return;
    }
    *slash = '\0';
    *room = at;
    *unit = slash + 1;
}

/* The last two parts of a source file's name, and whose it is. */
static void app_path(const struct line_place *place, const char **room, const char **unit) {
    const char *path = place->folder == NULL ? place->file : path_join(place->folder, place->file);
    const char *base = path_base(path), *s = base;
    while (s > path + 1 && s[-2] != '/') {
        s--;
    }
    *unit = s > path && base != path ? s - (s[-1] != '/') : base;
    *room = !callers_is_library(place->folder, place->file) ? "the app's own"
            : strstr(path, "/std/") != NULL || strstr(path, "_rt") != NULL ||
                    strstr(path, "/lib/c/") != NULL
                ? "Zig's library"
                : "libc";
}

static void add_symbol(struct size_node *parent, const struct program *p, size_t i, uint64_t size) {
    const struct symbol_range *s = &p->symbols.data[i];
    const struct line_place *place = &p->places[i];
    const char *room = p->kernel ? "data" : s->function ? "without lines" : "data", *unit = NULL;
    if (place->file != NULL && p->kernel) {
        kernel_path(place, &room, &unit);
    } else if (place->file != NULL) {
        app_path(place, &room, &unit);
    } else if (s->function && p->kernel) {
        room = "assembly";
    }
    const char *const path[] = {room, unit == NULL ? s->name : unit, unit == NULL ? NULL : s->name,
                                NULL};
    add(parent, size, path);
}

/* Gives the bytes at addresses [start, start + size) to the symbols there. */
static void add_range(struct size_node *parent, const struct program *p, uint64_t start,
                      uint64_t size, const char *rest) {
    uint64_t at = start, end = start + size, none = 0;
    size_t low = 0, high = p->symbols.len;
    while (low < high) { /* the first that starts within */
        size_t middle = low + (high - low) / 2;
        if (p->symbols.data[middle].start < start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (size_t i = low; i < p->symbols.len && p->symbols.data[i].start < end; i++) {
        const struct symbol_range *s = &p->symbols.data[i];
        if (s->end <= at) {
            continue;
        }
        uint64_t from = s->start < at ? at : s->start, to = s->end > end ? end : s->end;
        none += from - at;
        add_symbol(parent, p, i, to - from);
        at = to;
    }
    none += end - at;
    const char *const path[] = {rest, NULL};
    add(parent, none, path);
}

/* --- the parts ---------------------------------------------------------- */

static void add_app(struct size_node *parent, const uint8_t *data, size_t size,
                    const struct program *named) {
    struct program own;
    if (!open_program(data, size, false, &own)) {
        const char *const path[] = {"?", NULL};
        add(parent, size, path);
        return;
    }
    if (own.symbols.len == 0 && named != NULL) {
        own.symbols.data = named->symbols.data;
        own.symbols.len = named->symbols.len;
        own.places = named->places;
    }
    const struct elf_file *f = &own.file;
    const char *names = NULL;
    uint64_t left = size;
    const Elf64_Shdr *table =
        f->header.e_shstrndx < f->section_count ? &f->sections[f->header.e_shstrndx] : NULL;
    for (size_t i = 0; i < f->section_count; i++) {
        const Elf64_Shdr *s = &f->sections[i];
        if (s->sh_type == SHT_NOBITS || s->sh_type == SHT_NULL || s->sh_size > left) {
            continue;
        }
        names = table == NULL ? NULL
                              : elf_file_string(f, table->sh_offset + s->sh_name,
                                                table->sh_offset + table->sh_size);
        names = names == NULL ? "?" : names;
        left -= s->sh_size;
        if ((s->sh_flags & SHF_ALLOC) == 0) {
            const char *group = strncmp(names, ".debug", 6) == 0 ? "debug information"
                                : s->sh_type == SHT_SYMTAB || s->sh_type == SHT_STRTAB
                                    ? "symbol table"
                                    : "other";
            const char *const path[] = {group, names, NULL};
            add(parent, s->sh_size, path);
        } else {
            add_range(parent, &own, s->sh_addr, s->sh_size, names);
        }
    }
    const char *const path[] = {"headers and padding", NULL};
    add(parent, left, path);
}

/* The app's program with symbols, where they were left out of the image. */
static const struct program *debug_program(const struct image_info *info) {
    const char *path = path_join(xasprintf("%s.zuk", info->path), "app.debug.elf");
    struct file_map map;
    struct program *p = xalloc(sizeof *p);
    if (!is_file(path) ||
        !symbolize_same_program(path, info->path, info->app_offset, info->app_size) ||
        !file_map(path, &map)) {
        return NULL;
    }
    return open_program(map.data, map.size, false, p) ? p : NULL;
}

static void add_kernel(struct size_node *parent, const struct elf_file *image,
                       const struct image_info *info, const struct program *kernel) {
    for (size_t i = 0; i < image->segment_count; i++) {
        const Elf64_Phdr *s = &image->segments[i];
        if (s->p_type != PT_LOAD || s->p_offset == info->manifest_offset ||
            s->p_offset == info->app_offset ||
            (info->root_size > 0 && s->p_offset == info->root_offset)) {
            continue;
        }
        if (kernel != NULL) {
            add_range(parent, kernel, s->p_vaddr, s->p_filesz, "tables and strings");
        } else {
            const char *const path[] = {"without symbols", NULL};
            add(parent, s->p_filesz, path);
        }
    }
}

bool sizes_read(const char *path, struct size_node **out) {
    struct image_info info;
    struct file_map map, kernel_map;
    struct elf_file image;
    const char *why;
    if (!image_open(path, &info) || !file_map(path, &map)) {
        return false;
    }
    if (!elf_file_open(map.data, map.size, &image, &why)) {
        diag_error("'%s' %s", path, why);
        return false;
    }
    struct size_node *root = xalloc(sizeof *root);
    root->name = path_base(path);
    struct program kernel;
    const char *symbols = kernel_symbols(info.kernel_id);
    bool known = symbols != NULL && file_map(symbols, &kernel_map) &&
                 open_program(kernel_map.data, kernel_map.size, true, &kernel);
    if (!known) {
        diag_note("the kernel's symbols are not in the cache: its rooms are not told apart");
    }
    add_app(child(root, "app"), map.data + info.app_offset, info.app_size, debug_program(&info));
    add_kernel(child(root, "kernel"), &image, &info, known ? &kernel : NULL);
    child(root, "manifest")->size = info.manifest_size;
    if (info.root_size > 0) {
        child(root, "files")->size = info.root_size;
    }
    for (size_t i = 0; i < root->children.len; i++) {
        root->size += root->children.data[i]->size;
    }
    child(root, "headers")->size = map.size - root->size;
    root->size = map.size;
    file_unmap(&map);
    *out = root;
    return true;
}

/* --- the page ----------------------------------------------------------- */

static void put_escaped(FILE *f, const char *s) {
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '&':
            fputs("&amp;", f);
            break;
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            fputc((unsigned char)*s < 32 ? ' ' : *s, f);
        }
    }
}

struct box {
    double x, y, w, h; /* of a map that is MAP_WIDTH to MAP_HEIGHT; drawn as wide as the page */
};

enum { MAP_DEPTH = 4, MAP_WIDTH = 1200, MAP_HEIGHT = 700 };

static void put_box(FILE *f, const struct size_node *n, struct box b, unsigned depth,
                    const char *path, unsigned hue, bool compared);

/* Squarified: rows are filled as long as their boxes become more square
 * (Bruls, Huizing, van Wijk, 2000).  Children are sorted, largest first. */
static void put_children(FILE *f, const struct size_node *n, struct box b, unsigned depth,
                         const char *path, unsigned hue, bool compared) {
    uint64_t total = 0;
    for (size_t i = 0; i < n->children.len; i++) {
        total += n->children.data[i]->size;
    }
    for (size_t i = 0; i < n->children.len && total > 0 && b.w > 0 && b.h > 0;) {
        bool tall = b.h < b.w; /* the row is a column at the left */
        double side = tall ? b.h : b.w, area = b.w * b.h / (double)total, worst = 1e300;
        uint64_t row = 0;
        size_t end = i;
        while (end < n->children.len && n->children.data[end]->size > 0) {
            double with = (double)(row + n->children.data[end]->size) * area / side;
            double large = (double)n->children.data[i]->size * area / with / with,
                   small = (double)n->children.data[end]->size * area / with / with;
            double ratio = large > 1 / small ? large : 1 / small;
            if (ratio > worst) {
                break;
            }
            worst = ratio;
            row += n->children.data[end++]->size;
        }
        if (end == i) {
            return; /* only empty ones are left */
        }
        double thick = (double)row * area / side, along = 0;
        for (; i < end; i++) {
            const struct size_node *c = n->children.data[i];
            double length = (double)c->size * area / thick;
            struct box part = tall ? (struct box){b.x, b.y + along, thick, length}
                                   : (struct box){b.x + along, b.y, length, thick};
            put_box(f, c, part, depth, path, depth == 0 ? (unsigned)(i * 67 + 210) % 360 : hue,
                    compared);
            along += length;
        }
        b = tall ? (struct box){b.x + thick, b.y, b.w - thick, b.h}
                 : (struct box){b.x, b.y + thick, b.w, b.h - thick};
        total -= row;
    }
}

/* Rooms have colours of their own; a comparison says what grew and what shrank. */
static char *box_colour(const struct size_node *n, unsigned depth, unsigned hue, bool compared) {
    unsigned light = 88 - depth * 9;
    if (!compared) {
        return xasprintf("hsl(%u,45%%,%u%%)", hue, light);
    }
    return n->size == n->before
               ? xasprintf("hsl(0,0%%,%u%%)", light)
               : xasprintf("hsl(%u,60%%,%u%%)", n->size > n->before ? 0 : 130, light);
}

static void put_change(FILE *f, const struct size_node *n, bool compared) {
    if (compared && n->size != n->before) {
        fprintf(f, " (%+lld)", (long long)(n->size - n->before));
    }
}

static void put_box(FILE *f, const struct size_node *n, struct box b, unsigned depth,
                    const char *path, unsigned hue, bool compared) {
    if (b.w < 3 || b.h < 3) {
        return; /* too small to be seen */
    }
    char *full = *path == '\0' ? xstrdup(n->name) : xasprintf("%s / %s", path, n->name);
    fprintf(
        f,
        "<div style=\"left:%.3f%%;top:%.1fpx;width:%.3f%%;height:%.1fpx;background:%s\" title=\"",
        100 * b.x / MAP_WIDTH, b.y, 100 * (b.w - 1) / MAP_WIDTH, b.h - 1,
        box_colour(n, depth, hue, compared));
    put_escaped(f, full);
    fprintf(f, ": %llu bytes", (unsigned long long)n->size);
    put_change(f, n, compared);
    fputs("\">", f);
    if (b.w > 40 && b.h > 14) {
        put_escaped(f, n->name);
    }
    fputs("</div>\n", f);
    if (depth + 1 < MAP_DEPTH && b.h > 30 && b.w > 20) {
        put_children(f, n, (struct box){b.x + 2, b.y + 15, b.w - 5, b.h - 18}, depth + 1, full, hue,
                     compared);
    }
}

static void put_map(FILE *f, const struct size_node *n, const char *id, bool compared) {
    fprintf(f, "<div class=\"map\" id=\"%s\">\n", id);
    put_children(f, n, (struct box){0, 0, MAP_WIDTH, MAP_HEIGHT}, 0, "", 0, compared);
    fputs("</div>\n", f);
}

static void put_tree(FILE *f, const struct size_node *n, uint64_t total, unsigned depth,
                     bool compared) {
    bool inner = n->children.len > 0;
    fputs("<li>", f);
    if (inner) {
        fprintf(f, "<details%s><summary>", depth < 2 ? " open" : "");
    }
    fprintf(f, "<b>%llu</b> <small>%.1f %%</small> ", (unsigned long long)n->size,
            total == 0 ? 0.0 : 100.0 * (double)n->size / (double)total);
    put_escaped(f, n->name);
    if (compared && n->before != n->size) {
        fprintf(f, " <i class=\"%s\">%+lld</i>", n->size > n->before ? "more" : "less",
                (long long)(n->size - n->before));
    }
    if (inner) {
        fputs("</summary><ul>\n", f);
        for (size_t i = 0; i < n->children.len; i++) {
            put_tree(f, n->children.data[i], total, depth + 1, compared);
        }
        fputs("</ul></details>", f);
    }
    fputs("</li>\n", f);
}

/* A copy that lacks the node of that name, or NULL when there is none. */
static struct size_node *without(const struct size_node *n, const char *name) {
    struct size_node *copy = xalloc(sizeof *copy);
    bool found = false;
    *copy = (struct size_node){.name = n->name, .size = n->size, .before = n->before};
    for (size_t i = 0; i < n->children.len; i++) {
        struct size_node *c = n->children.data[i];
        struct size_node *less = found || strcmp(c->name, name) == 0 ? NULL : without(c, name);
        if (!found && (less != NULL || strcmp(c->name, name) == 0)) {
            found = true;
            copy->size -= c->size - (less == NULL ? 0 : less->size);
            copy->before -= c->before - (less == NULL ? 0 : less->before);
            c = less;
        }
        if (c != NULL) {
            *vec_push(&copy->children) = c;
        }
    }
    sizes_sort(copy);
    return found ? copy : NULL;
}

static const char page_style[] =
    "</title>\n<style>\n"
    "body{font:14px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:1400px;padding:0 1rem}\n"
    "h1{font-size:1.4rem}label{margin-right:1.5rem}\n"
    ".map{position:relative;height:%dpx;margin:.7rem 0 1.5rem}\n"
    ".map div{position:absolute;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;"
    "font-size:11px;line-height:1.2;color:#000;box-sizing:border-box;padding:1px 3px;"
    "border-radius:2px}\n"
    "#all:checked~#runs-map,#runs:checked~#all-map{display:none}\n"
    "ul{list-style:none;padding-left:18px}#tree{padding:0}summary{cursor:pointer}\n"
    "b,small{display:inline-block;text-align:right;font-variant-numeric:tabular-nums}\n"
    "b{min-width:5.5em}small{min-width:4em;opacity:.7}\n"
    "li>b{margin-left:1.1em}i.more{color:#b00}i.less{color:#070}\n"
    "</style></head><body>\n<h1>";

char *sizes_html(const struct size_node *tree, const char *title, const char *other) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) {
        return xstrdup("");
    }
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", f);
    put_escaped(f, title);
    fprintf(f, page_style, MAP_HEIGHT);
    put_escaped(f, title);
    fprintf(f, ": %llu bytes", (unsigned long long)tree->size);
    if (other != NULL) {
        fprintf(f, ", %+lld against ", (long long)(tree->size - tree->before));
        put_escaped(f, other);
    }
    fputs("</h1>\n", f);
    const struct size_node *runs = without(tree, "debug information");
    if (runs != NULL) {
        fprintf(
            f,
            "<input type=\"radio\" name=\"map\" id=\"runs\" checked><label for=\"runs\"> without "
            "debug information: %llu bytes</label>\n"
            "<input type=\"radio\" name=\"map\" id=\"all\"><label for=\"all\"> the whole "
            "file</label>\n",
            (unsigned long long)runs->size);
        put_map(f, runs, "runs-map", other != NULL);
    }
    put_map(f, tree, "all-map", other != NULL);
    fputs("<ul id=\"tree\">\n", f);
    put_tree(f, tree, tree->size, 0, other != NULL);
    fputs("</ul>\n</body></html>\n", f);
    fclose(f);
    char *copy = xstrdup(text);
    free(text);
    return copy;
}
