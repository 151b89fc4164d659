/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Samples -> table and picture (profile.h).
 */
#include "zuk/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "abi/report.h"
#include "zuk/callers.h"
#include "zuk/features.h"
#include "zuk/json.h"
#include "zuk/symbolize.h"
#include "zuk/util.h"

enum {
    SAMPLES_MAX = 20000,
    BYTES_MAX = 128 << 20,
    PHASES_MAX = 16,
    ROWS_SHOWN = 15,
};

struct phase {
    uint64_t cycles;
    const char *name;
};

/* A function, or a system call, by its name. */
struct place {
    const char *name, *file; /* file: NULL when unknown */
    unsigned line;           /* the hottest one */
    bool call;
    uint64_t self, total; /* periods */
    uint64_t line_weight; /* of that line */
    VEC(struct {
        unsigned line;
        uint64_t weight;
    })
    lines;
    size_t counted; /* the sample that it was counted for last, + 1 */
};

/* A node of the flame graph: a place, reached through its parents. */
struct node {
    size_t place;
    uint64_t weight;
    size_t child, next; /* index + 1; 0: none */
};

struct at_address { /* frames of the symboliser's list */
    uint64_t address;
    size_t first, count;
};

struct profile {
    struct output *output;
    const char *app;
    uint8_t *bytes; /* records, one after the other */
    size_t used, cap;
    size_t *records; /* where each begins; one more: the end */
    size_t count;
    uint64_t stride, skipped; /* every stride-th sample is kept */
    struct phase phases[PHASES_MAX];
    size_t phase_count;
    /* made by profile_finish */
    struct report_sample *heads; /* of all records */
    bool whole;
    uint64_t hz, end_ns;
    uint64_t app_time, call_time, idle_time; /* periods */
    struct symbol_frame *frames;
    struct at_address *index;
    size_t frame_count, index_count;
    VEC(struct place) places;
    VEC(struct node) nodes; /* 0: the root */
    size_t *sorted;         /* places, hottest first */
    size_t depth;
};

/* ---- keeping ---- */

struct profile *profile_open(const char *path, const char *app) {
    struct profile *p = xalloc(sizeof *p);
    p->output = output_open(path, 0666);
    p->app = app;
    p->stride = 1;
    p->records = xalloc((SAMPLES_MAX + 1) * sizeof *p->records);
    return p->output == NULL ? NULL : p;
}

static struct report_sample head_of(const struct profile *p, size_t i) {
    struct report_sample head;
    memcpy(&head, p->bytes + p->records[i], sizeof head);
    return head;
}

/* Every second one goes; the others count twice from now on. */
static void thin_out(struct profile *p) {
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < p->count; i += 2) {
        size_t size = p->records[i + 1] - p->records[i];
        memmove(p->bytes + at, p->bytes + p->records[i], size);
        p->records[kept++] = at;
        at += size;
    }
    p->count = kept;
    p->records[kept] = p->used = at;
    p->stride *= 2;
    p->skipped = 0;
}

void profile_sample(struct profile *p, const uint8_t *record, size_t size) {
    struct report_sample head;
    if (size < sizeof head) {
        return;
    }
    memcpy(&head, record, sizeof head);
    if (head.stack_size != size - sizeof head || ++p->skipped < p->stride) {
        return;
    }
    p->skipped = 0;
    if (p->used + size > p->cap) {
        size_t cap = p->cap == 0 ? 1 << 20 : p->cap * 2;
        uint8_t *bytes = realloc(p->bytes, cap);
        if (bytes == NULL) {
            return;
        }
        p->bytes = bytes;
        p->cap = cap;
    }
    memcpy(p->bytes + p->used, record, size);
    p->records[p->count++] = p->used;
    p->used += size;
    p->records[p->count] = p->used;
    if (p->count == SAMPLES_MAX || p->used + REPORT_LENGTH_MAX > BYTES_MAX) {
        thin_out(p);
    }
}

void profile_phase(struct profile *p, const uint8_t *record, size_t size) {
    struct report_timeline head;
    if (size < sizeof head || p->phase_count == PHASES_MAX) {
        return;
    }
    memcpy(&head, record, sizeof head);
    char *name = xstrndup((const char *)record + sizeof head, size - sizeof head);
    for (char *s = name; *s != '\0'; s++) {
        *s = *s < ' ' || *s == 0x7f ? '?' : *s;
    }
    p->phases[p->phase_count++] = (struct phase){head.cycles, name};
}

/* ---- counting ---- */

static size_t place_of(struct profile *p, const char *name, const char *file, bool call) {
    for (size_t i = 0; i < p->places.len; i++) {
        const struct place *place = &p->places.data[i];
        if (place->call == call && strcmp(place->name, name) == 0 &&
            (file == NULL) == (place->file == NULL) &&
            (file == NULL || strcmp(place->file, file) == 0)) {
            return i;
        }
    }
    *vec_push(&p->places) = (struct place){.name = name, .file = file, .call = call};
    return p->places.len - 1;
}

static void count_line(struct place *place, unsigned line, uint64_t weight) {
    size_t i = 0;
    while (i < place->lines.len && place->lines.data[i].line != line) {
        i++;
    }
    if (i == place->lines.len) {
        vec_push(&place->lines)->line = line;
        place->lines.data[i].weight = 0;
    }
    place->lines.data[i].weight += weight;
    if (place->lines.data[i].weight > place->line_weight && line != 0) {
        place->line_weight = place->lines.data[i].weight;
        place->line = line;
    }
}

static size_t child_of(struct profile *p, size_t parent, size_t place) {
    for (size_t n = p->nodes.data[parent].child; n != 0; n = p->nodes.data[n - 1].next) {
        if (p->nodes.data[n - 1].place == place) {
            return n - 1;
        }
    }
    size_t next = p->nodes.data[parent].child;
    *vec_push(&p->nodes) = (struct node){.place = place, .next = next};
    p->nodes.data[parent].child = p->nodes.len;
    return p->nodes.len - 1;
}

static int by_address(const void *a, const void *b) {
    const struct at_address *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

/* The symboliser's frames, found by address. */
static void index_frames(struct profile *p) {
    p->index = xalloc((p->frame_count + 1) * sizeof *p->index);
    for (size_t i = 0; i < p->frame_count; i++) {
        struct at_address *last = p->index_count == 0 ? NULL : &p->index[p->index_count - 1];
        if (last != NULL && last->address == p->frames[i].address) {
            last->count++;
        } else {
            p->index[p->index_count++] = (struct at_address){p->frames[i].address, i, 1};
        }
    }
    if (p->index_count > 0) {
        qsort(p->index, p->index_count, sizeof *p->index, by_address);
    }
}

/* What is on one sample's way, the outermost first, from the node on. */
struct walk {
    struct profile *p;
    size_t node, depth, stamp;
    uint64_t weight;
    size_t last; /* the innermost place */
    unsigned line;
};

static void step(struct walk *w, size_t place, unsigned line) {
    struct profile *p = w->p;
    w->node = child_of(p, w->node, place);
    p->nodes.data[w->node].weight += w->weight;
    struct place *at = &p->places.data[place];
    if (at->counted != w->stamp) {
        at->counted = w->stamp;
        at->total += w->weight;
    }
    w->last = place;
    w->line = line;
    w->depth++;
    p->depth = w->depth > p->depth ? w->depth : p->depth;
}

static void step_address(struct walk *w, uint64_t address) {
    struct profile *p = w->p;
    const struct at_address key = {.address = address}, *at = NULL;
    if (p->index_count > 0) {
        at = bsearch(&key, p->index, p->index_count, sizeof key, by_address);
    }
    for (size_t i = at == NULL ? 0 : at->count; i-- > 0;) {
        const struct symbol_frame *f = &p->frames[at->first + i];
        const char *name = f->function != NULL ? f->function : xasprintf("0x%" PRIx64, f->address);
        step(w, place_of(p, name, f->file, false), f->line);
    }
}

/* True when there is more than one thread. */
static bool has_threads(const struct profile *p) {
    uint32_t first = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct report_sample head = p->heads[i];
        if (head.state != SAMPLE_IDLE && first != 0 && head.thread != first) {
            return true;
        }
        first = head.state == SAMPLE_IDLE ? first : head.thread;
    }
    return false;
}

static void count(struct profile *p, const struct symbol_sample *samples) {
    bool threads = has_threads(p);
    p->nodes.len = 0;
    *vec_push(&p->nodes) = (struct node){0};
    for (size_t i = 0; i < p->count; i++) {
        const struct report_sample head = p->heads[i];
        struct walk w = {.p = p, .stamp = i + 1, .weight = head.count * p->stride};
        p->hz = head.cycles_hz;
        p->end_ns = head.time > p->end_ns ? head.time : p->end_ns;
        if (head.state == SAMPLE_IDLE) {
            p->idle_time += w.weight;
            continue;
        }
        *(head.state == SAMPLE_CALL ? &p->call_time : &p->app_time) += w.weight;
        p->nodes.data[0].weight += w.weight;
        if (threads) {
            step(&w, place_of(p, xasprintf("thread %" PRIu32, head.thread), NULL, false), 0);
        }
        for (size_t k = samples[i].address_count; k-- > 0;) {
            step_address(&w, samples[i].addresses[k]);
        }
        if (head.state == SAMPLE_CALL) {
            const char *name = features_call_name(head.number);
            name = name != NULL ? name : xasprintf("call %" PRIu32, head.number);
            step(&w, place_of(p, name, NULL, true), 0);
        }
        if (w.depth > (size_t)threads) {
            p->places.data[w.last].self += w.weight;
            count_line(&p->places.data[w.last], w.line, w.weight);
        }
    }
}

static struct place *sorted_places;

static int by_self(const void *a, const void *b) {
    const struct place *x = &sorted_places[*(const size_t *)a],
                       *y = &sorted_places[*(const size_t *)b];
    if (x->self != y->self) {
        return x->self < y->self ? 1 : -1;
    }
    return x->total != y->total ? (x->total < y->total ? 1 : -1) : strcmp(x->name, y->name);
}

void profile_finish(struct profile *p, const struct symbolize_request *request) {
    struct symbolize_request q = *request;
    struct symbol_sample *samples = xalloc((p->count + 1) * sizeof *samples);
    p->heads = xalloc((p->count + 1) * sizeof *p->heads);
    for (size_t i = 0; i < p->count; i++) {
        struct report_sample head = p->heads[i] = head_of(p, i);
        q.app_base = head.app_base;
        if (head.state != SAMPLE_IDLE) {
            memcpy(samples[i].regs, head.regs, sizeof head.regs);
            samples[i].stack = p->bytes + p->records[i] + sizeof head;
            samples[i].stack_size = head.stack_size;
        }
    }
    p->whole =
        p->count == 0 || symbolize_samples(&q, samples, p->count, &p->frames, &p->frame_count);
    index_frames(p);
    count(p, samples);
    p->sorted = xalloc((p->places.len + 1) * sizeof *p->sorted);
    for (size_t i = 0; i < p->places.len; i++) {
        p->sorted[i] = i;
    }
    sorted_places = p->places.data;
    if (p->places.len > 0) {
        qsort(p->sorted, p->places.len, sizeof *p->sorted, by_self);
    }
    free(p->bytes);
    p->bytes = NULL;
}

/* ---- for people ---- */

static uint64_t all_time(const struct profile *p) {
    return p->app_time + p->call_time + p->idle_time;
}

static double percent(uint64_t part, uint64_t whole) {
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static double in_ms(uint64_t periods) {
    return (double)periods * PROFILE_PERIOD_US / 1e3;
}

static const char *short_file(const char *file) {
    static const char *const folders[] = {"/lib/libc/musl/", "/lib/std/", "/lib/compiler_rt/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        const char *at = strstr(file, folders[i]);
        if (at != NULL) {
            return at + 5;
        }
    }
    const char *base = strrchr(file, '/');
    return base == NULL ? file : base + 1;
}

static const char *where(const struct place *place) {
    return place->file == NULL ? ""
           : place->line == 0  ? xasprintf("  (%s)", short_file(place->file))
                               : xasprintf("  (%s:%u)", short_file(place->file), place->line);
}

static void print_rows(const struct profile *p, FILE *out, bool calls) {
    uint64_t busy = p->app_time + p->call_time;
    unsigned shown = 0;
    for (size_t i = 0; i < p->places.len && shown < ROWS_SHOWN; i++) {
        const struct place *place = &p->places.data[p->sorted[i]];
        if (place->call != calls || place->self == 0) {
            continue;
        }
        if (shown++ == 0) {
            fprintf(out,
                    calls ? "  system calls:\n" : "  functions (alone, with what they call):\n");
        }
        if (calls) {
            fprintf(out, "    %5.1f %%           %s()\n", percent(place->self, busy), place->name);
        } else {
            fprintf(out, "    %5.1f %%  %5.1f %%  %s%s\n", percent(place->self, busy),
                    percent(place->total, busy), place->name, where(place));
        }
    }
}

void profile_print(const struct profile *p, FILE *out) {
    uint64_t all = all_time(p);
    fprintf(out,
            "zuk: profile: %zu samples, %.0f ms: %.0f %% in the app, %.0f %% in system calls, "
            "%.0f %% waiting\n",
            p->count, in_ms(all), percent(p->app_time, all), percent(p->call_time, all),
            percent(p->idle_time, all));
    print_rows(p, out, false);
    print_rows(p, out, true);
    if (!p->whole) {
        fputs("  (not all of them could be unwound in time)\n", out);
    }
    if (p->app_time + p->call_time < 20) {
        fputs("  (one a millisecond: a run this short shows little)\n", out);
    }
}

json_t *profile_json(const struct profile *p) {
    json_t *o = json_object(), *functions = json_array(), *calls = json_array();
    for (size_t i = 0; i < p->places.len; i++) {
        const struct place *place = &p->places.data[p->sorted[i]];
        json_t *row = json_object();
        json_object_set_new(row, "name", json_text(place->name));
        json_object_set_new(row, "self_ms", json_real(in_ms(place->self)));
        json_object_set_new(row, "total_ms", json_real(in_ms(place->total)));
        if (place->file != NULL) {
            json_object_set_new(row, "file", json_text(place->file));
            json_object_set_new(row, "line", json_integer(place->line));
        }
        json_array_append_new(place->call ? calls : functions, row);
    }
    json_t *phases = json_array();
    for (size_t i = 0; i < p->phase_count; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "name", json_text(p->phases[i].name));
        json_object_set_new(row, "cycles", json_integer((json_int_t)p->phases[i].cycles));
        json_array_append_new(phases, row);
    }
    json_object_set_new(o, "samples", json_integer((json_int_t)p->count));
    json_object_set_new(o, "app_ms", json_real(in_ms(p->app_time)));
    json_object_set_new(o, "calls_ms", json_real(in_ms(p->call_time)));
    json_object_set_new(o, "waiting_ms", json_real(in_ms(p->idle_time)));
    json_object_set_new(o, "boot", phases);
    json_object_set_new(o, "functions", functions);
    json_object_set_new(o, "calls", calls);
    return o;
}

/* ---- the picture ---- */

enum {
    WIDTH = 1200,
    MARGIN = 10,
    ROW = 17,
    LETTER = 7 /* of 11.5 pixels */,
    COLUMNS = 236,
    RUN_HEIGHT = 40,
    TOP = 172
};

struct picture {
    const struct profile *p;
    FILE *out;
    double height;
};

/* Text of the guest's: no markup, no control characters. */
static void put_text(FILE *out, const char *text, size_t most) {
    for (size_t n = 0; *text != '\0' && n < most; text++, n++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            /* names are not always UTF-8 */
            fputc((unsigned char)*text < ' ' || (unsigned char)*text > 0x7e ? '?' : *text, out);
        }
    }
}

static void put_label(FILE *out, double x, double y, double width, const char *text) {
    size_t room = width < 3 * LETTER ? 0 : (size_t)((width - 4) / LETTER);
    if (room == 0) {
        return;
    }
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">", x + 3, y);
    put_text(out, text, strlen(text) <= room ? room : room - 1);
    fputs(strlen(text) <= room ? "</text>" : "\xe2\x80\xa6</text>", out);
}

/* A name has one shade, so that it is found again. */
static const char *colour(const struct place *place) {
    uint64_t hash = hash64(0, place->name, strlen(place->name));
    unsigned a = (unsigned)(hash % 40), b = (unsigned)(hash / 40 % 40);
    if (place->call) {
        return xasprintf("#%02x%02x%02x", 120 + a, 185 + b / 2, 110 + a);
    }
    if (place->file == NULL || callers_is_library(NULL, place->file)) {
        return xasprintf("#%02x%02x%02x", 150 + a, 185 + b, 225 + b / 2);
    }
    return xasprintf("#%02x%02x%02x", 235 + b / 2, 120 + 2 * a, 80 + b);
}

/* A node and those above it, in [x, x + width). */
static void put_node(const struct picture *s, size_t n, double x, double width, size_t level) {
    const struct profile *p = s->p;
    const struct node *node = &p->nodes.data[n];
    if (width < 0.2) {
        return;
    }
    if (level > 0) {
        const struct place *place = &p->places.data[node->place];
        double y = s->height - MARGIN - ROW * (double)level;
        const char *name = place->call ? xasprintf("%s()", place->name) : place->name;
        fputs("<g><title>", s->out);
        put_text(s->out, name, 1000);
        if (place->file != NULL) {
            put_text(s->out, xasprintf(" (%s)", short_file(place->file)), 1000);
        }
        fprintf(s->out, ", %.0f ms, %.1f %%</title>", in_ms(node->weight),
                percent(node->weight, p->nodes.data[0].weight));
        fprintf(s->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>", x,
                y, width, ROW - 1, colour(place));
        put_label(s->out, x, y + ROW - 5, width, name);
        fputs("</g>\n", s->out);
    }
    VEC(size_t) children = {0}; /* in the order in which they came */
    for (size_t c = node->child; c != 0; c = p->nodes.data[c - 1].next) {
        *vec_push(&children) = c - 1;
    }
    for (size_t i = children.len; i-- > 0;) {
        const struct node *child = &p->nodes.data[children.data[i]];
        double part =
            width * (double)child->weight / (double)(node->weight == 0 ? 1 : node->weight);
        put_node(s, children.data[i], x, part, level + 1);
        x += part;
    }
}

/* From the machine's start to the app's, to scale. */
static void put_boot(const struct picture *s) {
    const struct profile *p = s->p;
    double end =
        p->phase_count == 0 || p->hz == 0 ? 0 : (double)p->phases[p->phase_count - 1].cycles;
    if (end <= 0) {
        return;
    }
    static const char *const fills[] = {"#c9d6e8", "#e8d9c0", "#cfe3c8", "#e3c8d8"};
    fprintf(s->out,
            "<text x=\"%d\" y=\"48\">boot: %.2f ms from the machine's start to the app</text>\n",
            MARGIN, end * 1e3 / (double)p->hz);
    double before = 0;
    for (size_t i = 0; i < p->phase_count; i++) {
        double at = (double)p->phases[i].cycles;
        if (at < before) {
            continue;
        }
        double x = MARGIN + before / end * (WIDTH - 2 * MARGIN);
        double width = (at - before) / end * (WIDTH - 2 * MARGIN);
        const char *label =
            xasprintf("%s %.2f ms", p->phases[i].name, (at - before) * 1e3 / (double)p->hz);
        fputs("<g class=\"phase\"><title>", s->out);
        put_text(s->out, label, 1000);
        fprintf(s->out,
                "</title><rect x=\"%.1f\" y=\"54\" width=\"%.1f\" height=\"18\" fill=\"%s\"/>", x,
                width < 0.5 ? 0.5 : width, fills[i % 4]);
        put_label(s->out, x, 67, width, label);
        fputs("</g>\n", s->out);
        before = at;
    }
}

/* The run: what each column of time went to. */
static void put_run(const struct picture *s, const struct report_sample *heads) {
    const struct profile *p = s->p;
    static const char *const fills[] = {
        [SAMPLE_APP] = "#f08a5d", [SAMPLE_CALL] = "#8cc084", [SAMPLE_IDLE] = "#e8e8e8"};
    double sums[COLUMNS][3] = {{0}};
    fprintf(s->out,
            "<text x=\"%d\" y=\"94\">run: %.0f ms, of which app %.0f %%, system calls %.0f %%, "
            "waiting %.0f %%</text>\n",
            MARGIN, in_ms(all_time(p)), percent(p->app_time, all_time(p)),
            percent(p->call_time, all_time(p)), percent(p->idle_time, all_time(p)));
    /* A sample stands for the time since the one before it. */
    double first = p->count == 0 ? 0 : (double)heads[0].time, at = 0;
    double span = (double)p->end_ns - first;
    for (size_t i = 1; i < p->count && span > 0; i++) {
        double end = ((double)heads[i].time - first) / span * COLUMNS;
        unsigned state = heads[i].state > SAMPLE_IDLE ? SAMPLE_IDLE : heads[i].state;
        while (at < end) {
            size_t column = at < COLUMNS - 1 ? (size_t)at : COLUMNS - 1;
            double next =
                end < (double)column + 1 || column == COLUMNS - 1 ? end : (double)column + 1;
            sums[column][state] += next - at;
            at = next;
        }
    }
    double width = (double)(WIDTH - 2 * MARGIN) / COLUMNS;
    for (size_t c = 0; c < COLUMNS; c++) {
        double all = sums[c][0] + sums[c][1] + sums[c][2];
        double y = 100 + RUN_HEIGHT;
        for (unsigned k = 0; k < 3 && all > 0; k++) {
            double height = RUN_HEIGHT * sums[c][k] / all;
            y -= height;
            if (height > 0) {
                fprintf(
                    s->out,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
                    MARGIN + (double)c * width, y, width, height, fills[k]);
            }
        }
    }
}

static char *picture_of(const struct profile *p) {
    char *text = NULL;
    size_t size;
    struct picture s = {.p = p, .out = open_memstream(&text, &size)};
    if (s.out == NULL) {
        return NULL;
    }
    s.height = TOP + ROW * (double)(p->depth + 1) + MARGIN;
    fprintf(s.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
            "viewBox=\"0 0 %d %.0f\">\n"
            "<style>text{font:11.5px monospace;fill:#222}g:hover rect{stroke:#222}</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%d\" y=\"24\" style=\"font-weight:bold\">",
            WIDTH, s.height, WIDTH, s.height, MARGIN);
    put_text(s.out, p->app, 100);
    fprintf(s.out, ": %zu samples</text>\n", p->count);
    put_boot(&s);
    put_run(&s, p->heads);
    fprintf(s.out,
            "<text x=\"%d\" y=\"%d\">where the time goes: who calls stands below; orange the app's "
            "code, blue libraries, green system calls</text>\n",
            MARGIN, TOP - 8);
    put_node(&s, 0, MARGIN, WIDTH - 2 * MARGIN, 0);
    fputs("</svg>\n", s.out);
    return fclose(s.out) == 0 ? text : NULL;
}

bool profile_close(struct profile *p) {
    char *text = picture_of(p);
    if (text == NULL || !output_write(p->output, text, strlen(text))) {
        output_abandon(p->output);
        free(text);
        return false;
    }
    free(text);
    return output_commit(p->output);
}
